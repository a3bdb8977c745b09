"""Counts first, scores from counts, so that counts of parts can be added before a score is taken."""

from typing import NamedTuple

import numpy as np

from coarsekit.types import Mask


class Counts(NamedTuple):
    """Pixels found and true, found but not true, true but not found."""

    tp: int
    fp: int
    fn: int


def count(found: Mask, fine: Mask) -> Counts:
    """Compare two boolean masks of one shape.

    Raises `ValueError` when the shapes differ.
    """
    if found.shape != fine.shape:
        raise ValueError(f"masks of one shape can be compared, got {found.shape} and {fine.shape}")
    both = int(np.count_nonzero(found & fine))
    return Counts(both, int(np.count_nonzero(found)) - both, int(np.count_nonzero(fine)) - both)


def iou(counts: Counts) -> float:
    """Intersection over union, 0–1; NaN when both masks are empty, because then it is not defined."""
    union = sum(counts)
    return counts.tp / union if union else float("nan")
