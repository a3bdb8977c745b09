"""The colours of the lesion classes."""

from colorsys import hsv_to_rgb
from zlib import crc32

from coarsekit.types import EX, HE, MA, SE

Colour = tuple[int, int, int]
"""Red, green and blue, 0–255."""
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
_COLOURS: dict[str, Colour] = {MA: (0, 255, 255), HE: (64, 255, 64), EX: (100, 170, 255), SE: (255, 90, 255)}


def colour_of(lesion: str) -> Colour:
    """The colour of a lesion class: fixed for the four known ones, and always the same bright one for any other.

    None is red or orange, as a fundus is.
    """
    if lesion in _COLOURS:
        return _COLOURS[lesion]
    r, g, b = (round(255 * part) for part in hsv_to_rgb((55 + crc32(lesion.encode()) % 270) / 360, 0.6, 1.0))
    return r, g, b
