"""How marks were drawn: outlines, boxes, clicks and strokes are told apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coarsekit
from coarsekit.geometry import rotated
from coarsekit.marks import count_ways, seed_of, ways_drawn
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Raster

STROKE = Line(((10, 10), (20, 30)), 3)
BOX = Polygon((((10, 20), (40, 20), (40, 25), (10, 25)),))


def drawn(*shapes, lesion: str = "MA", width: int = 1500) -> Annotation:
    return Annotation("p.jpg", width, 1000, tuple(Mark(lesion, shape) for shape in shapes))


def circles(count: int, radius: float, first: float = 10) -> list[Ellipse]:
    return [Ellipse(first + 20 * place, 50, radius, radius) for place in range(count)]


def unequal(count: int) -> list[Ellipse]:
    return [Ellipse(30.0 * place, 90, 5 + place, 6 + place) for place in range(count)]


@pytest.mark.parametrize(
    ("shape", "way"),
    [
        (Ellipse(5, 5, 3, 3), "outline"),
        (Ellipse(5, 5, 0.5, 0.5), "click"),
        (Point(5, 5), "click"),
        (Point(5, 5, 90), "click"),
        (STROKE, "stroke"),
        (BOX, "box"),
        (Polygon((BOX.rings[0], BOX.rings[0])), "outline"),
        (Polygon((((10, 20), (40, 20), (40, 25), (12, 28)),)), "outline"),
        (Polygon((((10, 20), (40, 20), (40, 25)),)), "outline"),
        (Raster(3, 4, np.ones((4, 5), bool)), "outline"),
    ],
)
def test_every_shape_has_its_way(shape, way: str) -> None:
    assert ways_drawn(drawn(shape)) == (way,)
    assert count_ways(drawn(shape), "MA") == {way: 1}
    assert count_ways(drawn(shape), "HE") == {}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(1, 90), st.floats(1, 90), st.floats(-360, 360), st.floats(0, 500))
def test_a_turned_box_is_a_box(width: float, height: float, angle: float, place: float) -> None:
    corners = ((-width, -height), (width, -height), (width, height), (-width, height))
    assert ways_drawn(drawn(Polygon((rotated(corners, angle, (place, place)),)))) == ("box",)


@pytest.mark.parametrize(
    ("same", "others", "clicks"),
    [(5, 0, 5), (4, 0, 0), (5, 5, 5), (5, 6, 0), (20, 3, 20)],
)
def test_circles_that_most_marks_of_a_label_share_are_clicks(same: int, others: int, clicks: int) -> None:
    ways = ways_drawn(drawn(*circles(same, 4), *unequal(others)))
    assert ways == ("click",) * clicks + ("outline",) * (same + others - clicks)


def test_of_equal_circles_only_small_ones_are_clicks_and_each_label_counts_by_itself() -> None:
    assert set(ways_drawn(drawn(*circles(9, 14)))) == {"click"}
    assert set(ways_drawn(drawn(*circles(9, 14.1)))) == {"outline"}
    assert set(ways_drawn(drawn(*circles(9, 40), width=4288))) == {"click"}
    other = tuple(Mark("EX", circle) for circle in circles(3, 4))
    both = Annotation("p.jpg", 1500, 1000, drawn(*circles(5, 4)).marks + other)
    assert (count_ways(both, "MA"), count_ways(both, "EX")) == ({"click": 5}, {"outline": 3})


def test_numbers_that_a_tool_rounds_are_one_size() -> None:
    assert set(ways_drawn(drawn(*(Ellipse(9.0 * n, 9, 4 + n / 1000, 4 - n / 1000) for n in range(6))))) == {"click"}


@pytest.mark.parametrize("style", [coarsekit.HUMAN, coarsekit.PAPER], ids=["human", "paper"])
def test_nothing_that_is_simulated_around_lesions_is_taken_for_a_click(style) -> None:
    sample = coarsekit.open_source("sample")
    for key in sample.keys("validation"):
        annotation = coarsekit.annotate(sample.read(key), 1.0, style, 0)
        assert set(ways_drawn(annotation)) == {"outline"}


def test_a_seed_is_the_place_without_a_size() -> None:
    assert seed_of(Ellipse(5, 6, 3, 3)) == Point(5, 6)
    assert seed_of(Point(5, 6, 3)) == Point(5, 6)
    assert seed_of(STROKE) == Line(STROKE.places)
    assert seed_of(BOX) is None
