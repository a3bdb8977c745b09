"""Refiners on a dataset with fine masks: its annotation simulated, whole photographs refined, a row a lesion class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from coarsekit.dataset import Dataset
from coarsekit.simulate import annotate
from coarsekit.styles import Style
from zoo.pretrained import from_pretrained
from zoo.refiner import Refiner, ignore
from zoo.scoring import Score, score


@dataclass(frozen=True, slots=True)
class Row:
    """One lesion class under one refiner; scores are percent, image level: mean and standard deviation over images.

    Only photographs whose fine mask of the class is not empty count (Yu et al., Table 1). ``floor_iou``: the coarse
    annotation as it is. ``shrink_iou``: the image-blind rule. The standard deviation is the population's.
    """

    refiner: str
    trained_on: str
    dataset: str
    split: str
    lesion: str
    reduction: float
    style: str
    seed: int
    images: int
    floor_iou: float
    floor_iou_std: float
    shrink_iou: float
    iou: float
    iou_std: float


def evaluate(
    refiners: Sequence[Refiner],
    dataset: Dataset,
    split: str | None,
    reductions: Sequence[float],
    style: Style,
    seed: int,
    lesions: Sequence[str] = (),
    advance: Callable[[int], None] = ignore,
) -> list[Row]:
    """Score every refiner on every photograph of a split (None: of all), at each reduction factor.

    ``lesions``: only these classes; empty for all. Rows come by reduction, then refiner, then lesion class; a class
    that no photograph shows gives no row. The column ``shrink_iou`` is the bundled rule's, whatever the refiners.
    """
    shrink = from_pretrained("shrink")
    table: dict[tuple[float, int, str], list[tuple[Score, Score]]] = {}
    for fundus in dataset.photographs(split):
        fine = {lesion: mask for lesion, mask in fundus.fine.items() if not lesions or lesion in lesions}
        for reduction in reductions:
            annotation = annotate(fundus, reduction, style, seed, dataset.name)
            blind = score(shrink, fundus.image, fine, annotation)
            for place, refiner in enumerate(refiners):
                scores = score(refiner, fundus.image, fine, annotation)
                for ours, theirs in zip(scores, blind, strict=True):
                    table.setdefault((reduction, place, ours.lesion), []).append((ours, theirs))
        advance(1)
    order = {lesion: place for place, lesion in enumerate(dataset.lesions)}
    rows = []
    for reduction, place, lesion in sorted(table, key=lambda key: (key[0], key[1], order[key[2]])):
        pairs = table[reduction, place, lesion]
        floors, ious = (100 * np.array([getattr(ours, name) for ours, _ in pairs]) for name in ("floor", "iou"))
        rows.append(
            Row(
                refiner=refiners[place].name,
                trained_on=refiners[place].trained_on,
                dataset=dataset.name,
                split=split or "all",
                lesion=lesion,
                reduction=reduction,
                style=style.name,
                seed=seed,
                images=len(pairs),
                floor_iou=float(floors.mean()),
                floor_iou_std=float(floors.std()),
                shrink_iou=float((100 * np.array([theirs.iou for _, theirs in pairs])).mean()),
                iou=float(ious.mean()),
                iou_std=float(ious.std()),
            )
        )
    return rows
