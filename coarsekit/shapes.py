"""What can be drawn around or on a lesion: ellipses, polygons, masks, points and lines. Immutable, and valid once made.

Coordinates are those of `coarsekit.types`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import AnnotationError

Mask: TypeAlias = NDArray[np.bool_]
"""Boolean mask, (h, w)."""

CLICK_RADIUS = 14 / 1500
"""Radius of a point that has none, as a share of the photograph's width: 14 px of 1500, 40 of 4288."""
STROKE_WIDTH = CLICK_RADIUS / 3
"""Width of a line that has none, likewise."""

Places: TypeAlias = tuple[tuple[float, float], ...]
"""Places x, y on a photograph, px."""
_FAR = 10**9


@final
@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse; a circle is one with ``rx == ry``.

    ``cx, cy``: centre, px. ``rx, ry``: semi-axes, px, positive. ``angle``: degrees by which the ``rx`` axis is turned
    clockwise on the screen.

    Raises `AnnotationError` when a number is none or not finite, or a semi-axis is not positive.
    """

    cx: float
    cy: float
    rx: float
    ry: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        for name in ("cx", "cy", "rx", "ry", "angle"):
            object.__setattr__(self, name, _finite(getattr(self, name), f"an ellipse's {name}"))
        for name in ("rx", "ry"):
            if (radius := getattr(self, name)) <= 0:
                what = (
                    "an ellipse's" if radius else "a circle or an ellipse has no size, as a mere click leaves it: its"
                )
                advice = "" if radius else "; draw it again, or as a point"
                raise AnnotationError(f"{what} {name} must be above 0 px, got {radius:g}{advice}")


@final
@dataclass(frozen=True, slots=True)
class Polygon:
    """The union of one or more closed rings, each filled by the even-odd rule.

    ``rings``: for each ring its corners x, y in px, three or more; the last corner joins the first.

    Raises `AnnotationError` without a ring, for a ring of fewer than three corners, and for numbers not finite.
    """

    rings: tuple[Places, ...]

    def __post_init__(self) -> None:
        try:
            given = [list(ring) for ring in self.rings]
        except TypeError:
            raise AnnotationError("a polygon's rings must be lists of corners x, y; give two numbers each") from None
        if not given:
            raise AnnotationError("a polygon needs at least one ring, got none")
        rings = tuple(_places(ring, 3, "a polygon's ring", "a polygon's corners") for ring in given)
        object.__setattr__(self, "rings", rings)


@final
@dataclass(frozen=True, slots=True)
class Point:
    """A click, or a key point.

    ``x, y``: px. ``radius``: px, positive, as the tool shows it; None where it has none.

    Raises `AnnotationError` for numbers that are not finite, and a radius that is not positive.
    """

    x: float
    y: float
    radius: float | None = None

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            object.__setattr__(self, name, _finite(getattr(self, name), f"a point's {name}"))
        object.__setattr__(self, "radius", _size(self.radius, "a point's radius"))


@final
@dataclass(frozen=True, slots=True)
class Line:
    """A stroke: a line, or a polyline that stays open.

    ``places``: x, y in px, two or more. ``width``: of the stroke, px, positive; None where the tool has none.

    Raises `AnnotationError` for fewer places, for numbers that are not finite, and a width that is not positive.
    """

    places: Places
    width: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", _places(self.places, 2, "a line", "a line's places"))
        object.__setattr__(self, "width", _size(self.width, "a line's width"))


def _places(places: Any, least: int, whole: str, what: str) -> Places:
    """The places, ``least`` or more, as pairs of floats; ``whole`` and ``what`` are how sentences name them."""
    try:
        found = tuple((float(x), float(y)) for x, y in places)
    except (TypeError, ValueError, OverflowError):
        raise AnnotationError(f"{what} must be lists of corners x, y; give two numbers each") from None
    if len(found) < least:
        raise AnnotationError(f"{whole} needs at least {least} {what.rpartition(' ')[2]}, got {len(found)}")
    for x, y in found:
        if not (isfinite(x) and isfinite(y)):
            raise AnnotationError(f"{what} must be finite numbers, got {x}, {y}")
    return found


def _finite(value: Any, what: str, expected: str = "a finite number") -> float:
    """A number of any kind, numpy's too, as a float, which can be written as JSON."""
    try:
        number = float(value if type(value) in (float, int) else np.asarray(value, np.float64)[()])
    except (TypeError, ValueError, OverflowError):
        number = nan
    if isinstance(value, (str, bytes, complex)) or not isfinite(number):
        raise AnnotationError(f"{what} must be {expected}, got {_shown(value)}")
    return number


def _whole(value: Any, what: str) -> int:
    if isinstance(value, (int, np.integer)):
        return int(value)
    expected = "a whole number of px"
    if not (number := _finite(value, what, expected)).is_integer():
        raise AnnotationError(f"{what} must be {expected}, got {number:g}")
    return int(number)


def _size(size: Any, what: str) -> float | None:
    expected = "a finite number above 0 px"
    number = None if size is None else _finite(size, what, expected)
    if number is not None and number <= 0:
        raise AnnotationError(f"{what} must be {expected}, got {number:g}")
    return number


def _shown(value: object) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 and "\n" not in text else type(value).__name__


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
        left, top = (_whole(getattr(self, name), f"a mask's {name}") for name in ("left", "top"))
        if not (abs(left) < _FAR and abs(top) < _FAR):
            raise AnnotationError(f"a mask must lie within {_FAR} px of the photograph; move or remove it")
        rows, columns = bounding_box(crop)
        if rows.stop == 0:
            raise AnnotationError("a mask needs at least one pixel, got none; leave the region out")
        crop = crop[rows, columns].copy()
        crop.setflags(write=False)
        object.__setattr__(self, "crop", crop)
        object.__setattr__(self, "left", left + columns.start)
        object.__setattr__(self, "top", top + rows.start)

    def __reduce__(self) -> tuple[Any, ...]:
        # Made anew, since a copy of an array can be written to.
        return Raster, (self.left, self.top, self.crop)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Raster):
            return NotImplemented
        return (self.left, self.top) == (other.left, other.top) and np.array_equal(self.crop, other.crop)

    def __hash__(self) -> int:
        return hash((self.left, self.top, self.crop.shape, self.crop.tobytes()))


Shape: TypeAlias = Ellipse | Polygon | Raster | Point | Line
"""What can be drawn around or on a lesion; the ellipse is the usual one."""


KINDS: Mapping[type, str] = {Ellipse: "ellipses", Polygon: "polygons", Raster: "masks", Point: "points", Line: "lines"}
"""What shapes of a kind are called in files and messages."""


def sized(shape: Shape, width: float) -> Shape:
    """The shape; a point or a line that has no size gets its own of a photograph of ``width`` px."""
    if isinstance(shape, Point) and shape.radius is None:
        return Point(shape.x, shape.y, CLICK_RADIUS * width)
    if isinstance(shape, Line) and shape.width is None:
        return Line(shape.places, STROKE_WIDTH * width)
    return shape
