"""Agreement between annotators before and after refinement: a measure for photographs that have no fine masks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coarsekit.annotations.fitting import fitted
from coarsekit.errors import AnnotationError, CoarsekitError
from coarsekit.geometry import draw
from coarsekit.images import read_image
from coarsekit.metrics import count, iou
from coarsekit.scale import check_field_of_view, shared_scale
from coarsekit.storage.digests import drawing_sha256, photograph_sha256, sha256_of
from coarsekit.types import LESIONS, Annotation, Image, Mask
from zoo.evaluation.cache import NumberCache
from zoo.refiner import Advance, Refiner, no_progress

_FORMAT = "agreement 1"
"""Of what is kept; another when it means something else."""


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
    cache: NumberCache | None = None,
) -> list[AgreementRow]:
    """Compare the masks of all pairs of annotators on each photograph, as drawn and as refined.

    Args:
        refiner: What refines the drawings.
        photographs: Name and image, (h, w, 3) uint8 RGB; one is in memory at a time.
        annotators: What each drew, by annotator and photograph; a photograph that fewer than two annotated is left out.
        advance: Called with 1 for each photograph that is done.
        field_of_view: As for `coarsekit.scale.scale_of`; all drawings of a photograph are refined at one scale.
        cache: Where the scores of each photograph are kept and taken from; None keeps none.

    Returns:
        Rows in the order MA, HE, EX, SE and then by name; a class that nobody drew has none.

    Raises:
        AnnotationError: When an annotation was made for another image size.
        ParameterError: When ``field_of_view`` is no diameter of a retina.
    """
    scores: dict[str, list[tuple[str, float, float]]] = {}
    kept = cache or NumberCache(None)
    for photograph, image in photographs:
        drawn = {annotator: own[photograph] for annotator, own in annotators.items() if photograph in own}
        if len(drawn) > 1:
            for lesion, numbers in _kept(kept, refiner, photograph, image, drawn, field_of_view).items():
                pairs = zip(numbers[::2], numbers[1::2], strict=True)
                scores.setdefault(lesion, []).extend((photograph, before, after) for before, after in pairs)
        advance(1)
    order = {lesion: place for place, lesion in enumerate(LESIONS)}
    return [_row(lesion, scores[lesion]) for lesion in sorted(scores, key=lambda one: (order.get(one, 4), one))]


class Pins(NamedTuple):
    """What the measures of a photograph depend on, and where its scale is from, as `coarsekit.scale.Scale` says it."""

    photograph_sha256: str
    drawings_sha256: tuple[str, ...]
    scale_from: str


@dataclass(frozen=True, slots=True)
class Comparable:
    """Drawings that fit their photographs.

    ``photographs``: the files, by key. ``drawings``: by annotator and key, in the pixels of the photographs. ``pins``:
    by key, the digest of the photograph, those of its drawings, and where its scale is from. ``failures``: of each
    photograph that cannot be compared its key and a sentence. ``left_out``: a sentence for marks that lie outside.
    ``notes``: one for each drawing that was scaled.
    """

    photographs: dict[str, Path] = field(default_factory=dict)
    drawings: dict[str, dict[str, Annotation]] = field(default_factory=dict)
    pins: dict[str, Pins] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def comparable(
    photographs: Mapping[str, Path],
    annotators: Mapping[str, Mapping[str, Annotation]],
    field_of_view: float | None = None,
    on_failure: Callable[[str], None] = no_progress,
) -> Comparable:
    """Fit drawings to their photographs; one that cannot be read, or does not fit, costs the others nothing.

    Args:
        photographs: The files, by the key that the drawings have.
        annotators: What each drew, by annotator and photograph.
        field_of_view: As for `coarsekit.scale.scale_of`.
        on_failure: Called with the sentence of each photograph that cannot be compared.

    Returns:
        What can be compared, and what cannot.

    Raises:
        ParameterError: When ``field_of_view`` is no diameter of a retina.
    """
    if field_of_view is not None:
        check_field_of_view(field_of_view)
    found = Comparable(drawings={who: {} for who in annotators})
    for key, file in photographs.items():
        try:
            image = read_image(file)
            fit = {
                who: fitted(own[key], image.shape, f"{who}, {own[key].image}")
                for who, own in annotators.items()
                if key in own
            }
        except CoarsekitError as error:
            found.failures.append((key, str(error)))
            on_failure(str(error))
            continue
        drawn = {who: annotation for who, (annotation, _) in fit.items()}
        scale = shared_scale(image, [*drawn.values()], field_of_view).source
        found.pins[key] = Pins(photograph_sha256(image), tuple(map(drawing_sha256, drawn.values())), scale)
        found.photographs[key] = file
        for who, annotation in drawn.items():
            found.drawings[who][key] = annotation
        for _, seen in fit.values():
            found.left_out.extend(seen.left_out)
            found.notes.extend(seen.notes)
    return found


def _kept(
    cache: NumberCache,
    refiner: Refiner,
    photograph: str,
    image: Image,
    drawn: Mapping[str, Annotation],
    field_of_view: float | None,
) -> Mapping[str, Sequence[float]]:
    """What `_compare` gives, from the cache where it is there."""
    scale = shared_scale(image, [*drawn.values()], field_of_view).value
    drawings = [(drawing_sha256(one), refiner.code_version(one.lesions)) for one in drawn.values()]
    key = sha256_of((_FORMAT, refiner.weights_sha256, photograph_sha256(image), scale, drawings))[:32]
    numbers: Mapping[str, Sequence[float]] | None = cache.read(key)
    if numbers is None:
        numbers = _compare(refiner, image, drawn, scale)
        cache.write(key, numbers, {"refiner": refiner.name, "image": photograph, "annotators": [*drawn]})
    return numbers


def _compare(refiner: Refiner, image: Image, drawn: Mapping[str, Annotation], scale: float) -> dict[str, list[float]]:
    """By lesion class, IoU of the coarse and of the refined masks, one after the other, for each pair of annotators."""
    size = (image.shape[0], image.shape[1])
    refined = {}
    for annotator, annotation in drawn.items():
        try:
            refined[annotator] = refiner.refine(image, annotation, scale=scale)
        except AnnotationError as error:
            raise AnnotationError(f"{annotator}, {annotation.image}: {error}") from None
    nothing = np.zeros(size, dtype=bool)
    scores: dict[str, list[float]] = {}
    for lesion in dict.fromkeys(lesion for annotation in drawn.values() for lesion in annotation.lesions):
        coarse = {annotator: draw(annotation.of(lesion), size) for annotator, annotation in drawn.items()}
        for one, other in combinations(drawn, 2):
            if lesion in drawn[one].lesions or lesion in drawn[other].lesions:
                before = _agree(coarse[one], coarse[other])
                after = _agree(refined[one].get(lesion, nothing), refined[other].get(lesion, nothing))
                scores.setdefault(lesion, []).extend((before, after))
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
