"""Pure: polygons and run lengths, as COCO stores regions, drawn as masks."""

from collections.abc import Sequence

import numpy as np

from coarsekit.errors import AnnotationError
from coarsekit.types import Mask

_FAR = 1e7


def fill_polygon(corners: Sequence[float], shape: tuple[int, int]) -> Mask:
    """The pixels of ``shape`` (h, w) whose centres lie inside a polygon ``x0, y0, x1, y1, …`` in px (even-odd rule).

    What lies outside ``shape`` is cut off; fewer than three corners hold nothing.

    Raises `AnnotationError` for an odd number of coordinates, or one that no photograph reaches.
    """
    points = np.asarray(corners, dtype=float)
    if points.ndim != 1 or len(points) % 2 or not (np.abs(points) < _FAR).all():
        raise AnnotationError("a polygon must be a flat list of x, y, x, y, … in px")
    x, y = points[0::2], points[1::2]
    mask = np.zeros(shape, dtype=bool)
    if len(x) < 3:
        return mask
    left, right = (int(np.clip(value, 0, shape[1])) for value in (np.floor(x.min()), np.ceil(x.max())))
    top, bottom = (int(np.clip(value, 0, shape[0])) for value in (np.floor(y.min()), np.ceil(y.max())))
    if left >= right or top >= bottom:
        return mask
    # Each edge flips all pixels to the right of it, so a running xor along the rows leaves the inside.
    flips = np.zeros((bottom - top, right - left + 1), dtype=bool)
    for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
        low, high = sorted((y0, y1))
        rows = np.arange(max(int(np.ceil(low - 0.5)), top), min(int(np.ceil(high - 0.5)), bottom))
        if len(rows):
            crossing = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            flips[rows - top, np.clip(np.ceil(crossing - 0.5).astype(int), left, right) - left] ^= True
    mask[top:bottom, left:right] = np.logical_xor.accumulate(flips, axis=1)[:, :-1]
    return mask


def fill_runs(counts: Sequence[int] | str, shape: tuple[int, int]) -> Mask:
    """Run lengths down the columns, starting with background, as a mask of ``shape`` (h, w).

    ``counts``: numbers, or COCO's compressed string of them.

    Raises `AnnotationError` unless they are whole numbers that add up to h × w.
    """
    runs = _unpack(counts) if isinstance(counts, str) else list(counts)
    if any(not isinstance(run, int) or run < 0 for run in runs) or sum(runs) != shape[0] * shape[1]:
        raise AnnotationError(f"run lengths must be whole numbers that add up to {shape[1]} × {shape[0]} px")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(shape[1], shape[0]).T.copy()


def _unpack(text: str) -> list[int]:
    """COCO's string: five bits a letter, lowest first; from the fourth number on, differences to the last but one."""
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise AnnotationError(f"run lengths hold {letter!r}, which COCO's compressed form does not know")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs
