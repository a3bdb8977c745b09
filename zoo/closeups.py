"""A second look at small lesions that were found in large windows: each as if it had been circled itself."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import draw
from coarsekit.patches import REFERENCE_WIDTH, window_around
from coarsekit.types import Ellipse, Mask, Window

ROOM = 20
"""Between a component's bounding box and its ellipse, px on a photograph 4288 px wide: about what a hand leaves."""
ROUND = 1.15
"""Times the half sides of the bounding box, so that the ellipse leaves out little of its corners."""
AT_LEAST = 2
"""How much wider than its own the window must be in which a component was found, to be worth another look."""
TAKEN = 1.2
"""Times the ellipse's semi-axes, the region in which the second look counts."""


def close_ups(found: Mask, windows: Sequence[Window], context: float) -> list[Ellipse]:
    """An ellipse around each component of ``found`` (h, w) that was found in none but windows far wider than its own.

    ``windows``: those that were looked at. ``context``: as in `coarsekit.patches.window_around`. An empty mask gives
    none.
    """
    count, _, boxes, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
    places = np.array([(window.x, window.y, window.side) for window in windows]).reshape(-1, 3)
    room = ROOM * found.shape[1] / REFERENCE_WIDTH
    ellipses = []
    for left, top, width, height, _ in boxes[1:count].tolist():
        cx, cy = left + width / 2, top + height / 2
        ellipse = Ellipse(cx, cy, ROUND * width / 2 + room, ROUND * height / 2 + room)
        x, y, sides = cx - places[:, 0], cy - places[:, 1], places[:, 2]
        seen = sides[(x >= 0) & (x < sides) & (y >= 0) & (y < sides)]
        if seen.size and seen.min() >= AT_LEAST * window_around(ellipse, found.shape, context).side:
            ellipses.append(ellipse)
    return ellipses


def merge(
    probability: NDArray[np.float32], closer: NDArray[np.float32], ellipses: Sequence[Ellipse]
) -> NDArray[np.float32]:
    """The mean of both probabilities (h, w) in and just around the ellipses, and the first elsewhere."""
    taken = draw((replace(e, rx=TAKEN * e.rx, ry=TAKEN * e.ry) for e in ellipses), probability.shape)
    return np.where(taken, (probability + closer) / 2, probability)
