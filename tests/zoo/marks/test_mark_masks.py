"""The mask of a class divided among its marks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from coarsekit.geometry import draw
from coarsekit.types import Annotation, Ellipse, Mark, Mask, Point, Polygon, Raster
from zoo.marks.mark_masks import BEYOND, NOTHING, PART, MarkMask, mark_masks

SHAPE = (60, 80)


def box(x0: int, y0: int, x1: int, y1: int) -> Polygon:
    return Polygon((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),))


def pixels(*boxes: tuple[int, int, int, int]) -> Mask:
    return draw([box(*each) for each in boxes], SHAPE)


def on_photograph(found: MarkMask) -> Mask:
    return np.zeros(SHAPE, bool) if found.mask is None else draw([found.mask], SHAPE)


def divided(mask: Mask, *shapes: object, lesion: str = "MA") -> list[MarkMask]:
    return mark_masks(Annotation("a.png", *SHAPE[::-1], tuple(Mark("MA", shape) for shape in shapes)), lesion, mask)  # type: ignore[arg-type]


def test_a_part_belongs_to_the_mark_that_it_touches_and_what_is_beyond_is_counted() -> None:
    one, two, three = divided(
        pixels((5, 5, 20, 9), (50, 30, 52, 32)), box(4, 4, 10, 10), box(48, 28, 55, 35), box(60, 5, 70, 9)
    )
    assert (one.place, one.found, one.pixels, one.drawn_pixels, one.outside_pixels) == (0, BEYOND, 60, 36, 40)
    assert (two.found, two.pixels, two.outside_pixels) == (PART, 4, 0)
    assert (three.found, three.pixels, three.mask, three.drawn_pixels) == (NOTHING, 0, None, 40)


def test_a_part_that_touches_two_marks_is_divided_and_where_both_are_the_smaller_has_it() -> None:
    large, small = box(0, 10, 40, 30), box(30, 10, 50, 30)
    first, second = divided(pixels((10, 15, 60, 20)), large, small)
    assert np.array_equal(on_photograph(first), pixels((10, 15, 30, 20)))
    assert np.array_equal(on_photograph(second), pixels((30, 15, 60, 20)))


def test_a_part_between_two_marks_is_divided_half_way() -> None:
    first, second = divided(pixels((5, 15, 65, 17)), box(0, 10, 20, 30), box(50, 10, 70, 30))
    assert np.array_equal(on_photograph(first), pixels((5, 15, 35, 17)))
    assert np.array_equal(on_photograph(second), pixels((35, 15, 65, 17)))


def test_a_part_that_touches_no_mark_goes_to_the_nearest_and_marks_off_the_photograph_get_none() -> None:
    near, far, off = divided(pixels((20, 20, 23, 23)), box(5, 20, 12, 26), Point(60.0, 40.0), Ellipse(-500, -500, 5, 5))
    assert (near.pixels, near.outside_pixels, far.pixels) == (9, 9, 0)
    assert (off.mask, off.drawn_pixels) == (None, 0)


def test_another_class_and_an_empty_mask_have_nothing() -> None:
    assert divided(pixels((1, 1, 5, 5)), box(0, 0, 9, 9), lesion="HE") == []
    [found] = divided(np.zeros(SHAPE, bool), box(0, 0, 9, 9))
    assert (found.found, found.drawn_pixels) == (NOTHING, 81)


coordinates = st.tuples(st.integers(0, 70), st.integers(0, 50), st.integers(1, 25), st.integers(1, 25))


@settings(deadline=None, max_examples=60)
@given(st.lists(coordinates, min_size=1, max_size=6), st.lists(coordinates, max_size=6))
def test_the_masks_of_the_marks_are_disjoint_and_the_mask_of_the_class_together(
    parts: list[tuple[int, int, int, int]], marks: list[tuple[int, int, int, int]]
) -> None:
    mask = pixels(*((x, y, x + w, y + h) for x, y, w, h in parts))
    shapes = [Ellipse(x, y, w, h) for x, y, w, h in marks]
    found = divided(mask, *shapes)
    assert [one.place for one in found] == list(range(len(shapes)))
    total = sum((on_photograph(one).astype(int) for one in found), np.zeros(SHAPE, int))
    assert np.array_equal(total, mask.astype(int) if shapes else 0 * mask.astype(int))
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    for part in range(1, count + 1):
        touching = [
            one for one, shape in zip(found, shapes, strict=True) if (draw([shape], SHAPE) & (labels == part)).any()
        ]
        if len(touching) == 1:
            assert np.array_equal(on_photograph(touching[0]) & (labels == part), labels == part)
    for one, shape in zip(found, shapes, strict=True):
        own = draw([shape], SHAPE)
        assert (one.drawn_pixels, one.pixels) == (own.sum(), on_photograph(one).sum())
        assert one.outside_pixels == (on_photograph(one) & ~own).sum()


def test_a_mask_that_was_drawn_is_a_mark_too() -> None:
    [found] = divided(pixels((10, 10, 20, 20)), Raster(8, 8, np.ones((4, 4), bool)))
    assert (found.pixels, found.drawn_pixels, found.outside_pixels) == (100, 16, 96)


@pytest.mark.parametrize("side", [1, 2])
def test_parts_that_meet_at_a_corner_are_one(side: int) -> None:
    first, second = divided(pixels((10, 10, 14, 14), (14, 14, 18, 18)), box(10, 10, 10 + side, 11), box(60, 50, 70, 55))
    assert (first.pixels, second.pixels) == (32, 0)
