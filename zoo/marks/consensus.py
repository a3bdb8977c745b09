"""One mask from the masks of several people: by majority, and by STAPLE; and how far they agree on each lesion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import ParameterError
from coarsekit.metrics import count, iou
from coarsekit.types import Mask

_CERTAIN = 0.99999
"""Sensitivity and specificity that STAPLE begins with."""
_ITERATIONS, _TOLERANCE = 500, 1e-8
LIKELY = 0.5
"""Probability of `staple` from which a pixel is lesion."""
MOST_PEOPLE = 62
"""People whose answers fit one integer a pixel."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion: a connected part (8 neighbours) of what all people together marked.

    ``x``, ``y``: its middle, px. ``seen_by``: who marked a pixel of it. ``agreement``: the mean IoU of every two of all
    people in it, 0–1; one who marked nothing of it has 0 with each. ``union_pixels``, ``majority_pixels``,
    ``staple_pixels``: its area in what any, the majority, and STAPLE marked.
    """

    x: float
    y: float
    seen_by: tuple[str, ...]
    agreement: float
    union_pixels: int
    majority_pixels: int
    staple_pixels: int


def majority(masks: Sequence[Mask]) -> Mask:
    """The pixels (h, w) that more than half of one or more masks (h, w) have."""
    votes = np.zeros(masks[0].shape, np.int32)
    for mask in masks:
        votes += mask
    return 2 * votes > len(masks)


def staple(masks: Sequence[Mask]) -> NDArray[np.float64]:
    """The probability of the hidden true mask by STAPLE, for two classes (Warfield, Zou & Wells, IEEE TMI 2004).

    Expectation maximisation over the sensitivity and specificity of each person, from the share of marked pixels as
    the prior. Pixels on which all people say the same of are one case, so a photograph takes as long as its pixels
    take to be counted.

    Args:
        masks: (h, w) boolean, one or more and at most 62.

    Returns:
        (h, w), 0–1; 0 where nobody marked anything at all.

    Raises:
        ParameterError: When there are more than 62 masks.
    """
    if len(masks) > MOST_PEOPLE:
        raise ParameterError(f"STAPLE takes masks of {MOST_PEOPLE} people at most, got {len(masks)}; leave some out")
    if not any(mask.any() for mask in masks):
        return np.zeros(masks[0].shape)
    codes = np.zeros(masks[0].shape, np.int64)
    for place, mask in enumerate(masks):
        codes |= mask.astype(np.int64) << place
    patterns, which, counts = np.unique(codes, return_inverse=True, return_counts=True)
    said = (patterns[:, None] >> np.arange(len(masks))) & 1 == 1
    prior = min(float((said * counts[:, None]).sum() / (counts.sum() * len(masks))), 1 - 1e-12)
    sensitivity = specificity = np.full(len(masks), _CERTAIN)
    true = np.zeros(len(patterns))
    for _ in range(_ITERATIONS):
        lesion = np.log(prior) + _log_likelihood(said, sensitivity, 1 - sensitivity)
        other = np.log1p(-prior) + _log_likelihood(said, 1 - specificity, specificity)
        before, true = true, 1 / (1 + np.exp(np.clip(other - lesion, -700, 700)))
        weight, rest = counts * true, counts * (1 - true)
        sensitivity = weight @ said / max(weight.sum(), 1e-300)
        specificity = rest @ ~said / max(rest.sum(), 1e-300)
        if np.abs(true - before).max() < _TOLERANCE:
            break
    return true[which].reshape(codes.shape)


def lesions_seen(masks: Mapping[str, Mask], by_majority: Mask, by_staple: Mask) -> list[Lesion]:
    """The lesions that any of several people marked, and who did.

    Args:
        masks: (h, w) boolean by person, two or more.
        by_majority: (h, w), see `majority`.
        by_staple: (h, w), the pixels that STAPLE gives.

    Returns:
        The lesions from top to bottom; none where nobody marked anything.
    """
    together = np.any(list(masks.values()), axis=0)
    count_, parts, measured, middles = cv2.connectedComponentsWithStats(together.astype(np.uint8), connectivity=8)
    found = []
    for part in range(1, count_):
        left, top, width, height, area = (int(value) for value in measured[part])
        there = (slice(top, top + height), slice(left, left + width))
        own = parts[there] == part
        each = {who: mask[there] & own for who, mask in masks.items()}
        pairs = [(one, other) for one, other in combinations(each.values(), 2)]
        agreements = [iou(count(one, other)) if one.any() or other.any() else 0.0 for one, other in pairs]
        found.append(
            Lesion(
                round(float(middles[part][0]), 1),
                round(float(middles[part][1]), 1),
                tuple(who for who, mask in each.items() if mask.any()),
                round(float(np.mean(agreements)), 4) if agreements else 1.0,
                area,
                int(np.count_nonzero(by_majority[there] & own)),
                int(np.count_nonzero(by_staple[there] & own)),
            )
        )
    return found


def _log_likelihood(said: NDArray[np.bool_], yes: NDArray[np.float64], no: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each pattern (k, n) of answers, given how likely each person's yes and no are."""
    return np.where(said, np.log(yes.clip(1e-300)), np.log(no.clip(1e-300))).sum(1)
