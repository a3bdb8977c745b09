"""Ellipses that cover points, how far shapes reach, shapes as masks.

Pixel ``(row j, column i)`` has its centre at ``(i + 0.5, j + 0.5)``; a mask has the pixels whose centres lie inside.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import cos, floor, hypot, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Ellipse, Line, Mask, Point, Polygon, Raster, Shape

_RIM = 1e-9
"""By how much the squared radius of a point on an ellipse's rim may exceed 1, for rounding."""
_PIXEL = 0.7072
"""Radius, px, of a point that has no size, and half the width of such a line: any place is on some pixel's centre."""
Points = NDArray[np.floating]
"""(n, 2) array of x, y in px."""


def covering_ellipse(points: Points, inside: Points) -> Ellipse:
    """The ellipse with the centre and second moments of ``points`` (n, 2), grown where need be to cover ``inside``.

    Points are pixel centres and count as whole pixels, so a single one gives a circle and a line of them an ellipse.
    Without ``inside``, (0, 2), it is the ellipse of the second moments: those of `skimage.measure.regionprops`, which
    takes pixels for points, and a pixel's own. Where that one has to grow, the ellipse of the second moments of the
    points' convex hull is tried too, and the smaller one taken: a speck far from a large lesion hardly moves the
    moments of the pixels, and would stretch their ellipse over half the photograph.

    Raises `ValueError` for an empty ``points``.
    """
    if len(points) == 0:
        raise ValueError("no ellipse fits an empty set of points; give at least one point")
    centre = points.mean(axis=0, dtype=np.float64)
    offsets = points - centre
    first, grown = _around(centre, offsets.T @ offsets / len(points), inside, least=2.0)
    corners = cv2.convexHull(offsets.astype(np.float32))
    moments = cv2.moments(corners)
    if not grown or moments["m00"] < 1:
        return first
    middle = centre + np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    crossed = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    second, _ = _around(middle, crossed / moments["m00"], inside, least=0.0)
    return min(first, second, key=lambda ellipse: ellipse.rx * ellipse.ry)


def _around(
    centre: NDArray[np.float64], covariance: NDArray[np.float64], inside: Points, least: float
) -> tuple[Ellipse, bool]:
    """The ellipse ``least`` deviations wide, or wider to cover ``inside``; and whether it had to be."""
    # A unit square has variance 1/12 along each axis: what a pixel adds to the moments of its centre.
    variances, axes = np.linalg.eigh(covariance + np.eye(2) / 12)
    deviations = np.sqrt(variances)
    reach = np.sqrt((((inside - centre) @ axes / deviations) ** 2).sum(axis=1).max(initial=0.0)) * (1 + 1e-9)
    minor, major = deviations * max(least, reach)
    angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))) % 180
    return Ellipse(float(centre[0]), float(centre[1]), float(major), float(minor), angle), bool(reach > least)


