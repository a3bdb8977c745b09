"""The trimmed U-Net of the paper: image and coarse mask in, features at a quarter of their resolution out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.models.config import FusedConfig
from zoo.models.layers import heads
from zoo.models.layers.fusion import FusedNetwork, conv_bn_relu


@dataclass(frozen=True)
class UNetConfig(FusedConfig):
    """``width``: channels of the U-Net's first level; the original has 64."""


class TrimmedUNet(nn.Module):
    """U-Net (Ronneberger et al., MICCAI 2015) without its last two upsampling blocks (Yu et al., section 2.1).

    Four halvings, two doublings: for (b, 3, s, s) and (b, planes, s, s) with ``s`` a multiple of 16 it returns
    (b, 4 · width, s/4, s/4). ``planes``: those beside RGB, the coarse mask first.
    """

    def __init__(self, width: int, planes: int = 1) -> None:
        super().__init__()
        channels = [width * factor for factor in (1, 2, 4, 8, 16)]
        self.down = nn.ModuleList(
            _double(c_in, c_out) for c_in, c_out in zip([3 + planes, *channels], channels, strict=False)
        )
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * c, c, kernel_size=2, stride=2) for c in channels[3:1:-1])
        self.merge = nn.ModuleList(_double(2 * c, c) for c in channels[3:1:-1])
        self.channels = channels[2]

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Features from an image in 0–1 and the planes beside it."""
        features = self.down[0](torch.cat([image, coarse], dim=1).contiguous(memory_format=torch.channels_last))
        skips = []
        for block in self.down[1:]:
            skips.append(features)
            features = block(functional.max_pool2d(features, 2))
        for up, merge in zip(self.up, self.merge, strict=True):
            features = merge(torch.cat([up(features), skips.pop()], dim=1))
        return features


class UNetNetwork(FusedNetwork):
    """What the paper's three variants share: the trimmed U-Net and the fusion; only their heads differ."""

    def __init__(self, config: UNetConfig, head: heads.Kind, superpixels: int = 0) -> None:
        features = TrimmedUNet(config.width, planes=config.planes)
        super().__init__(config, features, features.channels, heads.make_head(head, features.channels, superpixels))


def _double(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(*conv_bn_relu(c_in, c_out, 3), *conv_bn_relu(c_out, c_out, 3))
