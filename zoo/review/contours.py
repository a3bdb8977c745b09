"""The outlines that the page draws, as lists of numbers in px of the photograph. Pure.

A loop is ``[x, y, dx, dy, …]``: its first corner, and the step to each further one. It is closed.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from coarsekit.annotations.approximate import as_outline, on_photograph
from coarsekit.geometry import extent
from coarsekit.types import Ellipse, Mark, Point, Polygon, Raster, sized

Loop = list[float]


def loops_of(raster: Raster) -> list[Loop]:
    """The outline of a raster along the edges of its pixels: a loop for each part and each hole."""
    [ring] = as_outline(raster).rings
    loops, start = [], 0
    while start < len(ring):
        end = ring.index(ring[start], start + 1)
        loops.append(_steps(ring[start:end]))
        start = end + (1 if start == 0 else 2)  # as_outline goes back to its first corner after each further loop
    return loops


def drawn_outline(mark: Mark, size: tuple[int, int]) -> dict[str, Any]:
    """What was drawn on a photograph of ``size`` (h, w), with its size: an ellipse, or loops.

    A line and a mask are shown by the outline of their pixels, one that lies outside of the photograph by its box.
    """
    shape = sized(mark.shape, size[1])
    if isinstance(shape, Point):
        shape = Ellipse(shape.x, shape.y, shape.radius or 1, shape.radius or 1)
    if isinstance(shape, Ellipse):
        return {"ellipse": [round(part, 2) for part in (shape.cx, shape.cy, shape.rx, shape.ry, shape.angle)]}
    if isinstance(shape, Polygon):
        return {"loops": [_steps([(round(x, 1), round(y, 1)) for x, y in ring]) for ring in shape.rings]}
    raster = on_photograph(shape, size)
    if raster is not None:
        return {"loops": loops_of(raster)}
    x0, y0, x1, y1 = extent(shape)
    return {"loops": [_steps([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])]}


def box_of(mark: Mark, found: Raster | None, width: int) -> list[float]:
    """Left, top, right and bottom of what was drawn and what was found, px."""
    x0, y0, x1, y1 = extent(sized(mark.shape, width))
    if found is not None:
        height, wide = found.crop.shape
        x0, y0 = min(x0, found.left), min(y0, found.top)
        x1, y1 = max(x1, found.left + wide), max(y1, found.top + height)
    return [round(side, 1) for side in (x0, y0, x1, y1)]


def _steps(ring: Sequence[tuple[float, float]]) -> Loop:
    """Corners as a loop; whole numbers without a point."""
    flat: Loop = [*ring[0]]
    for (x0, y0), (x1, y1) in pairwise(ring):
        flat += [round(x1 - x0, 1), round(y1 - y0, 1)]
    return [int(part) if float(part).is_integer() else part for part in flat]
