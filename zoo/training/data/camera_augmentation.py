"""How another camera would have shown a patch: fewer pixels, other colours, JPEG. For training, and for robustness."""

import cv2
import numpy as np

from coarsekit.images import jpeg_round_trip
from coarsekit.types import Image, Window
from coarsekit.windows import cut_image


def cut_by_another_camera(image: Image, window: Window, size: int, rng: np.random.Generator) -> Image:
    """The window of a photograph (h, w, 3) as a patch (size, size, 3) uint8, as one of a camera drawn at random.

    It has one to three times fewer pixels across, gains between 0.8 and 1.2 in each colour, a gamma between 0.8 and
    1.25, and every other time the marks of JPEG at a quality from 40 to 95.
    """
    pixels = min(size, max(8, round(window.side / rng.uniform(1, 3))))
    gains, gamma = rng.uniform(0.8, 1.2, 3), np.exp(rng.uniform(np.log(0.8), np.log(1.25)))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gains
    table = (255 * levels.clip(0, 1)).round().astype(np.uint8)
    patch = table[cut_image(image, window, pixels), np.arange(3)]
    if rng.random() < 0.5:
        patch = jpeg_round_trip(patch, int(rng.integers(40, 96)))
    return np.asarray(cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def scramble_colors(patch: Image, rng: np.random.Generator) -> Image:
    """A patch (s, s, 3) uint8 in colours that no lesion has: channels exchanged, and every other time inverted.

    Inverted colours keep each channel's mean. All that can be found in it is what stands out from its surroundings,
    whatever it is: for classes that a network never saw.
    """
    mixed = patch[..., rng.permutation(3)].astype(np.float32)
    if rng.random() < 0.5:
        mixed = 2 * mixed.mean((0, 1)) - mixed
    return mixed.clip(0, 255).round().astype(np.uint8)
