"""``proto``: one lesion and one background prototype per patch, pixels to the nearer (Yu et al., equations 1–3)."""

from typing import final

from zoo.models.layers.trimmed_unet import UNetConfig, UNetNetwork

Config = UNetConfig


@final
class Network(UNetNetwork):
    variant = "proto"
    config_type = Config

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, "prototype")
