"""Marks on nothing: moved to retina without a lesion, where the right answer is an empty mask."""

from dataclasses import replace

import numpy as np

from coarsekit.geometry import draw, extent, moved, touches
from coarsekit.types import Ellipse, Image, Mask, Shape

DARK = 20
"""What no colour exceeds in the black around the retina, of 255."""


def sample_negative(
    shape: Shape, image: Image, occupied: Mask, rng: np.random.Generator, tries: int = 20
) -> Shape | None:
    """The shape moved to a random place where its middle is on the retina and it covers nothing ``occupied``.

    ``image``: (h, w, 3) uint8. ``occupied``: (h, w) boolean, the lesions to keep away from. None when ``tries`` places
    were all taken, and for a shape of which no pixel lies on the photograph.
    """
    height, width = occupied.shape
    for _ in range(tries):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        if image[y, x].max() < DARK:
            continue
        there = _placed(shape, float(x), float(y))
        x0, y0, x1, y1 = (int(value) for value in extent(there))
        left, top = max(x0 - 1, 0), max(y0 - 1, 0)
        taken = occupied[top : y1 + 2, left : x1 + 2]
        inside = moved(there, -left, -top)
        # Only what may lie between the centres of pixels is drawn to see that it covers one.
        covers = (isinstance(shape, Ellipse) and min(shape.rx, shape.ry) >= 1) or draw([inside], taken.shape).any()
        if covers and not touches(inside, taken):
            return there
    return None


def _placed(shape: Shape, x: float, y: float) -> Shape:
    """The shape with the middle of its bounding box at x, y."""
    if isinstance(shape, Ellipse):
        return replace(shape, cx=x, cy=y)
    x0, y0, x1, y1 = extent(shape)
    return moved(shape, x - (x0 + x1) / 2, y - (y0 + y1) / 2)
