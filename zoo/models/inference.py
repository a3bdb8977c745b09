"""A whole photograph: its marks looked at together, windows around each cut, refined, stitched, thresholded."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from coarsekit.types import Annotation, Image, Mask, Shape, check_drawn_on
from coarsekit.windows import blend, bounding_boxes, stitch, windows_around
from zoo.models.config import Config
from zoo.models.signature import photograph_signature, window_tensors
from zoo.refiner import Advance, no_progress

BATCH = 16
"""Windows per forward pass: enough to use the processor fully, few enough for a laptop's memory."""


class PatchRefiner(Protocol):
    """What this module needs of a network: probabilities (n, 1, s, s) for patches of its configuration's size."""

    config: Config

    @property
    def uses_signature(self) -> bool:
        """See `Network.uses_signature`."""

    def probabilities(
        self, image: torch.Tensor, coarse: torch.Tensor, lesion: str = "", signature: torch.Tensor | None = None
    ) -> torch.Tensor:
        """See `Network.probabilities`."""


def refine_photograph(
    network: PatchRefiner, image: Image, annotation: Annotation, advance: Advance = no_progress
) -> dict[str, Mask]:
    """Refine every lesion class of one photograph; see `Refiner.refine`."""
    check_drawn_on(annotation, image.shape)
    return {
        lesion: photograph_probability(network, image, annotation.of(lesion), advance, lesion)
        >= network.config.threshold
        for lesion in annotation.lesions
    }


def photograph_probability(
    network: PatchRefiner, image: Image, shapes: Sequence[Shape], advance: Advance = no_progress, lesion: str = ""
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for the shapes of one class; 0 outside their windows."""
    config, size = network.config, (image.shape[0], image.shape[1])
    around = [windows_around(shape, size, config.context, config.max_window) for shape in shapes]
    windows = [window for places in around for window in places]
    signature = photograph_signature(image, shapes, windows) if network.uses_signature else None
    # A shape is done after its last window; then the progress advances.
    last = np.cumsum([len(places) for places in around])
    patches, boxes = np.zeros((len(windows), config.size, config.size), np.float32), bounding_boxes(shapes)
    for start in range(0, len(windows), BATCH):
        end = min(start + BATCH, len(windows))
        images, coarse = window_tensors(image, shapes, boxes, windows[start:end], config.size)
        patches[start:end] = network.probabilities(images, coarse, lesion, signature)[:, 0].numpy()
        advance(int(((last > start) & (last <= end)).sum()))
    return (blend if config.blend else stitch)(patches, windows, size)
