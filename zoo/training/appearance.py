"""What the marks of each class look like on the photographs that a network is trained on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.simulation.negatives import sample_negative
from coarsekit.simulation.simulate import draw_by_hand, generator
from coarsekit.simulation.styles import Style
from zoo.models.recognition import mark_features
from zoo.training.data.photograph_store import CachedPhotograph

DRAWINGS = 3
"""Times that each photograph is drawn, in a style and at a reduction factor at random."""
MARKS = 24
"""Marks of a class that are looked at in one drawing; of more, as many at random."""


def mark_appearance(
    photographs: Sequence[CachedPhotograph],
    styles: Sequence[Style],
    reductions: Sequence[float],
    lesions: Sequence[str],
    seed: int,
) -> dict[int, list[NDArray[np.float64]]]:
    """Draw photographs and look at the marks.

    Args:
        photographs: What is trained on.
        styles: Styles to draw in.
        reductions: Reduction factors to draw at.
        lesions: The network's classes.
        seed: Seed of the random numbers.

    Returns:
        By the index of the class in ``lesions``, the features of its marks in each drawing, see
        `zoo.models.appearance.features_of`; one index further those of marks moved to retina without lesions.
    """
    found: dict[int, list[NDArray[np.float64]]] = {index: [] for index in range(len(lesions) + 1)}
    for photograph in photographs:
        rng = generator(seed, photograph.key)
        lesioned = np.any(list(photograph.fine.values()), axis=0)
        for _ in range(DRAWINGS):
            style, reduction = styles[int(rng.integers(len(styles)))], float(rng.choice(reductions))
            shape = photograph.image.shape[:2]
            drawn = draw_by_hand(photograph.outlines[style.name, reduction], style, rng, shape)
            shapes = [ellipse for ellipses in drawn.values() for ellipse in ellipses]
            labels = np.array([lesion for lesion, ellipses in drawn.items() for _ in ellipses])
            for index, lesion in enumerate(lesions):
                own = np.flatnonzero(labels == lesion)
                if len(own) > MARKS:
                    own = np.sort(rng.choice(own, MARKS, replace=False))
                if len(own):
                    found[index].append(mark_features(photograph.image, shapes, own.tolist()))
            tried = rng.permutation(len(shapes))[:MARKS].tolist()
            moved = [sample_negative(shapes[place], photograph.image, lesioned, rng) for place in tried]
            if nothing := [ellipse for ellipse in moved if ellipse is not None]:
                found[len(lesions)].append(mark_features(photograph.image, nothing, range(len(nothing))))
    return found
