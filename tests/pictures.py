"""Made-up photographs and masks, for small trees of datasets."""

import numpy as np
from PIL import Image

from coarsekit.geometry import draw
from coarsekit.types import Ellipse

WIDTH, HEIGHT = 160, 120


def photograph(seed: int, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> Image.Image:
    """A disk on black with coarse structure of its own, as a fundus camera would see it from afar."""
    (height, width), rng = shape, np.random.default_rng(seed)
    disk = draw([Ellipse(width / 2, height / 2, 56 * height / HEIGHT, 56 * height / HEIGHT)], shape)
    structure = Image.fromarray(rng.integers(60, 220, (9, 12, 3), dtype=np.uint8)).resize((width, height))
    return Image.fromarray(np.asarray(structure) * disk[..., None])


def lesions(place: int) -> np.ndarray:
    """A mask (h, w) bool of two blobs inside the disk; different places do not meet."""
    x = 45 + 20 * place
    return draw([Ellipse(x, 45, 4, 3), Ellipse(x, 75, 3, 4)], (HEIGHT, WIDTH))


def six_lesions(seed: int | list[int], shape: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    """A mask (h, w) uint8 of 0 and 1 with six blobs of random sizes."""
    rng, unit = np.random.default_rng(seed), shape[1] / WIDTH
    places = [Ellipse(x * unit, y * unit, *rng.uniform(1.5, 5, 2) * unit) for x in (45, 80, 115) for y in (40, 80)]
    return draw(places, shape).astype(np.uint8)
