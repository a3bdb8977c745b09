"""``resnet18``: the paper's baseline Res18: ResNet-18, fusion, 1×1 classifier (Yu et al., section 3.1, Baselines).

He et al., CVPR 2016, with image and coarse mask as input. The paper wants features "identical to section 2.1 except for
the backbone", that is at 1/4 of the resolution, and leaves open how they get there from stages at 1/4 to 1/32: here
they are merged top down (`Pyramid`). ``head`` puts the paper's prototypes on this backbone.
"""

from typing import final

from zoo.models.layers.backbones import BackboneConfig, BackboneNetwork

Config = BackboneConfig


@final
class Network(BackboneNetwork):
    variant = "resnet18"
    config_type = Config

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__(config, "resnet18")
