"""A whole photograph: its marks looked at together, windows around each cut, refined, stitched, thresholded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.marks import CLICK, STROKE, seed_of, ways_drawn
from coarsekit.types import Annotation, Image, Line, Mask, Point, Shape, check_drawn_on
from coarsekit.windows import blend, stitch, windows_around
from zoo.models.patches import PatchRefiner, patch_probabilities
from zoo.models.seeds import seed_probability
from zoo.models.signature import photograph_signature
from zoo.refiner import Advance, no_progress


def refine_photograph(
    network: PatchRefiner, image: Image, annotation: Annotation, advance: Advance = no_progress
) -> dict[str, Mask]:
    """Refine every lesion class of one photograph; see `Refiner.refine`."""
    check_drawn_on(annotation, image.shape)
    return {
        lesion: lesion_probability(network, image, annotation, lesion, advance) >= network.config.threshold
        for lesion in annotation.lesions
    }


def lesion_probability(
    network: PatchRefiner, image: Image, annotation: Annotation, lesion: str, advance: Advance = no_progress
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for all marks of one class: those around lesions, and those on them."""
    around: list[Shape] = []
    seeds: list[Point | Line] = []
    for mark, way in zip(annotation.marks, ways_drawn(annotation), strict=True):
        seed = seed_of(mark.shape) if way in (CLICK, STROKE) else None
        if mark.lesion == lesion and seed is None:
            around.append(mark.shape)
        elif mark.lesion == lesion and seed is not None:
            seeds.append(seed)
    probability = photograph_probability(network, image, around, advance, lesion)
    if seeds:
        np.maximum(probability, seed_probability(network, image, seeds, around, advance, lesion), out=probability)
    return probability


def photograph_probability(
    network: PatchRefiner, image: Image, shapes: Sequence[Shape], advance: Advance = no_progress, lesion: str = ""
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for shapes of one class that are around lesions; 0 outside their windows."""
    config, size = network.config, (image.shape[0], image.shape[1])
    around = [windows_around(shape, size, config.context, config.max_window) for shape in shapes]
    windows = [window for places in around for window in places]
    signature = photograph_signature(image, shapes, windows) if network.uses_signature else None
    # A shape is done after its last window; then the progress advances.
    last = np.cumsum([len(places) for places in around])
    done = 0

    def finish(count: int) -> None:
        nonlocal done
        advance(int(((last > done) & (last <= done + count)).sum()))
        done += count

    patches = patch_probabilities(network, image, shapes, windows, lesion, signature, finish)
    return (blend if config.blend else stitch)(patches, windows, size)
