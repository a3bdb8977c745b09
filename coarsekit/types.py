"""The nouns. Immutable, free of any file format, and valid once made.

Coordinates are pixels with the origin at the outer corner of the top-left pixel, x to the right and y down, so the
centre of the pixel in column ``i`` and row ``j`` is ``(i + 0.5, j + 0.5)``, as in CVAT, Label Studio and COCO.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import AnnotationError

Image: TypeAlias = NDArray[np.uint8]
"""Photograph or patch, (h, w, 3), RGB, 0–255."""
Mask: TypeAlias = NDArray[np.bool_]
"""Boolean mask, (h, w)."""

MA, HE, EX, SE = "MA", "HE", "EX", "SE"
LESIONS = (MA, HE, EX, SE)
"""Microaneurysms, haemorrhages, hard exudates, soft exudates; any other name is as welcome."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse; a circle is one with ``rx == ry``.

    ``cx, cy``: centre, px. ``rx, ry``: semi-axes, px, positive. ``angle``: degrees by which the ``rx`` axis is turned
    clockwise on the screen.

    Raises `AnnotationError` when a number is not finite or a semi-axis is not positive.
    """

    cx: float
    cy: float
    rx: float
    ry: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        for name in ("cx", "cy", "rx", "ry", "angle"):
            value = getattr(self, name)
            if not isfinite(value):
                raise AnnotationError(f"an ellipse's {name} must be a finite number, got {value}")
        for name in ("rx", "ry"):
            if getattr(self, name) <= 0:
                raise AnnotationError(f"an ellipse's {name} must be above 0 px, got {getattr(self, name):g}")


def lesion_name(name: str) -> str:
    """The name itself, if masks can be written one file per lesion under it.

    Raises `AnnotationError` otherwise.
    """
    if not name.strip() or name.startswith(".") or any(c in '/\\:*?"<>|' or ord(c) < 32 for c in name):
        raise AnnotationError(
            f"a lesion name must be usable in a file name (no slash, colon or leading dot), got {name!r}"
        )
    return name


@dataclass(frozen=True, slots=True)
class Mark:
    """One drawn ellipse and the lesion class that it stands for.

    Raises `AnnotationError` for a lesion name that could not name a file.
    """

    lesion: str
    ellipse: Ellipse

    def __post_init__(self) -> None:
        lesion_name(self.lesion)


@dataclass(frozen=True, slots=True)
class Annotation:
    """What was drawn on one photograph: its file name and size in px, the marks, and where they came from."""

    image: str
    width: int
    height: int
    marks: tuple[Mark, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion names in order of first appearance."""
        return tuple(dict.fromkeys(mark.lesion for mark in self.marks))

    def of(self, lesion: str) -> tuple[Ellipse, ...]:
        """The ellipses of one lesion class; empty when there are none."""
        return tuple(mark.ellipse for mark in self.marks if mark.lesion == lesion)


@dataclass(frozen=True, slots=True, eq=False)
class Fundus:
    """A photograph and its fine masks.

    ``key``: unique within the dataset. ``name``: file name of the photograph. ``image``: (h, w, 3) uint8 RGB.
    ``fine``: (h, w) boolean mask by lesion; a class that the photograph was not annotated for, or that has no pixel,
    is absent or all False. ``split``: ``"train"``, ``"test"``, ….
    """

    key: str
    name: str
    split: str
    image: Image
    fine: Mapping[str, Mask]

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) in px."""
        return self.image.shape[0], self.image.shape[1]


@dataclass(frozen=True, slots=True)
class Window:
    """Place of a square crop: left and top px, and side in px; it may reach over the photograph's edge."""

    x: int
    y: int
    side: int


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One window of one lesion class: ``image`` (s, s, 3) uint8, ``coarse`` and ``fine`` (s, s) boolean.

    ``ellipse``: the one that the window was laid around, in px of the photograph, as the window's place is.
    """

    image: Image
    coarse: Mask
    fine: Mask
    lesion: str
    ellipse: Ellipse
    window: Window
