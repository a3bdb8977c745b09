"""How large a photograph shows the retina, so that a crop, a padded and a downsized photograph are seen alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log

import numpy as np

from coarsekit.errors import ParameterError
from coarsekit.geometry import extent, lies_outside
from coarsekit.images.field_of_view import find_field_of_view
from coarsekit.marks import CLICK, STROKE, ways_drawn
from coarsekit.types import EX, HE, MA, SE, Annotation, Image
from coarsekit.windows import REFERENCE_WIDTH

REFERENCE_FIELD_OF_VIEW = 3418
"""Diameter of the field of view of IDRiD's photographs, px: the median over those for training."""
REFERENCE_DISC = 525
"""Diameter of the optic disc there, px, likewise."""
GIVEN, RIM, MARKS, WIDTH = "given", "field of view", "marks", "width"
"""Where a scale comes from, in the order in which they are asked."""
RADII = {MA: 36.0, HE: 58.0, EX: 48.0, SE: 82.0}
"""Effective radius of what people draw around a lesion of each class, px on IDRiD's photographs: the geometric mean
over those for training, style human. It differs by a quarter between photographs."""
_OTHER = exp(sum(map(log, RADII.values())) / len(RADII))
_ALIKE = 0.15
"""By how much a circle may differ from that of a whole photograph as wide, and be taken for it: a camera stops down its
circle a little more or less at one magnification, as those of IDRiD's photographs 4 and 12 are a tenth wider."""
_ROUNDED = 1e-4
"""By how much a scale may lie beyond its bounds: records have four digits of it."""
_LEAST, _MOST = 1 / 32, 4.0
"""Bounds of a scale: retinas less than 110 px or more than 13,000 px wide are not photographed."""


@dataclass(frozen=True, slots=True)
class Scale:
    """``value``: px of the photograph for one px of IDRiD's. ``source``: `GIVEN`, `RIM`, `MARKS` or `WIDTH`."""

    value: float
    source: str


def scale_of(image: Image, annotation: Annotation, field_of_view: float | None = None) -> Scale:
    """Find how large a photograph shows the retina.

    It is what the caller says; else by the circle fitted to the visible rim of the field of view; else by the sizes of
    the marks; else, where none has a size, by the width, as if it were a whole photograph.

    Args:
        image: (h, w, 3) uint8 RGB.
        annotation: What was drawn on it.
        field_of_view: Diameter of the circle in which the camera shows the retina, px of the photograph, whether or not
            the circle is seen; None where it is not known.

    Returns:
        The scale, and where it comes from.

    Raises:
        ParameterError: When ``field_of_view`` is no diameter of a retina.
    """
    if field_of_view is not None:
        check_field_of_view(field_of_view)
        return Scale(field_of_view / REFERENCE_FIELD_OF_VIEW, GIVEN)
    found = find_field_of_view(image)
    whole = image.shape[1] / REFERENCE_WIDTH
    if found is not None:
        seen = found.diameter / REFERENCE_FIELD_OF_VIEW
        return Scale(_bounded(whole if abs(seen / whole - 1) < _ALIKE else seen), RIM)
    by_marks = _by_marks(annotation)
    return Scale(_bounded(whole), WIDTH) if by_marks is None else by_marks


def shared_scale(image: Image, annotations: Sequence[Annotation], field_of_view: float | None = None) -> Scale:
    """One scale for what several people drew on one photograph, or their habits would be taken for the photograph's.

    Args:
        image: (h, w, 3) uint8 RGB.
        annotations: What each drew on it, one or more.
        field_of_view: As for `scale_of`.

    Returns:
        That of `scale_of` for all their marks together.

    Raises:
        ParameterError: When ``field_of_view`` is no diameter of a retina.
    """
    marks = tuple(mark for annotation in annotations for mark in annotation.marks)
    return scale_of(image, replace(annotations[0], marks=marks), field_of_view)


def given_scale(image: Image, annotation: Annotation, scale: float | None = None) -> float:
    """A scale as a caller has it, px of the photograph for one px of IDRiD's; where it is None that of `scale_of`.

    Raises `ParameterError` when it is none of a retina.
    """
    if scale is None:
        return scale_of(image, annotation).value
    if not isinstance(scale, (int, float, np.number)) or not _LEAST - _ROUNDED <= scale <= _MOST + _ROUNDED:
        raise ParameterError(
            f"a scale is px of the photograph for one px of IDRiD's, from {_LEAST:.3f} to {_MOST:g}; got {scale!r}, so "
            "give another scale=…, or None to find it"
        )
    return float(scale)


def check_field_of_view(diameter: float) -> None:
    """Raise `ParameterError` when ``diameter``, px, is none of a retina."""
    if not isinstance(diameter, (int, float, np.number)):
        raise ParameterError(f"field_of_view=… is a number of px, the diameter of a retina, got {diameter!r}")
    least, most = (round(bound * REFERENCE_FIELD_OF_VIEW) for bound in (_LEAST, _MOST))
    if not least <= diameter <= most:
        raise ParameterError(
            f"a retina of {diameter:g} px is not photographed; expected {least} to {most}, give another field_of_view=…"
        )


def _by_marks(annotation: Annotation) -> Scale | None:
    """How much larger the marks are than those on IDRiD's photographs: the mean over classes, of known ones if any.

    Marks wholly outside count for nothing: files with such have them left out, see `coarsekit.annotations.fitting`.
    """
    width, height = annotation.width, annotation.height
    inside = tuple(mark for mark in annotation.marks if not lies_outside(mark.shape, width, height))
    annotation = replace(annotation, marks=inside)
    logs: dict[str, list[float]] = {}
    for mark, way in zip(annotation.marks, ways_drawn(annotation), strict=True):
        if way in (CLICK, STROKE):
            continue
        x0, y0, x1, y1 = extent(mark.shape)
        logs.setdefault(mark.lesion, []).append(log(max((x1 - x0) * (y1 - y0), 1.0)) / 2 - log(2))
    own = {lesion: sum(each) / len(each) - log(RADII.get(lesion, _OTHER)) for lesion, each in logs.items()}
    counted = [value for lesion, value in own.items() if lesion in RADII] or list(own.values())
    return Scale(_bounded(exp(sum(counted) / len(counted))), MARKS) if counted else None


def _bounded(value: float) -> float:
    return min(max(value, _LEAST), _MOST)
