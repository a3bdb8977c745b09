"""Components that are unlikely as a whole: most of what is found around nothing is barely above the threshold."""

import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import components, draw
from coarsekit.marks import CLICK, STROKE, seed_of, ways_drawn
from coarsekit.types import Annotation, Mask


def without_unlikely(
    mask: Mask, probability: NDArray[np.float32], annotation: Annotation, lesion: str, least: float
) -> Mask:
    """A class's mask without the components whose mean probability is below the least one.

    Args:
        mask: (h, w) boolean, what was found for the class.
        probability: (h, w) in 0–1.
        annotation: What was drawn.
        lesion: The class.
        least: Mean probability, 0–1, from which a component (8 neighbours) stays. One that a click or a stroke of the
            class lies on stays, too, since that says that there is something. 0 or less leaves nothing out.

    Returns:
        (h, w) boolean; the mask itself where nothing is left out.
    """
    if least <= 0 or not mask.any():
        return mask
    parts, _ = components(mask)
    found = parts[mask]
    unlikely = np.bincount(found, weights=probability[mask]) < least * np.bincount(found)
    ways = ways_drawn(annotation)
    seeds = [
        seed
        for mark, way in zip(annotation.marks, ways, strict=True)
        if mark.lesion == lesion and way in (CLICK, STROKE) and (seed := seed_of(mark.shape)) is not None
    ]
    if seeds:
        unlikely[parts[draw(seeds, mask.shape)]] = False
    unlikely[0] = False
    return mask & ~unlikely[parts] if unlikely.any() else mask
