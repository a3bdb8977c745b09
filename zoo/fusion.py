"""The coarse mask at the features' resolution, and its fusion with them (Yu et al., section 2.1)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.config import Config
from zoo.network import Network


def downsample_mask(coarse: Tensor, like: Tensor) -> Tensor:
    """M′: the coarse mask (b, 1, h, w) at the height and width of the features ``like``.

    A cell is 1 when any of its pixels is, so that no ellipse, however small, vanishes.
    """
    return functional.adaptive_max_pool2d(coarse, like.shape[-2:])


def class_planes(coarse: Tensor, lesion: Tensor | None, classes: int) -> Tensor:
    """The coarse mask (b, 1, s, s) followed by a plane for each class, which repeats it for patches of that class.

    ``lesion``: (b,) long, −1 for none of them; None when all are. Returns (b, 1 + classes, s, s).
    """
    if not classes:
        return coarse
    if lesion is None:
        lesion = coarse.new_full((len(coarse),), -1, dtype=torch.long)
    chosen = functional.one_hot(lesion + 1, classes + 1)[:, 1:, None, None].to(coarse.dtype)
    return torch.cat([coarse, coarse * chosen], dim=1)


class Fusion(nn.Module):
    """Features and the downsampled coarse mask, concatenated and mixed: 1×1 convolution, batch norm, ReLU."""

    def __init__(self, channels: int, fused: int) -> None:
        super().__init__()
        self.channels = fused
        self.mix = nn.Sequential(
            nn.Conv2d(channels + 1, fused, kernel_size=1, bias=False), nn.BatchNorm2d(fused), nn.ReLU(inplace=True)
        )

    def forward(self, features: Tensor, coarse: Tensor) -> Tensor:
        """F′ (b, fused, h′, w′) from features (b, channels, h′, w′) and M′ (b, 1, h′, w′)."""
        return self.mix(torch.cat([features, coarse], dim=1))


class FusedNetwork(Network):
    """A network on a backbone whose features are fused with the coarse mask: the paper's frame, for any backbone.

    ``features``: a module that maps an image (b, 3, s, s) and planes of its coarse mask (b, p, s, s), the first being
    the mask itself, to (b, channels, h′, w′).
    """

    def __init__(self, config: Config, features: nn.Module, channels: int) -> None:
        super().__init__(config)
        self.features = features
        self.fusion = Fusion(channels, channels)

    def fuse(self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """F′ (b, channels, h′, w′) and M′ (b, 1, h′, w′)."""
        features = self.features(image, class_planes(coarse, lesion, len(self.lesions)))
        mask = downsample_mask(coarse, features)
        return self.fusion(features, mask), mask


def enlarge(logits: Tensor, like: Tensor) -> Tensor:
    """Logits at the height and width of ``like``, interpolated bilinearly."""
    return functional.interpolate(logits, size=like.shape[-2:], mode="bilinear", align_corners=False)
