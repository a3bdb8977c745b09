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
    """``width``: channels of the decoder and of the fused features.

    ``lesions``: classes that it is told beside the coarse mask; patches of any other are refined without being told.
    """

    size: int = 192
    most: int | None = 384
    width: int = 48
    lesions: tuple[str, ...] = ()


@final
class Network(FusedNetwork):
    variant = "lite"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, Pyramid(config.width, planes=1 + len(config.lesions)), config.width)
        self.classify = nn.Conv2d(config.width, 1, kernel_size=1)

    @property
    def lesions(self) -> tuple[str, ...]:
        return cast("Config", self.config).lesions

    def forward(self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None) -> Tensor:
        fused, _ = self.fuse(image, coarse, lesion)
        return enlarge(self.classify(fused), image)

    def initialise(self) -> None:
        """Start from ImageNet features."""
        cast("Pyramid", self.features).load_imagenet()
