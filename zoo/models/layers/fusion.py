"""The coarse mask at the features' resolution, and its fusion with them (Yu et al., section 2.1)."""

from collections.abc import Callable
from math import isqrt
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from coarsekit.errors import ParameterError
from zoo.models.appearance import Appearance
from zoo.models.base import Network
from zoo.models.config import FusedConfig
from zoo.models.layers import matched_filter
from zoo.models.layers.appearance_buffers import AppearanceBuffers
from zoo.models.layers.heads import Prototype

_MIDDLE, _SPREAD = [[[0.485]], [[0.456]], [[0.406]]], [[[0.229]], [[0.224]], [[0.225]]]
"""Mean and standard deviation of RGB in ImageNet, by which pretrained features are normalised."""


def downsample_mask(coarse: Tensor, like: Tensor) -> Tensor:
    """M′: the coarse mask (b, 1, h, w) at the height and width of the features ``like``.

    A cell is 1 when any of its pixels is, so that no ellipse, however small, vanishes.
    """
    height, width = coarse.shape[-2] / like.shape[-2], coarse.shape[-1] / like.shape[-1]
    if height.is_integer() and width.is_integer():  # the same, which can be exported
        return functional.max_pool2d(coarse, (int(height), int(width)))
    return functional.adaptive_max_pool2d(coarse, like.shape[-2:])


def widen(coarse: Tensor, mask_dilation: float) -> Tensor:
    """The coarse mask (b, 1, s, s) dilated by a disk of ``mask_dilation`` · s px; an empty one stays empty.

    Row by row: a disk is a stack of lines, and running sums tell which lines meet the mask.
    """
    radius, side = round(mask_dilation * coarse.shape[-1]), coarse.shape[-1]
    if not radius:
        return coarse
    # Nothing is written in place, since exported graphs would have many steps for that.
    sums = functional.pad(coarse, (radius + 1, radius, radius, radius)).cumsum(dim=-1)
    wide = torch.zeros_like(coarse, dtype=torch.bool)
    for row in range(radius + 1):
        half = isqrt(radius**2 - row**2)
        met = sums[..., radius + 1 + half :][..., :side] > sums[..., radius - half :][..., :side]
        wide = wide | met[..., radius - row :, :][..., :side, :] | met[..., radius + row :, :][..., :side, :]
    return wide.to(coarse.dtype)


def class_planes(coarse: Tensor, lesion: Tensor, classes: int) -> Tensor:
    """The coarse mask (b, 1, s, s) followed by a plane for each class, which repeats it for patches of that class.

    ``lesion``: (b,) long, −1 for none of them. Returns (b, 1 + classes, s, s).
    """
    if not classes:
        return coarse
    chosen = functional.one_hot(lesion + 1, classes + 1)[:, 1:, None, None].to(coarse.dtype)
    return torch.cat([coarse, coarse * chosen], dim=1)


def _filtered(image: Tensor, coarse: Tensor, lesion: Tensor, signature: Tensor) -> tuple[Tensor, Tensor]:
    """The three channels where pretrained features expect RGB, and three planes beside them, both (b, 3, s, s).

    They are RGB and the planes of the matched filter for a class that is known; for any other the planes take the place
    of RGB, at RGB's mean and spread, and nothing is beside them: what colour a lesion has is what is not known there.
    """
    with torch.autocast(image.device.type, enabled=False):
        planes = matched_filter.planes(image, coarse, signature).to(image.dtype)
    known = (lesion >= 0)[:, None, None, None]
    as_colours = planes * planes.new_tensor(_SPREAD) + planes.new_tensor(_MIDDLE)
    return torch.where(known, image, as_colours), torch.where(known, planes, torch.zeros_like(planes))


def conv_bn_relu(c_in: int, c_out: int, kernel: int, groups: int = 1) -> list[nn.Module]:
    """A convolution that keeps height and width, batch norm and ReLU; ``kernel``: its side, odd."""
    convolution = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)]


