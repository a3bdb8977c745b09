"""What every refiner that is no network keeps to, and what the classical baselines see."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw
from coarsekit.types import Annotation, Ellipse, Mark, Polygon, Raster, Shape
from coarsekit.windows import REFERENCE_WIDTH
from tests.places import BUNDLED
from zoo.baselines.classical import (
    CORE,
    RIM,
    ClassicalBaseline,
    GrabCut,
    Otsu,
    Patch,
    RandomWalker,
    certain,
    even_green,
)
from zoo.cli.main import main

RULES = [name for name in zoo.list_refiners() if not (BUNDLED / name / "model.safetensors").exists()]
CLASSICAL = ["grabcut", "otsu", "random-walker"]
SIZE = (300, 600)
LESION = Ellipse(60, 50, 10, 7, 30)
NEAR = st.builds(Ellipse, st.floats(-9, 60), st.floats(-9, 50), st.floats(0.3, 9), st.floats(0.3, 9), st.floats(0, 180))
DRAWN = Ellipse(62, 49, 18, 15)


def photograph(lesion: int, background: int) -> np.ndarray:
    """A photograph with one lesion on an uneven, noisy background."""
    rng = np.random.default_rng(0)
    grey = np.where(draw([LESION], SIZE), lesion, background) + np.linspace(0, 60, SIZE[1]) + rng.normal(0, 4, SIZE)
    return grey.clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


def annotation(*shapes: Shape, lesion: str = "HE") -> Annotation:
    return Annotation("p.png", *SIZE[::-1], tuple(Mark(lesion, shape) for shape in shapes))


def test_the_rules_are_the_image_blind_one_and_the_classical_baselines() -> None:
    assert sorted(RULES) == sorted(["shrink", *CLASSICAL])
    assert all(isinstance(zoo.from_pretrained(name), ClassicalBaseline) for name in CLASSICAL)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=5)
@given(ellipses=st.lists(NEAR, min_size=1, max_size=3), seed=st.integers(0, 99))
def test_nothing_is_found_outside_the_drawing_wherever_it_lies(name: str, ellipses: list[Ellipse], seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    before, heard = image.copy(), []
    drawn = Annotation("p", 50, 40, tuple(Mark("EX", ellipse) for ellipse in ellipses))
    refiner = zoo.from_pretrained(name)
    refined = refiner.refine(image, drawn, heard.append)["EX"]
    assert refined.shape == (40, 50)
    assert refined.dtype == bool
    assert not (refined & ~draw(ellipses, (40, 50))).any()
    assert np.array_equal(refined, refiner.refine(image, drawn)["EX"])
    assert np.array_equal(image, before)
    assert sum(heard) == len(ellipses)


@pytest.mark.parametrize("name", RULES)
def test_each_class_gets_its_own_mask_and_none_gives_none(name: str) -> None:
    image, refiner = photograph(60, 150), zoo.from_pretrained(name)
    marks = (Mark("HE", DRAWN), Mark("drusen", Ellipse(900, 900, 20, 20)), Mark("MA", Ellipse(100, 90, 0.2, 0.2)))
    refined = refiner.refine(image, Annotation("p", *SIZE[::-1], marks))
    assert list(refined) == ["HE", "drusen", "MA"]
    assert refined["HE"].any()
    assert not refined["drusen"].any()
    assert refiner.refine(image, annotation()) == {}


@pytest.mark.parametrize("name", RULES)
def test_an_annotation_for_another_size_is_refused(name: str) -> None:
    with pytest.raises(AnnotationError, match="drawn on 99 × 300 px"):
        zoo.from_pretrained(name).refine(photograph(60, 150), replace(annotation(DRAWN), width=99))


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("shape", ["ellipse", "polygon", "raster"])
@pytest.mark.parametrize(
    ("lesion", "colours"),
    [("HE", (60, 150)), ("EX", (200, 100)), ("drusen", (200, 100)), ("a dark one", (60, 150))],
)
def test_a_peer_finds_the_lesion_in_a_generous_drawing(name, shape: str, lesion: str, colours) -> None:
    corners = ((45.0, 34.0), (80.0, 36.0), (78.0, 66.0), (44.0, 64.0))
    raster = Raster(0, 0, draw([DRAWN], SIZE))
    drawn = {"ellipse": DRAWN, "polygon": Polygon((corners,)), "raster": raster}[shape]
    found = zoo.from_pretrained(name).refine(photograph(*colours), annotation(drawn, lesion=lesion))[lesion]
    fine = draw([LESION], SIZE)
    assert (found & fine).sum() > 0.85 * (found | fine).sum()


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_class_told_to_be_bright_is_not_sought_in_the_dark(name: str) -> None:
    refined = zoo.from_pretrained(name).refine(photograph(60, 150), annotation(DRAWN, lesion="EX"))["EX"]
    assert (refined & draw([Ellipse(60, 50, 8, 5, 30)], SIZE)).sum() < 10


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("lesion", ["HE", "drusen"])
def test_where_there_is_nothing_to_see_the_drawing_stays(name: str, lesion: str) -> None:
    refined = zoo.from_pretrained(name).refine(np.full((*SIZE, 3), 90, np.uint8), annotation(DRAWN, lesion=lesion))
    assert refined[lesion].sum() > 0.93 * draw([DRAWN], SIZE).sum()  # all but a patch's pixel along its rim


@pytest.mark.parametrize("kind", [Otsu, GrabCut, RandomWalker])
@pytest.mark.parametrize("levels", [2, 3, 200])
def test_few_shades_and_no_background_are_no_hindrance(kind: type[ClassicalBaseline], levels: int) -> None:
    grey = np.random.default_rng(0).integers(0, levels, (12, 12)).astype(np.float32)
    inside = np.ones((12, 12), bool)
    probability = kind().segment(Patch(grey, inside, ~inside))
    assert probability.shape == (12, 12)
    assert probability[grey == grey.max()].mean() > probability[grey == grey.min()].mean()
    assert 0 <= probability.min() <= probability.max() <= 1


def test_certain_pixels_are_the_most_and_the_least_conspicuous_ones() -> None:
    grey = np.arange(400, dtype=np.float32).reshape(20, 20)
    inside = grey >= 200
    core, rim = certain(Patch(grey, inside, ~inside))
    assert not (core & rim).any()
    assert np.array_equal(core, grey >= np.quantile(grey[inside], 1 - CORE))
    assert np.array_equal(rim, grey <= np.quantile(grey[inside], RIM))


def test_slow_changes_of_the_background_are_taken_out() -> None:
    slope = np.linspace(40, 200, 600)[None, :].repeat(400, axis=0).astype(np.uint8)
    even = even_green(slope[..., None].repeat(3, axis=2), 600 / REFERENCE_WIDTH)
    assert even.shape == (400, 600)
    assert abs(even[:, 100:-100]).max() < 4


def test_a_peer_is_scored_by_the_same_command_and_beats_the_drawing_and_the_image_blind_rule() -> None:
    result = CliRunner().invoke(main, ["evaluate", "sample", "--refiner", "grabcut", "--json"])
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)["rows"]
    assert {row["refiner"] for row in rows} == {"grabcut"}
    ours, shrink, floor = (np.mean([row[name] for row in rows]) for name in ("iou", "shrink_iou", "floor_iou"))
    assert ours > shrink > floor
