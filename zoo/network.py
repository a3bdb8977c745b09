"""The abstract network: what every variant shares, from its configuration to refining a whole photograph."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from coarsekit.errors import RefinerError
from coarsekit.types import Annotation, Image, Mask
from zoo.inference import refine_photograph
from zoo.refiner import Advance, Refiner, ignore


@dataclass(frozen=True)
class Config:
    """Fields that every variant has; its own add to them.

    ``size``: side of a patch, px. ``context``: side of a window over the ellipse's bounding box. ``most``: largest side
    of a window, px on a photograph 4288 px wide, above which an ellipse gets several; None for no bound.
    ``threshold``: probability, 0–1, from which a pixel is lesion.
    """

    size: int = 256
    context: float = 1.5
    most: int | None = None
    threshold: float = 0.5


class Network(nn.Module, Refiner):
    """A trainable refiner. A variant is a final subclass called ``Network`` beside its ``Config`` in ``variants/``."""

    variant: ClassVar[str]
    config_type: ClassVar[type[Config]]

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Logits of lesion.

        ``image``: (b, 3, s, s) float in 0–1, RGB. ``coarse``: (b, 1, s, s) float, 0 or 1. Returns (b, 1, s, s).
        ``s`` is a multiple of 32. Any coarse mask gives finite numbers: an empty one, and one that fills the patch.
        """

    def initialise(self) -> None:
        """Start from pretrained features; variants that have none raise `RefinerError`."""
        raise RefinerError(f"the variant {self.variant} has no pretrained features; train it without --pretrained")

    def refine(self, image: Image, annotation: Annotation, advance: Advance = ignore) -> dict[str, Mask]:
        return refine_photograph(self, image, annotation, advance)

    @torch.inference_mode()
    def probabilities(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Probabilities of lesion for a batch as in `forward`, in evaluation mode."""
        self.eval()
        return self(image, coarse).sigmoid()
