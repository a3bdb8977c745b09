"""Ellipses and masks against plain loops, brute-force distances and scikit-image."""

from math import cos, radians, sin
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import draw as skimage_draw
from skimage.measure import regionprops

from coarsekit.geometry import covering_ellipse, covers_any, draw, extent, moved, touches
from coarsekit.types import Ellipse, Line, Mask, Point, Raster
from tests.masks import centres, masks, masks_with_pixels

SHAPE = (36, 44)
NOTHING = np.empty((0, 2))

ellipses = st.from_type(Ellipse)
points = st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=30).map(np.array)


def radius_squared(ellipse: Ellipse, x: Any, y: Any) -> Any:
    """Below 1 inside, 1 on the rim: the definition, with the rx axis turned clockwise on the screen."""
    c, s = cos(radians(ellipse.angle)), sin(radians(ellipse.angle))
    along = (x - ellipse.cx) * c + (y - ellipse.cy) * s
    across = (y - ellipse.cy) * c - (x - ellipse.cx) * s
    return (along / ellipse.rx) ** 2 + (across / ellipse.ry) ** 2


def contains(ellipse: Ellipse, points: np.ndarray) -> np.ndarray:
    """Which of the points (n, 2) lie inside the ellipse or on its rim, but for rounding."""
    with np.errstate(over="ignore"):
        return radius_squared(ellipse, points[:, 0], points[:, 1]) <= 1 + 1e-9


def per_pixel(ellipse: Ellipse, shape: tuple[int, int]) -> np.ndarray:
    return np.array([[radius_squared(ellipse, i + 0.5, j + 0.5) for i in range(shape[1])] for j in range(shape[0])])


def rim(ellipse: Ellipse, count: int = 64, scale: float = 1.0) -> np.ndarray:
    """Points on the rim, (count, 2)."""
    turn = np.linspace(0, 2 * np.pi, count)
    c, s = cos(radians(ellipse.angle)), sin(radians(ellipse.angle))
    along, across = scale * ellipse.rx * np.cos(turn), scale * ellipse.ry * np.sin(turn)
    return np.stack([ellipse.cx + along * c - across * s, ellipse.cy + along * s + across * c], axis=1)


# ---------------------------------------------------------------------------------------------- drawing


@given(ellipses)
def test_draw_agrees_with_the_inside_test_of_every_pixel(ellipse: Ellipse) -> None:
    radius = per_pixel(ellipse, (24, 30))
    certain = abs(radius - 1) > 1e-6
    assert ((draw([ellipse], (24, 30)) == (radius <= 1)) | ~certain).all()


@given(ellipses)
def test_draw_agrees_with_scikit_image_up_to_rim_pixels(ellipse: Ellipse) -> None:
    theirs = np.zeros(SHAPE, bool)
    place = skimage_draw.ellipse(
        ellipse.cy - 0.5,
        ellipse.cx - 0.5,
        ellipse.ry,
        ellipse.rx,
        SHAPE,
        rotation=-radians((ellipse.angle + 180) % 360 - 180),
    )
    theirs[place] = True
    different = draw([ellipse], SHAPE) != theirs
    assert (abs(per_pixel(ellipse, SHAPE)[different] - 1) < 1e-6).all()


def test_a_pixel_on_the_rim_is_drawn() -> None:
    assert draw([Ellipse(2.5, 2.5, 2, 2)], (5, 5)).tolist() == [
        [False, False, True, False, False],
        [False, True, True, True, False],
        [True, True, True, True, True],
        [False, True, True, True, False],
        [False, False, True, False, False],
    ]


def test_a_positive_angle_turns_clockwise_on_the_screen() -> None:
    """Right and down: the rows of a mask go down the screen."""
    mask = draw([Ellipse(10, 10, 9, 1, angle=45)], (20, 20))
    assert mask[15, 15]
    assert not mask[5, 15]


@given(st.lists(ellipses, max_size=4))
def test_draw_gives_the_union(several: list[Ellipse]) -> None:
    each = [draw([ellipse], SHAPE) for ellipse in several]
    assert (draw(several, SHAPE) == np.any([np.zeros(SHAPE, bool), *each], axis=0)).all()


