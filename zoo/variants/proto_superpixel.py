"""``proto-superpixel``: the lesion prototype weighted by superpixels, for small lesions in large ellipses.

Yu et al., section 2.2, equations 4–6, with maskSLIC on the fused features inside the coarse mask.
"""

from dataclasses import dataclass
from typing import final

from torch import Tensor

from zoo.fusion import enlarge
from zoo.prototypes import masked_average, prototype_logits, weighted_prototype
from zoo.superpixels import mask_slic
from zoo.unet import UNetConfig, UNetNetwork


@dataclass(frozen=True)
class Config(UNetConfig):
    """``superpixels``: N_sp."""

    superpixels: int = 20


@final
class Network(UNetNetwork):
    variant = "proto-superpixel"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._count = config.superpixels

    def forward(self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None) -> Tensor:
        fused, mask = self.fuse(image, coarse)
        background = masked_average(fused, 1 - mask)
        labels = mask_slic(fused, mask, self._count)
        foreground = weighted_prototype(fused, labels, self._count, background)
        return enlarge(prototype_logits(fused, foreground, background), image)
