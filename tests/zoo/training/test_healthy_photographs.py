"""Training on photographs of which some show no lesion, or one class, and on photographs of odd sizes."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from coarsekit.datasets import open_source
from coarsekit.simulation.styles import HUMAN
from tests import command_line
from tests.pictures import lesions, photograph
from zoo.cli.main import main
from zoo.models.base import network_class
from zoo.training.data.pair_transform import PairTransform
from zoo.training.data.photograph_store import CachedPhotograph, cache_photographs
from zoo.training.data.simulated_pairs import SimulatedPairs

TINY = ("--set", "variant=unet", "--set", "width=2", "--set", "size=32", "--set", "epochs=1", "--set", "samples=12")
TINY += ("--set", "batch=4", "--set", "styles=human", "--split", "all", "--threads", "1", "--device", "cpu", "--json")


def folder(root: Path, shown: Mapping[str, tuple[str, ...]], size: tuple[int, int] | None = None) -> str:
    """A dataset of photographs by key, with masks of these classes each; ``size``: (w, h) to scale them to."""
    for place in ("images", "masks"):
        (root / place).mkdir(parents=True)
    for seed, (key, classes) in enumerate(shown.items()):
        pictures = {root / "images" / f"{key}.png": photograph(seed)}
        for place, lesion in enumerate(classes):
            mask = Image.fromarray(lesions(place).astype(np.uint8) * 255)
            pictures[root / "masks" / f"{key}_{lesion}.png"] = mask
        for path, picture in pictures.items():
            (picture.resize(size, Image.Resampling.NEAREST) if size else picture).save(path)
    (root / "coarsekit.toml").write_text('[masks]\nMA = "masks/{stem}_MA.png"\nHE = "masks/{stem}_HE.png"\n')
    return f"folder:{root}"


@pytest.mark.parametrize(
    "shown",
    [
        {"a": ("MA", "HE"), "b": ("MA",), "c": (), "d": (), "e": ()},
        {"a": (), "b": (), "c": (), "d": (), "e": ("MA",), "f": ("HE",)},
        {"a": ("MA",), "b": ("MA",)},
    ],
)
@pytest.mark.parametrize("negatives", ["0", "0.8"])
def test_a_split_with_healthy_photographs_trains(shown, negatives, tmp_path) -> None:
    source = folder(tmp_path / "data", shown)
    done = command_line.run(main, "train", source, "-o", tmp_path / "out", *TINY, "--set", f"negatives={negatives}")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert sorted(record["training_images"] + record["validation_images"]) == sorted(shown)
    assert record["history"][0]["validation"]["human"]


def test_a_class_that_most_photographs_lack_can_be_trained_alone(tmp_path) -> None:
    source = folder(tmp_path / "data", {"a": ("MA",), "b": ("MA", "HE"), "c": ("MA",), "d": ("HE",)})
    done = command_line.run(main, "train", source, "-o", tmp_path / "out", *TINY, "--set", "only_lesions=HE")
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)["history"][0]["validation"]["human"]) == {"HE"}


@pytest.mark.parametrize("shown", [{"a": (), "b": ()}, {"a": (), "b": ("MA",), "c": ()}])
def test_a_split_without_enough_lesions_is_one_sentence(shown, tmp_path) -> None:
    source = folder(tmp_path / "data", shown)
    told = command_line.refusal(command_line.run(main, "train", source, "-o", tmp_path / "out", *TINY))
    assert "two photographs with lesions or more" in told


@pytest.mark.parametrize("size", [(1, 60), (60, 1), (1, 1), (700, 31)])
def test_photographs_of_odd_sizes_train(size, tmp_path) -> None:
    source = folder(tmp_path / "data", {"a": ("MA", "HE"), "b": ("MA", "HE")}, size)
    for path in (tmp_path / "data" / "masks").iterdir():  # something is to be seen on every one
        Image.fromarray(np.full(size[::-1], 255, np.uint8)).save(path)
    done = command_line.run(main, "train", source, "-o", tmp_path / "out", *TINY, "--set", "negatives=0.5")
    assert done.exit_code == 0, done.output


def stored(root: Path, shown: Mapping[str, tuple[str, ...]]) -> list[CachedPhotograph]:
    dataset = open_source(folder(root / "data", shown))
    return cache_photographs(dataset, dataset.keys(), root / "cache", [HUMAN], (1.0,))


def pairs(photographs: list[CachedPhotograph], negatives: float) -> SimulatedPairs:
    config = network_class("unet").config_type(size=32)
    return SimulatedPairs(photographs, [HUMAN], (1.0,), config, PairTransform(32, 0), 60, 0.0, negatives)


def test_moved_ellipses_come_to_healthy_photographs_where_nothing_is_to_be_found(tmp_path) -> None:
    both = stored(tmp_path, {"a": ("MA", "HE"), "b": ()})
    moved = pairs(both, 1.0)
    again = pairs(both, 1.0)
    assert all(torch.equal(one, other) for one, other in zip(moved[7][:3], again[7][:3], strict=True))
    draws = [moved._moved_away(draw, np.random.default_rng(i)) for i, draw in enumerate(moved._draws)]
    healthy = [draw for draw in draws if draw.photograph.key == "b"]
    assert 0.3 < len(healthy) / len(draws) < 0.7
    assert all(draw.shapes == (draw.shape,) for draw in healthy)
    empty = [moved[i] for i in range(60)]
    assert sum(bool(coarse.any() and not fine.any()) for _, coarse, fine, *_ in empty) > 20


def test_healthy_photographs_change_nothing_where_no_ellipse_is_moved(tmp_path) -> None:
    both = stored(tmp_path, {"a": ("MA", "HE"), "b": ()})
    with_healthy, without = pairs(both, 0.0), pairs(both[:1], 0.0)
    assert len(with_healthy) == len(without) == 60
    for index in range(10):
        assert all(torch.equal(*both) for both in zip(with_healthy[index][:3], without[index][:3], strict=True))
