"""What refining a photograph gives: an answer for each class, and what was found for each mark."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Mask, Raster
from zoo.marks.mark_masks import MarkMask


class Answer(NamedTuple):
    """What is found for one lesion class.

    ``mask``: (h, w) boolean. ``claimed``: (h, w) boolean, before pixels are left to other classes. ``probability``:
    (h, w) in 0–1; None of a refiner that has none. ``often_empty``: whether its marks often hold nothing that is sure,
    so that what is unsure was left out, see `zoo.marks.unlikely.often_empty`.
    """

    lesion: str
    mask: Mask
    claimed: Mask
    probability: NDArray[np.float32] | None
    often_empty: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MarkResult:
    """What was found for one mark.

    ``mark``: its place in the annotation. ``lesion``: its label. ``drawn_as``: how it was drawn, one of
    `coarsekit.marks.WAYS`. ``refined_as``: the class that the refiner was told; empty for none. ``why``: one of
    `zoo.marks.groups.BY_LABEL`, `BY_CONTENT` and `CONTRADICTION`. ``mask``: its pixels; None where nothing was found.
    ``found``: ``nothing``, ``part``, or ``beyond the drawing``. ``outside_pixels``: found outside of the drawing.
    ``overlap_pixels``: found, and claimed for another class, too. ``mean_probability``: over what was found, 0–1; None
    of a refiner without probabilities. ``expected_iou``: how far to trust it, 0–1, see `zoo.marks.doubt`; None of a
    refiner that was not fitted for it. ``features``: what that follows from, see `zoo.marks.doubt.mark_features`.
    """

    mark: int
    lesion: str
    drawn_as: str
    refined_as: str
    why: str
    mask: Raster | None
    found: str
    drawn_pixels: int
    refined_pixels: int
    outside_pixels: int
    overlap_pixels: int
    mean_probability: float | None
    expected_iou: float | None
    features: Mapping[str, float]

    def row(self) -> dict[str, Any]:
        """The numbers and words, for JSON and tables; shares rounded to four digits."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("mask", "why", "features")}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in plain.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """What refining a photograph gives.

    ``masks``: (h, w) boolean by lesion class. ``marks``: in the annotation's order. ``often_empty``: classes whose
    marks often hold nothing that is sure, so that what is unsure was left out, see `zoo.marks.unlikely.often_empty`.
    """

    masks: Mapping[str, Mask]
    marks: tuple[MarkResult, ...]
    often_empty: frozenset[str] = frozenset()


def count_overlap(found: MarkMask, lesion: str, claimed: Mapping[str, Mask]) -> int:
    """How many pixels of what was found for a mark are claimed for other classes, too."""
    if found.mask is None:
        return 0
    height, width = found.mask.crop.shape
    there = (slice(found.mask.top, found.mask.top + height), slice(found.mask.left, found.mask.left + width))
    others = [mask[there] for other, mask in claimed.items() if other != lesion]
    return int(np.count_nonzero(np.any(others, axis=0) & found.mask.crop)) if others else 0
