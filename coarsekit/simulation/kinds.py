"""Other marks than ellipses: boxes, rough polygons, clicks and strokes, as people and tools draw them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import draw, extent, moved
from coarsekit.marks import BOX, CLICK, STROKE
from coarsekit.types import Ellipse, Line, Mask, Point, Polygon, Shape

ELLIPSE, POLYGON = "ellipse", "polygon"
KINDS = (ELLIPSE, BOX, POLYGON, CLICK, STROKE)
"""What a style's ``kinds`` has shares of."""
CORNERS = 6
"""Corners of a rough polygon."""
_ALONG = (10, 50, 90)
"""Where along a lesion a stroke has its places, percent."""


def as_kind(kind: str, drawn: Ellipse, exact: Ellipse, fine: Mask, rng: np.random.Generator) -> Shape:
    """What stands in for an ellipse.

    Args:
        kind: One of `KINDS`.
        drawn: The ellipse as a hand draws it; a box and a polygon are around the same.
        exact: The ellipse around the lesion, of whose pixels a click has one, and a stroke passes three.
        fine: (h, w), the lesions of its class.
        rng: Where a click falls, and where a polygon begins.

    Returns:
        The shape; a click at the middle where the lesion has no pixel.
    """
    if kind == ELLIPSE:
        return drawn
    if kind == BOX:
        x0, y0, x1, y1 = extent(drawn)
        return Polygon((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),))
    if kind == POLYGON:
        return _polygon(drawn, rng)
    pixels = _pixels(exact, fine)
    if not len(pixels):
        return Point(exact.cx, exact.cy)
    if kind == CLICK or len(pixels) < len(_ALONG):
        x, y = pixels[rng.integers(len(pixels))]
        return Point(float(x), float(y))
    return _stroke(pixels)


def choose_kinds(shares: Mapping[str, float], count: int, rng: np.random.Generator) -> list[str]:
    """The kind of each of ``count`` marks, at random by the ``shares``; all are ellipses without shares."""
    if not shares:
        return [ELLIPSE] * count
    weights = np.array(list(shares.values()), float)
    return [str(kind) for kind in rng.choice(list(shares), count, p=weights / weights.sum())]


def _polygon(ellipse: Ellipse, rng: np.random.Generator) -> Polygon:
    """Corners on the ellipse at even angles, begun anywhere."""
    angles = 2 * np.pi * (np.arange(CORNERS) + rng.uniform()) / CORNERS
    turn = np.deg2rad(ellipse.angle)
    along, across = ellipse.rx * np.cos(angles), ellipse.ry * np.sin(angles)
    x = ellipse.cx + along * np.cos(turn) - across * np.sin(turn)
    y = ellipse.cy + along * np.sin(turn) + across * np.cos(turn)
    return Polygon((tuple(zip(x.tolist(), y.tolist(), strict=True)),))


def _pixels(ellipse: Ellipse, fine: Mask) -> NDArray[np.float64]:
    """The x, y (n, 2) of the middles of the lesion's pixels inside the ellipse."""
    x0, y0, x1, y1 = extent(ellipse)
    left, top = max(int(x0), 0), max(int(y0), 0)
    part = fine[top : max(int(y1) + 2, 0), left : max(int(x1) + 2, 0)]
    if not part.size:
        return np.zeros((0, 2))
    inside = draw([moved(ellipse, -left, -top)], part.shape) & part
    return np.argwhere(inside)[:, ::-1].astype(np.float64) + np.array([left + 0.5, top + 0.5])


def _stroke(pixels: NDArray[np.float64]) -> Line:
    """Along the longest direction of the pixels, through three of them."""
    apart = pixels - pixels.mean(0)
    along = apart @ np.linalg.svd(apart, full_matrices=False)[2][0]
    nearest = [int(np.abs(along - np.percentile(along, percent)).argmin()) for percent in _ALONG]
    return Line(tuple((float(x), float(y)) for x, y in pixels[nearest]))
