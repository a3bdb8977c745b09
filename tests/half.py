"""A refiner that can be interrupted, for what goes on where it was."""

from coarsekit.geometry import draw
from coarsekit.types import Annotation, Image, Mask
from zoo.refiner import Advance, Refiner, no_progress


class Half(Refiner):
    """Answers the upper half of every drawing, whatever the photograph shows; interrupted after some ``calls``."""

    name = "half"

    def __init__(self, calls: int | None = None) -> None:
        self.calls, self.last = 0, calls

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        if self.calls == self.last:
            raise KeyboardInterrupt
        self.calls += 1
        masks = {}
        for lesion in annotation.lesions:
            masks[lesion] = draw(annotation.of(lesion), image.shape[:2])
            masks[lesion][image.shape[0] // 2 :] = False
        return masks
