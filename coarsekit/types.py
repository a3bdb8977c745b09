"""The nouns. Immutable, free of any file format, and valid once made.

Coordinates are pixels with the origin at the outer corner of the top-left pixel, x to the right and y down, so the
centre of the pixel in column ``i`` and row ``j`` is ``(i + 0.5, j + 0.5)``, as in CVAT, Label Studio and COCO.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import AnnotationError, ImageError
from coarsekit.frozen import FrozenDict, frozen
from coarsekit.shapes import KINDS as KINDS
from coarsekit.shapes import Ellipse as Ellipse
from coarsekit.shapes import Line as Line
from coarsekit.shapes import Mask as Mask
from coarsekit.shapes import Places as Places
from coarsekit.shapes import Point as Point
from coarsekit.shapes import Polygon as Polygon
from coarsekit.shapes import Raster as Raster
from coarsekit.shapes import Shape as Shape
from coarsekit.shapes import bounding_box as bounding_box
from coarsekit.shapes import sized as sized

Image: TypeAlias = NDArray[np.uint8]
"""Photograph or patch, (h, w, 3), RGB, 0–255."""
MA, HE, EX, SE = "MA", "HE", "EX", "SE"
LESIONS = (MA, HE, EX, SE)
"""Microaneurysms, haemorrhages, hard exudates, soft exudates; any other name is as welcome."""


def lesion_name(name: str) -> str:
    """The name itself, if masks can be written one file per lesion under it.

    Raises `AnnotationError` otherwise.
    """
    if not isinstance(name, str):
        raise AnnotationError(f"a lesion name must be a text, such as 'MA', got {_kind(name)}")
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

    Raises `AnnotationError` for a lesion name that could not name a file, and for a shape that is none.

    Examples:
        >>> mark = coarsekit.Mark("MA", coarsekit.Ellipse(812.5, 1033.0, 31.2, 28.9, angle=12.0))
        >>> mark.lesion, mark.shape.rx
        ('MA', 31.2)
    """

    lesion: str
    shape: Shape
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        lesion_name(self.lesion)
        if not isinstance(self.shape, tuple(KINDS)):
            kinds = ", ".join(kind.__name__ for kind in KINDS)
            raise AnnotationError(f"a mark's shape must be one of {kinds}, got {_kind(self.shape)}")
        object.__setattr__(self, "details", _frozen(self.details, "a mark's details"))


@dataclass(frozen=True, slots=True)
class Annotation:
    """What was drawn on one photograph: its name and size in px, the marks, and where they came from.

    ``image``: the path of its file below the folder of photographs, with ``/`` between folders; often a file name.

    Raises `AnnotationError` when the name is no text, a side is no whole number above 0, or a mark is none.

    Examples:
        >>> click = coarsekit.Mark("HE", coarsekit.Point(100.0, 60.0))
        >>> coarsekit.Annotation("image.png", 160, 120, (click,)).lesions
        ('HE',)
    """

    image: str
    width: int
    height: int
    marks: tuple[Mark, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.image, str):
            raise AnnotationError(f"an annotation's image must be a text, its file's name, got {_kind(self.image)}")
        for name in ("width", "height"):
            object.__setattr__(self, name, _side(getattr(self, name), f"an annotation's {name}"))
        if not isinstance(self.marks, Iterable):
            raise AnnotationError(f"an annotation's marks must be several in a tuple, got {_kind(self.marks)}")
        marks = tuple(self.marks)
        for place, mark in enumerate(marks):
            if not isinstance(mark, Mark):
                raise AnnotationError(
                    f"mark {place}: expected a Mark, such as Mark('MA', Ellipse(…)), got {_kind(mark)}"
                )
        object.__setattr__(self, "marks", marks)
        object.__setattr__(self, "provenance", _frozen(self.provenance, "an annotation's provenance"))

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion names in order of first appearance."""
        return tuple(dict.fromkeys(mark.lesion for mark in self.marks))

    def of(self, lesion: str) -> tuple[Shape, ...]:
        """The shapes of one lesion class as they are drawn, see `sized`; empty when there are none."""
        return tuple(sized(mark.shape, self.width) for mark in self.marks if mark.lesion == lesion)


def _side(value: Any, what: str) -> int:
    whole = isinstance(value, (int, float, np.number)) and float(value).is_integer()
    if not whole or isinstance(value, bool) or value < 1:
        shown = repr(value) if isinstance(value, (int, float, str)) and len(str(value)) < 40 else _kind(value)
        raise AnnotationError(f"{what} must be a whole number of px above 0, got {shown}")
    return int(value)


def _frozen(content: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise AnnotationError(f"{what} must be a dictionary, got {_kind(content)}")
    return frozen(content)


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}".removeprefix("builtins.")


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
        advice = "use the photograph that it was drawn on"
        if (annotation.width, annotation.height) == tuple(shape[:2]):
            advice = (
                "turned by 90° they are the same: perhaps the tool did not turn the photograph by its EXIF "
                "orientation; save a copy that is upright, and draw on that"
            )
        raise AnnotationError(
            f"the annotation was drawn on {annotation.width} × {annotation.height} px, but {name} has {shape[1]} × "
            f"{shape[0]} px; {advice}"
        )


def _mask(mask: Any, shape: tuple[int, int], what: str) -> Mask:
    """A mask (h, w) as it is boolean; ``what``: how errors call it."""
    if not isinstance(mask, np.ndarray) or mask.shape != shape:
        raise ImageError(f"{what} must be an array of shape {shape}, as its photograph is, got {_array(mask)}")
    if mask.dtype == bool:
        return mask
    values = set(np.unique(mask).tolist()) if mask.dtype.kind in "uif" else {mask.dtype}
    if not (values <= {0, 1} or values <= {0, 255}):
        raise ImageError(f"{what} must be boolean, or of 0 and 1, or of 0 and 255, got {_array(mask)}; give mask > 0")
    return np.asarray(mask != 0, dtype=bool)


def _array(value: object) -> str:
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else _kind(value)


@dataclass(frozen=True, slots=True, eq=False)
class Fundus:
    """A photograph and its fine masks.

    ``key``: unique within the dataset. ``name``: file name of the photograph. ``image``: (h, w, 3) uint8 RGB.
    ``fine``: (h, w) boolean mask by lesion; a class that the photograph was not annotated for, or that has no pixel,
    is absent or all False. ``split``: ``"train"``, ``"test"``, ….

    Raises `ImageError` when the photograph or a mask is of another shape or type. A mask of 0 and 1, or of 0 and
    255, becomes boolean.
    """

    key: str
    name: str
    split: str
    image: Image
    fine: Mapping[str, Mask]

    def __post_init__(self) -> None:
        image = self.image
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ImageError(
                f"{self.name}: the photograph must be (h, w, 3) uint8, got {_array(image)}; read it by "
                "coarsekit.read_image"
            )
        if not isinstance(self.fine, Mapping):
            raise ImageError(f"{self.name}: the masks must be a dictionary by lesion class, got {_kind(self.fine)}")
        fine = {
            lesion: _mask(mask, self.shape, f"{self.name}: the mask of {lesion}") for lesion, mask in self.fine.items()
        }
        object.__setattr__(self, "fine", FrozenDict(fine))

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