def extent(shape: Shape) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the shape's bounding box, px."""
    if isinstance(shape, Polygon):
        xs, ys = zip(*(corner for ring in shape.rings for corner in ring), strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    if isinstance(shape, Raster):
        height, width = shape.crop.shape
        return shape.left, shape.top, shape.left + width, shape.top + height
    if isinstance(shape, (Point, Line)):
        reach = reach_of(shape)
        xs, ys = zip(*places_of(shape), strict=True)
        return min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach
    ellipse = shape
    c, s = cos(radians(ellipse.angle)), sin(radians(ellipse.angle))
    half_w = hypot(ellipse.rx * c, ellipse.ry * s)
    half_h = hypot(ellipse.rx * s, ellipse.ry * c)
    return ellipse.cx - half_w, ellipse.cy - half_h, ellipse.cx + half_w, ellipse.cy + half_h


def lies_outside(shape: Shape, width: int, height: int) -> bool:
    """Whether the shape's bounding box lies wholly outside of a photograph of that size."""
    x0, y0, x1, y1 = extent(shape)
    return x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height


def places_of(shape: Point | Line) -> tuple[tuple[float, float], ...]:
    """The places x, y of a point or a line, px."""
    return ((shape.x, shape.y),) if isinstance(shape, Point) else shape.places


def reach_of(shape: Point | Line) -> float:
    """How far a point or a line reaches from its places, px; where it has no size, as far as the nearest pixel."""
    size = shape.radius if isinstance(shape, Point) else shape.width and shape.width / 2
    return size or _PIXEL


def is_flat(shape: Shape) -> bool:
    """Whether the shape has no area, as a polygon whose corners lie on one line."""
    if not isinstance(shape, Polygon):
        return False
    return all(
        (x1 - x0) * (y2 - y0) == (x2 - x0) * (y1 - y0)
        for (x0, y0), *rest in shape.rings
        for (x1, y1) in [next((corner for corner in rest if corner != (x0, y0)), (x0, y0))]
        for x2, y2 in rest
    )


def draw(shapes: Iterable[Shape], size: tuple[int, int]) -> Mask:
    """The union of ``shapes`` as a mask of ``size`` (h, w); what lies outside is cut off, none gives all False.

    A point or a line without a size has the pixels nearest to it; `coarsekit.types.sized` gives it a size.
    """
    mask = np.zeros(size, dtype=bool)
    for shape in shapes:
        left, top, right, bottom = _window(shape, size)
        if left < right and top < bottom:
            mask[top:bottom, left:right] |= _covered(shape, left, top, right, bottom)
    return mask


def covers_any(shape: Shape, size: tuple[int, int]) -> bool:
    """Whether `draw` gives the shape a pixel of a photograph of ``size`` (h, w)."""
    if isinstance(shape, Ellipse) and _has_a_middle(shape, size):
        return True  # as of most marks, which need not be drawn
    left, top, right, bottom = _window(shape, size)
    return left < right and top < bottom and bool(_covered(shape, left, top, right, bottom).any())


def _has_a_middle(ellipse: Ellipse, size: tuple[int, int]) -> bool:
    """Whether the pixel's middle that is nearest to the centre lies in the ellipse for certain."""
    within = 0 <= ellipse.cx <= size[1] and 0 <= ellipse.cy <= size[0]
    return within and min(ellipse.rx, ellipse.ry) >= _PIXEL


def _window(shape: Shape, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels around the shape, as far as a photograph of that size has them."""
    x0, y0, x1, y1 = extent(shape)
    left, right = (int(np.clip(x, 0, size[1])) for x in (np.floor(x0), np.ceil(x1)))
    top, bottom = (int(np.clip(y, 0, size[0])) for y in (np.floor(y0), np.ceil(y1)))
    return left, top, right, bottom


def touches(shape: Shape, mask: Mask) -> bool:
    """Whether a pixel of the mask (h, w) is one that `draw` gives the shape."""
    if not isinstance(shape, Ellipse):
        return bool((draw([shape], mask.shape) & mask).any())
    # A mask's own pixels are few beside those of a large ellipse; numpy finds them faster in one dimension.
    rows, columns = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return bool((_radius_squared(shape, columns + 0.5, rows + 0.5) <= 1 + _RIM).any())


def moved(shape: Shape, dx: float, dy: float, scale: float = 1.0) -> Shape:
    """The shape shifted by ``dx, dy`` px and then scaled about the origin.

    A raster takes the pixels whose centres come from its own; one that is too small for any keeps its middle one.
    """
    if isinstance(shape, Ellipse):
        return Ellipse(
            (shape.cx + dx) * scale, (shape.cy + dy) * scale, shape.rx * scale, shape.ry * scale, shape.angle
        )
    if isinstance(shape, Polygon):
        return Polygon(tuple(tuple(((x + dx) * scale, (y + dy) * scale) for x, y in ring) for ring in shape.rings))
    if isinstance(shape, Point):
        return Point((shape.x + dx) * scale, (shape.y + dy) * scale, shape.radius and shape.radius * scale)
    if isinstance(shape, Line):
        places = tuple(((x + dx) * scale, (y + dy) * scale) for x, y in shape.places)
        return Line(places, shape.width and shape.width * scale)
    height, width = shape.crop.shape
    left, columns = _sources(shape.left + dx, width, scale)
    top, rows = _sources(shape.top + dy, height, scale)
    crop = shape.crop[rows[:, None], columns]
    if crop.any():
        return Raster(left, top, crop)
    x, y = (shape.left + width / 2 + dx) * scale, (shape.top + height / 2 + dy) * scale
    return Raster(floor(x), floor(y), np.ones((1, 1), dtype=bool))


def rotated(
    points: Iterable[tuple[float, float]], angle: float, centre: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """Offsets x, y from a centre, turned by ``angle`` degrees clockwise on the screen about it, as places in px."""
    c, s = cos(radians(angle)), sin(radians(angle))
    return tuple((centre[0] + c * x - s * y, centre[1] + s * x + c * y) for x, y in points)


def _covered(shape: Shape, left: int, top: int, right: int, bottom: int) -> Mask:
    """Which pixels of a part of the photograph have their centres in the shape."""
    if isinstance(shape, Ellipse):
        x, y = np.arange(left, right) + 0.5, np.arange(top, bottom)[:, None] + 0.5
        return np.asarray(_radius_squared(shape, x, y) <= 1 + _RIM)
    if isinstance(shape, Raster):
        # The part lies within the extent, so its place in the crop is at least 0.
        return shape.crop[top - shape.top : bottom - shape.top, left - shape.left : right - shape.left]
    mask = np.zeros((bottom - top, right - left), dtype=bool)
    if isinstance(shape, (Point, Line)):
        places = [(x - left, y - top) for x, y in places_of(shape)]
        for start, end in pairwise(places if len(places) > 1 else places * 2):
            _stroke(mask, start, end, reach_of(shape))
        return mask
    for ring in shape.rings:
        mask |= _filled(np.asarray(ring) - (left, top), mask.shape)
    return mask


def _stroke(mask: Mask, start: tuple[float, float], end: tuple[float, float], reach: float) -> None:
    """Add the pixels whose centres lie within ``reach`` px of the straight line from ``start`` to ``end``."""
    (x0, y0), (x1, y1) = start, end
    # Only the part of the mask that the line can reach is looked at, since a stroke may have thousands of places.
    left, right = (int(np.clip(x, 0, mask.shape[1])) for x in (min(x0, x1) - reach - 1, max(x0, x1) + reach + 1))
    top, bottom = (int(np.clip(y, 0, mask.shape[0])) for y in (min(y0, y1) - reach - 1, max(y0, y1) + reach + 1))
    x, y = np.arange(left, right) + 0.5 - x0, np.arange(top, bottom)[:, None] + 0.5 - y0
    along, length = (x1 - x0, y1 - y0), hypot(x1 - x0, y1 - y0)
    # Of a line shorter than any that shows, the division could overflow.
    share = 0.0 if length < 1e-9 else np.clip((x * (along[0] / length) + y * (along[1] / length)) / length, 0, 1)
    mask[top:bottom, left:right] |= np.hypot(x - share * along[0], y - share * along[1]) <= reach + _RIM


def _filled(ring: Points, size: tuple[int, ...]) -> Mask:
    """A ring filled by the even-odd rule: a pixel is in it if an odd number of edges crosses its row before it."""
    height, width = size
    ends = np.stack([ring, np.roll(ring, -1, axis=0)])
    order = np.argsort(ends[:, :, 1], axis=0, kind="stable")
    (x0, y0), (x1, y1) = np.take_along_axis(ends, order[:, :, None], axis=0).transpose(0, 2, 1)
    first, last = (np.clip(np.ceil(y - 0.5), 0, height).astype(int) for y in (y0, y1))
    spans = last - first
    edge = np.repeat(np.arange(len(ring)), spans)
    row = np.arange(spans.sum()) - np.repeat(np.cumsum(spans) - spans - first, spans)
    with np.errstate(over="ignore", invalid="ignore"):
        share = (row + 0.5 - y0[edge]) / (y1 - y0)[edge]
        crossing = np.nan_to_num(x0[edge] * (1 - share) + x1[edge] * share)
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(int)
    toggles = np.bincount(row * (width + 1) + column, minlength=height * (width + 1)).reshape(height, width + 1)
    return np.cumsum(toggles[:, :width] & 1, axis=1) % 2 == 1


def _sources(start: float, length: int, scale: float) -> tuple[int, NDArray[np.int64]]:
    """The first pixel of a scaled row of pixels that began at ``start``, and the old pixel under each new centre."""
    first, last = (int(np.ceil(end * scale - 0.5)) for end in (start, start + length))
    sources = np.floor((np.arange(first, last) + 0.5) / scale - start).astype(int)
    return first, np.clip(sources, 0, length - 1)


def _radius_squared(ellipse: Ellipse, x: NDArray, y: NDArray) -> NDArray:
    c, s = cos(radians(ellipse.angle)), sin(radians(ellipse.angle))
    dx, dy = x - ellipse.cx, y - ellipse.cy
    with np.errstate(over="ignore"):  # far outside is outside, however far
        return ((c * dx + s * dy) / ellipse.rx) ** 2 + ((c * dy - s * dx) / ellipse.ry) ** 2
