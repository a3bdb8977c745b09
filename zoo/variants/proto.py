"""``proto``: one lesion and one background prototype per patch, pixels to the nearer (Yu et al., equations 1–3)."""

from typing import final

from torch import Tensor

from zoo.fusion import enlarge
from zoo.prototypes import masked_average, prototype_logits
from zoo.unet import UNetConfig, UNetNetwork

Config = UNetConfig


@final
class Network(UNetNetwork):
    variant = "proto"
    config_type = Config

    def forward(self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None) -> Tensor:
        fused, mask = self.fuse(image, coarse)
        logits = prototype_logits(fused, masked_average(fused, mask), masked_average(fused, 1 - mask))
        return enlarge(logits, image)
