"""One lesion class on one photograph scored: what was found against the fine mask. Counts and parts, no averages."""

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

FORMAT = 1
"""Version of what is measured and how it is written; a change makes every kept measurement out of date."""
TOLERANCE = 2.0
"""How far a boundary may lie from the true one, px on a photograph as wide as `REFERENCE_WIDTH`."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is measured of one found mask.

    ``boundary``: the boundary F-score, 0–1. ``components``: each component of the fine mask. ``reliability``: of the
    probability, over the pixels that the network looked at; None for a rule that has none.
    """

    counts: Counts
    boundary: float
    components: tuple[ComponentScore, ...]
    reliability: Reliability | None = None


def measure(found: Mask, fine: Mask, probability: NDArray[np.float32] | None = None) -> Measured:
    """Measure a found mask (h, w), and its probability (h, w), 0 where the network did not look, against the fine one.

    ``fine`` must not be empty. Raises `ValueError` when the shapes differ.
    """
    return Measured(
        count(found, fine),
        boundary_f(found, fine, TOLERANCE * fine.shape[1] / REFERENCE_WIDTH),
        tuple(component_scores(found, fine)),
        None if probability is None else reliability(probability, fine, probability > 0),
    )


def to_json(measured: Measured) -> dict[str, Any]:
    """What was measured, as JSON holds it."""
    kept = measured.reliability
    return {
        "counts": list(measured.counts),
        "boundary_f": measured.boundary,
        "components": [list(component) for component in measured.components],
        "reliability": None if kept is None else {name: getattr(kept, name).tolist() for name in Reliability.__slots__},
    }


def from_json(content: dict[str, Any]) -> Measured:
    """`to_json` undone.

    Raises `KeyError`, `TypeError` or `ValueError` for anything else.
    """
    kept = content["reliability"]
    return Measured(
        Counts(*content["counts"]),
        float(content["boundary_f"]),
        tuple(ComponentScore(*component) for component in content["components"]),
        None if kept is None else Reliability(*(np.asarray(kept[name]) for name in Reliability.__slots__)),
    )
