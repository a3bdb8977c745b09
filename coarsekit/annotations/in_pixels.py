"""Whether places are in px, as some scripts write them in shares of the sides of the photograph, 0–1."""

from collections.abc import Sequence

from coarsekit.geometry import extent, places_of
from coarsekit.types import Annotation, Line, Point, Raster, Shape

_LEAST_SIDE = 16
"""Px of a photograph's sides from which on nobody draws all there is in its first pixel."""


def are_shares(annotations: Sequence[Annotation]) -> bool:
    """Whether all that is drawn in a file lies in the first pixel of its photographs, as shares of their sides do.

    Nobody can say for certain what shares stand for, as the x of a box may be its middle or its left.
    """
    drawn = [one for one in annotations if one.marks]
    if not drawn or any(min(one.width, one.height) < _LEAST_SIDE for one in drawn):
        return False
    numbers = [_numbers(mark.shape) for one in drawn for mark in one.marks]
    if not all(own and min(own) >= 0 and max(own) <= 1 for own in numbers):
        return False
    return any(number not in (0, 1) for own in numbers for number in own)  # and no click at 0, 0


def _numbers(shape: Shape) -> list[float]:
    """The least and largest coordinates of a shape; none of a raster, which has whole pixels."""
    if isinstance(shape, Raster):
        return []
    if isinstance(shape, (Point, Line)):
        return [number for place in places_of(shape) for number in place]
    return [*extent(shape)]
