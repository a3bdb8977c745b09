"""Refiners on a dataset with fine masks: its annotations simulated, whole photographs refined, every class scored."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import check_some_readable, readable
from coarsekit.errors import ParameterError
from coarsekit.simulation.simulate import annotate_sweep, check_reduction
from coarsekit.simulation.styles import Style
from coarsekit.storage.digests import masks_sha256, photograph_sha256
from coarsekit.types import Annotation, Fundus, Image, Mask
from zoo.evaluation.cache import ScoreCache, cache_key
from zoo.evaluation.refiners import EvaluatedRefiner
from zoo.evaluation.results import PhotographContent, Score
from zoo.evaluation.scoring import MaskScore, score_mask
from zoo.refiner import Refiner, no_progress


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """How refiners are scored on one dataset.

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
    def refinements(self) -> int:
        """How many drawings of a photograph are refined, by all refiners together."""
        return len(self.styles) * len(self.reductions) * sum(bool(classes) for classes in self.classes.values())


@dataclass(slots=True, eq=False)
class Evaluated:
    """What `evaluate` gives: every score, the content of the photographs by key, and how much was kept from before.

    ``scored``: drawings that were refined and scored. ``cached``: those whose scores were in the cache. ``failures``:
    photographs that cannot be used as they are and were left out, with the reason, by key.
    """

    scores: list[Score] = field(default_factory=list)
    contents: dict[str, PhotographContent] = field(default_factory=dict)
    scored: int = 0
    cached: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def evaluate(
    refiners: Sequence[EvaluatedRefiner],
    dataset: Dataset,
    config: EvaluationConfig,
    cache: ScoreCache | None = None,
    jobs: int = 1,
    advance: Callable[[int], None] = no_progress,
) -> Evaluated:
    """Score refiners on every photograph, style and reduction factor of a dataset (Yu et al., Table 1).

    A lesion class counts on a photograph only where its fine mask is not empty.

    Args:
        refiners: Who is scored, the floor among them if it shall have scores.
        dataset: Photographs with fine masks; one is in memory at a time.
        config: Split, styles, reduction factors, seed, and the lesion classes of each refiner.
        cache: Where scores are kept and taken from; None keeps none.
        jobs: Photographs at a time, each in a process of its own on one thread.
        advance: Called with the number of drawings just refined.

    Returns:
        Scores photograph by photograph, in the dataset's order, and of what content the photographs are.

    Raises:
        ParameterError: When the dataset does not have the split, or no photograph of it shows a class to score.
        SourceError: When no photograph of it can be read.
        RefinerError: When a refiner cannot be loaded.
    """
    kept, keys = cache or ScoreCache(None), dataset.keys(config.split)
    if jobs == 1 or len(keys) < 2:
        return _joined(dataset, config, (_score_all(refiners, dataset, key, config, kept, advance) for key in keys))
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=min(jobs, len(keys)), backend="loky", return_as="generator")

    def each() -> Iterator[Evaluated]:
        for own in parallel(delayed(_in_own_process)(refiners, dataset, key, config, kept) for key in keys):
            yield own
            advance(config.refinements)

    return _joined(dataset, config, each())


def _joined(dataset: Dataset, config: EvaluationConfig, parts: Iterable[Evaluated]) -> Evaluated:
    whole = Evaluated()
    for part in parts:
        whole.scores.extend(part.scores)
        whole.contents.update(part.contents)
        whole.scored += part.scored
        whole.cached += part.cached
        whole.failures.update(part.failures)
    check_some_readable(dataset, dataset.keys(config.split), whole.failures)
    if not whole.scores:
        wanted = ", ".join(dict.fromkeys(lesion for own in config.classes.values() for lesion in own)) or "no class"
        raise ParameterError(
            f"{dataset.name}: none of {len(whole.contents)} photographs in {config.split or 'all splits'} shows "
            f"{wanted}, so there is nothing to score; name another split or lesion class"
        )
    return whole


