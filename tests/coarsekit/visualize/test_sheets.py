"""Pictures: their shapes, and the right colour at every outline."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.geometry import draw
from coarsekit.types import LESIONS, Annotation, Ellipse, Image, Mark, Mask
from coarsekit.visualize.colours import colour_of
from coarsekit.visualize.sheets import closeups, overlay, preview

H, W = 200, 300
CIRCLE = Ellipse(150.5, 120.5, 40, 40)
GREY = np.full((H, W, 3), 60, np.uint8)
EMPTY = Annotation("a.jpg", W, H)


def annotation(*marks: Mark) -> Annotation:
    return Annotation("a.jpg", W, H, marks)


def square(top: int, left: int, side: int) -> Mask:
    mask = np.zeros((H, W), bool)
    mask[top : top + side, left : left + side] = True
    return mask


# ---------------------------------------------------------------------------------------------- colours


def test_known_lesions_have_colours_of_their_own_that_are_not_white() -> None:
    assert len({colour_of(lesion) for lesion in LESIONS} | {(255, 255, 255)}) == len(LESIONS) + 1


@given(st.text(st.characters(codec="utf-8")))
def test_any_lesion_has_one_bright_colour(lesion: str) -> None:
    assert colour_of(lesion) == colour_of(lesion)
    assert max(colour_of(lesion)) == 255
    assert all(0 <= part <= 255 for part in colour_of(lesion))


# ---------------------------------------------------------------------------------------------- overlay


def test_ellipses_are_white_lines_on_their_rim() -> None:
    picture = overlay(GREY, annotation(Mark("HE", CIRCLE)), {})
    on_rim = [(120, 110), (120, 190), (80, 150), (160, 150)]  # row, column of pixels whose centres lie on the rim
    assert all((picture[place] > 200).all() for place in on_rim)
    untouched = draw([Ellipse(150.5, 120.5, 37, 37)], (H, W)) | ~draw([Ellipse(150.5, 120.5, 43, 43)], (H, W))
    untouched[:40] = False  # the legend
    assert (picture[untouched] == 60).all()


def test_an_angle_turns_clockwise_on_the_screen() -> None:
    picture = overlay(GREY, annotation(Mark("HE", Ellipse(150, 120, 60, 5, 45))), {})
    line = (picture != 60).any(axis=2)
    line[:40] = False
    rows, columns = np.nonzero(line)
    assert np.corrcoef(rows, columns)[0, 1] > 0.9


@pytest.mark.parametrize("lesion", [*LESIONS, "NV"])
def test_masks_are_outlined_in_the_colour_of_their_class(lesion: str) -> None:
    picture = overlay(GREY, EMPTY, {lesion: square(100, 60, 30)})
    outline = square(100, 60, 30) & ~square(101, 61, 28)
    assert (picture[outline] == colour_of(lesion)).all()
    assert (picture[square(101, 61, 28)] == 60).all()
    assert (picture[60:99] == 60).all()


@pytest.mark.parametrize("ellipse", [Ellipse(0, 0, 1e6, 1e6), Ellipse(1e12, 3, 5, 5), Ellipse(-40, 100, 60, 20)])
def test_an_ellipse_that_reaches_far_out_is_no_failure(ellipse: Ellipse) -> None:
    assert overlay(GREY, annotation(Mark("HE", ellipse)), {}).shape == (H, W, 3)


def test_a_mask_without_pixels_has_no_outline() -> None:
    picture = overlay(GREY, EMPTY, {"MA": np.zeros((H, W), bool)})
    assert (picture[40:] == 60).all()


# ---------------------------------------------------------------------------------------------- close-ups


def test_closeups_are_a_row_for_each_lesion_with_three_patches_for_each_ellipse() -> None:
    drawn = annotation(*(Mark(lesion, CIRCLE) for lesion in ("MA", "EX", "NV")))
    assert closeups(GREY, drawn, {}, count=2, size=100).shape == (300, 600, 3)
    assert closeups(GREY, drawn, {}, count=1, size=60).shape == (180, 180, 3)


def test_a_row_with_fewer_ellipses_ends_in_black() -> None:
    row = closeups(GREY, annotation(Mark("MA", CIRCLE)), {}, count=2, size=100)
    assert (row[:, 300:] == 0).all()
    assert (row[50, 5:95] == 60).all()


def test_a_closeup_shows_the_photograph_then_the_ellipse_then_the_mask() -> None:
    cell = closeups(GREY, annotation(Mark("EX", CIRCLE)), {"EX": square(100, 130, 40)}, count=1, size=160)
    plain, drawn, shown = (cell[40:-2, left : left + 158] for left in (0, 160, 320))
    assert (plain == 60).all()
    assert {tuple(colour) for colour in drawn[(drawn != 60).any(axis=2)]} == {(255, 255, 255)}
    assert {tuple(colour) for colour in shown[(shown != 60).any(axis=2)]} == {colour_of("EX")}


# ---------------------------------------------------------------------------------------------- preview


def test_a_preview_is_the_photograph_and_the_closeups_side_by_side() -> None:
    drawn = annotation(Mark("MA", CIRCLE))
    picture = preview(GREY, drawn, {"MA": square(100, 130, 40)}, height=400)
    row = closeups(GREY, drawn, {"MA": square(100, 130, 40)})
    assert picture.shape == (400, 600 + round(row.shape[1] * 400 / row.shape[0]), 3)
    assert picture.dtype == np.uint8
    assert (picture[240, 219:223].max(axis=0) > 150).all()  # the circle's rim at twice its size, 80 px left of 301
    assert (picture[200:280, 258:262] == colour_of("MA")).all(axis=2).any(axis=1).all()  # the mask's left side


def test_the_smallest_mask_is_seen_in_a_preview_of_a_large_photograph() -> None:
    mask = np.zeros((800, 1200), bool)
    mask[700:702, 1000:1002] = True
    picture = preview(np.zeros((800, 1200, 3), np.uint8), Annotation("a.jpg", 1200, 800), {"MA": mask}, height=200)
    assert (picture[170:180, 245:255] == colour_of("MA")).all(axis=2).any()


@pytest.mark.parametrize("make", [overlay, closeups, preview])
def test_an_empty_annotation_gives_a_picture(make: Callable[..., Image]) -> None:
    picture = make(GREY, EMPTY, {})
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("make", [overlay, closeups, preview])
def test_inputs_are_never_changed(make: Callable[..., Image]) -> None:
    image, mask = GREY.copy(), square(100, 130, 40)
    image.flags.writeable = mask.flags.writeable = False
    make(image, annotation(Mark("MA", CIRCLE)), {"MA": mask})
    assert (image == 60).all()
    assert mask.sum() == 1600
