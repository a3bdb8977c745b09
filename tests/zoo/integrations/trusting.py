"""Refiners that say how far to trust each of their answers, and what they saw in the marks."""

from dataclasses import replace

import numpy as np

from coarsekit.types import Annotation, Image, Mask
from zoo.evaluation.refiners import Floor
from zoo.marks.groups import CONTRADICTION
from zoo.marks.result import Refined
from zoo.refiner import Advance, no_progress


class Sure(Floor):
    """Answers what was drawn, but for row 45, and trusts the marks by 0.7, 0.6, …; of one label it finds nothing."""

    name, weights_sha256 = "sure", "0123456789abcdef"

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        masks = super().refine(image, annotation)
        rows = np.arange(annotation.height)[:, None] != 45
        return {lesion: mask & rows & (lesion != "nothing") for lesion, mask in masks.items()}

    def refine_marks(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> Refined:
        refined = super().refine_marks(image, annotation, advance, scale)
        return Refined(refined.masks, tuple(replace(one, expected_iou=0.7 - one.mark / 10) for one in refined.marks))


class Wary(Sure):
    """Sees the opposite of its label in every mark, and nothing that is sure in many."""

    def refine_marks(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> Refined:
        refined = super().refine_marks(image, annotation, advance, scale)
        marks = tuple(replace(one, refined_as="EX", why=CONTRADICTION) for one in refined.marks)
        return Refined(refined.masks, marks, frozenset(refined.masks))


def warnings_of(image: str, marks: int, lesion: str) -> list[str]:
    """What is said of the answers of `Wary`, of marks of one class."""
    several = marks > 1
    return [
        f"{marks} mark{'s' * several} in {image} look{'s' * (not several)} like the opposite of the label and "
        f"{'were' if several else 'was'} refined as what is there: {marks} of {lesion!r} as EX; check "
        f"{'their labels' if several else 'the label'}.",
        f"Too many marks of {lesion!r} in {image} hold nothing that is sure, so only what is likely was answered "
        "there: check the marks.",
    ]
