"""``unet``: the paper's baseline: trimmed U-Net, fusion, 1×1 classifier (Yu et al., section 3.1, Baselines)."""

from typing import final

from zoo.models.layers.trimmed_unet import UNetConfig, UNetNetwork

Config = UNetConfig


@final
class Network(UNetNetwork):
    variant = "unet"
    config_type = Config

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, "linear")
