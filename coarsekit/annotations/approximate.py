"""What a format cannot hold, in shapes that it can: every approximation has a name and is reported."""

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil, cos, floor, pi, sin, sqrt

import numpy as np

from coarsekit.errors import AnnotationError
from coarsekit.geometry import covering_ellipse, draw, extent, moved, reach_of, rotated
from coarsekit.morphology import component_points
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Raster, Shape, sized

CORNERS = 72
"""Of the polygon that stands for an ellipse: its rim strays from the ellipse's by less than 0.1 % of the radius."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a format can hold besides polygons of one ring and points, which every format can.

    ``name``: as people call it. ``rasters``: masks within the photograph.
    """

    name: str
    ellipses: bool = False
    circles: bool = False
    rings: bool = False
    rasters: bool = False
    lines: bool = True


def approximate_marks(
    annotation: Annotation, capabilities: Capabilities, approximate: bool
) -> tuple[tuple[Mark, ...], list[str]]:
    """The marks as a format can hold them, and a sentence for each kind of approximation that was made.

    Raises `AnnotationError` for a shape that the format cannot hold, unless ``approximate``, and for a mask that lies
    wholly outside its photograph.
    """
    marks, made = [], Counter[str]()
    size = (annotation.height, annotation.width)
    for place, mark in enumerate(annotation.marks):
        shape, what = _fit(mark.shape, capabilities, size)
        if shape is None:
            raise AnnotationError(f"{annotation.image}: mark {place} ({mark.lesion}) lies outside; move or remove it")
        if what and not approximate:
            raise AnnotationError(
                f"{annotation.image}: {capabilities.name} cannot hold mark {place} ({mark.lesion}) as it is; "
                f"with approximate=True it gets {what}"
            )
        if what:
            made[what] += 1
        marks.append(replace(mark, shape=shape))
    return tuple(marks), [f"{annotation.image}: {count} × {what}" for what, count in made.items()]


def as_polygon(ellipse: Ellipse, corners: int = CORNERS) -> Polygon:
    """The polygon of ``corners`` corners that has the ellipse's centre, direction and area."""
    stretch = sqrt(2 * pi / corners / sin(2 * pi / corners))
    turns = [2 * pi * corner / corners for corner in range(corners)]
    ring = [(stretch * ellipse.rx * cos(turn), stretch * ellipse.ry * sin(turn)) for turn in turns]
    return Polygon((rotated(ring, ellipse.angle, (ellipse.cx, ellipse.cy)),))


def as_ellipse(shape: Shape) -> Ellipse:
    """The ellipse with the centre and second moments of the shape's pixels; of its box where it has no pixel."""
    if isinstance(shape, Ellipse):
        return shape
    if isinstance(shape, Point):
        return Ellipse(shape.x, shape.y, reach_of(shape), reach_of(shape))
    x0, y0, x1, y1 = extent(shape)
    left, top = floor(x0), floor(y0)
    parts = component_points(draw([moved(shape, -left, -top)], (ceil(y1) - top, ceil(x1) - left)))
    if not parts:
        return Ellipse((x0 + x1) / 2, (y0 + y1) / 2, max((x1 - x0) / 2, 0.5), max((y1 - y0) / 2, 0.5))
    ellipse = covering_ellipse(np.concatenate(parts), np.empty((0, 2)))
    return replace(ellipse, cx=ellipse.cx + left, cy=ellipse.cy + top)


def on_photograph(shape: Shape, size: tuple[int, int]) -> Raster | None:
    """The pixels of a shape on a photograph of ``size`` (h, w), drawn in its box alone; None where it has none."""
    x0, y0, x1, y1 = extent(shape)
    left, top = max(floor(x0), 0), max(floor(y0), 0)
    width, height = min(ceil(x1), size[1]) - left, min(ceil(y1), size[0]) - top
    if width <= 0 or height <= 0:
        return None
    if isinstance(shape, Raster) and shape.crop.shape == (height, width):
        return shape
    mask = draw([moved(shape, -left, -top)], (height, width))
    return Raster(left, top, mask) if mask.any() else None


def as_outline(raster: Raster) -> Polygon:
    """The raster as one ring along the edges of its pixels, which has just these pixels.

    Separate parts and holes hang together by lines of no width, there and back.
    """
    turns: dict[tuple[int, int], list[tuple[int, int]]] = {}
    inside = np.pad(raster.crop, 1)
    for (dy, dx), (start, end) in _SIDES.items():
        bare = inside & ~np.roll(inside, (-dy, -dx), axis=(0, 1))
        for y, x in np.argwhere(bare).tolist():
            turns.setdefault((x + start[0], y + start[1]), []).append((x + end[0], y + end[1]))
    ring: list[tuple[int, int]] = []
    while turns:
        begin = place = next(iter(turns))
        loop = [begin]
        while True:
            ahead = turns[place].pop()
            if not turns[place]:
                del turns[place]
            place = ahead
            loop.append(place)
            if place == begin:
                break
        ring += _straightened(loop) + ([ring[0]] if ring else [])
    return Polygon((tuple((raster.left + x - 1, raster.top + y - 1) for x, y in ring),))


_SIDES = {(-1, 0): ((0, 0), (1, 0)), (0, 1): ((1, 0), (1, 1)), (1, 0): ((1, 1), (0, 1)), (0, -1): ((0, 1), (0, 0))}
"""For each neighbour of a pixel (dy, dx) the side between them, from x, y to x, y, clockwise around the pixel."""


def _straightened(loop: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A closed loop of unit steps without the places at which it goes straight on; both ends stay."""
    inner = zip(loop, loop[1:], loop[2:], strict=False)
    return [loop[0], *(b for a, b, c in inner if (b[0] - a[0], b[1] - a[1]) != (c[0] - b[0], c[1] - b[1])), loop[-1]]


def _fit(shape: Shape, capabilities: Capabilities, size: tuple[int, int]) -> tuple[Shape | None, str]:
    """A shape that the format can store, and what it stands for; the empty string where it is the same shape."""
    if (
        isinstance(shape, Point)
        or (isinstance(shape, Line) and capabilities.lines)
        or (isinstance(shape, Polygon) and (capabilities.rings or len(shape.rings) == 1))
        or (isinstance(shape, Ellipse) and (capabilities.ellipses or (capabilities.circles and shape.rx == shape.ry)))
    ):
        return shape, ""
    if isinstance(shape, Ellipse):
        return as_polygon(shape), f"a polygon of {CORNERS} corners for an ellipse"
    if isinstance(shape, Raster) and not capabilities.rasters:
        return as_outline(shape), "an outline along the edges of its pixels for a mask"
    raster = on_photograph(sized(shape, size[1]), size)
    if isinstance(shape, Raster):
        return raster, "" if raster == shape else "its part on the photograph for a mask that reaches over the edge"
    outline = raster if raster is None or capabilities.rasters else as_outline(raster)
    what = "line" if isinstance(shape, Line) else "polygon of several rings"
    return outline, f"its pixels on the photograph for a {what}"
