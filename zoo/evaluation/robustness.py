"""Scores on photographs as other cameras would have taken them, and on ellipses around nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure, readable
from coarsekit.errors import ParameterError
from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.simulation.negatives import sample_negative
from coarsekit.simulation.simulate import annotate, generator
from coarsekit.simulation.styles import Style
from coarsekit.storage.digests import drawing_sha256, masks_sha256, photograph_sha256, sha256_of
from coarsekit.types import Annotation, Ellipse, Fundus, Mark, Mask
from coarsekit.windows import crop, window_around
from zoo.checkpoints.metrics import AVERAGE
from zoo.evaluation.cache import NumberCache
from zoo.evaluation.corruptions import CORRUPTIONS, EMPTY, Sample
from zoo.evaluation.statistics import compare, summarise
from zoo.refiner import Refiner, no_progress
from zoo.variants import REFINING_VERSION

_FORMAT = 1
"""Of what is kept; raised when it means something else."""


@dataclass(frozen=True, slots=True)
class RobustnessRow:
    """One refiner on one lesion class, or on the `AVERAGE` of them, under one corruption; percent.

    ``weights_sha256``, ``refining_version``, ``dataset_sha256``, ``style_sha256``: of what content; the version as
    `Refiner.code_version` has it. ``dataset_images``:
    photographs of the split; ``dataset_images_seen``: those that the refiner saw in training, None where not known.

    ``iou`` and ``floor_iou``: the mean over ``images``, the photographs that show the class under that corruption; None
    for empty retina. ``whole_iou``: that of the masks of the photograph as it is, cut or scaled alike, which show what
    the corruption costs. ``iou_low`` to ``iou_high``: the 95 % interval of ``iou``; ``lost_low`` to ``lost_high``: that
    of ``whole_iou`` less ``iou``; NaN with a single image. ``false_positive_area``: what was found in an ellipse's
    window and is no lesion, as a share of the ellipse's area: the mean over ``ellipses`` on empty retina; None
    elsewhere.
    """

    refiner: str
    weights_sha256: str
    refining_version: int | str
    dataset_sha256: str
    dataset_images: int
    dataset_images_seen: int | None
    style_sha256: str
    corruption: str
    lesion: str
    images: int
    ellipses: int
    floor_iou: float | None
    whole_iou: float | None
    iou: float | None
    false_positive_area: float | None
    iou_low: float | None = None
    iou_high: float | None = None
    lost_low: float | None = None
    lost_high: float | None = None


def robustness(
    refiners: Sequence[Refiner],
    dataset: Dataset,
    split: str | None,
    style: Style,
    seed: int,
    corruptions: Mapping[str, Callable[[Sample], Sample]] = CORRUPTIONS,
    empty_retina: bool = True,
    advance: Callable[[int], None] = no_progress,
    on_failure: OnFailure | None = None,
    cache: NumberCache | None = None,
) -> list[RobustnessRow]:
    """Score refiners at reduction 1.0 on corrupted photographs, and on ellipses moved to empty retina.

    The ellipses are drawn on the photograph as it is and change with it, so that only the photograph differs.

    Args:
        refiners: Who is scored.
        dataset: Photographs with fine masks; one is in memory at a time.
        split: A split of the dataset; None for all.
        style: How the ellipses are drawn.
        seed: Of the drawing, and of the places on empty retina.
        corruptions: Changes of a photograph with its masks and ellipses, by name.
        empty_retina: Whether the ellipses are moved to empty retina, too.
        advance: Called with 1 for each photograph that is done.
        on_failure: Called for each photograph that cannot be used as it is and is left out, see `readable`.
        cache: Where the scores of each changed photograph are kept and taken from; None keeps none.

    Returns:
        Rows by refiner, corruption and lesion class, with the `AVERAGE` of the classes after the last.

    Raises:
        ParameterError: When the dataset does not have the split, or no photograph of it shows a lesion.
        ImageError, SourceError: When a photograph or a mask cannot be read, and ``on_failure`` is None.
    """
    measured, areas = cache or NumberCache(None), dict[tuple[str, str], list[float]]()
    scores: dict[tuple[str, str], list[list[Sequence[float]]]] = {}
    contents: list[tuple[str, str]] = []
    labels: dict[str, set[str]] = {}
    for fundus in readable(dataset, dataset.keys(split), on_failure):
        annotation = annotate(fundus, 1.0, style, seed, dataset.name)
        work = _Photograph(fundus, Sample(fundus.image, fundus.fine, annotation), measured)
        contents.append(work.content)
        for name, change in corruptions.items():
            sample = change(work.as_it_is)
            labels.setdefault(name, set()).update(sample.annotation.lesions)
            for refiner in refiners:
                own = work.scores(refiner, name, change, sample)
                by_lesion = [own.get(lesion, (nan, nan, nan)) for lesion in dataset.lesions]
                scores.setdefault((refiner.name, name), []).append(by_lesion)
        if empty_retina:
            empty = move_to_empty(fundus, annotation, generator(seed, fundus.key))
            for refiner in refiners:
                for lesion, shares in work.false_positive_areas(refiner, empty).items():
                    areas.setdefault((refiner.name, lesion), []).extend(shares)
        advance(1)
    if corruptions and not any(np.isfinite(own).any() for own in scores.values()):
        raise ParameterError(
            f"{dataset.name}: none of {len(contents)} photographs in {split or 'all splits'} shows a lesion, so there "
            "is nothing to score; name another split"
        )
    rows = []
    data, drawn = sha256_of(sorted(contents)), sha256_of(style.parameters())
    for refiner in refiners:
        known = refiner.photographs_seen
        seen = None if known is None else sum(photograph in known for photograph, _ in contents)
        of, on = (refiner.name, refiner.weights_sha256), (data, len(contents), seen, drawn)
        for name in corruptions:
            which = (*of, refiner.code_version(labels[name]), *on)
            values = 100 * np.array(scores[refiner.name, name])
            columns = [(lesion, values[:, [place]]) for place, lesion in enumerate(dataset.lesions)]
            for lesion, some in [*columns, (AVERAGE, values)]:
                if np.isfinite(some).any():
                    rows.append(_row(which, name, lesion, some, seed))
        which = (*of, refiner.code_version(dataset.lesions), *on)
        rows += [
            RobustnessRow(*which, EMPTY, lesion, 0, len(answered), None, None, None, 100 * float(np.mean(answered)))
            for lesion in dataset.lesions
            if (answered := areas.get((refiner.name, lesion)))
        ]
    return rows


class _Photograph:
    """A photograph, what was drawn on it, and what refiners make of it, each of which is measured once."""

    def __init__(self, fundus: Fundus, as_it_is: Sample, cache: NumberCache) -> None:
        self.fundus, self.as_it_is = fundus, as_it_is
        self.content = photograph_sha256(fundus.image), masks_sha256(fundus.fine)
        self._cache, self._masks = cache, dict[str, Mapping[str, Mask]]()

    def scores(
        self, refiner: Refiner, name: str, change: Callable[[Sample], Sample], sample: Sample
    ) -> Mapping[str, Sequence[float]]:
        """IoU, 0–1, of the drawing, uncut, and of the refiner on the changed ``sample``, by lesion class."""

        def measure() -> Mapping[str, Sequence[float]]:
            taken = self.as_it_is
            if refiner.name not in self._masks:
                self._masks[refiner.name] = refiner.refine(taken.image, taken.annotation)
            before = change(replace(taken, fine=self._masks[refiner.name])).fine
            found = before if sample is taken else refiner.refine(sample.image, sample.annotation)
            return _score(sample, before, found)

        drawn = drawing_sha256(self.as_it_is.annotation), refiner.code_version(sample.annotation.lesions)
        changed = sample.image, sample.fine, drawing_sha256(sample.annotation), sample.labels
        return self._kept(refiner, name, (*drawn, *changed), measure)

    def false_positive_areas(self, refiner: Refiner, empty: Annotation) -> Mapping[str, Sequence[float]]:
        """What was found around each ellipse on empty retina, over the ellipse's area, by lesion class."""
        return self._kept(
            refiner, EMPTY, drawing_sha256(empty), lambda: _false_positive_areas(refiner, self.fundus, empty)
        )

    def _kept(
        self, refiner: Refiner, name: str, drawn: Any, measure: Callable[[], Mapping[str, Sequence[float]]]
    ) -> Mapping[str, Sequence[float]]:
        key = sha256_of((_FORMAT, REFINING_VERSION, refiner.weights_sha256, *self.content, name, drawn))[:32]
        numbers: Mapping[str, Sequence[float]] | None = self._cache.read(key)
        if numbers is None:
            numbers = measure()
            self._cache.write(key, numbers, {"refiner": refiner.name, "image": self.fundus.key, "corruption": name})
        return numbers


