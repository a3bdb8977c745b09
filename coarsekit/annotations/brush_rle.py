"""Label Studio's packing of a photograph's RGBA bytes into bits, as its brush writes it.

A header of 53 bits: the number of words (32), the bits of a word less 1 (5), and four choices of how many bits say the
length of a run (4 each, less 1). Then run after run: whether its words are all the same (1), which of the four choices
(2), its length less 1, and the one word or all of them.

A small mask on a large photograph is one run of equal words for each of its rows, and long rows of the same longest run
between its first and last pixel and the photograph's rim. Both are handled as runs; no word is laid out.
"""

from bisect import bisect_left

import numpy as np

from coarsekit.annotations.rle import MOST_PIXELS, crop_between, photograph_runs
from coarsekit.errors import AnnotationError
from coarsekit.types import Raster

_LENGTHS = (3, 4, 8, 16)
"""Bits for the length of a run; the shortest that will do is taken."""
_HEADER = 53


def pack(raster: Raster, size: tuple[int, int]) -> bytes:
    """The RGBA bytes of a photograph of ``size`` (h, w) packed: 255 inside, 0 outside; the raster lies within it."""
    bits = [f"{4 * size[0] * size[1]:032b}{7:05b}", *(f"{length - 1:04b}" for length in _LENGTHS)]
    for place, run in enumerate(photograph_runs(raster.crop, raster.top, raster.left, size)):
        word = f"{255 * (place % 2):08b}"
        longest, rest = divmod(4 * run, 1 << _LENGTHS[-1])
        bits.append(f"111{'1' * _LENGTHS[-1]}{word}" * longest)
        if rest:
            choice = bisect_left(_LENGTHS, (rest - 1).bit_length())
            bits.append(f"1{choice:02b}{rest - 1:0{_LENGTHS[choice]}b}{word}")
    return np.packbits(np.frombuffer("".join(bits).encode(), np.uint8) == ord("1")).tobytes()


def unpack(packed: bytes, size: tuple[int, int]) -> Raster:
    """The pixels of a photograph of ``size`` (h, w) whose fourth byte, alpha, is above 0.

    Raises `AnnotationError` when there are more or fewer pixels, the packing ends before they do, or none is inside.
    """
    expected, bits = 4 * size[0] * size[1], _Bits(packed)
    if expected > 4 * MOST_PIXELS:
        raise AnnotationError(f"the brush claims {expected // 4} pixels, more than any photograph has; export it again")
    bits.require(_HEADER)
    count, word = bits.number(0, 32), bits.number(32, 5) + 1
    if count != expected or word != 8:
        raise AnnotationError(f"the brush's rle must hold {expected} words of 8 bits, got {count} of {word}")
    lengths = [bits.number(place, 4) + 1 for place in range(37, _HEADER, 4)]
    changes: list[int] = []  # the pixels at which runs inside begin and end, in turn
    done, place = 0, _HEADER
    while done < count:
        same, choice = divmod(bits.number(place, 3), 4)
        words = place + 3 + lengths[choice]
        bits.require(words + word)
        less, first = divmod(bits.number(place + 3, lengths[choice] + word), 1 << word)
        run = min(less + 1, count - done)
        if same:
            end = words + word
            if run == 1 << max(lengths):
                blocks = bits.repeats(place, end - place)
                run, end = min(run * blocks, count - done), place + blocks * (end - place)
            # Of the words before the n-th, n // 4 are alphas.
            if first:
                changes += (done // 4, (done + run) // 4)
        else:
            end = words + run * word
            bits.require(end)
            alpha = bits.number(words, run * word).to_bytes(run, "big")[(3 - done) % 4 :: 4]
            inside = np.frombuffer(b"\0" + alpha + b"\0", np.uint8) > 0
            changes += (done // 4 + np.flatnonzero(inside[1:] != inside[:-1])).tolist()
        done, place = done + run, end
    crop, top, left = crop_between(np.array(changes, np.int64), size[1])
    return Raster(left, top, crop)


class _Bits:
    """The bits of a packing, by their place."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._changes: dict[int, bytes] = {}

    def require(self, end: int) -> None:
        """Raise `AnnotationError` when there are fewer than ``end``."""
        if 8 * len(self._packed) < end:
            raise AnnotationError("the brush's rle is cut short; export it again")

    def number(self, place: int, length: int) -> int:
        """The number in the ``length`` bits from ``place``; anything where they are not all there."""
        end = place + length
        last = (end + 7) // 8
        return int.from_bytes(self._packed[place // 8 : last], "big") >> (8 * last - end) & ((1 << length) - 1)

    def repeats(self, place: int, length: int) -> int:
        """How many times the ``length`` bits from ``place``, which are all there, stand there in a row."""
        if length not in self._changes:
            bits = np.unpackbits(np.frombuffer(self._packed, np.uint8))
            self._changes[length] = (bits[length:] != bits[:-length]).tobytes()
        change = self._changes[length].find(1, place)
        return (change - place if change >= 0 else 8 * len(self._packed) - length - place) // length + 1
