"""The nouns. Immutable, free of any file format, and valid once made.

Coordinates are pixels with the origin at the outer corner of the top-left pixel, x to the right and y down, so the
centre of the pixel in column ``i`` and row ``j`` is ``(i + 0.5, j + 0.5)``, as in CVAT, Label Studio and COCO.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeAlias, final

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

_FAR = 10**9


@final
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


@final
@dataclass(frozen=True, slots=True)
class Polygon:
    """The union of one or more closed rings, each filled by the even-odd rule.

    ``rings``: for each ring its corners x, y in px, three or more; the last corner joins the first.

    Raises `AnnotationError` without a ring, for a ring of fewer than three corners, and for numbers not finite.
    """

    rings: tuple[tuple[tuple[float, float], ...], ...]

    def __post_init__(self) -> None:
        try:
            rings = tuple(tuple((float(x), float(y)) for x, y in ring) for ring in self.rings)
        except (TypeError, ValueError, OverflowError):
            raise AnnotationError("a polygon's rings must be lists of corners x, y; give two numbers each") from None
        if not rings:
            raise AnnotationError("a polygon needs at least one ring, got none")
        for ring in rings:
            if len(ring) < 3:
                raise AnnotationError(f"a polygon's ring needs at least 3 corners, got {len(ring)}")
            for x, y in ring:
                if not (isfinite(x) and isfinite(y)):
                    raise AnnotationError(f"a polygon's corners must be finite numbers, got {x}, {y}")
        object.__setattr__(self, "rings", rings)


def bounding_box(mask: Mask) -> tuple[slice, slice]:
    """The rows and the columns of a mask (h, w) from the first with a pixel to the last; empty for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A region given by its pixels.

    ``left, top``: column and row of the crop's first pixel on the photograph. ``crop``: (h, w) boolean. Rows and
    columns without a pixel are cut off its rim, so that equal regions are equal, and it cannot be written to.

    Raises `AnnotationError` for a crop that is not boolean and two-dimensional, or has no pixel, and for a place a
    billion pixels away.
    """

    left: int
    top: int
    crop: Mask

    def __post_init__(self) -> None:
        crop = np.asarray(self.crop)
        if crop.dtype != bool or crop.ndim != 2:
            raise AnnotationError(f"a mask must be boolean (h, w), got {crop.dtype} of shape {crop.shape}")
        if not (abs(self.left) < _FAR and abs(self.top) < _FAR):
            raise AnnotationError(f"a mask must lie within {_FAR} px of the photograph; move or remove it")
        rows, columns = bounding_box(crop)
        if rows.stop == 0:
            raise AnnotationError("a mask needs at least one pixel, got none; leave the region out")
        crop = crop[rows, columns].copy()
        crop.setflags(write=False)
        object.__setattr__(self, "crop", crop)
        object.__setattr__(self, "left", int(self.left) + columns.start)
        object.__setattr__(self, "top", int(self.top) + rows.start)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Raster):
            return NotImplemented
        return (self.left, self.top) == (other.left, other.top) and np.array_equal(self.crop, other.crop)

    def __hash__(self) -> int:
        return hash((self.left, self.top, self.crop.shape, self.crop.tobytes()))


Shape: TypeAlias = Ellipse | Polygon | Raster
"""What can be drawn around a lesion; the ellipse is the usual one."""


KINDS: Mapping[type, str] = {Ellipse: "ellipses", Polygon: "polygons", Raster: "masks"}
"""What shapes of a kind are called in files and messages."""


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
    """One drawn shape and the lesion class that it stands for.

    ``details``: what else the tool says of it, as plain JSON: ``label`` (the tool's own, where it is another than
    ``lesion``), ``id``, ``group``, ``attributes`` by name, and under a format's name what only that format has. No
    result depends on them, and marks are compared without them.

    Raises `AnnotationError` for a lesion name that could not name a file.
    """

    lesion: str
    shape: Shape
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        lesion_name(self.lesion)


@dataclass(frozen=True, slots=True)
class Annotation:
    """What was drawn on one photograph: its name and size in px, the marks, and where they came from.

    ``image``: the path of its file below the folder of photographs, with ``/`` between folders; often a file name.
    """

    image: str
    width: int
    height: int
    marks: tuple[Mark, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion names in order of first appearance."""
        return tuple(dict.fromkeys(mark.lesion for mark in self.marks))

    def of(self, lesion: str) -> tuple[Shape, ...]:
        """The shapes of one lesion class; empty when there are none."""
        return tuple(mark.shape for mark in self.marks if mark.lesion == lesion)


def check_drawn_on(annotation: Annotation, shape: tuple[int, ...], name: str = "the photograph") -> None:
    """Check that an annotation was drawn on a photograph of this size.

    Args:
        annotation: What was drawn.
        shape: (h, w, …) of the photograph, px.
        name: What an error calls the photograph.

    Raises:
        AnnotationError: When the annotation was drawn on an image of another size.
    """
    if (annotation.height, annotation.width) != tuple(shape[:2]):
        raise AnnotationError(
            f"the annotation was drawn on {annotation.width} × {annotation.height} px, but {name} has {shape[1]} × "
            f"{shape[0]} px; use the photograph that it was drawn on"
        )


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
