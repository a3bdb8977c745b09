"""Every measure of a refined mask, in one list: a new measure is one entry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coarsekit.metrics import brier, dice, expected_calibration_error, iou, precision, recall


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure, 0–1; tables show it in percent.

    ``name``: the field of a row, as in JSON. ``label``: what tables call it. ``phrase``: what a card calls it.
    ``value``: of one `MaskScore`, that is of one lesion class on one photograph; when ``pooled``, of the `Reliability`
    summed over all photographs. ``lower_is_better``: of an error.
    """

    name: str
    label: str
    phrase: str
    value: Callable[[Any], float]
    pooled: bool = False
    lower_is_better: bool = False

    @property
    def column(self) -> str:
        """The head of a table's column."""
        return self.label + (" ↓" if self.lower_is_better else "")


IOU = Measure("iou", "IoU", "IoU", lambda score: iou(score.counts))
"""The measure of the paper's tables."""
MEASURES = (
    IOU,
    Measure("dice", "dice", "Dice", lambda score: dice(score.counts)),
    Measure("precision", "precision", "precision", lambda score: precision(score.counts)),
    Measure("recall", "recall", "recall", lambda score: recall(score.counts)),
    Measure("boundary_f", "boundary F", "boundary F within 2 px", lambda score: score.boundary),
    Measure(
        "component_iou",
        "component IoU",
        "IoU of single lesions",
        lambda score: float(np.mean([component.iou for component in score.components])),
    ),
    Measure("ece", "ECE", "expected calibration error", expected_calibration_error, pooled=True, lower_is_better=True),
    Measure("brier", "Brier", "Brier score", brier, pooled=True, lower_is_better=True),
)
"""All measures, in the order of the columns."""
PER_PHOTOGRAPH = tuple(measure for measure in MEASURES if not measure.pooled)
CALIBRATION = tuple(measure for measure in MEASURES if measure.pooled)
CARD_SENTENCES = {
    "Means over the classes, in percent": {own.name: own.phrase for own in PER_PHOTOGRAPH if own is not IOU},
    "Calibration": {own.name: own.phrase for own in CALIBRATION},
}
"""The measures beside IoU that a card has: by the beginning of a sentence, each one's phrase by its field."""
