"""Clicks, strokes, boxes and polygons in place of ellipses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import coarsekit
from coarsekit.errors import ParameterError
from coarsekit.geometry import draw, extent
from coarsekit.marks import BOX, CLICK, OUTLINE, ways_drawn
from coarsekit.simulation.kinds import ELLIPSE, KINDS, POLYGON, as_kind, choose_kinds
from coarsekit.simulation.styles import HUMAN, MIXED, Style, dump_style, style_named
from coarsekit.types import Ellipse, Fundus, Line, Mark, Point, Polygon
from zoo.cli.main import main
from zoo.models.base import build, network_class
from zoo.training.distributed.devices import Devices
from zoo.training.recipe import Recipe
from zoo.training.sources import training_source

SHAPE = (120, 160)
WAYS = {ELLIPSE: OUTLINE, POLYGON: OUTLINE}
near = st.builds(
    Ellipse, st.floats(-20, 180), st.floats(-20, 140), st.floats(0.4, 40), st.floats(0.4, 40), st.floats(0, 180)
)


def only(kind: str) -> Style:
    return replace(HUMAN, name="only", kinds={kind: 1.0})


@pytest.fixture(scope="module")
def fundus() -> Fundus:
    fine = draw([Ellipse(40, 60, 20, 6, 30), Ellipse(120, 60, 9, 9), Ellipse(90, 20, 3, 2)], SHAPE)
    return Fundus("a", "a.png", "train", np.full((*SHAPE, 3), 90, np.uint8), {"HE": fine})


@given(near, st.sampled_from(KINDS), st.integers(0, 99))
def test_clicks_and_strokes_are_on_the_lesion_boxes_and_polygons_on_the_drawing(
    ellipse: Ellipse, kind: str, seed: int
) -> None:
    fine = draw([ellipse], SHAPE)
    wider = replace(ellipse, rx=ellipse.rx + 3, ry=ellipse.ry + 3)
    shape = as_kind(kind, wider, ellipse, fine, np.random.default_rng(seed))
    if kind == ELLIPSE:
        assert shape == wider
    elif kind == BOX:
        assert isinstance(shape, Polygon)
        assert extent(shape) == pytest.approx(extent(wider))
    elif kind == POLYGON:
        assert isinstance(shape, Polygon)
        assert len(shape.rings[0]) == 6
        assert (
            np.count_nonzero(draw([shape], SHAPE) & ~draw([replace(wider, rx=wider.rx + 1, ry=wider.ry + 1)], SHAPE))
            == 0
        )
    else:
        assert isinstance(shape, Point | Line)
        places = shape.places if isinstance(shape, Line) else ((shape.x, shape.y),)
        if fine.any():
            assert all(fine[int(y), int(x)] for x, y in places)
        else:
            assert places == ((ellipse.cx, ellipse.cy),)


@pytest.mark.parametrize("kind", KINDS)
def test_a_photograph_is_drawn_in_the_kinds_of_its_style_and_recognised_as_them(fundus: Fundus, kind: str) -> None:
    drawn = coarsekit.annotate(fundus, 1.0, only(kind))
    assert len(drawn.marks) == 3
    ways = set(ways_drawn(drawn))
    assert ways == {WAYS.get(kind, kind)}
    assert drawn == coarsekit.annotate(fundus, 1.0, only(kind))


def test_ellipses_are_the_same_with_and_without_the_choice(fundus: Fundus) -> None:
    assert coarsekit.annotate(fundus, 1.0, only(ELLIPSE)).marks == coarsekit.annotate(fundus, 1.0, HUMAN).marks


def test_shares_are_those_of_the_style() -> None:
    kinds = choose_kinds(MIXED.kinds, 20_000, np.random.default_rng(0))
    assert {kind: kinds.count(kind) / 20_000 for kind in KINDS} == pytest.approx(dict(MIXED.kinds), abs=0.01)
    assert choose_kinds({}, 3, np.random.default_rng(0)) == [ELLIPSE] * 3


def test_human_draws_as_before_and_kinds_are_among_the_parameters_of_those_that_have_them() -> None:
    assert "kinds" not in HUMAN.parameters()
    assert MIXED.parameters()["kinds"] == dict(MIXED.kinds)


def test_kinds_come_back_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("kinds = {click = 1.0}\n")
    assert style_named(str(file)).kinds == {"click": 1.0}
    mixed = replace(MIXED, name="ours")
    file.write_text(dump_style(mixed))
    assert style_named(str(file)) == mixed


@pytest.mark.parametrize(
    ("kinds", "said"),
    [({"clik": 1.0}, "did you mean 'click'"), ({"click": 0.5}, "make 1"), ({"click": 1.5, "box": -0.5}, "make 1")],
)
def test_shares_that_are_none_are_refused(kinds: dict[str, float], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Style("ours", kinds=kinds)


def test_the_sample_is_refined_from_mixed_marks(tmp_path: Path) -> None:
    options = ["--style", "mixed", "--refiner", "shrink", "-o", str(tmp_path / "out"), "-q"]
    assert CliRunner().invoke(main, ["refine", "sample", *options]).exit_code == 0
    assert len(list((tmp_path / "out").glob("*.json"))) == 2


@pytest.mark.parametrize(("style", "marked"), [("clicks", Ellipse(50, 50, 1, 1)), ("mixed", None), ("boxes", None)])
def test_training_shows_clicks_as_refining_does(tmp_path: Path, style: str, marked: Ellipse | None) -> None:
    recipe = Recipe("unet", {"width": 2, "size": 32}, styles=(style,), samples=6, validation=0, schedule="cosine")
    source = training_source(coarsekit.open_source("sample"), "validation", recipe, tmp_path)
    pairs = source.pairs(recipe, build(network_class("unet"), recipe.config), Devices())
    for image, coarse, fine, *_ in (pairs[place] for place in range(len(pairs))):
        assert image.shape == (3, 32, 32)
        assert coarse.any()
        assert fine.shape == coarse.shape
    if marked:
        # A window is half as large again as its circle, so that a click's circle has about 0.35 of it.
        shares = [float(pairs[place][1].mean()) for place in range(len(pairs))]
        assert min(shares) > 0.1


def test_a_click_is_a_mark_without_a_size(fundus: Fundus) -> None:
    drawn = coarsekit.annotate(fundus, 1.0, only(CLICK))
    assert all(isinstance(mark, Mark) and isinstance(mark.shape, Point) for mark in drawn.marks)
    assert all(mark.shape.radius is None for mark in drawn.marks if isinstance(mark.shape, Point))
