"""Tiny components beside a larger answer: half of them are not found again from another person's drawing."""

import cv2
import numpy as np

from coarsekit.types import Annotation, Mask
from zoo.marks.mark_masks import mark_masks


def without_specks(mask: Mask, annotation: Annotation, lesion: str, least_area: float) -> Mask:
    """A class's mask without the components that are smaller than the least area and lie beside a larger answer.

    Args:
        mask: (h, w) boolean, what was found for the class.
        annotation: What was drawn.
        lesion: The class.
        least_area: Px. A smaller component (8 neighbours) is left out where its mark, see `mark_masks`, has one that is
            not smaller; so a mark keeps an answer that is small on the whole. 0 or less leaves nothing out.

    Returns:
        (h, w) boolean; the mask itself where nothing is left out.
    """
    count, parts, measured, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    small = measured[:, cv2.CC_STAT_AREA] < least_area
    small[0] = False
    if not small.any() or small[1:count].all():
        return mask
    specks: set[int] = set()
    for found in mark_masks(annotation, lesion, mask):
        if found.mask is None:
            continue
        (height, width), left, top = found.mask.crop.shape, found.mask.left, found.mask.top
        own = np.unique(parts[top : top + height, left : left + width][found.mask.crop])
        if not small[own].all():
            specks.update(own[small[own]].tolist())
    return mask & ~np.isin(parts, list(specks)) if specks else mask
