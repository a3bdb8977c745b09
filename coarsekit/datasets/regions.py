"""Pure: polygons and run lengths, as COCO stores regions, drawn as masks."""

from collections.abc import Sequence

import numpy as np

from coarsekit.annotations.rle import decompress, from_run_lengths
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw
from coarsekit.types import Mask, Polygon

_FAR = 1e7


def fill_polygon(corners: Sequence[float], shape: tuple[int, int]) -> Mask:
    """The pixels of ``shape`` (h, w) whose centres lie inside a polygon ``x0, y0, x1, y1, …`` in px (even-odd rule).

    What lies outside ``shape`` is cut off; fewer than three corners hold nothing.

    Raises `AnnotationError` for an odd number of coordinates, or one that no photograph reaches.
    """
    points = np.asarray(corners, dtype=float)
    if points.ndim != 1 or len(points) % 2 or not (np.abs(points) < _FAR).all():
        raise AnnotationError("a polygon must be a flat list of x, y, x, y, … in px")
    ring = tuple(zip(points[0::2].tolist(), points[1::2].tolist(), strict=True))
    return draw([Polygon((ring,))] if len(ring) > 2 else [], shape)


def fill_runs(counts: Sequence[int] | str, shape: tuple[int, int]) -> Mask:
    """Run lengths down the columns, starting with background, as a mask of ``shape`` (h, w).

    ``counts``: numbers, or COCO's compressed string of them.

    Raises `AnnotationError` unless they are whole numbers that add up to h × w.
    """
    runs = decompress(counts) if isinstance(counts, str) else list(counts)
    if any(not isinstance(run, int) for run in runs):
        raise AnnotationError("run lengths must be whole numbers; export the masks again")
    return from_run_lengths(runs, shape[0] * shape[1]).reshape(shape[1], shape[0]).T.copy()
