"""All scores of one evaluation, found by setting and row, and the numbers that tables and figures are made of."""

from collections.abc import Mapping, Sequence
from functools import reduce
from math import nan
from operator import add
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from coarsekit.storage.digests import sha256_of
from zoo.evaluation.measures import CALIBRATION, IOU, Measure
from zoo.evaluation.protocols import CROSS_CLASS
from zoo.evaluation.results import RefinerInfo, Results
from zoo.evaluation.scoring import MaskScore
from zoo.evaluation.statistics import Scores, Summary, summarise


class Setting(NamedTuple):
    """Where tables stand: the dataset, and how its drawings were simulated."""

    dataset: str
    style: str
    reduction: float


class ScoreTable:
    """The scores of one evaluation, by setting and row: a refiner, or a variant whose networks leave classes out."""

    def __init__(self, results: Results) -> None:
        self.record, self.contents = results.record, results.contents
        self._mask_scores: dict[tuple[Setting, str], dict[tuple[str, str], MaskScore]] = {}
        self._images: dict[str, dict[str, None]] = {}
        self._scored: dict[str, set[tuple[str, str]]] = {}
        for score in results.scores:
            self._scored.setdefault(score.refiner, set()).add((score.dataset, score.lesion))
        self.row_of = _named_rows(self.record.protocol, self.record.refiners, self._scored)
        for score in results.scores:
            setting = Setting(score.dataset, score.style, score.reduction)
            own = self._mask_scores.setdefault((setting, self.row_of[score.refiner]), {})
            own[score.image, score.lesion] = score.mask_score
            self._images.setdefault(score.dataset, {})[score.image] = None

    @property
    def row_names(self) -> list[str]:
        """The rows of every table, the floor first."""
        return list(dict.fromkeys(self.row_of[info.name] for info in self.record.refiners))

    def display_name(self, row: str) -> str:
        """A row's name for a figure: of a folder its last part, where no other row ends alike."""
        end = PurePath(row).name
        return end if sum(PurePath(other).name == end for other in self.row_names) == 1 else row

    @property
    def settings(self) -> list[Setting]:
        """Every setting, by dataset, style and reduction factor."""
        return [
            Setting(dataset.name, style, reduction)
            for dataset in self.record.datasets
            for style in self.record.styles
            for reduction in self.record.reductions
        ]

    def dataset_sha256(self, dataset: str) -> str:
        """The digest of a dataset's photographs and masks as they were evaluated, whatever their names and order."""
        return sha256_of(sorted((one.photograph_sha256, one.masks_sha256) for one in self.contents[dataset].values()))

    def images_seen(self, info: RefinerInfo, dataset: str) -> int | None:
        """How many of a dataset's photographs a refiner saw in training; None where that is not known."""
        if info.photographs_seen is None:
            return None
        return sum(one.photograph_sha256 in info.photographs_seen for one in self.contents[dataset].values())

    def style_sha256(self, style: str) -> str:
        """The digest of a style's parameters."""
        return sha256_of(self.record.styles[style])

    def lesions(self, dataset: str, refiner: str = "") -> tuple[str, ...]:
        """The classes of a dataset that some photograph was scored on, by one refiner or by any."""
        names = [refiner] if refiner else list(self._scored)
        scored = {lesion for name in names for setting, lesion in self._scored.get(name, ()) if setting == dataset}
        [tested] = [tested for tested in self.record.datasets if tested.name == dataset]
        return tuple(lesion for lesion in tested.lesions if lesion in scored)

    def scores(self, setting: Setting, row: str, measure: Measure, lesions: Sequence[str] | None = None) -> Scores:
        """Scores in percent, (images, classes) in one order for all rows; NaN where there is none."""
        own = self._mask_scores.get((setting, row), {})
        classes = self.lesions(setting.dataset) if lesions is None else lesions
        cells = [
            [100 * measure.value(own[image, lesion]) if (image, lesion) in own else nan for lesion in classes]
            for image in self._images.get(setting.dataset, ())
        ]
        return np.array(cells, float).reshape(-1, len(classes))

    def mask_scores(self, setting: Setting, row: str, lesion: str) -> dict[str, MaskScore]:
        """The scores of one class, by image."""
        return {
            image: own for (image, name), own in self._mask_scores.get((setting, row), {}).items() if name == lesion
        }

    def calibration(self, setting: Setting, row: str, lesion: str) -> dict[str, float]:
        """Calibration in percent by measure, over all pixels that the network looked at; NaN for a baseline."""
        mask_scores = self.mask_scores(setting, row, lesion).values()
        parts = [own.reliability for own in mask_scores if own.reliability is not None]
        return {own.name: 100 * own.value(reduce(add, parts)) if parts else nan for own in CALIBRATION}

    def summary(self, setting: Setting, row: str, measure: Measure = IOU, lesion: str | None = None) -> Summary:
        """Of one class, or of the average; a row that lacks a class which others have has no average."""
        scores = self.scores(setting, row, measure, None if lesion is None else [lesion])
        if not scores.size or (lesion is None and not np.isfinite(scores).any(axis=0).all()):
            return Summary(nan, nan, nan, nan, 0)
        return summarise(scores, self.record.seed)

    def class_mean(self, setting: Setting, row: str, measure: Measure) -> float:
        """The mean over the classes, in percent, of any measure; NaN where a class has none."""
        if not measure.pooled:
            return self.summary(setting, row, measure).mean
        values = [self.calibration(setting, row, lesion)[measure.name] for lesion in self.lesions(setting.dataset)]
        return float(np.mean(values)) if values else nan


def _named_rows(
    protocol: str, infos: Sequence[RefinerInfo], scored: Mapping[str, set[tuple[str, str]]]
) -> dict[str, str]:
    """A refiner's row is its name; in *cross-class* its variant, if networks of it leave out one class or other each.

    Networks of one variant that have a class in common keep rows of their own.
    """
    rows = {info.name: info.name for info in infos}
    networks = [info for info in infos if info.trained and protocol == CROSS_CLASS]
    for variant in dict.fromkeys(info.variant for info in networks):
        own = [info.name for info in networks if info.variant == variant]
        classes = [one for name in own for one in scored.get(name, ())]
        if len(own) > 1 and len(set(classes)) == len(classes):
            rows |= dict.fromkeys(own, variant)
    return rows
