"""Masks as sets of pixels: their components, and what lies within a distance of them."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from coarsekit.geometry import Points
from coarsekit.types import Mask, Raster, bounding_box


def components(mask: Mask) -> tuple[NDArray[np.int32], int]:
    """Label the 8-connected components of ``mask`` (h, w): labels (h, w) int32 with 0 for background, and their number.

    An empty mask has 0 components.
    """
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    return np.asarray(labels, np.int32), count - 1


def component_points(mask: Mask) -> list[Points]:
    """Pixel centres of each component of ``mask``, in the order of `components`; an empty mask gives an empty list."""
    labels, _ = components(mask)
    points = []
    for label, place in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = np.nonzero(labels[place] == label)
        # Single precision represents every pixel centre exactly, in half the memory.
        points.append(np.stack([columns + place[1].start + 0.5, rows + place[0].start + 0.5], axis=1, dtype=np.float32))
    return points


def disk_dilate(mask: Mask, radius: float) -> Mask:
    """All pixels within ``radius`` px of ``mask``, by Euclidean distance; an empty mask stays empty."""
    if radius <= 0 or not mask.any():
        return mask.copy()
    return _on_bounding_box(mask, radius, lambda part: _distance_to(part) <= radius)


def disk_close(mask: Mask, radius: float) -> Mask:
    """Morphological closing by a disk of ``radius`` px: fills bays and holes, and never loses a pixel."""
    if radius <= 0 or not mask.any():
        return mask.copy()
    return _on_bounding_box(mask, radius, lambda part: part | ~(_distance_to(_distance_to(part) > radius) <= radius))


def eroded(raster: Raster, depth: float) -> Raster:
    """The pixels of ``raster`` whose centres lie at least ``depth`` px inside it; its deepest ones where none does."""
    inside = _distance_to(~np.pad(raster.crop, 1))[1:-1, 1:-1]
    return Raster(raster.left, raster.top, raster.crop & (inside >= min(depth + 0.5, float(inside.max()))))


def _distance_to(mask: Mask) -> NDArray[np.float32]:
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)


def _on_bounding_box(mask: Mask, radius: float, operation: Callable[[Mask], Mask]) -> Mask:
    """Apply an operation that reaches ``radius`` px to the part of the mask, which is not empty, that it can change."""
    reach = int(np.ceil(radius)) + 1
    place = tuple(slice(max(part.start - reach, 0), part.stop + reach) for part in bounding_box(mask))
    result = np.zeros_like(mask)
    result[place] = operation(mask[place])
    return result
