"""Label Studio's packing of a photograph's RGBA bytes into bits, as its brush writes it.

A header of 53 bits: the number of words (32), the bits of a word less 1 (5), and four choices of how many bits say the
length of a run (4 each, less 1). Then run after run: whether its words are all the same (1), which of the four choices
(2), its length less 1, and the one word or all of them.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from coarsekit.annotations.rle import MOST_PIXELS, boundaries, raster_between
from coarsekit.errors import AnnotationError
from coarsekit.types import Raster

_LENGTHS = (3, 4, 8, 16)
"""Bits for the length of a run; the shortest that will do is taken."""
_LONG = 1 << 12


def pack(raster: Raster, size: tuple[int, int]) -> bytes:
    """The RGBA bytes of a mask on a photograph of ``size`` (h, w), packed: 255 inside and 0 outside."""
    count = 4 * size[0] * size[1]
    edges = [0, *(4 * boundaries(raster, size)).tolist(), count]
    bits = [f"{count:032b}{7:05b}", *(f"{length - 1:04b}" for length in _LENGTHS)]
    longest = 1 << _LENGTHS[-1]
    for place, (start, end) in enumerate(pairwise(edges)):
        word = f"{255 * (place % 2):08b}"
        bits.append(f"1{3:02b}{longest - 1:016b}{word}" * ((end - start) // longest))
        if rest := (end - start) % longest:
            choice = next(place for place, length in enumerate(_LENGTHS) if rest <= 1 << length)
            bits.append(f"1{choice:02b}{rest - 1:0{_LENGTHS[choice]}b}{word}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def unpack(packed: bytes, size: tuple[int, int]) -> Raster:
    """The mask on a photograph of ``size`` (h, w) whose RGBA bytes were packed: its pixels that are not transparent.

    Raises `AnnotationError` when there are more or fewer of them, the packing ends before they do, or none is left.
    """
    expected = 4 * size[0] * size[1]
    if expected > 4 * MOST_PIXELS:
        raise AnnotationError(f"the brush claims {expected // 4} pixels, more than any photograph has; export it again")
    total, bits, place = 8 * len(packed), np.unpackbits(np.frombuffer(packed, np.uint8)), 0
    whole = int.from_bytes(packed, "big")

    def number(length: int) -> int:
        nonlocal place
        if place + length > total:
            raise AnnotationError("the brush's rle is cut short; export it again")
        place += length
        return whole >> (total - place) & ((1 << length) - 1)

    count, word, lengths = number(32), number(5) + 1, [number(4) + 1 for _ in range(4)]
    if count != expected or word != 8:
        raise AnnotationError(f"the brush's rle must hold {expected} words of 8 bits, got {count} of {word}")
    starts: list[int] = []
    stops: list[int] = []
    done = 0
    while done < count:
        begin = place
        same, choice = number(1), number(2)
        length = number(lengths[choice]) + 1
        if same:
            value, block = number(word), place - begin
            # Only the longest runs, between far lesions, come many times one after another.
            times = 1 + (_repeats(bits, begin, block, (count - done) // length - 1) if length >= _LONG else 0)
            place = begin + times * block
            run = min(times * length, count - done)
            if value:
                starts.append(done // 4)  # the alpha of a pixel is the last of its four words
                stops.append((done + run) // 4)
        else:
            run = min(length, count - done)
            if place + run * word > total:
                raise AnnotationError("the brush's rle is cut short; export it again")
            words = np.packbits(bits[place : place + run * word])
            place += run * word
            opaque = (done + np.flatnonzero(words)).tolist()
            pixels = [index // 4 for index in opaque if index % 4 == 3]
            starts += pixels
            stops += [pixel + 1 for pixel in pixels]
        done += run
    return raster_between(np.array(starts, np.int64), np.array(stops, np.int64), size)


def _repeats(bits: NDArray[np.uint8], begin: int, block: int, most: int) -> int:
    """How many times the block of ``block`` bits at ``begin`` follows itself, at most ``most`` times."""
    most = min(most, (len(bits) - begin) // block - 1)
    if most <= 0:
        return 0
    following = bits[begin + block : begin + (most + 1) * block].reshape(most, block)
    differs = np.flatnonzero((following != bits[begin : begin + block]).any(axis=1))
    return int(differs[0]) if len(differs) else most
