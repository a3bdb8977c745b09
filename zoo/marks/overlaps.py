"""Pixels that several classes claim: the class that is likeliest there has them.

Soft exudates that lie in a haemorrhage are claimed twice; so is a lesion that two marks of different labels are around.
A mark that looks like the opposite of its label claims what another's label says, and comes after that.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Mask


def divide_overlaps(masks: Mapping[str, Mask], ranks: Mapping[str, NDArray[np.float32]]) -> dict[str, Mask]:
    """Masks of classes in which no pixel is of two.

    Args:
        masks: (h, w) boolean by lesion class.
        ranks: (h, w) of the same classes: the probability, 0–1, of a pixel that a mark claims by its label, and less 1
            of one that is claimed against the label.

    Returns:
        The masks. Of the classes whose masks have a pixel the one with the highest rank there keeps it; of equal ones
        the first.
    """
    divided: dict[str, Mask] = {}
    best: NDArray[np.float32] | None = None
    for lesion, mask in masks.items():
        claim = np.where(mask, ranks[lesion], np.float32(-np.inf))
        if best is None:
            divided[lesion], best = mask, claim
            continue
        wins = mask & (claim > best)
        divided = {other: own & ~wins for other, own in divided.items()}
        divided[lesion] = wins
        best = np.maximum(best, claim)
    return divided
