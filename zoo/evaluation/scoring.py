"""One refined mask compared with the fine one: counts and parts of which measures are made, no averages."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coarsekit.metrics import (
    ComponentScore,
    Counts,
    Reliability,
    boundary_f,
    component_scores,
    count,
    reliability,
)
from coarsekit.types import Mask
from coarsekit.windows import REFERENCE_WIDTH

SCORES_FORMAT = 3
"""Version of what a `MaskScore` is and how it is written; a change makes every cached score out of date."""
TOLERANCE = 2.0
"""How far a boundary may lie from the true one, px on a photograph as wide as `REFERENCE_WIDTH`."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskScore:
    """What a refined mask has in common with the fine one.

    ``boundary``: the boundary F-score, 0–1. ``components``: each component of the fine mask. ``reliability``: of the
    probability, over the pixels that the network looked at; None for a baseline, which has no probability.
    """

    counts: Counts
    boundary: float
    components: tuple[ComponentScore, ...]
    reliability: Reliability | None = None


def score_mask(found: Mask, fine: Mask, probability: NDArray[np.float32] | None = None) -> MaskScore:
    """Compare a refined mask (h, w) with the fine one, which must have a pixel.

    ``probability``: (h, w), 0 where the network did not look. Raises `ValueError` when the shapes differ.
    """
    return MaskScore(
        count(found, fine),
        boundary_f(found, fine, TOLERANCE * fine.shape[1] / REFERENCE_WIDTH),
        tuple(component_scores(found, fine)),
        None if probability is None else reliability(probability, fine, probability > 0),
    )


def to_json(score: MaskScore) -> dict[str, Any]:
    """A score as JSON."""
    kept = score.reliability
    return {
        "counts": list(score.counts),
        "boundary_f": score.boundary,
        "components": [list(component) for component in score.components],
        "reliability": None if kept is None else {name: getattr(kept, name).tolist() for name in Reliability.__slots__},
    }


def from_json(content: dict[str, Any]) -> MaskScore:
    """`to_json` undone.

    Raises `KeyError`, `TypeError` or `ValueError` for anything else.
    """
    kept = content["reliability"]
    numbers = [*content["counts"], content["boundary_f"], *(number for own in content["components"] for number in own)]
    if any(isinstance(number, bool) or not isinstance(number, (int, float)) for number in numbers):
        raise TypeError("a score is made of numbers")
    return MaskScore(
        Counts(*content["counts"]),
        float(content["boundary_f"]),
        tuple(ComponentScore(*component) for component in content["components"]),
        None if kept is None else Reliability(*(np.asarray(kept[name]) for name in Reliability.__slots__)),
    )
