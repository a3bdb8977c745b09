"""The signature of all marks of one label in one photograph: looked at once, before any window is refined."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Image, Shape, Window
from coarsekit.windows import bounding_boxes, cut_image, cut_shapes, mirror_beyond, reaching, window_around
from zoo.models.layers.matched_filter import depth, deviations

SIZE = 96
"""Side of the patches that are looked at, px: colours need no more."""
MARK_SIZE = 64
"""Side of the patches of single marks, px: larger ones cost more and recognise hardly more labels."""
_AT_A_TIME = 64
"""Marks that are looked at in one batch."""
MOST_WINDOWS = 64
"""Windows that are looked at; of more, as many at even distances."""


def photograph_signature(
    image: Image,
    shapes: Sequence[Shape],
    windows: Sequence[Window],
    most: int = MOST_WINDOWS,
    mirrored: bool = False,
) -> NDArray[np.float32]:
    """Pool what the marks of one label have in common: the mean over their windows of `deviations`.

    Args:
        image: (h, w, 3) uint8 RGB.
        shapes: All marks of the label in the photograph.
        windows: The windows around them.
        most: How many windows are looked at.
        mirrored: As `mirror_edges` of `zoo.models.config.Config`.

    Returns:
        (3,) float32: a direction in RGB; 0 where there are no windows.
    """
    if not windows:
        return np.zeros(3, np.float32)
    chosen = [windows[place] for place in spread(len(windows), most)]
    images, coarse = window_arrays(image, shapes, bounding_boxes(shapes), chosen, SIZE, mirrored)
    return deviations(images, coarse).mean(0)


def spread(count: int, most: int) -> NDArray[np.intp]:
    """Places among ``count``, one or more: all of them, or ``most`` at even distances."""
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.intp))


def mark_deviations(
    image: Image, shapes: Sequence[Shape], chosen: Sequence[int], scale: float | None = None
) -> NDArray[np.float32]:
    """How each chosen mark deviates from its surroundings, which are the retina without any mark.

    Args:
        image: (h, w, 3) uint8 RGB.
        shapes: All marks of the photograph, of whatever labels.
        chosen: The places of the marks that are looked at.
        scale: As in `coarsekit.windows.window_around`.

    Returns:
        (n, 3) float32 for the n marks ``chosen``, see `zoo.models.layers.matched_filter.deviations`.
    """
    size, boxes = (image.shape[0], image.shape[1]), bounding_boxes(shapes)
    found = [np.zeros((0, 3), np.float32)]
    for start in range(0, len(chosen), _AT_A_TIME):
        chunk = [shapes[place] for place in chosen[start : start + _AT_A_TIME]]
        windows = [window_around(shape, size, scale=scale) for shape in chunk]
        images, marked = window_arrays(image, shapes, boxes, windows, MARK_SIZE)
        own = np.stack([cut_shapes([shape], window, MARK_SIZE) for shape, window in zip(chunk, windows, strict=True)])
        found.append(deviations(images, marked, depth(own[:, None].astype(np.float32)) ** 2))
    return np.concatenate(found)


def window_arrays(
    image: Image,
    shapes: Sequence[Shape],
    boxes: NDArray[np.float64],
    windows: Sequence[Window],
    size: int,
    mirrored: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The windows as a network takes them: images (n, 3, size, size) in 0–1 and coarse masks (n, 1, size, size).

    The coarse mask of a window has every shape of the class that reaches into it, not only the one it is around.
    ``boxes``: the shapes' bounding boxes. ``mirrored``: as `mirror_edges` of `zoo.models.config.Config`.
    """
    images = np.stack([cut_image(image, window, size, mirrored) for window in windows])
    drawn = [cut_shapes(reaching(shapes, boxes, window), window, size) for window in windows]
    if mirrored:
        edge = image.shape[0], image.shape[1]
        drawn = [mirror_beyond(patch, window, edge) for patch, window in zip(drawn, windows, strict=True)]
    coarse = np.stack(drawn)
    return np.divide(images.transpose(0, 3, 1, 2), 255, dtype=np.float32), coarse[:, None].astype(np.float32)
