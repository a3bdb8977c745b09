"""A refiner that says how far to trust each of its answers."""

from dataclasses import replace

import numpy as np

from coarsekit.types import Annotation, Image, Mask
from zoo.evaluation.refiners import Floor
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
