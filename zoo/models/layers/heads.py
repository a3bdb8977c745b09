"""Heads: from fused features and the coarse mask at their resolution to logits of lesion.

The prototypes are equations 1–6 of Yu et al., batched. Vectors of zero length have cosine distance 1 to everything. An
empty set of pixels has a zero vector as its prototype, so an empty coarse mask answers "background" wherever features
resemble the background, a full one "lesion", and nothing is ever divided by zero.

A new head is a name in `Kind`, a case in `make_head`, and a class.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from coarsekit.errors import ParameterError
from zoo.models.layers.superpixels import mask_slic

Kind = Literal["linear", "prototype", "superpixel"]
"""Names of the heads, as configurations have them."""
ALPHA = 20.0
"""Scaling factor of equation 3."""
BETA = 10.0
"""Scaling factor of equation 5."""


def make_head(kind: Kind, channels: int, superpixels: int) -> nn.Module:
    """A head that maps fused features (b, channels, h, w) and M′ (b, 1, h, w) to logits (b, 1, h, w).

    ``superpixels``: N_sp, which only the superpixel head uses; `ParameterError` is raised for fewer than one.
    """
    match kind:
        case "linear":
            return Linear(channels)
        case "prototype":
            return Prototype()
        case "superpixel":
            return Superpixel(superpixels)


class Linear(nn.Module):
    """The paper's baselines: a 1×1 convolution (Yu et al., section 3.1, Baselines). It does not look at the mask."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        convolution = nn.Conv2d(channels, 1, kernel_size=1)
        self.weight, self.bias = convolution.weight, convolution.bias

    def forward(self, fused: Tensor, mask: Tensor) -> Tensor:
        """Logits at the features' resolution."""
        return functional.conv2d(fused, self.weight, self.bias)


class Prototype(nn.Module):
    """One lesion and one background prototype per patch, pixels to the nearer (equations 1–3). Without parameters."""

    def lesion_prototype(self, fused: Tensor, mask: Tensor) -> Tensor:
        """That of each patch (b, channels)."""
        return masked_average(fused, mask)

    def forward(self, fused: Tensor, mask: Tensor, prototype: Tensor | None = None) -> Tensor:
        """Logits at the features' resolution; ``prototype`` (b, channels): the lesion's, in place of each patch's."""
        if prototype is None:
            prototype = self.lesion_prototype(fused, mask)
        return prototype_logits(fused, prototype, masked_average(fused, 1 - mask))


class Superpixel(Prototype):
    """As `Prototype`, but the lesion's is weighted over ``count`` superpixels of the mask (equations 4–6)."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ParameterError(f"superpixels must be 1 or more, got {count}")
        super().__init__()
        self.count = count

    def lesion_prototype(self, fused: Tensor, mask: Tensor) -> Tensor:
        """That of each patch (b, channels); no gradient flows into the division, only through the averages."""
        labels = mask_slic(fused, mask, self.count)
        return weighted_prototype(fused, labels, self.count, masked_average(fused, 1 - mask))


def masked_average(features: Tensor, mask: Tensor) -> Tensor:
    """Equations 1 and 2: the mean feature (b, c) over the pixels of ``mask`` (b, 1, h, w) of features (b, c, h, w)."""
    total = torch.einsum("bchw,bhw->bc", features, mask[:, 0])
    return total / mask.sum(dim=(1, 2, 3)).clamp(min=1)[:, None]


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """1 − cosine similarity along the last axis (equation 4); 1 where either vector is zero."""
    return 1 - (functional.normalize(a, dim=-1) * functional.normalize(b, dim=-1)).sum(dim=-1)


def prototype_logits(features: Tensor, foreground: Tensor, background: Tensor, alpha: float = ALPHA) -> Tensor:
    """Equation 3 as logits (b, 1, h, w): their sigmoid is the softmax over the two negative scaled distances.

    ``features``: (b, c, h, w). ``foreground``, ``background``: prototypes (b, c).
    """
    difference = functional.normalize(foreground, dim=-1) - functional.normalize(background, dim=-1)
    # α·(d_bg − d_fg) = α·f̂·(p̂_fg − p̂_bg): one product of normalised vectors instead of two distances.
    return alpha * torch.einsum("bchw,bc->bhw", functional.normalize(features, dim=1), difference)[:, None]


def weighted_prototype(features: Tensor, labels: Tensor, count: int, background: Tensor, beta: float = BETA) -> Tensor:
    """Equations 1 and 4–6: sub-prototypes of superpixels, weighted by their distance to the background prototype.

    ``features``: (b, c, h, w). ``labels``: (b, h, w) long, the superpixel of each pixel in 0 … count − 1, and −1
    outside the coarse mask. ``background``: (b, c). A superpixel without pixels has weight 0; without any, the result
    is the zero vector. Returns (b, c).
    """
    flat = features.flatten(2)
    member = functional.one_hot(labels.flatten(1) + 1, count + 1)[..., 1:].to(features.dtype)
    sizes = member.sum(dim=1)
    prototypes = torch.einsum("bcp,bpn->bnc", flat, member) / sizes.clamp(min=1)[..., None]
    distances = beta * cosine_distance(prototypes, background[:, None])
    lowest = torch.finfo(distances.dtype).min
    weights = torch.softmax(distances.masked_fill(sizes == 0, lowest), dim=1) * (sizes > 0)
    return torch.einsum("bn,bnc->bc", weights, prototypes)
