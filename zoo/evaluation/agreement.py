"""Agreement between annotators before and after refinement: a measure for photographs that have no fine masks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.scale import shared_scale
from coarsekit.types import LESIONS, Annotation, Image, Mask
from zoo.refiner import Advance, Refiner, no_progress


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One lesion class: the IoU of two annotators' masks, percent, mean and standard deviation over all pairs of them.

    A pair is two annotators of one photograph of whom at least one drew the class there; if only one did, its IoU is 0.
    ``photographs``, ``pairs``: how many there are. ``coarse_iou``: of what was drawn. ``refined_iou``: of what a
    refiner made of it, and 0 where it left nothing of either, since erasing is no agreement. The standard deviation is
    the population's.
    """

    lesion: str
    photographs: int
    pairs: int
    coarse_iou: float
    coarse_iou_std: float
    refined_iou: float
    refined_iou_std: float


def agreement(
    refiner: Refiner,
    photographs: Iterable[tuple[str, Image]],
    annotators: Mapping[str, Mapping[str, Annotation]],
    advance: Advance = no_progress,
    field_of_view: float | None = None,
) -> list[AgreementRow]:
    """Compare the masks of all pairs of annotators on each photograph, as drawn and as refined.

    Args:
        refiner: What refines the drawings.
        photographs: Name and image, (h, w, 3) uint8 RGB; one is in memory at a time.
        annotators: What each drew, by annotator and photograph; a photograph that fewer than two annotated is left out.
        advance: Called with 1 for each photograph that is done.
        field_of_view: As for `coarsekit.scale.scale_of`; all drawings of a photograph are refined at one scale.

    Returns:
        Rows in the order MA, HE, EX, SE and then by name; a class that nobody drew has none.

    Raises:
        AnnotationError: When an annotation was made for another image size.
        ParameterError: When ``field_of_view`` is no diameter of a retina.
    """
    scores: dict[str, list[tuple[str, float, float]]] = {}
    for photograph, image in photographs:
        drawn = {annotator: own[photograph] for annotator, own in annotators.items() if photograph in own}
        if len(drawn) > 1:
            for lesion, before, after in _compare(refiner, image, drawn, field_of_view):
                scores.setdefault(lesion, []).append((photograph, before, after))
        advance(1)
    order = {lesion: place for place, lesion in enumerate(LESIONS)}
    return [_row(lesion, scores[lesion]) for lesion in sorted(scores, key=lambda one: (order.get(one, 4), one))]


def _compare(
    refiner: Refiner, image: Image, drawn: Mapping[str, Annotation], field_of_view: float | None
) -> list[tuple[str, float, float]]:
    """Lesion class, IoU of the coarse and of the refined masks, for each class and pair of annotators."""
    size = (image.shape[0], image.shape[1])
    scale = shared_scale(image, [*drawn.values()], field_of_view).value
    refined = {}
    for annotator, annotation in drawn.items():
        try:
            refined[annotator] = refiner.refine(image, annotation, scale=scale)
        except AnnotationError as error:
            raise AnnotationError(f"{annotator}, {annotation.image}: {error}") from None
    nothing = np.zeros(size, dtype=bool)
    scores = []
    for lesion in dict.fromkeys(lesion for annotation in drawn.values() for lesion in annotation.lesions):
        coarse = {annotator: draw(annotation.of(lesion), size) for annotator, annotation in drawn.items()}
        for one, other in combinations(drawn, 2):
            if lesion in drawn[one].lesions or lesion in drawn[other].lesions:
                before = _agree(coarse[one], coarse[other])
                after = _agree(refined[one].get(lesion, nothing), refined[other].get(lesion, nothing))
                scores.append((lesion, before, after))
    return scores


def _agree(one: Mask, other: Mask) -> float:
    return iou(count(one, other)) if one.any() or other.any() else 0.0


def _row(lesion: str, scores: list[tuple[str, float, float]]) -> AgreementRow:
    before, after = (100 * np.array([score[place] for score in scores]) for place in (1, 2))
    return AgreementRow(
        lesion=lesion,
        photographs=len({photograph for photograph, _, _ in scores}),
        pairs=len(scores),
        coarse_iou=float(before.mean()),
        coarse_iou_std=float(before.std()),
        refined_iou=float(after.mean()),
        refined_iou_std=float(after.std()),
    )
