"""Components that are unlikely as a whole: most of what is found around nothing is barely above the threshold.

How likely a component must be may depend on the other marks of its label in the photograph: where many of these are
around nothing, this one may be, too.
"""

import numpy as np
from numpy.typing import NDArray

from coarsekit.annotations.approximate import on_photograph
from coarsekit.geometry import draw
from coarsekit.marks import CLICK, STROKE, seed_of, ways_drawn
from coarsekit.morphology import components
from coarsekit.types import Annotation, Mask

SURE = 0.8
"""Probability, 0–1, that the likeliest pixel in a mark has or exceeds where the mark holds something for sure."""
MOST = 0.8
"""Share of a label's marks, 0–1, of which fewer hold something for sure where they are often empty."""
AT_LEAST = 2
"""Marks that hold nothing for sure where a label's are often empty: one alone may be around a faint lesion."""


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


def often_empty(probability: NDArray[np.float32], annotation: Annotation, lesion: str) -> bool:
    """Whether fewer than `MOST` of a class's marks in the photograph hold a pixel that is lesion for sure.

    Around lesions nearly all marks do, however large they are drawn; around nothing about half of them.

    Args:
        probability: (h, w) in 0–1, of the class.
        annotation: What was drawn.
        lesion: The class.

    Returns:
        Whether it is so; not where fewer than `AT_LEAST` hold nothing for sure. A click or a stroke does not count,
        since it says that there is something.
    """
    likeliest: list[float] = []
    for mark, way in zip(annotation.marks, ways_drawn(annotation), strict=True):
        if mark.lesion != lesion or way in (CLICK, STROKE):
            continue
        own = on_photograph(mark.shape, probability.shape)
        if own is not None and own.crop.any():
            (height, width), top, left = own.crop.shape, own.top, own.left
            likeliest.append(float(probability[top : top + height, left : left + width][own.crop].max()))
    unsure = sum(value < SURE for value in likeliest)
    return unsure >= AT_LEAST and len(likeliest) - unsure < MOST * len(likeliest)
