"""Label Studio's packing of a photograph's RGBA bytes into bits, as its brush writes it.

A header of 53 bits: the number of words (32), the bits of a word less 1 (5), and four choices of how many bits say the
length of a run (4 each, less 1). Then run after run: whether its words are all the same (1), which of the four choices
(2), its length less 1, and the one word or all of them.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from coarsekit.annotations.rle import MOST_PIXELS
from coarsekit.errors import AnnotationError

_LENGTHS = (3, 4, 8, 16)
"""Bits for the length of a run; the shortest that will do is taken."""


def pack(words: NDArray[np.uint8]) -> bytes:
    """The bytes ``words`` (n,) packed, every run of equal ones as a run."""
    edges = np.concatenate([[0], np.flatnonzero(words[1:] != words[:-1]) + 1, [len(words)]]).tolist()
    bits = [f"{len(words):032b}{7:05b}", *(f"{length - 1:04b}" for length in _LENGTHS)]
    for start, end in pairwise(edges):
        for begin in range(start, end, 1 << _LENGTHS[-1]):
            run = min(end - begin, 1 << _LENGTHS[-1])
            choice = next(place for place, length in enumerate(_LENGTHS) if run <= 1 << length)
            bits.append(f"1{choice:02b}{run - 1:0{_LENGTHS[choice]}b}{words[start]:08b}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def unpack(packed: bytes, expected: int) -> NDArray[np.uint8]:
    """The bytes (``expected``,) that were packed.

    Raises `AnnotationError` when there are more or fewer of them, or the packing ends before they do.
    """
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    if expected > 4 * MOST_PIXELS:
        raise AnnotationError(f"the brush claims {expected // 4} pixels, more than any photograph has; export it again")
    if len(bits) < 53:
        raise AnnotationError("the brush's rle is cut short; export it again")
    place = 0

    def number(length: int) -> int:
        nonlocal place
        place += length
        return int(bits[place - length : place] @ (1 << np.arange(length - 1, -1, -1)))

    count, word, lengths = number(32), number(5) + 1, [number(4) + 1 for _ in range(4)]
    if count != expected or word != 8:
        raise AnnotationError(f"the brush's rle must hold {expected} words of 8 bits, got {count} of {word}")
    words = np.zeros(count, np.uint8)
    done = 0
    while done < count:
        if len(bits) - place < 3 + min(lengths) + word:
            raise AnnotationError("the brush's rle is cut short; export it again")
        same, choice = number(1), number(2)
        if len(bits) - place < lengths[choice] + word:
            raise AnnotationError("the brush's rle is cut short; export it again")
        run = min(number(lengths[choice]) + 1, count - done)
        if same:
            words[done : done + run] = number(word)
        elif len(bits) - place < run * word:
            raise AnnotationError("the brush's rle is cut short; export it again")
        else:
            words[done : done + run] = np.packbits(bits[place : place + run * word])
            place += run * word
        done += run
    return words