def test_no_shape_gives_an_empty_mask() -> None:
    assert not draw([], (7, 9)).any()


def test_what_lies_outside_the_photograph_is_cut_off() -> None:
    away = [Ellipse(-50, 5, 10, 10), Ellipse(5, -50, 10, 10), Ellipse(90, 5, 10, 10), Ellipse(5, 90, 10, 10)]
    assert not draw(away, (20, 20)).any()
    assert draw([Ellipse(10, 10, 1e6, 1e6)], (20, 20)).all()


@given(ellipses, st.floats(0.1, 2), st.integers(1, 40), st.integers(1, 40))
def test_a_shape_covers_something_where_its_drawing_has_a_pixel(
    ellipse: Ellipse, share: float, height: int, width: int
) -> None:
    small = Ellipse(ellipse.cx, ellipse.cy, ellipse.rx * share, ellipse.ry * share, ellipse.angle)
    assert covers_any(small, (height, width)) == draw([small], (height, width)).any()


@given(ellipses, masks)
def test_a_shape_touches_a_mask_that_has_a_pixel_of_its_drawing(ellipse: Ellipse, mask: Mask) -> None:
    drawn = draw([ellipse], mask.shape)
    assert touches(ellipse, mask) == (drawn & mask).any()
    if drawn.any():
        assert touches(Raster(0, 0, drawn), mask) == (drawn & mask).any()


@given(ellipses)
def test_extent_bounds_every_drawn_pixel(ellipse: Ellipse) -> None:
    x0, y0, x1, y1 = extent(ellipse)
    drawn = centres(draw([ellipse], SHAPE))
    assert ((drawn >= [x0 - 1e-6, y0 - 1e-6]) & (drawn <= [x1 + 1e-6, y1 + 1e-6])).all()


@given(ellipses)
def test_extent_is_the_smallest_box_around_the_rim(ellipse: Ellipse) -> None:
    dense = rim(ellipse, 2000)
    assert np.allclose(extent(ellipse), [*dense.min(axis=0), *dense.max(axis=0)], atol=1e-3)


@given(ellipses)
def test_the_rim_belongs_to_the_ellipse_and_what_lies_beyond_does_not(ellipse: Ellipse) -> None:
    assert contains(ellipse, rim(ellipse)).all()
    assert not contains(ellipse, rim(ellipse, scale=1 + 1e-6)).any()


@given(ellipses, st.floats(-30, 30), st.floats(-30, 30), st.floats(0.1, 10))
def test_a_moved_ellipse_contains_the_moved_points(ellipse: Ellipse, dx: float, dy: float, scale: float) -> None:
    near = np.concatenate([rim(ellipse, scale=0.999), rim(ellipse, scale=1.001)])
    assert (
        contains(moved(ellipse, dx, dy, scale), (near + np.array([dx, dy])) * scale) == contains(ellipse, near)
    ).all()


# ---------------------------------------------------------------------------------------------- covering ellipses


@given(points, points)
def test_the_covering_ellipse_covers_what_lies_inside(cloud: np.ndarray, inside: np.ndarray) -> None:
    assert contains(covering_ellipse(cloud, inside), inside).all()


@given(masks_with_pixels)
def test_the_drawn_covering_ellipse_covers_the_mask(mask: Mask) -> None:
    assert (draw([covering_ellipse(centres(mask), centres(mask))], mask.shape) >= mask).all()


@given(masks_with_pixels)
def test_without_points_to_cover_it_is_the_ellipse_of_scikit_image_with_whole_pixels(mask: Mask) -> None:
    """Scikit-image takes pixels for points; a whole one adds 1/12 to each variance, so 4/12 to a squared semi-axis."""
    ellipse = covering_ellipse(centres(mask), NOTHING)
    (region,) = regionprops(mask.astype(int))
    assert np.allclose([ellipse.cy - 0.5, ellipse.cx - 0.5], region.centroid)
    theirs = np.array([region.axis_major_length, region.axis_minor_length])
    assert np.allclose([ellipse.rx, ellipse.ry], np.sqrt((theirs / 2) ** 2 + 1 / 3))
    if region.axis_major_length > region.axis_minor_length * (1 + 1e-6):
        theirs = np.array([sin(region.orientation), cos(region.orientation)])
        ours = np.array([cos(radians(ellipse.angle)), sin(radians(ellipse.angle))])
        assert abs(theirs @ ours) == pytest.approx(1, abs=1e-6)


