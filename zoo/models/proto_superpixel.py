"""``proto-superpixel``: the lesion prototype weighted by superpixels, for small lesions in large ellipses.

Yu et al., section 2.2, equations 4–6, with maskSLIC on the fused features inside the coarse mask.
"""

from dataclasses import dataclass
from typing import final

from zoo.models.layers.trimmed_unet import UNetConfig, UNetNetwork


@dataclass(frozen=True)
class Config(UNetConfig):
    """``superpixels``: N_sp."""

    superpixels: int = 20


@final
class Network(UNetNetwork):
    variant = "proto-superpixel"
    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, "superpixel", config.superpixels)
