"""``hrnet18``: the paper's baseline HRNet18: HRNet-W18, fusion, 1×1 classifier (Yu et al., section 3.1, Baselines).

Wang et al., TPAMI 2020: four branches at 1/4 to 1/32 of the resolution, kept side by side. The paper cites object
contextual representations (Yuan et al., 2020) and says no more than that features have 1/4 of the resolution: here the
branches are merged top down (`Pyramid`) and there is no such context module. ``head`` puts the paper's prototypes on
this backbone.
"""

from typing import final

from zoo.models.layers.backbones import BackboneConfig, BackboneNetwork

Config = BackboneConfig


@final
class Network(BackboneNetwork):
    variant = "hrnet18"
    config_type = Config

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__(config, "hrnet_w18")
