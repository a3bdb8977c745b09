"""Windows, and cutting and stitching as inverses of one another."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coarsekit.errors import ParameterError
from coarsekit.geometry import draw, extent, moved
from coarsekit.morphology import disk_dilate
from coarsekit.types import Ellipse, Mask, Window
from coarsekit.windows import (
    LEAST_SIDE,
    REFERENCE_WIDTH,
    blend,
    crop,
    cut_image,
    cut_mask,
    cut_shapes,
    mirror_beyond,
    stitch,
    window_around,
    windows_around,
)

windows = st.builds(Window, x=st.integers(-30, 40), y=st.integers(-30, 40), side=st.integers(1, 30))
shapes = st.tuples(st.integers(1, 30), st.integers(1, 30))
large = st.builds(
    Ellipse,
    cx=st.floats(-50, 400),
    cy=st.floats(-50, 400),
    rx=st.floats(0.1, 300),
    ry=st.floats(0.1, 300),
    angle=st.floats(0, 180),
)


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


# ---------------------------------------------------------------------------------------------- windows


@given(large, st.integers(16, 5000), st.floats(1, 4))
def test_a_window_holds_the_visible_part_of_its_ellipse_in_the_middle(
    ellipse: Ellipse, width: int, context: float
) -> None:
    window = window_around(ellipse, (300, width), context)
    x0, x1 = np.clip(extent(ellipse)[0::2], 0, width)
    y0, y1 = np.clip(extent(ellipse)[1::2], 0, 300)
    assert abs(window.x + window.side / 2 - (x0 + x1) / 2) <= 0.5 + 1e-6
    assert abs(window.y + window.side / 2 - (y0 + y1) / 2) <= 0.5 + 1e-6
    assert window.side >= context * max(x1 - x0, y1 - y0)
    assert window.side >= LEAST_SIDE * width / REFERENCE_WIDTH


@pytest.mark.parametrize("context", [0.99, nan])
def test_a_window_that_would_cut_its_ellipse_is_refused(context: float) -> None:
    with pytest.raises(ParameterError, match="context must be 1 or more"):
        window_around(Ellipse(5, 5, 2, 2), (100, 100), context)


@given(large, st.integers(400, 4288), st.floats(1, 2), st.integers(64, 4000))
def test_bounded_windows_cover_the_ellipse(ellipse: Ellipse, width: int, context: float, max_window: int) -> None:
    """Every visible pixel of it lies in a window, and no window is larger than the bound (2 px at the least)."""
    size = (300, width)
    several = windows_around(ellipse, size, context, max_window)
    bound = max(2, round(max_window * width / REFERENCE_WIDTH))
    assert all(window.side <= bound for window in several)

    seen = np.zeros(size, bool)
    for window in several:
        rows = slice(max(window.y, 0), max(window.y + window.side, 0))
        columns = slice(max(window.x, 0), max(window.x + window.side, 0))
        seen[rows, columns] = True
    assert (seen >= draw([ellipse], size)).all()


@pytest.mark.parametrize("max_window", [None, 384])
def test_an_ellipse_far_larger_than_the_photograph_has_windows_of_the_photograph_alone(max_window: int | None) -> None:
    several = windows_around(Ellipse(50, 40, 1e9, 1e7, 30), (100, 150), max_window=max_window)
    assert max(window.side for window in several) <= 1.5 * 150
    assert len(several) < 500


@given(st.floats(0, 180), st.floats(0.001, 1))
def test_a_sliver_has_a_window(angle: float, width: float) -> None:
    """Even where it passes between all pixel centres."""
    assert windows_around(Ellipse(200, 200, 190, width, angle), (400, REFERENCE_WIDTH), max_window=128)


def test_a_photograph_of_a_few_pixels_has_windows() -> None:
    assert {window.side for window in windows_around(Ellipse(10, 10, 3, 2), (20, 20), max_window=100)} == {2}


@given(large, st.integers(400, 4288))
def test_bounded_windows_overlap_by_an_eighth(ellipse: Ellipse, width: int) -> None:
    several = windows_around(ellipse, (300, width), 1.5, max_window=400)
    for starts, others in (
        ([w.x for w in several], [w.y for w in several]),
        ([w.y for w in several], [w.x for w in several]),
    ):
        for line in set(others):
            along = sorted(start for start, other in zip(starts, others, strict=True) if other == line)
            steps = [step for step in np.diff(along) if step <= several[0].side]  # larger ones were left out
            assert all(step <= several[0].side * 7 / 8 + 1 for step in steps)


@given(large, st.integers(16, 4288))
def test_without_a_bound_there_is_one_window(ellipse: Ellipse, width: int) -> None:
    assert windows_around(ellipse, (300, width)) == (window_around(ellipse, (300, width)),)


def test_windows_that_the_ellipse_does_not_reach_are_left_out() -> None:
    diagonal = Ellipse(500, 500, 480, 20, 45)
    several = windows_around(diagonal, (2848, REFERENCE_WIDTH), 1.0, max_window=128)
    assert all(cut_shapes([diagonal], window, window.side).any() for window in several)
    assert len(several) == 16  # of 6 × 6: the diagonal and its neighbours


# ---------------------------------------------------------------------------------------------- cutting


@given(windows, shapes, st.integers(0, 100))
def test_a_crop_is_what_lies_in_the_window_and_0_beyond_the_edge(
    window: Window, shape: tuple[int, int], seed: int
) -> None:
    array = noise(seed, (*shape, 3))
    padded = np.pad(array, ((70, 70), (70, 70), (0, 0)))
    expected = padded[window.y + 70 :, window.x + 70 :][: window.side, : window.side]
    assert (crop(array, window) == expected).all()


@given(windows, shapes, st.integers(0, 100))
def test_beyond_the_edge_is_the_mirror_image_of_what_is_within(
    window: Window, shape: tuple[int, int], seed: int
) -> None:
    array = noise(seed, shape)
    patch = mirror_beyond(crop(array, window), window, shape)
    within = [
        min(start + window.side, length) - max(start, 0)
        for start, length in zip((window.y, window.x), shape, strict=True)
    ]
    if min(within) <= 0:
        assert not patch.any()
    elif 2 * min(within) >= window.side:
        padded = np.pad(array, 70, mode="symmetric")
        assert (patch == padded[window.y + 70 :, window.x + 70 :][: window.side, : window.side]).all()
    else:  # mirrored more than once
        assert np.isin(patch, array).all()


def test_a_mask_is_mirrored_at_the_resolution_of_its_patch() -> None:
    window, disk = Window(-8, 0, 32), Ellipse(0, 16, 10, 10)
    patch = mirror_beyond(cut_shapes([disk], window, 64), window, (100, 100))
    assert patch.shape == (64, 64)
    assert (patch[:, :16] == patch[:, 31:15:-1]).all()
    assert patch[32, 16:36].all()
    assert not patch[32, 37:].any()


def test_an_image_is_mirrored_where_asked() -> None:
    image = (noise(1, (40, 40, 3)) * 200 + 50).astype(np.uint8)
    window = Window(-10, -10, 30)
    assert not cut_image(image, window, 15)[:5].any()
    assert (cut_image(image, window, 15, mirrored=True) >= 50).all()


@given(windows, st.integers(1, 40))
def test_patches_have_the_asked_size_and_type(window: Window, size: int) -> None:
    image = (noise(0, (25, 30, 3)) * 255).astype(np.uint8)
    patch = cut_image(image, window, size)
    assert (patch.shape, patch.dtype) == ((size, size, 3), np.uint8)
    cut = cut_mask(image[..., 0] > 100, window, size)
    assert (cut.shape, cut.dtype) == ((size, size), bool)
    drawn = cut_shapes([Ellipse(15, 12, 8, 5)], window, size)
    assert (drawn.shape, drawn.dtype) == ((size, size), bool)


def test_a_pixel_of_a_small_mask_is_set_where_half_of_it_is_covered() -> None:
    mask = np.array([[1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]], bool)
    assert cut_mask(mask, Window(0, 0, 4), 2).tolist() == [[True, False], [True, False]]


def test_a_small_image_averages_areas() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = [[[100], [200]], [[100], [200]]]
    assert cut_image(image, Window(0, 0, 4), 2)[..., 0].tolist() == [[150, 0], [0, 0]]


@given(st.lists(st.from_type(Ellipse), max_size=3), windows)
def test_ellipses_cut_at_full_size_are_the_cut_of_the_drawn_mask(several: list[Ellipse], window: Window) -> None:
    """Inside the photograph, that is: beyond its edge a mask has nothing to cut."""
    inside = cut_mask(np.ones((40, 44), bool), window, window.side)
    drawn = cut_shapes(several, window, window.side) & inside
    different = drawn != cut_mask(draw(several, (40, 44)), window, window.side)
    assert different.sum() <= 2  # a rim through a pixel's very centre


@given(
    st.builds(Ellipse, st.floats(60, 120), st.floats(60, 120), st.floats(15, 50), st.floats(15, 50), st.floats(0, 180)),
    st.integers(16, 200),
)
def test_ellipses_cut_at_any_size_are_the_cut_of_the_drawn_mask_up_to_the_rim(ellipse: Ellipse, size: int) -> None:
    window = window_around(ellipse, (180, 180))
    drawn = cut_shapes([ellipse], window, size)
    cut = cut_mask(
        draw([moved(ellipse, -window.x, -window.y)], (window.side, window.side)), Window(0, 0, window.side), size
    )
    reach = 1.5 * max(1, size / window.side)  # px of the patch, or of the photograph where those are larger
    assert within(drawn, cut, reach)
    assert within(~drawn, ~cut, reach)


def within(one: Mask, other: Mask, reach: float) -> bool:
    """Whether each pixel of either mask lies within ``reach`` px of the other."""
    return bool((disk_dilate(one, reach) >= other).all() and (disk_dilate(other, reach) >= one).all())


# ---------------------------------------------------------------------------------------------- stitching


@given(shapes, st.integers(1, 12), st.integers(0, 100))
def test_stitching_undoes_cutting(shape: tuple[int, int], side: int, seed: int) -> None:
    """For windows that cover the photograph, at patches of the windows' own size."""
    array = noise(seed, shape)
    step = max(1, side - side // 4)
    cover = [Window(x, y, side) for y in range(-1, shape[0], step) for x in range(-1, shape[1], step)]
    patches = np.stack([crop(array, window) for window in cover])
    assert (stitch(patches, cover, shape) == array).all()


@given(st.lists(windows, min_size=1, max_size=6), shapes, st.integers(0, 100))
def test_stitching_keeps_the_maximum_and_gives_0_outside_every_window(
    places: list[Window], shape: tuple[int, int], seed: int
) -> None:
    places = [Window(window.x, window.y, 9) for window in places]
    patches = noise(seed, (len(places), 9, 9))
    expected = np.zeros(shape, np.float32)
    for patch, window in zip(patches, places, strict=True):
        for j in range(9):
            for i in range(9):
                y, x = window.y + j, window.x + i
                if 0 <= y < shape[0] and 0 <= x < shape[1]:
                    expected[y, x] = max(expected[y, x], patch[j, i])
    assert (stitch(patches, places, shape) == expected).all()


def test_patches_are_enlarged_to_their_windows() -> None:
    whole = stitch(np.full((1, 4, 4), 0.5, np.float32), [Window(2, 3, 8)], (16, 16))
    assert (whole[3:11, 2:10] == 0.5).all()
    assert whole.sum() == 0.5 * 64


def test_no_patches_give_0_everywhere() -> None:
    assert (stitch(np.empty((0, 8, 8), np.float32), [], (5, 6)) == np.zeros((5, 6))).all()


def test_a_window_for_every_patch() -> None:
    with pytest.raises(ValueError, match="zip"):
        stitch(np.zeros((2, 4, 4), np.float32), [Window(0, 0, 4)], (8, 8))


@given(arrays(np.bool_, (12, 14)), windows)
def test_inputs_are_never_changed(mask: Mask, window: Window) -> None:
    before = mask.copy()
    mask.flags.writeable = False
    patch = crop(mask, window)
    cut_mask(mask, window, 7)
    stitch(patch[None].astype(np.float32), [window], (12, 14))
    assert (mask == before).all()


def test_blending_averages_overlaps_by_nearness_to_the_middle() -> None:
    windows = [Window(0, 0, 8), Window(4, 2, 8), Window(-3, 5, 8)]
    patches = np.random.default_rng(0).random((3, 8, 8), np.float32)
    expected = np.zeros((12, 14))
    for y in range(12):
        for x in range(14):
            weights, values = [], []
            for patch, window in zip(patches, windows, strict=True):
                i, j = y - window.y, x - window.x
                if 0 <= i < 8 and 0 <= j < 8:
                    off = ((i + 0.5) / 8 - 0.5) ** 2 + ((j + 0.5) / 8 - 0.5) ** 2
                    weights.append(np.exp(-0.5 * off / 0.25**2))
                    values.append(patch[i, j])
            expected[y, x] = np.average(values, weights=weights) if values else 0
    np.testing.assert_allclose(blend(patches, windows, (12, 14)), expected, atol=1e-6)
    assert (blend(np.empty((0, 8, 8), np.float32), [], (5, 6)) == 0).all()
