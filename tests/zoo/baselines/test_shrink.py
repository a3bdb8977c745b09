"""The image-blind rule: its geometry, its fit, and its folder."""

import json

import numpy as np
import pytest

from coarsekit.datasets import open_source
from coarsekit.errors import RefinerError
from coarsekit.geometry import draw
from coarsekit.simulation.styles import HUMAN, PAPER
from coarsekit.storage.digests import photograph_sha256
from coarsekit.types import Annotation, Ellipse, Mark
from zoo import from_pretrained
from zoo.baselines.fit_shrink import AMOUNTS, fit_shrink, save_shrink
from zoo.baselines.shrink import Amount, Shrink
from zoo.checkpoints.seen import photographs_seen

IMAGE = np.zeros((300, 4288 // 2, 3), np.uint8)


def annotate(style: str | None, lesion: str = "MA") -> Annotation:
    marks = (Mark(lesion, Ellipse(400, 100, 40, 30, 20)),)
    return Annotation("p", 4288 // 2, 300, marks, {"style": style} if style else {})


def rule() -> Shrink:
    return Shrink(
        {
            "paper": {"MA": Amount(1.0, 24), "other": Amount(1.0, 12)},
            "human": {"MA": Amount(0.5, 0), "other": Amount(0.8, 0)},
        }
    )


@pytest.mark.parametrize(
    ("style", "lesion", "axes"),
    [
        ("paper", "MA", (40 - 12, 30 - 12)),
        ("paper", "drusen", (40 - 6, 30 - 6)),
        ("human", "MA", (20, 15)),
        (None, "MA", (20, 15)),
        ("somebody's own", "HE", (32, 24)),
    ],
)
def test_semi_axes_shrink_by_style_class_and_scale(style: str | None, lesion: str, axes: tuple[float, float]) -> None:
    refined = rule().refine(IMAGE, annotate(style, lesion), scale=0.5)
    assert np.array_equal(refined[lesion], draw([Ellipse(400, 100, *axes, 20)], IMAGE.shape[:2]))


def test_it_never_looks_at_the_image() -> None:
    noise = np.random.default_rng(0).integers(0, 256, IMAGE.shape, dtype=np.uint8)
    one, other = (rule().refine(image, annotate("human"))["MA"] for image in (IMAGE, noise))
    assert np.array_equal(one, other)


def test_the_fit_is_the_best_candidate_and_comes_back_from_its_folder(tmp_path) -> None:
    sample = open_source("sample")
    fit = fit_shrink(sample, None, [PAPER, HUMAN], seed=0)
    shrink, fitted = fit.shrink, fit.training_iou
    assert set(fitted["paper"]) == {"MA", "HE", "EX", "SE", "other"}
    assert all(amount in AMOUNTS for lesions in shrink.amounts.values() for amount in lesions.values())
    assert shrink.amounts["paper"]["MA"].pixels >= 18
    assert fitted["paper"]["MA"] > 50
    save_shrink(fit, tmp_path, "sample", sample.describe(), 0)
    loaded = Shrink.load(tmp_path, "mine")
    assert (loaded.amounts, loaded.trained_on, loaded.name) == (shrink.amounts, "sample", "mine")
    assert json.loads((tmp_path / "training.json").read_text())["training_iou"] == fitted
    assert photographs_seen(tmp_path) == {photograph_sha256(fundus.image) for fundus in sample.photographs()}


def test_damaged_amounts_are_one_sentence(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"format": 1, "variant": "shrink", "config": {"amounts": {"paper": {}}}}')
    with pytest.raises(RefinerError, match="amounts cannot be read"):
        Shrink.load(tmp_path, "x")


def test_the_bundled_rule_knows_both_styles_and_every_class() -> None:
    bundled = from_pretrained("shrink")
    assert isinstance(bundled, Shrink)
    assert set(bundled.amounts) == {"paper", "human"}
    assert all({"MA", "HE", "EX", "SE", "other"} == set(lesions) for lesions in bundled.amounts.values())
