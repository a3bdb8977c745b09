"""Pictures: their shapes, and the right colour at every outline."""

from collections.abc import Callable

import numpy as np
import pytest

from coarsekit.geometry import draw
from coarsekit.types import LESIONS, Annotation, Ellipse, Image, Mark, Mask
from coarsekit.visualize.closeups import Drawn, caption, choose, closeup
from coarsekit.visualize.colours import NOTHING_FOUND, WHITE, Colour, colour_of
from coarsekit.visualize.sheets import overlay, preview

H, W = 200, 300
CIRCLE = Ellipse(150.5, 120.5, 40, 40)
GREY = np.full((H, W, 3), 60, np.uint8)
EMPTY = Annotation("a.jpg", W, H)
BELOW = 70
"""The first row below the legend of an overlay."""


def annotation(*marks: Mark) -> Annotation:
    return Annotation("a.jpg", W, H, marks)


def square(top: int, left: int, side: int) -> Mask:
    mask = np.zeros((H, W), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def near(picture: Image, colour: Colour) -> Mask:
    """The pixels (h, w) in nearly this colour."""
    return (np.abs(picture.astype(int) - colour) < 40).all(axis=2)


def photographs_of(sheet: Image, height: int) -> list[Image]:
    """The left and the right photograph of a sheet of `GREY`, which lie below the bar."""
    start = int(np.flatnonzero((sheet[:, 0] == 60).all(axis=1))[0])
    return np.split(sheet[start : start + height], 2, axis=1)


# ---------------------------------------------------------------------------------------------- overlay


def test_ellipses_are_dashed_lines_of_their_class_on_their_rim() -> None:
    picture = overlay(GREY, annotation(Mark("HE", CIRCLE)), {})
    touched = (picture[BELOW:] != 60).any(axis=2)
    around = draw([Ellipse(150.5, 120.5, 44, 44)], (H, W)) & ~draw([Ellipse(150.5, 120.5, 36, 36)], (H, W))
    assert not touched[~around[BELOW:]].any()
    angles = np.deg2rad(np.arange(0, 360, 0.5))
    rim = near(picture, colour_of("HE"))[
        np.round(120 + 40 * np.sin(angles)).astype(int), np.round(150 + 40 * np.cos(angles)).astype(int)
    ]
    assert 0.25 < rim.mean() < 0.75
    assert np.count_nonzero(rim[1:] & ~rim[:-1]) > 10


def test_an_angle_turns_clockwise_on_the_screen() -> None:
    picture = overlay(GREY, annotation(Mark("HE", Ellipse(150, 120, 60, 5, 45))), {})
    line = (picture != 60).any(axis=2)
    line[:BELOW] = False
    rows, columns = np.nonzero(line)
    assert np.corrcoef(rows, columns)[0, 1] > 0.9


@pytest.mark.parametrize("lesion", [*LESIONS, "NV"])
def test_masks_have_a_solid_outline_in_the_colour_of_their_class_with_a_dark_rim(lesion: str) -> None:
    picture = overlay(GREY, EMPTY, {lesion: square(100, 60, 30)})
    outline = square(100, 60, 30) & ~square(101, 61, 28)
    assert near(picture, colour_of(lesion))[outline].all()
    assert (picture[104:126, 63].max(axis=1) < 45).all()
    assert (picture[square(104, 64, 22)] == 60).all()
    assert (picture[BELOW:96] == 60).all()


@pytest.mark.parametrize("ellipse", [Ellipse(0, 0, 1e6, 1e6), Ellipse(1e12, 3, 5, 5), Ellipse(-40, 100, 60, 20)])
def test_an_ellipse_that_reaches_far_out_is_no_failure(ellipse: Ellipse) -> None:
    for missed in ((), (0,)):
        assert overlay(GREY, annotation(Mark("HE", ellipse)), {}, missed).shape == (H, W, 3)


def test_a_mask_without_pixels_has_no_outline() -> None:
    picture = overlay(GREY, EMPTY, {"MA": np.zeros((H, W), bool)})
    assert (picture[BELOW:] == 60).all()


def test_a_mark_for_which_nothing_was_found_is_grey_white_with_a_cross_in_its_middle() -> None:
    marks = (Mark("HE", CIRCLE), Mark("MA", Ellipse(40, 120, 20, 20)))
    picture = overlay(GREY, annotation(*marks), {}, missed=[0])
    lost = near(picture, NOTHING_FOUND)
    assert lost[118:123, 148:153].any()
    assert lost[:, 105:195][75:85].any()
    assert not near(picture, colour_of("HE"))[BELOW:].any()
    assert near(picture, colour_of("MA"))[BELOW:, 15:65].any()
    assert not lost[BELOW:, 15:65].any()
    plain = overlay(GREY, annotation(*marks), {})
    assert not near(plain, NOTHING_FOUND)[BELOW:].any()


def test_two_classes_whose_tool_gives_them_one_colour_have_two_in_the_picture() -> None:
    same = {"labels": [{"name": name, "color": "#ff00ff"} for name in ("NV", "IRMA")]}
    marks = (Mark("NV", Ellipse(80, 120, 30, 30)), Mark("IRMA", Ellipse(220, 120, 30, 30)))
    picture = overlay(GREY, Annotation("a.jpg", W, H, marks, same), {})[BELOW:]
    assert near(picture, (255, 0, 255))[:, :150].any()
    assert not near(picture, (255, 0, 255))[:, 150:].any()
    assert near(picture, colour_of("IRMA"))[:, 150:].any()


# ---------------------------------------------------------------------------------------------- preview


def test_a_preview_is_what_was_drawn_beside_the_masks() -> None:
    sheet = preview(GREY, annotation(Mark("MA", CIRCLE)), {"MA": square(100, 130, 40)}, height=400)
    left, right = photographs_of(sheet, 400)
    assert sheet.dtype == np.uint8
    assert left.shape == right.shape == (400, 600, 3)
    assert near(left, colour_of("MA"))[155:165, 280:320].any()  # the circle's top at twice its size
    assert not near(right, colour_of("MA"))[155:165, 280:320].any()
    assert near(right, colour_of("MA"))[204:276, 258:263].any(axis=1).all()  # the mask's left side
    assert not near(left, colour_of("MA"))[:, 255:265].any(axis=1)[236:246].any()


def test_the_smallest_mask_is_seen_in_a_preview_of_a_large_photograph() -> None:
    mask = np.zeros((800, 1200), bool)
    mask[700:702, 1000:1002] = True
    image = np.full((800, 1200, 3), 60, np.uint8)
    _, right = photographs_of(preview(image, Annotation("a.jpg", 1200, 800), {"MA": mask}, height=200), 200)
    assert near(right, colour_of("MA"))[170:180, 245:255].any()


def test_a_mark_for_which_nothing_was_found_is_marked_beside_the_masks_only() -> None:
    sheet = preview(GREY, annotation(Mark("HE", CIRCLE)), {"HE": np.zeros((H, W), bool)}, 400, missed=[0])
    left, right = photographs_of(sheet, 400)
    assert near(left, colour_of("HE")).any()
    assert not near(left, NOTHING_FOUND).any()
    assert near(right, NOTHING_FOUND)[235:245, 295:306].any()
    assert not near(right, colour_of("HE")).any()


# ---------------------------------------------------------------------------------------------- close-ups

ROW = tuple(Mark("MA" if place % 2 else "HE", Ellipse(10 + 9 * place, 100, 3 + place / 9, 4)) for place in range(30))


def rated(expected: dict[int, float | None], missed: tuple[int, ...] = ()) -> Drawn:
    return Drawn(GREY, annotation(*ROW), {"MA": WHITE, "HE": WHITE}, {}, missed, expected)


def test_the_most_doubtful_marks_are_shown_first() -> None:
    chosen = choose(rated({place: 0.9 - place / 100 for place in range(30)}))
    assert chosen == [29 - step for step in range(len(chosen))]
    assert len(chosen) > 6


def test_marks_for_which_nothing_was_found_come_first_and_leave_room_for_others() -> None:
    expected = {place: place / 100 for place in range(30)}
    assert choose(rated(expected, (7, 20)))[:4] == [7, 20, 0, 1]
    many = tuple(range(2, 30, 2))
    assert 0 < sum(place in many for place in choose(rated(expected, many))) < len(choose(rated(expected, many))) / 2
    everything = choose(rated(expected, tuple(range(30))))
    assert len(everything) == len(choose(rated(expected)))


def test_a_mark_that_is_not_rated_comes_after_those_that_are() -> None:
    assert choose(rated({**dict.fromkeys(range(30)), 4: 0.8, 9: 0.3}))[:2] == [9, 4]


def test_without_ratings_some_marks_of_each_class_are_shown_from_small_to_large() -> None:
    chosen = choose(rated(dict.fromkeys(range(30))))
    assert [ROW[place].lesion for place in chosen] == ["HE"] * 3 + ["MA"] * 3
    assert chosen[:3] == sorted(chosen[:3])
    assert chosen[3:] == sorted(chosen[3:])
    lost = choose(rated(dict.fromkeys(range(30)), (8,)))
    assert lost[0] == 8
    assert [ROW[place].lesion for place in lost] == ["HE"] * 3 + ["MA"] * 3


def test_a_sheet_of_many_classes_has_a_closeup_of_each() -> None:
    marks = tuple(Mark(f"class {place}", Ellipse(10 + 9 * place, 100, 4, 4)) for place in range(20))
    assert sorted(choose(Drawn(GREY, annotation(*marks), {}))) == list(range(20))


def test_a_closeup_says_its_class_and_how_far_to_trust_it() -> None:
    shown = rated({0: 0.424, 1: 0.0, 2: None}, (1,))
    assert [caption(shown, place) for place in range(4)] == ["HE 0.42", "MA nothing found", "HE", "MA"]


def test_a_closeup_is_the_patch_as_it_is_beside_what_was_drawn_and_found() -> None:
    mask = square(100, 130, 40)
    drawn = Drawn(GREY, annotation(Mark("EX", CIRCLE)), {"EX": colour_of("EX")}, {"EX": mask})
    cell = closeup(drawn, 0, 200, 14)
    assert cell.shape[1] == 400
    plain, shown = cell[-200:-2, :198], cell[-200:-2, 200:398]
    assert (plain == 60).all()
    line = near(shown, colour_of("EX"))
    # One pixel of the photograph is 1.25 of the close-up, in whose middle the circle is.
    assert line[75:124, 74:77].any(axis=1).all()
    assert line[45:55, 80:120].any()
    assert not line[45:55, 80:120].any(axis=0).all()


# ---------------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("make", [overlay, preview])
def test_an_empty_annotation_gives_a_picture(make: Callable[..., Image]) -> None:
    picture = make(GREY, EMPTY, {})
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("make", [overlay, preview])
def test_inputs_are_never_changed(make: Callable[..., Image]) -> None:
    image, mask = GREY.copy(), square(100, 130, 40)
    image.flags.writeable = mask.flags.writeable = False
    make(image, annotation(Mark("MA", CIRCLE), Mark("MA", Ellipse(30, 30, 9, 9))), {"MA": mask}, missed=[1])
    assert (image == 60).all()
    assert mask.sum() == 1600
