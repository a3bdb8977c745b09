"""How well a refiner knows which of its answers to trust: the expected IoU of marks against the one that they have."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure, readable
from coarsekit.errors import ParameterError
from coarsekit.simulation.simulate import annotate, generator
from coarsekit.simulation.styles import Style
from coarsekit.storage.digests import drawing_sha256, masks_sha256, photograph_sha256, sha256_of
from coarsekit.types import Annotation, Fundus, Raster
from zoo.evaluation.cache import Cache
from zoo.evaluation.robustness import move_to_empty
from zoo.marks.doubt import DoubtModel, fit_doubt
from zoo.marks.mark_masks import cut_raster, mark_masks
from zoo.marks.result import MarkResult
from zoo.refiner import Refiner, no_progress

ALL = "all"
"""The row of all classes together."""
WORST = 0.2
"""Share of the marks that are looked at first."""
BINS = 10
"""Of equal width, for the calibration error."""
_FORMAT = "doubt 1"
"""Of what is kept; another when it means something else."""


@dataclass(frozen=True, slots=True, eq=False)
class MarkScore:
    """One mark: what its answer looks like, and the IoU, 0–1, with its part of the fine mask.

    ``moved``: whether it was moved to retina without lesions, where its IoU is 0 whatever is answered.
    """

    image: str
    lesion: str
    taken_as: str
    moved: bool
    iou: float
    features: Mapping[str, float]


class MarkScoreCache(Cache[Sequence[MarkScore]]):
    """Scores of marks by lesion class."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder, _from_json, lambda scores: [asdict(score) for score in scores])


@dataclass(frozen=True, slots=True)
class DoubtRow:
    """One lesion class, or `ALL`; IoU in percent, means over marks.

    ``worst_iou``, ``rest_iou``: of the fifth of the marks with the lowest expected IoU, and of the others.
    ``calibration_error``: mean distance between expected IoU and mean IoU, 0–1, over ten bins of equal width, weighted
    by their marks. ``rho``: Spearman's, of expected IoU and IoU; None where one of them is constant. ``moved``: marks
    on empty retina; ``moved_in_worst``: the share of them, percent, whose expected IoU is no higher than that of the
    worst fifth; None without any.
    """

    refiner: str
    weights_sha256: str
    lesion: str
    marks: int
    iou: float
    worst_iou: float
    rest_iou: float
    calibration_error: float
    rho: float | None
    moved: int
    moved_in_worst: float | None


def mark_scores(
    refiner: Refiner,
    dataset: Dataset,
    split: str | None,
    style: Style,
    seed: int,
    advance: Callable[[int], None] = no_progress,
    on_failure: OnFailure | None = None,
    cache: MarkScoreCache | None = None,
) -> list[MarkScore]:
    """Refine drawings at reduction 1.0, and the same marks moved to retina without lesions, and score each mark.

    Args:
        refiner: Who refines.
        dataset: Photographs with fine masks; one is in memory at a time.
        split: A split of the dataset; None for all.
        style: How the marks are drawn.
        seed: Of the drawing, and of the places on empty retina.
        advance: Called with 1 for each photograph that is done.
        on_failure: Called for each photograph that cannot be used as it is and is left out, see `readable`.
        cache: Where the scores of each photograph are kept and taken from; None keeps none.

    Returns:
        A score for each mark, but for those that have neither a fine pixel nor an answer.

    Raises:
        ParameterError: When the dataset does not have the split.
        ImageError, SourceError: When a photograph or a mask cannot be read, and ``on_failure`` is None.
    """
    scores: list[MarkScore] = []
    kept = cache or MarkScoreCache(None)
    for fundus in readable(dataset, dataset.keys(split), on_failure):
        drawn = annotate(fundus, 1.0, style, seed, dataset.name)
        empty = move_to_empty(fundus, drawn, generator(seed, fundus.key))
        scores += _kept(kept, refiner, fundus, drawn, moved=False)
        scores += _kept(kept, refiner, fundus, empty, moved=True)
        advance(1)
    return scores


def fit(scores: Sequence[MarkScore]) -> DoubtModel:
    """The model that expects the IoUs of these marks best; see `fit_doubt`.

    Those on empty retina for which something was found count with an IoU of 0.
    """
    found = [score for score in scores if score.features]
    rows = [
        [(score.taken_as or score.lesion, score.features, score.iou) for score in found if score.moved == moved]
        for moved in (False, True)
    ]
    return fit_doubt(*rows)


