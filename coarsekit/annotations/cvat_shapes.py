"""The shapes of CVAT's XML; see `coarsekit.annotations.cvat`."""

from collections.abc import Callable
from xml.etree import ElementTree as Tree

from coarsekit.annotations.documents import finite_number
from coarsekit.annotations.rle import from_run_lengths
from coarsekit.errors import AnnotationError
from coarsekit.geometry import rotated
from coarsekit.types import Ellipse, Line, Places, Point, Polygon, Raster, Shape


def _places(element: Tree.Element) -> Places:
    said = text(element, "points")
    try:
        return tuple((float(x), float(y)) for x, y in (place.split(",") for place in said.split(";")))
    except ValueError:
        raise AnnotationError(f"points must be 'x,y;x,y;…', got {said[:40]!r}") from None


def _points(element: Tree.Element) -> list[Shape]:
    return [Point(x, y) for x, y in _places(element)]


def _skeleton(element: Tree.Element) -> list[Shape]:
    """Its elements, which are points, lines or other shapes, without those that are not on the photograph."""
    seen = [child for child in element if child.tag in SHAPES and child.get("outside", "0") != "1"]
    return [shape for child in seen for shape in SHAPES[child.tag](child)]


def _ellipse(element: Tree.Element) -> list[Shape]:
    cx, cy, rx, ry = (_number(element, name) for name in ("cx", "cy", "rx", "ry"))
    return [Ellipse(cx, cy, rx, ry, _number(element, "rotation", "0"))]


def _polygon(element: Tree.Element) -> list[Shape]:
    return [Polygon((_places(element),))]


def _polyline(element: Tree.Element) -> list[Shape]:
    return [Line(_places(element))]


def _box(element: Tree.Element) -> list[Shape]:
    x0, y0, x1, y1 = (_number(element, name) for name in ("xtl", "ytl", "xbr", "ybr"))
    turn = _number(element, "rotation", "0")
    if not turn:
        return [Polygon((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),))]
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    corners = ((x0 - cx, y0 - cy), (x1 - cx, y0 - cy), (x1 - cx, y1 - cy), (x0 - cx, y1 - cy))
    return [Polygon((rotated(corners, turn, (cx, cy)),))]


def _mask(element: Tree.Element) -> list[Shape]:
    left, top = (whole(element, name) for name in ("left", "top"))
    width, height = (whole(element, name, 1) for name in ("width", "height"))
    said = text(element, "rle")
    try:
        runs = [int(run) for run in said.split(",")]
    except ValueError:
        raise AnnotationError(f"rle must be whole numbers with commas between, got {said[:40]!r}") from None
    return [Raster(left, top, from_run_lengths(runs, width * height).reshape(height, width))]


SHAPES: dict[str, Callable[[Tree.Element], list[Shape]]]
SHAPES = {"ellipse": _ellipse, "polygon": _polygon, "box": _box, "mask": _mask}
SHAPES |= {"points": _points, "polyline": _polyline, "skeleton": _skeleton}
"""By its tag, what an element covers; each raises `AnnotationError` for one that is malformed."""


def text(element: Tree.Element, field: str, default: str | None = None) -> str:
    """The attribute of an element; raises `AnnotationError` where it is missing and has no default."""
    value = element.get(field, default)
    if value is None:
        raise AnnotationError(f"{field} is missing; export the annotation again")
    return value


def _number(element: Tree.Element, field: str, default: str | None = None) -> float:
    return finite_number(text(element, field, default), field)


def whole(element: Tree.Element, field: str, least: int | None = None) -> int:
    """The whole number in an attribute of an element; raises `AnnotationError` for anything else."""
    value = _number(element, field)
    if value != int(value) or (least is not None and value < least):
        raise AnnotationError(f"{field} must be a whole number{'' if least is None else ' above 0'}, got {value:g}")
    return int(value)
