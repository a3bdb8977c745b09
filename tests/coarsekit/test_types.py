"""The nouns are valid once made."""

import json
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from coarsekit.annotations import native
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.types import Annotation, Ellipse, Fundus, Line, Mark, Point, Raster, bounding_box

CIRCLE = Ellipse(5, 5, 2, 2)


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("place", range(5))
def test_every_number_of_an_ellipse_is_finite(place: int, value: float) -> None:
    numbers = [5.0, 5.0, 2.0, 2.0, 0.0]
    numbers[place] = value
    with pytest.raises(AnnotationError, match="must be a finite number"):
        Ellipse(*numbers)


@pytest.mark.parametrize("axes", [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_semi_axes_are_positive(axes: tuple[float, float]) -> None:
    with pytest.raises(AnnotationError, match="must be above 0 px"):
        Ellipse(5, 5, *axes)


@pytest.mark.parametrize(
    "lesion", ["", " ", ".", "..", ".hidden", "a/b", "a\\b", "C:", "a*", "a?", 'a"', "a<", "a|", "a\nb"]
)
def test_a_lesion_name_can_name_a_file(lesion: str) -> None:
    with pytest.raises(AnnotationError, match="usable in a file name"):
        Mark(lesion, CIRCLE)


def test_any_other_lesion_name_is_welcome() -> None:
    assert [Mark(lesion, CIRCLE).lesion for lesion in ("MA", "NV", "drüsen 1")] == ["MA", "NV", "drüsen 1"]


def test_an_annotation_gives_its_ellipses_by_lesion_in_order_of_appearance() -> None:
    other = Ellipse(6, 6, 1, 1)
    annotation = Annotation("a.jpg", 10, 10, (Mark("SE", CIRCLE), Mark("MA", CIRCLE), Mark("SE", other)))
    assert annotation.lesions == ("SE", "MA")
    assert annotation.of("SE") == (CIRCLE, other)
    assert annotation.of("HE") == ()


def test_the_bounding_box_is_the_rows_and_columns_from_the_first_pixel_to_the_last() -> None:
    mask = np.zeros((6, 8), bool)
    assert mask[bounding_box(mask)].size == 0
    mask[2, 3] = mask[4, 6] = True
    assert bounding_box(mask) == (slice(2, 5), slice(3, 7))


@pytest.mark.parametrize("number", [np.float32(3), np.float64(3), np.int64(3), np.array(3.0), 3])
def test_numbers_of_any_kind_become_floats_that_json_holds(number: Any) -> None:
    shapes = (Ellipse(number, number, number, number), Point(number, number, number), Line([(0, 0), (3, 3)], number))
    drawn = Annotation("a.png", np.int64(9), np.int32(8), [Mark("MA", shape) for shape in shapes])  # type: ignore[arg-type]
    assert shapes[:2] == (Ellipse(3, 3, 3, 3), Point(3, 3, 3))
    assert json.loads(native.dumps(drawn))["image"] == {"name": "a.png", "width": 9, "height": 8}


WRONG: list[tuple[Any, str]] = [
    (lambda: Ellipse("1", 2, 3, 4), "ellipse's cx must be a finite number, got '1'"),  # type: ignore[arg-type]
    (lambda: Ellipse(1, 2, 3, None), "ellipse's ry must be a finite number, got None"),  # type: ignore[arg-type]
    (lambda: Ellipse(10**400, 2, 3, 4), "ellipse's cx must be a finite number"),
    (lambda: Ellipse(np.ones(2), 2, 3, 4), "ellipse's cx must be a finite number"),  # type: ignore[arg-type]
    (lambda: Point(1, "2"), "point's y must be a finite number"),  # type: ignore[arg-type]
    (lambda: Point(1, 2, "3"), "point's radius must be a finite number above 0 px, got '3'"),  # type: ignore[arg-type]
    (lambda: Raster(1.5, 2, np.ones((2, 2), bool)), "mask's left must be a whole number of px, got 1.5"),  # type: ignore[arg-type]
    (lambda: Raster("a", 2, np.ones((2, 2), bool)), "mask's left must be a whole number of px"),  # type: ignore[arg-type]
    (lambda: Mark("MA", 3), "shape must be one of Ellipse, Polygon, Raster, Point, Line, got int"),  # type: ignore[arg-type]
    (lambda: Mark(3, CIRCLE), "lesion name must be a text, such as 'MA', got int"),  # type: ignore[arg-type]
    (lambda: Mark("MA", CIRCLE, 3), "details must be a dictionary, got int"),  # type: ignore[arg-type]
    (lambda: Annotation("a.png", "640", 480), "width must be a whole number of px above 0, got '640'"),  # type: ignore[arg-type]
    (lambda: Annotation("a.png", 640, -5), "height must be a whole number of px above 0, got -5"),
    (lambda: Annotation("a.png", 640, 4.5), "height must be a whole number of px above 0, got 4.5"),  # type: ignore[arg-type]
    (lambda: Annotation(3, 640, 480), "image must be a text, its file's name, got int"),  # type: ignore[arg-type]
    (lambda: Annotation("a.png", 640, 480, ("x",)), "mark 0: expected a Mark"),  # type: ignore[arg-type]
    (lambda: Annotation("a.png", 640, 480, Mark("MA", CIRCLE)), "marks must be several"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_not_valid_is_refused_in_one_sentence(make: Any, said: str) -> None:
    with pytest.raises(AnnotationError, match=said):
        make()


def test_a_list_of_marks_becomes_a_tuple() -> None:
    drawn = Annotation("a.png", 10, 10, [Mark("MA", CIRCLE)])  # type: ignore[arg-type]
    assert drawn == Annotation("a.png", 10, 10, (Mark("MA", CIRCLE),))


PHOTOGRAPH = np.zeros((4, 5, 3), np.uint8)
FINE = np.zeros((4, 5), bool)
FINE[1, 1:3] = True


@pytest.mark.parametrize("mask", [FINE, FINE.astype(np.uint8), FINE.astype(np.uint8) * 255, FINE.astype(float)])
def test_masks_of_a_photograph_become_boolean(mask: Any) -> None:
    found = Fundus("a", "a.png", "train", PHOTOGRAPH, {"MA": mask}).fine["MA"]
    assert found.dtype == bool
    assert np.array_equal(found, FINE)


@pytest.mark.parametrize(
    ("image", "mask", "said"),
    [
        (
            PHOTOGRAPH,
            FINE[:2],
            r"a.png: the mask of MA must be an array of shape \(4, 5\).* got bool of shape \(2, 5\)",
        ),
        (PHOTOGRAPH, FINE * 0.5, "a.png: the mask of MA must be boolean, or of 0 and 1"),
        (PHOTOGRAPH, np.arange(20).reshape(4, 5), "a.png: the mask of MA must be boolean"),
        (PHOTOGRAPH, FINE.astype(str), "a.png: the mask of MA must be boolean"),
        (PHOTOGRAPH, FINE.tolist(), "a.png: the mask of MA must be an array"),
        (PHOTOGRAPH[..., 0], FINE, r"a.png: the photograph must be \(h, w, 3\) uint8"),
        (PHOTOGRAPH.astype(float), FINE, r"a.png: the photograph must be \(h, w, 3\) uint8"),
    ],
)
def test_other_masks_and_photographs_are_refused(image: Any, mask: Any, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        Fundus("a", "a.png", "train", image, {"MA": mask})