def doubt_rows(
    refiner: Refiner, model: DoubtModel, scores: Sequence[MarkScore], lesions: Sequence[str]
) -> list[DoubtRow]:
    """How well the expected IoU tells which answers to trust.

    Args:
        refiner: Who refined.
        model: What expects.
        scores: As `mark_scores` gives them.
        lesions: The classes that get a row, before that of all marks together.

    Returns:
        The rows; a class without marks has none.

    Raises:
        ParameterError: When there is no mark.
    """
    expected = np.array([model.expected_iou(score.taken_as or score.lesion, score.features) for score in scores])
    moved = np.array([score.moved for score in scores], bool)
    classes = np.array([score.lesion for score in scores])
    ious = np.array([score.iou for score in scores])
    if not (~moved).any():
        raise ParameterError("no mark was drawn on these photographs, so there is nothing to measure; name others")
    rows = []
    for lesion in (*lesions, ALL):
        own = np.ones(len(scores), bool) if lesion == ALL else classes == lesion
        if (own & ~moved).any():
            rows.append(_row(refiner, lesion, expected[own], ious[own], moved[own]))
    return rows


def calibration_error(expected: NDArray[np.float64], ious: NDArray[np.float64]) -> float:
    """The mean distance between expected and mean IoU over `BINS` bins of equal width, weighted by their marks."""
    bins = np.minimum((expected * BINS).astype(int), BINS - 1)
    parts = [bins == place for place in range(BINS) if (bins == place).any()]
    return float(sum(part.sum() * abs(expected[part].mean() - ious[part].mean()) for part in parts) / len(expected))


def _row(
    refiner: Refiner,
    lesion: str,
    expected: NDArray[np.float64],
    ious: NDArray[np.float64],
    moved: NDArray[np.bool_],
) -> DoubtRow:
    own, real = expected[~moved], ious[~moved]
    order = np.argsort(own, kind="stable")
    worst = order[: max(1, round(WORST * len(own)))]
    rest = np.setdiff1d(order, worst)
    constant = len(set(own.tolist())) < 2 or len(set(real.tolist())) < 2
    return DoubtRow(
        refiner.name,
        refiner.weights_sha256,
        lesion,
        len(own),
        100 * float(real.mean()),
        100 * float(real[worst].mean()),
        100 * float(real[rest].mean()) if len(rest) else nan,
        calibration_error(own, real),
        None if constant else float(spearmanr(own, real).statistic),
        int(moved.sum()),
        100 * float((expected[moved] <= own[worst].max()).mean()) if moved.any() else None,
    )


def _kept(cache: MarkScoreCache, refiner: Refiner, fundus: Fundus, drawn: Annotation, moved: bool) -> list[MarkScore]:
    """What `_scores` gives, from the cache where it is there, by lesion class."""
    content = photograph_sha256(fundus.image), masks_sha256(fundus.fine), drawing_sha256(drawn)
    version = refiner.code_version(drawn.lesions)
    key = sha256_of((_FORMAT, version, refiner.weights_sha256, *content, moved))[:32]
    by_lesion: Mapping[str, Sequence[MarkScore]] | None = cache.read(key)
    if by_lesion is None:
        scores = _scores(refiner, fundus, drawn, moved)
        by_lesion = {lesion: [score for score in scores if score.lesion == lesion] for lesion in drawn.lesions}
        cache.write(key, by_lesion, {"refiner": refiner.name, "image": fundus.key, "moved": moved})
    return [score for own in by_lesion.values() for score in own]


def _from_json(scores: Any) -> list[MarkScore]:
    return [
        MarkScore(
            **{name: str(score[name]) for name in ("image", "lesion", "taken_as")},
            moved=bool(score["moved"]),
            iou=float(score["iou"]),
            features={name: float(value) for name, value in score["features"].items()},
        )
        for score in scores
    ]


def _scores(refiner: Refiner, fundus: Fundus, drawn: Annotation, moved: bool) -> list[MarkScore]:
    refined = refiner.refine_marks(fundus.image, drawn)
    fine = {
        found.place: found.mask
        for lesion in drawn.lesions
        for found in mark_masks(drawn, lesion, fundus.fine[lesion] & (not moved))
    }
    return [
        MarkScore(fundus.key, mark.lesion, mark.refined_as, moved, _iou(mark, fine[mark.mark]), mark.features)
        for mark in refined.marks
        if moved or mark.mask is not None or fine[mark.mark] is not None
    ]


def _iou(mark: MarkResult, fine: Raster | None) -> float:
    """The IoU of an answer with the fine mask of its mark; 0 where one of them is missing."""
    if mark.mask is None or fine is None:
        return 0.0
    left, top = min(mark.mask.left, fine.left), min(mark.mask.top, fine.top)
    boxes = [(one.left + one.crop.shape[1], one.top + one.crop.shape[0]) for one in (mark.mask, fine)]
    shape = (max(box[1] for box in boxes) - top, max(box[0] for box in boxes) - left)
    one, other = (cut_raster(raster, left, top, shape) for raster in (mark.mask, fine))
    return float((one & other).sum() / (one | other).sum())
