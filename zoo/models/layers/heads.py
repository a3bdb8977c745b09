"""Heads: from fused features and the coarse mask at their resolution to logits of lesion."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from coarsekit.errors import ParameterError
from zoo.models.layers.prototypes import masked_average, prototype_logits, weighted_prototype
from zoo.models.layers.superpixels import mask_slic

Kind = Literal["linear", "prototype", "superpixel"]
"""Names of the heads, as configurations have them."""


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

    def forward(self, fused: Tensor, mask: Tensor) -> Tensor:
        """Logits at the features' resolution."""
        return prototype_logits(fused, masked_average(fused, mask), masked_average(fused, 1 - mask))


class Superpixel(nn.Module):
    """As `Prototype`, but the lesion's is weighted over ``count`` superpixels of the mask (equations 4–6)."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ParameterError(f"superpixels must be 1 or more, got {count}")
        super().__init__()
        self.count = count

    def forward(self, fused: Tensor, mask: Tensor) -> Tensor:
        """Logits at the features' resolution; no gradient flows into the division, only through the averages."""
        background = masked_average(fused, 1 - mask)
        labels = mask_slic(fused, mask, self.count)
        return prototype_logits(fused, weighted_prototype(fused, labels, self.count, background), background)
