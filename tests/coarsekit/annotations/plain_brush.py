"""Label Studio's packing word by word over the whole photograph: the slow reference for `coarsekit`'s own."""

from itertools import pairwise

import numpy as np

from coarsekit.annotations.rle import MOST_PIXELS
from coarsekit.errors import AnnotationError

LENGTHS = (3, 4, 8, 16)


def pack(words: np.ndarray) -> bytes:
    """The bytes ``words`` (n,) packed, every run of equal ones as a run."""
    edges = np.concatenate([[0], np.flatnonzero(words[1:] != words[:-1]) + 1, [len(words)]]).tolist()
    runs = []
    for start, end in pairwise(edges):
        for begin in range(start, end, 1 << LENGTHS[-1]):
            run = min(end - begin, 1 << LENGTHS[-1])
            runs.append((True, next(place for place, bits in enumerate(LENGTHS) if run <= 1 << bits), run))
    return pack_runs(words, runs, LENGTHS)


def pack_runs(words: np.ndarray, runs: list[tuple[bool, int, int]], lengths: tuple[int, ...]) -> bytes:
    """The bytes ``words`` packed as ``runs``: for each whether its words are the same, the choice, and its length."""
    bits, done = [f"{len(words):032b}{7:05b}", *(f"{length - 1:04b}" for length in lengths)], 0
    for same, choice, run in runs:
        held = words[done : done + 1] if same else words[done : done + run]
        bits += [f"{same:b}{choice:02b}{run - 1:0{lengths[choice]}b}", *(f"{word:08b}" for word in held)]
        done += run
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def unpack(packed: bytes, expected: int) -> np.ndarray:
    """The bytes (``expected``,) that were packed; raises `AnnotationError` where they are not all there."""
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