class Fusion(nn.Module):
    """Features and the downsampled coarse mask, concatenated and mixed: 1×1 convolution, batch norm, ReLU."""

    def __init__(self, channels: int, fused: int) -> None:
        super().__init__()
        self.channels = fused
        self.mix = nn.Sequential(*conv_bn_relu(channels + 1, fused, 1))

    def forward(self, features: Tensor, coarse: Tensor) -> Tensor:
        """F′ (b, fused, h′, w′) from features (b, channels, h′, w′) and M′ (b, 1, h′, w′)."""
        return self.mix(torch.cat([features, coarse], dim=1))


class FusedNetwork(Network):
    """The paper's frame for any backbone and head: features, fusion with the coarse mask, head, logits enlarged.

    ``features``: a module that maps an image (b, 3, s, s) and planes of its coarse mask (b, p, s, s), the first being
    the mask itself, to F (b, channels, h′, w′). ``classify``: a head, as in `heads`, that maps F′ and M′ to logits
    (b, 1, h′, w′). The paper leaves open how probabilities get back to the patch's resolution: here the logits are
    interpolated, so that the loss is taken against the fine mask itself.
    """

    config: FusedConfig

    def __init__(self, config: FusedConfig, features: nn.Module, channels: int, head: nn.Module) -> None:
        super().__init__(config)
        self.features = features
        self.fusion = Fusion(channels, channels)
        self.classify = head
        self.appearance = AppearanceBuffers(len(config.lesions)) if config.appearance else None
        if config.photograph_prototypes and not isinstance(head, Prototype):
            raise ParameterError("photograph_prototypes needs a head of prototypes: prototype, or superpixel")

    @property
    def lesions(self) -> tuple[str, ...]:
        return self.config.lesions

    @property
    def uses_signature(self) -> bool:
        return self.config.matched_filter

    @property
    def uses_prototypes(self) -> bool:
        return self.config.photograph_prototypes

    @property
    def class_appearance(self) -> Appearance | None:
        return None if self.appearance is None else self.appearance.get()

    def forward(
        self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None, signature: Tensor | None = None
    ) -> Tensor:
        if lesion is None:
            lesion = coarse.new_full((len(coarse),), -1, dtype=torch.long)
        return self._answer(*self._look(image, coarse, lesion, signature))

    def views(
        self,
        image: Tensor,
        coarse: Tensor,
        lesion: Tensor,
        signature: Tensor | None,
        prototype: Tensor | None = None,
    ) -> Callable[[list[int]], Tensor]:
        seen, planes, wide = self._look(image, coarse, lesion, signature)  # once, since it is mirrored with the patch
        return lambda axes: self._answer(seen.flip(axes), planes.flip(axes), wide.flip(axes), prototype)

    @torch.inference_mode()
    def lesion_prototypes(
        self,
        image: NDArray[np.float32],
        coarse: NDArray[np.float32],
        lesion: str = "",
        signature: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        if not self.uses_prototypes:
            return super().lesion_prototypes(image, coarse, lesion, signature)
        fused, mask = self._fuse(*self._look(*self._tensors(image, coarse, lesion, signature)))
        found = cast("Prototype", self.classify).lesion_prototype(fused, mask)
        return functional.normalize(found, dim=-1).float().cpu().numpy()

    def _look(
        self, image: Tensor, coarse: Tensor, lesion: Tensor, signature: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the features are taken of: the image, its planes, and the mask as the network sees it."""
        wide = widen(coarse, self.config.mask_dilation)
        planes = class_planes(wide, lesion, len(self.lesions))
        if self.config.matched_filter:
            if signature is None:
                signature = matched_filter.deviations(image, coarse)
            image, filtered = _filtered(image, coarse, lesion, signature)
            planes = torch.cat([planes, filtered], dim=1)
        return image, planes, wide

    def _fuse(self, image: Tensor, planes: Tensor, wide: Tensor) -> tuple[Tensor, Tensor]:
        """F′ and M′."""
        features = self.features(image, planes)
        mask = downsample_mask(wide, features)
        return self.fusion(features, mask), mask

    def _answer(self, image: Tensor, planes: Tensor, wide: Tensor, prototype: Tensor | None = None) -> Tensor:
        fused, mask = self._fuse(image, planes, wide)
        logits = self.classify(fused, mask) if prototype is None else self.classify(fused, mask, prototype)
        return functional.interpolate(logits, size=image.shape[-2:], mode="bilinear", align_corners=False)
