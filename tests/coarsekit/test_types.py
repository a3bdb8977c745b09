"""The nouns are valid once made."""

from math import inf, nan

import numpy as np
import pytest

from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Ellipse, Mark, bounding_box

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
