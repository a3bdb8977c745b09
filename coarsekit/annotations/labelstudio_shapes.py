"""What a region of Label Studio covers, as its value says; see `coarsekit.annotations.labelstudio`."""

from base64 import b64decode
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from coarsekit.annotations.brush_rle import unpack
from coarsekit.annotations.documents import LenientModel
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.geometry import rotated
from coarsekit.images import decode_mask
from coarsekit.types import Ellipse, Line, Point, Polygon, Raster, Shape
from coarsekit.validation import validated


class _EllipseValue(LenientModel):
    x: float
    y: float
    radiusX: float  # noqa: N815 — their name
    radiusY: float  # noqa: N815
    rotation: float = 0.0


class _RectangleValue(LenientModel):
    x: float
    y: float
    width: float
    height: float
    rotation: float = 0.0


class _PolygonValue(LenientModel):
    points: list[Annotated[list[float], Field(min_length=2, max_length=2)]]


class _KeyPointValue(LenientModel):
    x: float
    y: float
    width: float | None = None


class _Vertex(LenientModel):
    x: float
    y: float


class _VectorValue(LenientModel):
    vertices: list[_Vertex]
    closed: bool = False


class _BrushValue(LenientModel):
    rle: list[Annotated[int, Field(ge=0, le=255)]]


class _BitmaskValue(LenientModel):
    imageDataURL: str  # noqa: N815


def shape_reader(item: dict[str, Any]) -> Callable[[dict[str, Any], int, int], Shape] | None:
    """What reads the shape of a result on a photograph of width and height in px; None where it is not known."""
    return next((shape for field, shape in _SHAPES.items() if field in item), None)


def _ellipse(item: dict[str, Any], width: int, height: int) -> Shape:
    v = validated(_EllipseValue, item, "value", strict=None)
    rx, ry = v.radiusX * width / 100, v.radiusY * height / 100
    return Ellipse(v.x * width / 100, v.y * height / 100, rx, ry, v.rotation)


def _rectangle(item: dict[str, Any], width: int, height: int) -> Shape:
    v = validated(_RectangleValue, item, "value", strict=None)
    x, y, w, h = v.x * width / 100, v.y * height / 100, v.width * width / 100, v.height * height / 100
    return Polygon((rotated(((0, 0), (w, 0), (w, h), (0, h)), v.rotation, (x, y)),))


def _polygon(item: dict[str, Any], width: int, height: int) -> Shape:
    points = validated(_PolygonValue, item, "value", strict=None).points
    return Polygon((tuple((x * width / 100, y * height / 100) for x, y in points),))


def _brush(item: dict[str, Any], width: int, height: int) -> Shape:
    packed = bytes(validated(_BrushValue, item, "value", strict=None).rle)
    return unpack(packed, (height, width))


def _bitmask(item: dict[str, Any], width: int, height: int) -> Shape:
    text = validated(_BitmaskValue, item, "value", strict=None).imageDataURL
    try:
        pixels = decode_mask(b64decode(text.rpartition(",")[2], validate=True), "its bitmask")
    except (ValueError, ImageError) as cause:
        raise AnnotationError(f"imageDataURL must be a PNG in base64 ({cause}); export it again") from None
    if pixels.shape != (height, width):
        raise AnnotationError(f"its bitmask has {pixels.shape[1]} × {pixels.shape[0]} px, not {width} × {height} px")
    return Raster(0, 0, pixels)


def _keypoint(item: dict[str, Any], width: int, height: int) -> Shape:
    v = validated(_KeyPointValue, item, "value", strict=None)
    return Point(v.x * width / 100, v.y * height / 100, v.width * width / 100 if v.width else None)


def _vector(item: dict[str, Any], width: int, height: int) -> Shape:
    v = validated(_VectorValue, item, "value", strict=None)
    places = tuple((vertex.x * width / 100, vertex.y * height / 100) for vertex in v.vertices)
    return Polygon((places,)) if v.closed else Line(places)


_SHAPES = {"imageDataURL": _bitmask, "radiusX": _ellipse, "rle": _brush, "points": _polygon}
_SHAPES |= {"vertices": _vector, "height": _rectangle, "x": _keypoint}
"""By a field that only this kind of region has, of those behind it; key points have a width but no height."""
