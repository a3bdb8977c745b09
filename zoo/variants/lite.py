"""``lite``: EfficientNet-Lite0 features at half the patch's resolution, the fusion, and a 1×1 classifier.

Beyond the paper: pretrained features (Tan & Le, ICML 2019; Lite: no squeeze-excitation, ReLU6), twice its feature
resolution, and several windows over a large ellipse, all for lesions of a few pixels.
"""

from dataclasses import dataclass
from typing import final

from zoo.parts.backbones import BackboneConfig, BackboneNetwork


@dataclass(frozen=True)
class Config(BackboneConfig):
    size: int = 192
    most: int | None = 384
    width: int = 48


@final
class Network(BackboneNetwork):
    variant = "lite"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, "efficientnet_lite0", stride=2)
