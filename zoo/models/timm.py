"""``timm``: any timm backbone that has a feature map at 1/4 of the resolution, under any of the three heads.

Beyond the paper, whose backbones have variants of their own: ``backbone = "convnext_atto"``, ``head = "prototype"``.
"""

from dataclasses import dataclass
from typing import final

from zoo.models.layers.backbones import BackboneConfig, BackboneNetwork


@dataclass(frozen=True)
class Config(BackboneConfig):
    """``backbone``: a name as ``timm.list_models()`` has it; a tag after a dot chooses among its pretrained weights."""

    backbone: str = "resnet18"


@final
class Network(BackboneNetwork):
    variant = "timm"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, config.backbone)
