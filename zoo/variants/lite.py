"""``lite``: EfficientNet-Lite0 features at half the patch's resolution, the fusion, and a 1×1 classifier.

Beyond the paper: pretrained features, twice its feature resolution, and several windows over a large ellipse, all for
lesions of a few pixels.
"""

from dataclasses import dataclass
from typing import cast, final

from torch import Tensor, nn

from zoo import config
from zoo.backbones import Pyramid
from zoo.fusion import FusedNetwork, enlarge


@dataclass(frozen=True)
class Config(config.Config):
    """``width``: channels of the decoder and of the fused features."""

    size: int = 192
    most: int | None = 384
    width: int = 48


@final
class Network(FusedNetwork):
    variant = "lite"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, Pyramid(config.width), config.width)
        self.classify = nn.Conv2d(config.width, 1, kernel_size=1)

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        fused, _ = self.fuse(image, coarse)
        return enlarge(self.classify(fused), image)

    def initialise(self) -> None:
        """Start from ImageNet features."""
        cast("Pyramid", self.features).load_imagenet()
