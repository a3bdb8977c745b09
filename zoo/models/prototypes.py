"""The lesion prototype of all marks of one label in one photograph: equation 1 over its windows, not within one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Image, Shape, Window
from coarsekit.windows import bounding_boxes
from zoo.models.patches import BATCH, PatchRefiner
from zoo.models.signature import MOST_WINDOWS, spread, window_arrays


def photograph_prototype(
    network: PatchRefiner,
    image: Image,
    shapes: Sequence[Shape],
    windows: Sequence[Window],
    lesion: str = "",
    signature: NDArray[np.float32] | None = None,
) -> NDArray[np.float32] | None:
    """Pool what the lesions of one label look like: the mean of the windows' lesion prototypes, each of length 1.

    The features of a lesion that is drawn around loosely are mostly those of retina; what all drawings have in common
    is the lesion. Each window keeps its own background prototype (equation 2).

    Args:
        network: A network that `uses_prototypes`.
        image: (h, w, 3) uint8 RGB.
        shapes: All marks of the label in the photograph.
        windows: The windows around them; of more than `MOST_WINDOWS` as many at even distances are looked at.
        lesion: As of `PatchRefiner.patch_probabilities`, and so is ``signature``.

    Returns:
        (channels,) float32; None where there are no windows.
    """
    if not windows:
        return None
    chosen, boxes, found = [windows[place] for place in spread(len(windows), MOST_WINDOWS)], bounding_boxes(shapes), []
    for start in range(0, len(chosen), BATCH):
        size, mirrored = network.config.size, network.config.mirror_edges
        images, coarse = window_arrays(image, shapes, boxes, chosen[start : start + BATCH], size, mirrored)
        found.append(network.lesion_prototypes(images, coarse, lesion, signature))
    return np.concatenate(found).mean(0)
