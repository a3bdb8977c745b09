"""What refining needs of a network, and the windows of a photograph taken through it in batches."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Image, Shape, Window
from coarsekit.windows import bounding_boxes
from zoo.models.config import Config
from zoo.models.signature import window_arrays
from zoo.refiner import Advance, no_progress

BATCH = 16
"""Windows per forward pass: enough to use the processor fully, few enough for a laptop's memory."""


class PatchRefiner(Protocol):
    """Probabilities (n, 1, s, s) for patches of its configuration's size."""

    @property
    def config(self) -> Config:
        """What it is configured by."""

    @property
    def uses_signature(self) -> bool:
        """See `zoo.models.patchwise.PatchwiseRefiner.uses_signature`."""

    @property
    def uses_prototypes(self) -> bool:
        """See `zoo.models.patchwise.PatchwiseRefiner.uses_prototypes`."""

    def lesion_prototypes(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str = "",
        signature: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """See `zoo.models.patchwise.PatchwiseRefiner.lesion_prototypes`."""

    def patch_probabilities(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str = "",
        signature: NDArray[np.float32] | None = None,
        prototype: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """See `zoo.models.patchwise.PatchwiseRefiner.patch_probabilities`."""


def patch_probabilities(
    network: PatchRefiner,
    image: Image,
    shapes: Sequence[Shape],
    windows: Sequence[Window],
    lesion: str = "",
    signature: NDArray[np.float32] | None = None,
    advance: Advance = no_progress,
    prototype: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Probabilities of lesion (n, s, s) in windows whose coarse masks have the ``shapes`` that reach into them.

    ``advance``: called with the number of windows just finished.
    """
    size = network.config.size
    patches, boxes = np.zeros((len(windows), size, size), np.float32), bounding_boxes(shapes)
    for start in range(0, len(windows), BATCH):
        chunk = windows[start : start + BATCH]
        images, coarse = window_arrays(image, shapes, boxes, chunk, size, network.config.mirror_edges)
        found = network.patch_probabilities(images, coarse, lesion, signature, prototype)
        patches[start : start + len(chunk)] = found[:, 0]
        advance(len(chunk))
    return patches
