"""Pixels that several classes claim: the class that is likeliest there has them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Mask


def divide_overlaps(masks: Mapping[str, Mask], probabilities: Mapping[str, NDArray[np.float32]]) -> dict[str, Mask]:
    """Masks of classes in which no pixel is of two.

    Args:
        masks: (h, w) boolean by lesion class.
        probabilities: (h, w), 0–1, of the same classes.

    Returns:
        The masks. Of the classes whose masks have a pixel the one with the highest probability there keeps it; of
        equal ones the first.
    """
    divided: dict[str, Mask] = {}
    best: NDArray[np.float32] | None = None
    for lesion, mask in masks.items():
        claim = np.where(mask, probabilities[lesion], np.float32(0))
        if best is None:
            divided[lesion], best = mask, claim
            continue
        wins = mask & (claim > best)
        divided = {other: own & ~wins for other, own in divided.items()}
        divided[lesion] = wins
        best = np.maximum(best, claim)
    return divided
