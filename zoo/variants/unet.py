"""``unet``: the paper's baseline: trimmed U-Net, fusion, 1×1 classifier (Yu et al., section 3.1, Baselines)."""

from typing import final

from torch import Tensor, nn

from zoo.fusion import enlarge
from zoo.unet import UNetConfig, UNetNetwork

Config = UNetConfig


@final
class Network(UNetNetwork):
    variant = "unet"
    config_type = Config

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        self.classify = nn.Conv2d(self.fusion.channels, 1, kernel_size=1)

    def forward(self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None) -> Tensor:
        fused, _ = self.fuse(image, coarse)
        return enlarge(self.classify(fused), image)