def _row(
    which: tuple[str, str, int | str, str, int, int | None, str],
    corruption: str,
    lesion: str,
    scores: NDArray[np.float64],
    seed: int,
) -> RobustnessRow:
    """``which``: a row's first fields; ``scores``: (images, classes, 3) of the drawing, uncut, and of the refiner."""
    drawn, uncut, own = (scores[..., kind] for kind in range(3))
    found, lost = summarise(own, seed), compare(uncut, own, seed)
    floor, whole = summarise(drawn, seed).mean, summarise(uncut, seed).mean
    intervals = (found.low, found.high, lost.low, lost.high)
    return RobustnessRow(*which, corruption, lesion, found.images, 0, floor, whole, found.mean, None, *intervals)


def move_to_empty(fundus: Fundus, annotation: Annotation, rng: np.random.Generator) -> Annotation:
    """The annotation with every ellipse moved to retina without any lesion; those that find no place are left out."""
    lesioned = np.zeros(fundus.image.shape[:2], bool)
    for mask in fundus.fine.values():
        lesioned |= mask
    moved = [
        Mark(mark.lesion, there)
        for mark in annotation.marks
        if isinstance(mark.shape, Ellipse)
        and (there := sample_negative(mark.shape, fundus.image, lesioned, rng)) is not None
    ]
    return replace(annotation, marks=tuple(moved))


