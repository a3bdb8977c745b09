"""All scores of one evaluation, found by place and row, and the numbers that tables and figures are made of."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import nan
from operator import add
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from coarsekit.metrics import brier, dice, expected_calibration_error, iou, precision, recall
from zoo.evaluation.protocols import CROSS_CLASS
from zoo.evaluation.results import RefinerInfo, Results
from zoo.evaluation.scoring import Measured
from zoo.evaluation.statistics import Scores, Summary, summarise

Measure = Callable[[Measured], float]
MEASURES: Mapping[str, Measure] = {
    "iou": lambda measured: iou(measured.counts),
    "dice": lambda measured: dice(measured.counts),
    "precision": lambda measured: precision(measured.counts),
    "recall": lambda measured: recall(measured.counts),
    "boundary_f": lambda measured: measured.boundary,
    "component_iou": lambda measured: float(np.mean([component.iou for component in measured.components])),
}
"""Scores of one class on one photograph, 0–1; ``component_iou``: the mean over its lesions, however small."""
CALIBRATION = {"ece": expected_calibration_error, "brier": brier}


class Setting(NamedTuple):
    """Where tables stand: the dataset, and how its drawings were simulated."""

    dataset: str
    style: str
    reduction: float


class ScoreTable:
    """The scores of one evaluation, by place and row: a refiner, or a variant whose networks leave classes out."""

    def __init__(self, results: Results) -> None:
        self.asked = results.asked
        self._measured: dict[tuple[Setting, str], dict[tuple[str, str], Measured]] = {}
        self._images: dict[str, dict[str, None]] = {}
        self._scored: dict[str, set[tuple[str, str]]] = {}
        for score in results.scores:
            self._scored.setdefault(score.refiner, set()).add((score.dataset, score.lesion))
        self.row_of = _row_names(self.asked.protocol, self.asked.refiners, self._scored)
        for score in results.scores:
            place = Setting(score.dataset, score.style, score.reduction)
            own = self._measured.setdefault((place, self.row_of[score.refiner]), {})
            own[score.image, score.lesion] = score.measured
            self._images.setdefault(score.dataset, {})[score.image] = None

    @property
    def rows(self) -> list[str]:
        """The rows of every table, the floor first."""
        return list(dict.fromkeys(self.row_of[about.name] for about in self.asked.refiners))

    def display_name(self, row: str) -> str:
        """A row's name for a figure: of a folder its last part, where no other row ends alike."""
        end = PurePath(row).name
        return end if sum(PurePath(other).name == end for other in self.rows) == 1 else row

    @property
    def places(self) -> list[Setting]:
        """Every place, by dataset, style and reduction factor."""
        return [
            Setting(dataset.name, style, reduction)
            for dataset in self.asked.datasets
            for style in self.asked.styles
            for reduction in self.asked.reductions
        ]

    def lesions(self, dataset: str, refiner: str = "") -> tuple[str, ...]:
        """The classes of a dataset that some photograph was scored on, by one refiner or by any."""
        names = [refiner] if refiner else list(self._scored)
        scored = {lesion for name in names for place, lesion in self._scored.get(name, ()) if place == dataset}
        [tested] = [tested for tested in self.asked.datasets if tested.name == dataset]
        return tuple(lesion for lesion in tested.lesions if lesion in scored)

    def scores(self, place: Setting, row: str, measure: Measure, lesions: Sequence[str] | None = None) -> Scores:
        """Scores in percent, (images, classes) in one order for all rows; NaN where there is none."""
        own = self._measured.get((place, row), {})
        classes = self.lesions(place.dataset) if lesions is None else lesions
        cells = [
            [100 * measure(own[image, lesion]) if (image, lesion) in own else nan for lesion in classes]
            for image in self._images.get(place.dataset, ())
        ]
        return np.array(cells, float).reshape(-1, len(classes))

    def measured(self, place: Setting, row: str, lesion: str) -> dict[str, Measured]:
        """What was measured of one class, by image."""
        return {image: own for (image, name), own in self._measured.get((place, row), {}).items() if name == lesion}

    def calibration(self, place: Setting, row: str, lesion: str) -> dict[str, float]:
        """Calibration in percent over all the pixels of a class that the network looked at; NaN for a rule."""
        parts = [own.reliability for own in self.measured(place, row, lesion).values() if own.reliability is not None]
        return {name: 100 * rule(reduce(add, parts)) if parts else nan for name, rule in CALIBRATION.items()}

    def summary(self, place: Setting, row: str, measure: str = "iou", lesion: str | None = None) -> Summary:
        """Of one class, or of the average; a row that lacks a class which others have has no average."""
        scores = self.scores(place, row, MEASURES[measure], None if lesion is None else [lesion])
        if not scores.size or (lesion is None and not np.isfinite(scores).any(axis=0).all()):
            return Summary(nan, nan, nan, nan, 0)
        return summarise(scores, self.asked.seed)


def _row_names(
    protocol: str, abouts: Sequence[RefinerInfo], asked: Mapping[str, set[tuple[str, str]]]
) -> dict[str, str]:
    """A refiner's row is its name; in *cross-class* its variant, if networks of it leave out one class or other each.

    Networks of one variant that have a class in common keep rows of their own.
    """
    rows = {about.name: about.name for about in abouts}
    networks = [about for about in abouts if about.trained and protocol == CROSS_CLASS]
    for variant in dict.fromkeys(about.variant for about in networks):
        own = [about.name for about in networks if about.variant == variant]
        classes = [one for name in own for one in asked.get(name, ())]
        if len(own) > 1 and len(set(classes)) == len(classes):
            rows |= dict.fromkeys(own, variant)
    return rows
