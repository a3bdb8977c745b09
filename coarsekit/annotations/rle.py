"""Masks as run lengths, as COCO and CVAT write them: how many pixels are outside, inside, outside, … in turn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import AnnotationError
from coarsekit.types import Mask

MOST_PIXELS = 2**28
"""A mask that claims more is refused before memory is asked for."""


def run_lengths(pixels: NDArray[np.bool_]) -> list[int]:
    """The runs of a flat boolean array (n,), beginning with the pixels outside, which may be 0; no pixels give [0]."""
    before = np.concatenate([[False], pixels])[: len(pixels)]
    changes = np.flatnonzero(before != pixels)
    return [int(run) for run in np.diff(changes, prepend=0, append=len(pixels))]


def from_run_lengths(runs: Sequence[int], length: int) -> NDArray[np.bool_]:
    """The flat boolean array (``length``,) of `run_lengths`.

    Raises `AnnotationError` when a run is negative or they do not add up to ``length``, or that is above `MOST_PIXELS`.
    """
    _check(runs, length)
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def photograph_runs(crop: Mask, line: int, place: int, size: tuple[int, int]) -> list[int]:
    """The run lengths of a whole photograph of ``size`` (lines, pixels of a line), as `run_lengths` counts them.

    Lines are rows, or columns where all is turned. ``crop`` has all pixels inside, its first one is pixel ``place`` of
    ``line``, and it lies within the photograph. Only the crop is looked at.
    """
    lines, length = size
    inside = np.zeros((crop.shape[0], crop.shape[1] + 2), dtype=bool)
    inside[:, 1:-1] = crop
    rows, places = np.nonzero(inside[:, 1:] != inside[:, :-1])
    changes = (rows + line) * length + places + place
    # A run up to the end of its line goes on in the next one if that begins with a run.
    joints = np.flatnonzero(changes[1:] == changes[:-1])
    changes = np.delete(changes, np.concatenate([joints, joints + 1]))
    return [int(run) for run in np.diff(changes[changes < lines * length], prepend=0, append=lines * length)]


def from_photograph_runs(runs: Sequence[int], size: tuple[int, int]) -> tuple[Mask, int, int]:
    """The crop, line and place that gave `photograph_runs`; the crop is empty where no pixel is inside.

    Raises `AnnotationError` as `from_run_lengths`.
    """
    _check(runs, size[0] * size[1])
    return crop_between(np.cumsum(runs, dtype=np.int64)[: len(runs) // 2 * 2], size[1])


def crop_between(changes: NDArray[np.int64], length: int) -> tuple[Mask, int, int]:
    """The smallest crop of whole runs, its line and its first pixel's place in the line of ``length`` pixels.

    ``changes`` (2 n,): where each run inside begins and ends in the flat photograph, ascending; runs may be empty.
    """
    spans = changes.reshape(-1, 2)
    starts, ends = spans[spans[:, 0] < spans[:, 1]].T
    if not len(starts):
        return np.zeros((0, 0), dtype=bool), 0, 0
    rows, last_rows = starts // length, (ends - 1) // length
    left, right = int((starts % length).min()), int(((ends - 1) % length).max()) + 1
    if (rows != last_rows).any():
        left, right = 0, length
    width, top = right - left, int(rows[0])
    # A run ends after its last pixel, which is in its line even where it fills that.
    edges = np.stack([(rows - top) * width + starts % length - left] * 2, axis=1)
    edges[:, 1] = (last_rows - top) * width + (ends - 1) % length - left + 1
    pixels = (int(last_rows[-1]) + 1 - top) * width
    crop = from_run_lengths(np.diff(edges.ravel(), prepend=0, append=pixels).tolist(), pixels)
    return crop.reshape(-1, width), top, left


def _check(runs: Sequence[int], length: int) -> None:
    if length > MOST_PIXELS:
        raise AnnotationError(f"the mask claims {length} pixels, more than any photograph has; export it again")
    if any(run < 0 for run in runs) or sum(runs) != length:
        raise AnnotationError(f"the mask's run lengths must add up to its {length} pixels, got {sum(runs)}")


def compress(runs: Sequence[int]) -> str:
    """The run lengths as a compressed COCO string, as pycocotools writes it; see `decompress`."""
    characters = []
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            bits, value = value & 31, value >> 5
            # The last five bits bear the sign, which the rest of the number repeats for ever.
            more = value != (-1 if bits & 16 else 0)
            characters.append(chr(48 + bits + 32 * more))
    return "".join(characters)


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
