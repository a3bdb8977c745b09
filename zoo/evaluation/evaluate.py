"""Refiners on a dataset with fine masks: its annotations simulated, whole photographs refined, every class scored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from coarsekit.datasets.base import Dataset
from coarsekit.simulation.simulate import annotate_sweep, check_reduction
from coarsekit.simulation.styles import Style
from coarsekit.types import Annotation, Fundus, Image, Mask
from zoo.evaluation.cache import Units, photograph_digest, unit_name
from zoo.evaluation.refiners import Contestant
from zoo.evaluation.results import Score
from zoo.evaluation.scoring import Measured, measure
from zoo.refiner import Refiner, no_progress


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What is asked of a dataset.

    ``split``: None for all. ``classes``: for each refiner by name the lesion classes that it is scored on.
    """

    split: str | None
    styles: tuple[Style, ...]
    reductions: tuple[float, ...]
    seed: int
    classes: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        for reduction in self.reductions:
            check_reduction(reduction)

    @property
    def units(self) -> int:
        """Units of work for each photograph."""
        return len(self.styles) * len(self.reductions) * sum(bool(asked) for asked in self.classes.values())


def evaluate(
    contestants: Sequence[Contestant],
    dataset: Dataset,
    question: EvaluationConfig,
    units: Units | None = None,
    jobs: int = 1,
    advance: Callable[[int], None] = no_progress,
) -> list[Score]:
    """Score the entrants on every photograph, style and reduction factor; photographs by photograph, in its order.

    Only classes count whose fine mask on the photograph is not empty (Yu et al., Table 1). ``units``: where finished
    units are kept and taken from. ``jobs``: photographs at a time, each in a process of its own on one thread.
    ``advance`` hears how many more units are done.

    Raises `ParameterError` for a split that the dataset does not have or a reduction factor below 1.
    """
    kept, keys = units or Units(None), dataset.keys(question.split)
    if jobs == 1 or len(keys) < 2:
        return [score for key in keys for score in score_photograph(contestants, dataset, key, question, kept, advance)]
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=min(jobs, len(keys)), backend="loky", return_as="generator")
    scores: list[Score] = []
    for own in parallel(delayed(_alone)(contestants, dataset, key, question, kept) for key in keys):
        scores += own
        advance(question.units)
    return scores


def score_photograph(
    contestants: Sequence[Contestant],
    dataset: Dataset,
    key: str,
    question: EvaluationConfig,
    units: Units,
    advance: Callable[[int], None] = no_progress,
) -> list[Score]:
    """Every score of one photograph, which is read once."""
    fundus = dataset.read(key)
    photograph, scores = photograph_digest(fundus), []
    for style, reduction, drawn in _drawings(fundus, question, dataset.name):
        for entrant in contestants:
            name, asked = entrant.about.name, question.classes[entrant.about.name]
            if not asked:
                continue
            part = replace(drawn, marks=tuple(mark for mark in drawn.marks if mark.lesion in asked))
            unit = unit_name(entrant.about.digest, photograph, part)
            measured = units.read(unit)
            if measured is None:
                began = perf_counter()
                fine = {lesion: mask for lesion, mask in fundus.fine.items() if lesion in asked and mask.any()}
                measured = measure_all(entrant.make(), fundus.image, fine, part)
                about = {"refiner": name, "dataset": dataset.name, "image": key, "reduction": reduction, "style": style}
                units.write(unit, measured, about | {"seconds": round(perf_counter() - began, 2)})
            split = question.split or "all"
            place = (name, dataset.name, split, key)
            scores += [
                Score(*place, lesion, reduction, style, question.seed, unit, own) for lesion, own in measured.items()
            ]
            advance(1)
    return scores


def _drawings(fundus: Fundus, question: EvaluationConfig, dataset: str) -> Iterator[tuple[str, float, Annotation]]:
    for style in question.styles:
        drawings = annotate_sweep(fundus, question.reductions, style, question.seed, dataset)
        for reduction, drawn in zip(question.reductions, drawings, strict=True):
            yield style.name, reduction, drawn


def measure_all(refiner: Refiner, image: Image, fine: Mapping[str, Mask], drawn: Annotation) -> dict[str, Measured]:
    """Refine a drawing and measure every class of ``fine``, (h, w) masks with a pixel; one not drawn has none found.

    A network refines one class at a time, since its probabilities are large.
    """
    from zoo.models.base import Network

    if not isinstance(refiner, Network):
        refined = refiner.refine(image, drawn)
        return {lesion: measure(refined.get(lesion, np.zeros_like(mask)), mask) for lesion, mask in fine.items()}
    measured = {}
    for lesion, mask in fine.items():
        own = replace(drawn, marks=tuple(mark for mark in drawn.marks if mark.lesion == lesion))
        probability = refiner.photograph_probabilities(image, own).get(lesion, np.zeros(mask.shape, np.float32))
        measured[lesion] = measure(probability >= refiner.config.threshold, mask, probability)
    return measured


def _alone(
    contestants: Sequence[Contestant], dataset: Dataset, key: str, question: EvaluationConfig, units: Units
) -> list[Score]:
    """`score_photograph` in a process of its own: more threads than cores would make each other slower."""
    import torch

    torch.set_num_threads(1)
    return score_photograph(contestants, dataset, key, question, units)
