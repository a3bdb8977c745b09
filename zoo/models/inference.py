"""A whole photograph's marks of one class: those around lesions, and those on them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.marks import CLICK, STROKE, seed_of, ways_drawn
from coarsekit.types import Annotation, Image, Line, Point, Shape
from zoo.marks.groups import BY_LABEL, Group
from zoo.models.outlines import photograph_probability
from zoo.models.patches import PatchRefiner
from zoo.models.seeds import seed_probability
from zoo.refiner import Advance, no_progress


def lesion_probability(
    network: PatchRefiner,
    image: Image,
    annotation: Annotation,
    lesion: str,
    groups: Sequence[Group],
    scale: float,
    advance: Advance = no_progress,
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for all groups of marks of one class; ``scale`` as in `Refiner.refine`."""
    probability = np.zeros(image.shape[:2], np.float32)
    ways = ways_drawn(annotation)
    for group in groups:
        if group.lesion == lesion:
            found = _group_probability(network, image, annotation, ways, group, scale, advance)
            np.maximum(probability, found, out=probability)
    return probability


def _group_probability(
    network: PatchRefiner,
    image: Image,
    annotation: Annotation,
    ways: Sequence[str],
    group: Group,
    scale: float,
    advance: Advance,
) -> NDArray[np.float32]:
    """The marks around lesions, and those on them."""
    around: list[Shape] = []
    seeds: list[Point | Line] = []
    for place in group.marks:
        shape = annotation.marks[place].shape
        seed = seed_of(shape) if ways[place] in (CLICK, STROKE) else None
        if seed is None:
            around.append(shape)
        else:
            seeds.append(seed)
    any_size = group.why != BY_LABEL
    probability = photograph_probability(network, image, around, advance, group.taken_as, any_size, scale)
    if seeds:
        found = seed_probability(network, image, seeds, around, advance, group.taken_as, scale)
        np.maximum(probability, found, out=probability)
    return probability