def _score_all(
    refiners: Sequence[EvaluatedRefiner],
    dataset: Dataset,
    key: str,
    config: EvaluationConfig,
    cache: ScoreCache,
    advance: Callable[[int], None] = no_progress,
) -> Evaluated:
    """Every score of one photograph, which is read once; or why it cannot be."""
    found = Evaluated()
    for fundus in readable(dataset, [key], found.failures.__setitem__, some=False):
        return _score_photograph(refiners, dataset, fundus, config, cache, advance)
    advance(config.refinements)
    return found


def _score_photograph(
    refiners: Sequence[EvaluatedRefiner],
    dataset: Dataset,
    fundus: Fundus,
    config: EvaluationConfig,
    cache: ScoreCache,
    advance: Callable[[int], None],
) -> Evaluated:
    content = PhotographContent(photograph_sha256(fundus.image), masks_sha256(fundus.fine))
    found = Evaluated(contents={fundus.key: content})
    for style, reduction, drawn in _drawings(fundus, config, dataset.name):
        for refiner in refiners:
            name, classes = refiner.info.name, config.classes[refiner.info.name]
            if not classes:
                continue
            part = replace(drawn, marks=tuple(mark for mark in drawn.marks if mark.lesion in classes))
            digests = (refiner.info.weights_sha256, content.photograph_sha256, content.masks_sha256)
            cached = cache_key(refiner.load(), *digests, part)
            mask_scores = cache.read(cached)
            found.cached += mask_scores is not None
            if mask_scores is None:
                found.scored += 1
                began = perf_counter()
                fine = {lesion: mask for lesion, mask in fundus.fine.items() if lesion in classes and mask.any()}
                mask_scores = refine_and_score(refiner.load(), fundus.image, fine, part)
                where = {
                    "refiner": name,
                    "dataset": dataset.name,
                    "image": fundus.key,
                    "reduction": reduction,
                    "style": style,
                }
                cache.write(cached, mask_scores, where | {"seconds": round(perf_counter() - began, 2)})
            source = (name, dataset.name, config.split or "all", fundus.key)
            found.scores += [
                Score(*source, lesion, reduction, style, config.seed, cached, own)
                for lesion, own in mask_scores.items()
            ]
            advance(1)
    return found


def _drawings(fundus: Fundus, config: EvaluationConfig, dataset: str) -> Iterator[tuple[str, float, Annotation]]:
    for style in config.styles:
        drawings = annotate_sweep(fundus, config.reductions, style, config.seed, dataset)
        for reduction, drawn in zip(config.reductions, drawings, strict=True):
            yield style.name, reduction, drawn


def refine_and_score(
    refiner: Refiner, image: Image, fine: Mapping[str, Mask], drawn: Annotation
) -> dict[str, MaskScore]:
    """Refine a drawing and score every class of ``fine``, (h, w) masks with a pixel; of one not drawn nothing is found.

    Of a network one class after the other is scored, since its probabilities are large.
    """
    from zoo.models.base import Network

    scores = {
        answer.lesion: score_mask(answer.mask, fine[answer.lesion], answer.probability)
        for answer in refiner.answers(image, drawn)
        if answer.lesion in fine
    }
    for lesion, mask in fine.items():
        if lesion not in scores:
            nowhere = np.zeros(mask.shape, np.float32) if isinstance(refiner, Network) else None
            scores[lesion] = score_mask(np.zeros_like(mask), mask, nowhere)
    return {lesion: scores[lesion] for lesion in fine}


def _in_own_process(
    refiners: Sequence[EvaluatedRefiner], dataset: Dataset, key: str, config: EvaluationConfig, cache: ScoreCache
) -> Evaluated:
    """`_score_all` in a process of its own: more threads than cores would make each other slower."""
    import torch

    torch.set_num_threads(1)
    return _score_all(refiners, dataset, key, config, cache)
