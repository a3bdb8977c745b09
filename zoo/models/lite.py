"""``lite``: EfficientNet-Lite features at half the patch's resolution, the fusion, and a 1×1 classifier.

Beyond the paper: pretrained features (Tan & Le, ICML 2019; Lite: no squeeze-excitation, ReLU6), twice its feature
resolution, and several windows over a large ellipse, all for lesions of a few pixels.
"""

from dataclasses import dataclass
from typing import final

from coarsekit.errors import ParameterError
from zoo.models.layers.backbones import BackboneConfig, BackboneNetwork
from zoo.models.layers.fold_batchnorm import fold_batchnorm, weights_version

LAST_STAGE_STRIDES = (4, 8, 16, 32)
ENCODERS = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
"""Those whose ImageNet weights come in a package; timm's names."""


@dataclass(frozen=True)
class Config(BackboneConfig):
    """``encoder``: a larger one of `ENCODERS` has more weights and takes longer.

    ``last_stage_stride``: stride of the last stage of the encoder that is kept: 32 is all of it. 16 leaves a quarter of
    the weights of EfficientNet-Lite0, at 1.5 MB in 16 bits.
    """

    size: int = 192
    max_window: int | None = 384
    width: int = 48
    encoder: str = "efficientnet_lite0"
    last_stage_stride: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder not in ENCODERS:
            raise ParameterError(f"encoder must be one of {', '.join(ENCODERS)}, got {self.encoder!r}")
        if self.last_stage_stride not in LAST_STAGE_STRIDES:
            raise ParameterError(
                f"last_stage_stride must be one of {', '.join(map(str, LAST_STAGE_STRIDES))}, "
                f"got {self.last_stage_stride}"
            )


@final
class Network(BackboneNetwork):
    variant = "lite"
    config_type = Config
    _for_inference: tuple[object, "Network"] | None = None

    def __init__(self, config: Config) -> None:
        super().__init__(config, config.encoder, stride=2, last_stage_stride=config.last_stage_stride)

    def for_inference(self) -> "Network":
        version = weights_version(self)
        if self._for_inference is None or self._for_inference[0] != version:
            self._for_inference = None  # or the copy would contain the one before it
            self._for_inference = (version, fold_batchnorm(self))
        return self._for_inference[1]
