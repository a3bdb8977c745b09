"""Masks as run lengths, as COCO and CVAT write them: how many pixels are outside, inside, outside, … in turn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import AnnotationError

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
    if length > MOST_PIXELS:
        raise AnnotationError(f"the mask claims {length} pixels, more than any photograph has; export it again")
    if any(run < 0 for run in runs) or sum(runs) != length:
        raise AnnotationError(f"the mask's run lengths must add up to its {length} pixels, got {sum(runs)}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


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