@given(points, points)
def test_covering_never_needs_more_than_the_same_form_at_another_scale(cloud: np.ndarray, inside: np.ndarray) -> None:
    plain, grown = covering_ellipse(cloud, NOTHING), covering_ellipse(cloud, inside)
    dx, dy, turn = inside[:, 0] - plain.cx, inside[:, 1] - plain.cy, np.radians(plain.angle)
    along, across = np.cos(turn) * dx + np.sin(turn) * dy, np.cos(turn) * dy - np.sin(turn) * dx
    scale = max(1.0, np.hypot(along / plain.rx, across / plain.ry).max(initial=0))
    assert grown.rx * grown.ry <= scale**2 * plain.rx * plain.ry * (1 + 1e-6)


def test_a_speck_far_from_a_large_lesion_does_not_stretch_the_ellipse_over_everything() -> None:
    """The moments of the pixels alone would give semi-axes of 219 and 142 px, for a lesion and a speck 200 px away."""
    shape = (400, 400)
    both = np.argwhere(draw([Ellipse(120, 200, 60, 40), Ellipse(320, 260, 2, 2)], shape))[:, ::-1] + 0.5
    ellipse = covering_ellipse(both, both)
    assert contains(ellipse, both).all()
    assert max(ellipse.rx, ellipse.ry) < 200


@given(points, points)
def test_the_covering_ellipse_is_no_larger_than_need_be(cloud: np.ndarray, inside: np.ndarray) -> None:
    """Either it is the ellipse of the moments, or shrinking it by a thousandth uncovers a point."""
    ellipse = covering_ellipse(cloud, inside)
    smaller = Ellipse(ellipse.cx, ellipse.cy, ellipse.rx * 0.999, ellipse.ry * 0.999, ellipse.angle)
    assert ellipse == covering_ellipse(cloud, NOTHING) or not contains(smaller, inside).all()


def test_a_single_pixel_gives_a_circle_around_it() -> None:
    pixel = np.array([[3.5, 8.5]])
    ellipse = covering_ellipse(pixel, pixel)
    assert (ellipse.cx, ellipse.cy) == (3.5, 8.5)
    assert ellipse.rx == ellipse.ry == pytest.approx(1 / 3**0.5)


@pytest.mark.parametrize(("step", "angle"), [((1, 0), 0), ((0, 1), 90), ((1, 1), 45), ((1, -1), 135)])
def test_a_line_of_pixels_gives_an_ellipse_along_it(step: tuple[int, int], angle: float) -> None:
    line = np.arange(9)[:, None] * np.array(step) + 20.5
    ellipse = covering_ellipse(line, NOTHING)
    assert ellipse.angle % 180 == pytest.approx(angle)
    assert ellipse.rx == pytest.approx(2 * (80 / 12 * (step[0] ** 2 + step[1] ** 2) + 1 / 12) ** 0.5)
    assert ellipse.ry == pytest.approx(1 / 3**0.5)


def test_no_points_give_no_ellipse() -> None:
    with pytest.raises(ValueError, match="empty set of points"):
        covering_ellipse(NOTHING, NOTHING)


def test_points_are_never_changed() -> None:
    cloud, inside = np.random.default_rng(0).normal(size=(2, 20, 2))
    before = cloud.copy(), inside.copy()
    contains(covering_ellipse(cloud, inside), inside)
    assert (cloud == before[0]).all()
    assert (inside == before[1]).all()


@pytest.mark.parametrize("length", [0.0, 2.2e-313, 1e-200, 1e-12])
def test_a_line_that_is_all_but_a_point_is_drawn_as_one(length: float) -> None:
    line = Line(((5.5, 5.5), (5.5, 5.5 + length)), 4.0)
    start = Line(((0.0, 0.0), (0.0, length)), 4.0)
    assert np.array_equal(draw([line], (12, 12)), draw([Point(5.5, 5.5, 2.0)], (12, 12)))
    assert np.array_equal(draw([start], (12, 12)), draw([Point(0.0, 0.0, 2.0)], (12, 12)))
