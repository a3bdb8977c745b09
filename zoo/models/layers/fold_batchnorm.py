"""Batch normalisation folded into the convolutions before it: a trained network that gives the same answers sooner."""

import copy
from collections.abc import Hashable
from itertools import chain, pairwise
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def fold_batchnorm(network: AnyModule) -> AnyModule:
    """A copy in evaluation mode without those normalisations; its answers differ by rounding only.

    Folds each batch normalisation that its parent registers right after a convolution. In `nn.Sequential` and in timm's
    EfficientNets such neighbours also follow each other in the forward pass; use it for nothing else. The activation
    that timm fuses into its normalisations stays in their place.
    """
    result = copy.deepcopy(network).eval()
    with torch.no_grad():
        for parent in list(result.modules()):
            for (name, convolution), (after, norm) in pairwise(list(parent.named_children())):
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    setattr(parent, name, fuse_conv_bn_eval(convolution, norm))
                    setattr(parent, after, getattr(norm, "act", nn.Identity()))
    # The order in which convolutions on a processor read their weights; without it each batch would convert them again.
    return result.to(memory_format=torch.channels_last)


def weights_version(network: nn.Module) -> tuple[Hashable, ...]:
    """A value that changes whenever a weight changes: where each tensor lies, and how often it was written to.

    Torch does not count writes to tensors made in inference mode; with such a tensor the value changes at every call.
    """
    tensors = chain(network.parameters(), network.buffers())
    return tuple((tensor.data_ptr(), object() if tensor.is_inference() else tensor._version) for tensor in tensors)