def _score(
    sample: Sample, before: Mapping[str, Mask], refined: Mapping[str, Mask]
) -> dict[str, tuple[float, float, float]]:
    """IoU, 0–1, of the drawing, of the masks from ``before`` and of those of the sample, by lesion class."""
    pairs = {}
    for lesion, fine in sample.fine.items():
        if fine.any():
            label = sample.labels.get(lesion, lesion)
            coarse = draw(sample.annotation.of(label), fine.shape)
            found = refined.get(label, coarse)
            uncut = before.get(lesion, np.zeros_like(fine))
            pairs[lesion] = (iou(count(coarse, fine)), iou(count(uncut, fine)), iou(count(found, fine)))
    return pairs


def _false_positive_areas(refiner: Refiner, fundus: Fundus, empty: Annotation) -> dict[str, list[float]]:
    """What was found around each ellipse on empty retina, over the ellipse's area, by lesion class."""
    refined = refiner.refine(fundus.image, empty)
    shares: dict[str, list[float]] = {}
    for mark in empty.marks:
        size = fundus.image.shape[:2]
        # In the window and not just in the ellipse, since a refiner may find something beyond its edge.
        around = window_around(mark.shape, size)
        found = crop(refined[mark.lesion], around) & ~crop(fundus.fine[mark.lesion], around)
        area = np.count_nonzero(draw([mark.shape], size))
        shares.setdefault(mark.lesion, []).append(np.count_nonzero(found) / area)
    return shares
