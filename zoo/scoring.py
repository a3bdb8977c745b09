"""One photograph scored: the coarse annotation and what a refiner made of it, against the fine masks."""

from collections.abc import Mapping
from typing import NamedTuple

from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.types import Annotation, Image, Mask
from zoo.refiner import Refiner


class Score(NamedTuple):
    """IoU, 0–1, of one lesion class on one photograph: coarse against fine, and refined against fine."""

    image: str
    lesion: str
    floor: float
    iou: float


def score(refiner: Refiner, image: Image, fine: Mapping[str, Mask], annotation: Annotation) -> list[Score]:
    """Score every class whose fine mask (h, w) is not empty; a class that was not drawn scores 0."""
    refined = refiner.refine(image, annotation)
    scores = []
    for lesion, truth in fine.items():
        if not truth.any():
            continue
        coarse = draw(annotation.of(lesion), truth.shape)
        found = refined.get(lesion, coarse)
        scores.append(Score(annotation.image, lesion, iou(count(coarse, truth)), iou(count(found, truth))))
    return scores
