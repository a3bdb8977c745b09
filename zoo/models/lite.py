"""``lite``: EfficientNet-Lite0 features at half the patch's resolution, the fusion, and a 1×1 classifier.

Beyond the paper: pretrained features (Tan & Le, ICML 2019; Lite: no squeeze-excitation, ReLU6), twice its feature
resolution, and several windows over a large ellipse, all for lesions of a few pixels.
"""

from dataclasses import dataclass
from typing import final

from coarsekit.errors import ParameterError
from zoo.models.layers.backbones import BackboneConfig, BackboneNetwork
from zoo.models.layers.fold_batchnorm import folded, state

COARSEST = (4, 8, 16, 32)


@dataclass(frozen=True)
class Config(BackboneConfig):
    """``coarsest``: the last stage of the encoder that is kept, as 1/``coarsest`` of the resolution: 32 is all of it.

    16 leaves a quarter of the weights, at 1.5 MB in 16 bits.
    """

    size: int = 192
    most: int | None = 384
    width: int = 48
    coarsest: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.coarsest not in COARSEST:
            raise ParameterError(f"coarsest must be one of {', '.join(map(str, COARSEST))}, got {self.coarsest}")


@final
class Network(BackboneNetwork):
    variant = "lite"
    config_type = Config
    _lean: tuple[object, "Network"] | None = None

    def __init__(self, config: Config) -> None:
        super().__init__(config, "efficientnet_lite0", stride=2, coarsest=config.coarsest)

    def lean(self) -> "Network":
        now = state(self)
        if self._lean is None or self._lean[0] != now:
            self._lean = None  # or the copy would hold the one before it
            self._lean = (now, folded(self))
        return self._lean[1]
