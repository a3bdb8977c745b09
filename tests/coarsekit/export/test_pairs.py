"""Pairs: one window for each ellipse, what is in it, and that nothing of another class is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.errors import AnnotationError, ImageError, ParameterError
from coarsekit.export.pairs import pairs_of
from coarsekit.geometry import draw, extent
from coarsekit.images import decode_png, encode_png
from coarsekit.types import Annotation, Ellipse, Fundus, Mark
from coarsekit.visualize.sheets import pair_sheet
from coarsekit.windows import crop, window_around

HEIGHT, WIDTH = 90, 120


def fundus(**fine: np.ndarray) -> Fundus:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Fundus("one", "one.jpg", "train", image, fine)


def annotation(*marks: Mark) -> Annotation:
    return Annotation("one.jpg", WIDTH, HEIGHT, marks)


def mark(lesion: str, cx: float, cy: float, radius: float = 6) -> Mark:
    return Mark(lesion, Ellipse(cx, cy, radius, radius * 0.8, 20.0))


marks = st.lists(st.builds(mark, st.sampled_from(("MA", "HE")), st.floats(0, 120), st.floats(0, 90), st.floats(1, 40)))


@given(marks)
def test_every_ellipse_gives_one_pair_around_it(drawn: list[Mark]) -> None:
    pairs = list(pairs_of(fundus(), annotation(*drawn), size=16))
    wanted = [(lesion, e) for lesion in annotation(*drawn).lesions for e in annotation(*drawn).of(lesion)]
    assert [(pair.lesion, pair.ellipse) for pair in pairs] == wanted
    for pair in pairs:
        x0, x1 = np.clip(extent(pair.ellipse)[0::2], 0, WIDTH)
        y0, y1 = np.clip(extent(pair.ellipse)[1::2], 0, HEIGHT)
        assert pair.window == window_around(pair.ellipse, (HEIGHT, WIDTH))
        assert pair.window.x <= x0
        assert pair.window.y <= y0
        assert x1 <= pair.window.x + pair.window.side
        assert y1 <= pair.window.y + pair.window.side


@given(marks)
def test_at_native_size_a_pair_is_what_the_photograph_and_its_masks_hold_there(drawn: list[Mark]) -> None:
    fine = np.random.default_rng(1).random((HEIGHT, WIDTH)) < 0.2
    whole = fundus(MA=fine, HE=~fine)
    for pair in pairs_of(whole, annotation(*drawn)):
        coarse = draw([m.shape for m in drawn if m.lesion == pair.lesion], (HEIGHT, WIDTH))
        on_the_photograph = crop(np.ones((HEIGHT, WIDTH), bool), pair.window)
        np.testing.assert_array_equal(pair.image, crop(whole.image, pair.window))
        np.testing.assert_array_equal(pair.fine, crop(whole.fine[pair.lesion], pair.window))
        np.testing.assert_array_equal(pair.coarse & on_the_photograph, crop(coarse, pair.window))


def test_the_coarse_mask_holds_the_neighbours_of_its_class_and_of_no_other() -> None:
    near, neighbour, other = mark("HE", 50, 40), mark("HE", 62, 40), mark("MA", 56, 50)
    first = next(pairs_of(fundus(), annotation(near, neighbour, other), size=64, context=3.0))
    alone = next(pairs_of(fundus(), annotation(near, other), size=64, context=3.0))
    only = next(pairs_of(fundus(), annotation(near), size=64, context=3.0))
    assert first.coarse.sum() > alone.coarse.sum()
    np.testing.assert_array_equal(alone.coarse, only.coarse)


def test_a_class_without_a_fine_mask_has_an_empty_one() -> None:
    (pair,) = pairs_of(fundus(), annotation(mark("drusen", 40, 40)), size=32)
    assert (pair.lesion, pair.fine.shape, pair.fine.any()) == ("drusen", (32, 32), False)
    assert pair.coarse.any()


@pytest.mark.parametrize("size", [8, 33, 256])
def test_patches_have_the_size_that_was_asked_for(size: int) -> None:
    (pair,) = pairs_of(fundus(), annotation(mark("MA", 3, 3)), size=size)
    assert (pair.image.shape, pair.image.dtype) == ((size, size, 3), np.uint8)
    assert pair.coarse.shape == pair.fine.shape == (size, size)
    assert pair.coarse.dtype == pair.fine.dtype == bool


def test_nothing_drawn_gives_no_pair() -> None:
    assert list(pairs_of(fundus(), annotation())) == []


def test_an_annotation_of_a_photograph_of_another_size_is_refused() -> None:
    with pytest.raises(AnnotationError, match=r"drawn on 60 × 90 px, but one\.jpg has 120 × 90"):
        next(pairs_of(fundus(), Annotation("one.jpg", 60, HEIGHT, (mark("MA", 3, 3),))))


def test_a_patch_needs_some_pixels() -> None:
    with pytest.raises(ParameterError, match="8 px or more, got 7"):
        next(pairs_of(fundus(), annotation(mark("MA", 3, 3)), size=7))


def test_a_sheet_shows_each_pair_three_times_and_none_as_black() -> None:
    pairs = list(pairs_of(fundus(), annotation(mark("MA", 40, 40), mark("HE", 60, 50), mark("SE", 9, 9)), size=32))
    sheet = pair_sheet(pairs, columns=2, size=64)
    assert sheet.shape == (2 * 64, 2 * 3 * 64, 3)
    assert not sheet[64:, 3 * 64 :].any()
    assert not pair_sheet([], size=64).any()


def test_png_loses_nothing() -> None:
    whole = fundus(MA=np.random.default_rng(1).random((HEIGHT, WIDTH)) < 0.5)
    np.testing.assert_array_equal(decode_png(encode_png(whole.image)), whole.image)
    np.testing.assert_array_equal(decode_png(encode_png(whole.fine["MA"])), whole.fine["MA"] * 255)
    with pytest.raises(ImageError, match="an image of 5 bytes: not an image"):
        decode_png(b"\x89PNG\r")
