"""Pure geometry: components of a mask, ellipses that cover points, ellipses as masks.

Pixel ``(row j, column i)`` has its centre at ``(i + 0.5, j + 0.5)``; a mask holds the pixels whose centres lie inside.
"""

from collections.abc import Callable, Iterable
from math import cos, hypot, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from coarsekit.types import Ellipse, Mask

Points = NDArray[np.float64]
"""(n, 2) array of x, y in px."""


def components(mask: Mask) -> tuple[NDArray[np.int32], int]:
    """Label the 8-connected components of ``mask`` (h, w): labels (h, w) int32 with 0 for background, and their number.

    An empty mask has 0 components.
    """
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    return np.asarray(labels, np.int32), count - 1


def component_points(mask: Mask) -> list[Points]:
    """Pixel centres of each component of ``mask``, in the order of `components`; an empty mask gives an empty list."""
    labels, _ = components(mask)
    points = []
    for label, place in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = np.nonzero(labels[place] == label)
        points.append(np.stack([columns + place[1].start + 0.5, rows + place[0].start + 0.5], axis=1))
    return points


def disk_dilate(mask: Mask, radius: float) -> Mask:
    """All pixels within ``radius`` px of ``mask``, by Euclidean distance; an empty mask stays empty."""
    if radius <= 0 or not mask.any():
        return mask.copy()
    return _on_bounding_box(mask, radius, lambda part: _distance_to(part) <= radius)


def disk_close(mask: Mask, radius: float) -> Mask:
    """Morphological closing by a disk of ``radius`` px: fills bays and holes, and never loses a pixel."""
    if radius <= 0 or not mask.any():
        return mask.copy()
    return _on_bounding_box(mask, radius, lambda part: part | ~(_distance_to(_distance_to(part) > radius) <= radius))


def covering_ellipse(points: Points, inside: Points) -> Ellipse:
    """The ellipse with the centre and second moments of ``points`` (n, 2), grown where need be to cover ``inside``.

    Points are pixel centres and count as whole pixels, so a single one gives a circle and a line of them an ellipse.
    Without ``inside``, (0, 2), it is the ellipse of the second moments: those of `skimage.measure.regionprops`, which
    takes pixels for points, and a pixel's own.

    Raises `ValueError` for an empty ``points``.
    """
    if len(points) == 0:
        raise ValueError("no ellipse fits an empty set of points; give at least one point")
    centre = points.mean(axis=0)
    offsets = points - centre
    # A unit square has variance 1/12 along each axis: what a pixel adds to the moments of its centre.
    variances, axes = np.linalg.eigh(offsets.T @ offsets / len(points) + np.eye(2) / 12)
    deviations = np.sqrt(variances)
    reach = np.sqrt((((inside - centre) @ axes / deviations) ** 2).sum(axis=1).max(initial=0.0))
    minor, major = deviations * max(2.0, reach * (1 + 1e-9))
    angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))) % 180
    return Ellipse(float(centre[0]), float(centre[1]), float(major), float(minor), angle)


def extent(ellipse: Ellipse) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the ellipse's bounding box, px."""
    c, s = cos(radians(ellipse.angle)), sin(radians(ellipse.angle))
    half_w = hypot(ellipse.rx * c, ellipse.ry * s)
    half_h = hypot(ellipse.rx * s, ellipse.ry * c)
    return ellipse.cx - half_w, ellipse.cy - half_h, ellipse.cx + half_w, ellipse.cy + half_h


def contains(ellipse: Ellipse, points: Points, slack: float = 1e-9) -> NDArray[np.bool_]:
    """Which of ``points`` (n, 2) lie inside the ellipse or on its rim: (n,) boolean."""
    return _radius_squared(ellipse, points[:, 0], points[:, 1]) <= 1 + slack


def draw(ellipses: Iterable[Ellipse], shape: tuple[int, int]) -> Mask:
    """The union of ``ellipses`` as a mask of ``shape`` (h, w); what lies outside is cut off, none gives all False."""
    mask = np.zeros(shape, dtype=bool)
    for ellipse in ellipses:
        x0, y0, x1, y1 = extent(ellipse)
        left, right = max(int(np.floor(x0)), 0), min(int(np.ceil(x1)), shape[1])
        top, bottom = max(int(np.floor(y0)), 0), min(int(np.ceil(y1)), shape[0])
        if left >= right or top >= bottom:
            continue
        x, y = np.arange(left, right) + 0.5, np.arange(top, bottom)[:, None] + 0.5
        mask[top:bottom, left:right] |= _radius_squared(ellipse, x, y) <= 1 + 1e-9
    return mask


def moved(ellipse: Ellipse, dx: float, dy: float, scale: float = 1.0) -> Ellipse:
    """The ellipse shifted by ``dx, dy`` px and then scaled about the origin."""
    return Ellipse(
        (ellipse.cx + dx) * scale, (ellipse.cy + dy) * scale, ellipse.rx * scale, ellipse.ry * scale, ellipse.angle
    )


def _radius_squared(ellipse: Ellipse, x: NDArray, y: NDArray) -> NDArray:
    c, s = cos(radians(ellipse.angle)), sin(radians(ellipse.angle))
    dx, dy = x - ellipse.cx, y - ellipse.cy
    return ((c * dx + s * dy) / ellipse.rx) ** 2 + ((c * dy - s * dx) / ellipse.ry) ** 2


def _distance_to(mask: Mask) -> NDArray[np.float32]:
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)


def _on_bounding_box(mask: Mask, radius: float, operation: Callable[[Mask], Mask]) -> Mask:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    reach = int(np.ceil(radius)) + 1
    top, left = max(rows[0] - reach, 0), max(columns[0] - reach, 0)
    place = np.s_[top : rows[-1] + reach + 1, left : columns[-1] + reach + 1]
    result = np.zeros_like(mask)
    result[place] = operation(mask[place])
    return result
