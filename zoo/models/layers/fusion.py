"""The coarse mask at the features' resolution, and its fusion with them (Yu et al., section 2.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from coarsekit.annotations.given import AnnotationLike
from coarsekit.errors import ParameterError
from coarsekit.images.given import ImageLike
from coarsekit.scale import scale_of
from coarsekit.storage.digests import drawing_sha256, photograph_sha256
from zoo.models.appearance import Appearance
from zoo.models.base import Network
from zoo.models.config import Config
from zoo.models.layers import matched_filter
from zoo.models.recognition import recognise
from zoo.refiner import Group, as_given

_MIDDLE, _SPREAD = [[[0.485]], [[0.456]], [[0.406]]], [[[0.229]], [[0.224]], [[0.225]]]
"""Mean and standard deviation of RGB in ImageNet, by which pretrained features are normalised."""


@dataclass(frozen=True)
class FusedConfig(Config):
    """``width``: channels that set the network's capacity, as each backbone says.

    ``lesions``: classes that the network is conditioned on; a patch of another class is refined without one. Empty, as
    in the paper: all classes are treated alike. ``mask_dilation``: how far around the coarse mask the network may
    find lesion, as a share of the patch's side: people draw ellipses too small, and a network that sees where one ends
    never finds lesion beyond it; see `widen`. 0, as in the paper: the mask as it was drawn. ``matched_filter``: whether
    the network sees how far each pixel deviates from its surroundings in the direction of the marks' signature, see
    `zoo.models.layers.matched_filter`: beside the colours for a class that it is conditioned on, and instead of them
    for any other, so that it can refine what it never saw. ``appearance``: whether the network keeps what the marks of
    its ``lesions`` look like, measured when it is trained on photographs: a label that it does not know is then refined
    as the class that its marks look like, see `zoo.models.recognition`.
    """

    width: int = 64
    lesions: tuple[str, ...] = ()
    mask_dilation: float = 0.0
    matched_filter: bool = False
    appearance: bool = False

    @property
    def planes(self) -> int:
        """How many planes enter the network beside RGB: the coarse mask, its classes, and those of the filter."""
        return 1 + len(self.lesions) + (matched_filter.PLANES if self.matched_filter else 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1:
            raise ParameterError(f"width must be 1 or more channels, got {self.width}")
        if self.appearance and not self.lesions:
            raise ParameterError("appearance needs the classes whose marks are looked at; give lesions, too")
        if not 0 <= self.mask_dilation <= 0.5:
            raise ParameterError(
                f"mask_dilation is a share of the patch's side from 0 to 0.5, got {self.mask_dilation}"
            )


def downsample_mask(coarse: Tensor, like: Tensor) -> Tensor:
    """M′: the coarse mask (b, 1, h, w) at the height and width of the features ``like``.

    A cell is 1 when any of its pixels is, so that no ellipse, however small, vanishes.
    """
    return functional.adaptive_max_pool2d(coarse, like.shape[-2:])


def widen(coarse: Tensor, mask_dilation: float) -> Tensor:
    """The coarse mask (b, 1, s, s) dilated by a disk of ``mask_dilation`` · s px; an empty one stays empty.

    Row by row: a disk is a stack of lines, and running sums tell which lines meet the mask.
    """
    radius, side = round(mask_dilation * coarse.shape[-1]), coarse.shape[-1]
    if not radius:
        return coarse
    sums = functional.pad(coarse, (radius + 1, radius)).cumsum(dim=-1)
    wide = torch.zeros_like(coarse, dtype=torch.bool)
    for row in range(radius + 1):
        half = isqrt(radius**2 - row**2)
        ends = sums[..., radius + 1 + half :][..., :side], sums[..., radius - half :][..., :side]
        met = ends[0] > ends[1]
        wide[..., row:, :] |= met[..., : side - row, :]
        wide[..., : side - row, :] |= met[..., row:, :]
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
        self.appearance = Appearance(len(config.lesions)) if config.appearance else None
        self._recognised: tuple[tuple[str, str, str, float], list[Group]] | None = None

    @property
    def lesions(self) -> tuple[str, ...]:
        return self.config.lesions

    @property
    def uses_signature(self) -> bool:
        return self.config.matched_filter

    @property
    def recognises(self) -> bool:
        return self.appearance is not None and self.appearance.fitted

    def groups(self, image: ImageLike, annotation: AnnotationLike, scale: float | None = None) -> list[Group]:
        if self.appearance is None or not self.recognises:
            return super().groups(image, annotation, scale)
        image, annotation = as_given(image, annotation)
        if scale is None:
            scale = scale_of(image, annotation).value
        # The marks of a drawing are looked at once, whoever asks what they are and then refines them.
        known = str([buffer.tolist() for buffer in self.appearance.buffers()])
        asked = (photograph_sha256(image), drawing_sha256(annotation), known, scale)
        if self._recognised is None or self._recognised[0] != asked:
            self._recognised = asked, recognise(self.appearance, self.lesions, image, annotation, scale)
        return list(self._recognised[1])

    def forward(
        self, image: Tensor, coarse: Tensor, lesion: Tensor | None = None, signature: Tensor | None = None
    ) -> Tensor:
        if lesion is None:
            lesion = coarse.new_full((len(coarse),), -1, dtype=torch.long)
        return self._answer(*self._look(image, coarse, lesion, signature))

    def views(
        self, image: Tensor, coarse: Tensor, lesion: Tensor, signature: Tensor | None
    ) -> Callable[[list[int]], Tensor]:
        seen = self._look(image, coarse, lesion, signature)  # once, since all of it is mirrored with the patch
        return lambda axes: self._answer(*(part.flip(axes) for part in seen))

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

    def _answer(self, image: Tensor, planes: Tensor, wide: Tensor) -> Tensor:
        features = self.features(image, planes)
        mask = downsample_mask(wide, features)
        logits = self.classify(self.fusion(features, mask), mask)
        return functional.interpolate(logits, size=image.shape[-2:], mode="bilinear", align_corners=False)
