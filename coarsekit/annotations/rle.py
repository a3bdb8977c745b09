"""Masks as run lengths, as COCO and CVAT write them: how many pixels are outside, inside, outside, … in turn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import AnnotationError
from coarsekit.types import Raster

MOST_PIXELS = 2**28
"""A mask that claims more is refused before memory is asked for."""


def run_lengths(pixels: NDArray[np.bool_]) -> list[int]:
    """The runs of a flat boolean array (n,), beginning with the pixels outside, which may be 0; no pixels give [0]."""
    before = np.concatenate([[False], pixels])[: len(pixels)]
    changes = np.flatnonzero(before != pixels)
    return [int(run) for run in np.diff(changes, prepend=0, append=len(pixels))]


def check_runs(runs: Sequence[int], length: int) -> None:
    """Check run lengths before memory is asked for; see `from_run_lengths`."""
    if length > MOST_PIXELS:
        raise AnnotationError(f"the mask claims {length} pixels, more than any photograph has; export it again")
    if any(run < 0 for run in runs) or sum(runs) != length:
        raise AnnotationError(f"the mask's run lengths must add up to its {length} pixels, got {sum(runs)}")


def from_run_lengths(runs: Sequence[int], length: int) -> NDArray[np.bool_]:
    """The flat boolean array (``length``,) of `run_lengths`.

    Raises `AnnotationError` when a run is negative or they do not add up to ``length``, or that is above `MOST_PIXELS`.
    """
    check_runs(runs, length)
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def boundaries(raster: Raster, size: tuple[int, int], columns: bool = False) -> NDArray[np.int64]:
    """Where runs begin and end in turn among the pixels of a photograph, found from the raster's crop alone.

    Args:
        raster: A mask that lies within the photograph.
        size: (h, w) of the photograph, px.
        columns: Whether pixels are counted column by column, as COCO does, and not row by row.

    Returns:
        (2 n,) int64: the first pixel of each run of n, and the one after its last.
    """
    if columns:
        x, y = np.nonzero(raster.crop.T)
        places = (x + raster.left) * size[0] + y + raster.top
    else:
        y, x = np.nonzero(raster.crop)
        places = (y + raster.top) * size[1] + x + raster.left
    breaks = np.flatnonzero(np.diff(places) != 1)
    starts = places[np.concatenate([[0], breaks + 1])]
    stops = places[np.concatenate([breaks, [len(places) - 1]])] + 1
    return np.stack([starts, stops], axis=1).ravel()


def raster_runs(raster: Raster, size: tuple[int, int], columns: bool = False) -> list[int]:
    """The run lengths of a mask on a photograph of ``size`` (h, w); see `boundaries` and `run_lengths`."""
    changes, total = boundaries(raster, size, columns), size[0] * size[1]
    return [int(run) for run in np.diff(changes[changes < total], prepend=0, append=total)]


def raster_between(
    starts: NDArray[np.int64], stops: NDArray[np.int64], size: tuple[int, int], columns: bool = False
) -> Raster:
    """The mask of the pixels from each of ``starts`` to before the one of ``stops``; `boundaries` undone.

    Raises `AnnotationError` when there is no pixel.
    """
    lengths = stops - starts
    first = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    places = first + np.arange(len(first))
    if not len(places):
        raise AnnotationError("a mask needs at least one pixel, got none; leave the region out")
    major, minor = np.divmod(places, size[0] if columns else size[1])
    x, y = (major, minor) if columns else (minor, major)
    left, top = int(x.min()), int(y.min())
    crop = np.zeros((int(y.max()) - top + 1, int(x.max()) - left + 1), dtype=bool)
    crop[y - top, x - left] = True
    return Raster(left, top, crop)


def raster_of_runs(runs: Sequence[int], size: tuple[int, int], columns: bool = False) -> Raster:
    """The mask whose run lengths on a photograph of ``size`` (h, w) are ``runs``; `raster_runs` undone.

    Raises `AnnotationError` as `from_run_lengths` does, and when no pixel is inside.
    """
    check_runs(runs, size[0] * size[1])
    ends = np.cumsum(np.asarray(runs, np.int64))
    stops = ends[1::2]
    return raster_between(ends[0::2][: len(stops)], stops, size, columns)


def compress(runs: Sequence[int]) -> str:
    """The run lengths as a compressed COCO string; `decompress` undone."""
    text = []
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            code, value = value & 31, value >> 5
            more = value != (-1 if code & 16 else 0)
            text.append(chr(48 + (code | 32 if more else code)))
    return "".join(text)


def decompress(text: str) -> list[int]:
    """The run lengths in a compressed COCO string.

    Each is written as its difference to the last but one (from the fourth on), in characters from '0' that hold five
    bits each, low ones first, and a sixth that says whether another follows; the last one's highest bit is the sign.

    Raises `AnnotationError` for any other character and for a string that ends within a number.
    """
    runs: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64:
            raise AnnotationError(f"the compressed run lengths hold {character!r}; expected characters from '0' to 'o'")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise AnnotationError("the compressed run lengths end within a number; export the file again")
    return runs
