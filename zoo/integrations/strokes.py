"""What was painted with a brush on a transparent layer, as marks: ellipses, clicks, strokes, and filled regions.

Each connected part of the paint is a mark. A line that closes, or nearly does, becomes the ellipse along its middle; a
dot no larger than a click becomes one; what is filled in beyond that counts as its pixels; any other line is a stroke.
"""

from collections import deque
from dataclasses import replace
from math import hypot, pi

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import skeletonize

from coarsekit.annotations.approximate import as_ellipse
from coarsekit.morphology import components
from coarsekit.shapes import CLICK_RADIUS
from coarsekit.types import Ellipse, Line, Mask, Point, Raster, Shape

_LEAST_HOLE = 0.2
"""Share of what a line surrounds, with the line itself, that is not painted: less is a blot."""
_MOST_GAP = 0.25
"""Distance of the ends of a line that nearly closes, as a share of its length."""
_SURROUNDED = 2.0
"""How many times its own area such a line at least goes around."""
_ROUND = 1.8
"""Length of a dot, or of what is filled in, at most, as a multiple of its breadth."""
_LARGEST_DOT = 2 * CLICK_RADIUS
"""Radius of a dot, as a share of the photograph's width."""


def shapes_of(paint: Mask) -> list[Shape]:
    """Tell what was drawn by the paint on a layer.

    Args:
        paint: (h, w) boolean, of the photograph's size.

    Returns:
        A shape for each connected part (8 neighbours), in the order of their first rows; none for a clean layer.
    """
    labels, _ = components(paint)
    shapes = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        own = np.pad(labels[rows, columns] == number, 1)
        shapes.append(_shape(own, columns.start - 1, rows.start - 1, paint.shape[1]))
    return shapes


def _shape(part: Mask, left: int, top: int, width: int) -> Shape:
    """The shape of one part of the paint.

    ``part``: with a free rim of a pixel. ``left, top``: of its crop on the photograph, which has ``width`` px.
    """
    filled = np.asarray(ndimage.binary_fill_holes(part), bool)
    area, whole = int(part.sum()), int(filled.sum())
    breadth, path = _middle(part)
    if whole - area >= _LEAST_HOLE * whole:
        return _around(filled, breadth, left, top)
    hull = cv2.convexHull(np.argwhere(part)[:, ::-1].astype(np.int32))
    (_, _), sides, _ = cv2.minAreaRect(hull)
    thickest = 2 * float(cv2.distanceTransform(filled.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
    if max(sides) + 1 <= _ROUND * thickest:
        if whole <= pi * (_LARGEST_DOT * width) ** 2:
            rows, columns = np.nonzero(filled)
            return Point(left + float(columns.mean()) + 0.5, top + float(rows.mean()) + 0.5)
        return Raster(left, top, filled)
    gap = hypot(*(path[-1] - path[0]))
    if gap <= _MOST_GAP * len(path) and cv2.contourArea(hull) >= _SURROUNDED * area:
        surrounded = np.zeros(part.shape, np.uint8)
        cv2.fillConvexPoly(surrounded, hull, 1)
        return _around(surrounded > 0, breadth, left, top)
    return _line(path, breadth, left, top)


def _middle(part: Mask) -> tuple[float, NDArray[np.int64]]:
    """The breadth of a line, px, and the places (n, 2), row and column, along its middle from end to end."""
    middle = np.asarray(skeletonize(part), bool)
    reach = cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    places = {(int(row), int(column)) for row, column in np.argwhere(middle)}
    end = _walk(places, min(places))[-1]
    return 2 * float(np.median(reach[middle])) - 1, np.array(_walk(places, end), np.int64)


def _walk(places: set[tuple[int, int]], start: tuple[int, int]) -> list[tuple[int, int]]:
    """The shortest way over places that touch, from one to the one that is farthest away."""
    before = {start: start}
    ahead = deque([start])
    last = start
    while ahead:
        last = row, column = ahead.popleft()
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            place = row + dy, column + dx
            if place in places and place not in before:
                before[place] = last
                ahead.append(place)
    way = [last]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]


def _around(region: Mask, breadth: float, left: int, top: int) -> Ellipse:
    """The ellipse along the middle of a line around a region, which has the line, too."""
    outer = as_ellipse(Raster(left, top, region))
    return replace(outer, rx=max(outer.rx - breadth / 2, 0.5), ry=max(outer.ry - breadth / 2, 0.5))


def _line(path: NDArray[np.int64], breadth: float, left: int, top: int) -> Line:
    """The stroke along places, with fewer of them."""
    places = (path[:, ::-1] + np.array([left + 0.5, top + 0.5])).astype(np.float32)
    kept = cv2.approxPolyDP(places[:, None], max(breadth / 4, 0.5), closed=False)[:, 0]
    ends = kept if len(kept) > 1 else np.concatenate([kept, kept + np.array([0.5, 0.0], np.float32)])
    return Line(tuple((float(x), float(y)) for x, y in ends), max(breadth, 1.0))
