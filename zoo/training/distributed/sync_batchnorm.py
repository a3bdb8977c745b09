"""Batch norms over all processes: each normalises by the statistics of the global batch, not of its own share."""

from importlib import import_module
from typing import Any, final

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode


def synchronised(network: nn.Module) -> nn.Module:
    """The network with torch's synchronised batch norms, which need GPUs; parameters keep their names."""
    layers: Any = import_module("timm.layers")  # which also knows timm's norms with an activation inside
    converted: nn.Module = layers.convert_sync_batchnorm(network)
    return converted


@final
class SynchronisedNorms(TorchFunctionMode):
    """While entered, batch norms in training synchronise on any device: on processors, where torch has none that do.

    It steps in where the function is called, so that no module has to be replaced. Every process must have equally many
    samples.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if func is functional.batch_norm:
            return _batch_norm(*args, **given)
        return func(*args, **given)


class _Mean(torch.autograd.Function):
    """The mean of a tensor over all processes; its gradient is the mean of theirs."""

    @staticmethod
    def forward(_: Any, tensor: Tensor) -> Tensor:
        return _mean(tensor)

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return _mean(gradients[0])


def _mean(tensor: Tensor) -> Tensor:
    total = tensor.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def _batch_norm(
    features: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`functional.batch_norm` of (b, c, …) with the mean and variance over all processes (Ioffe & Szegedy, 2015)."""
    if not training:
        return functional.batch_norm(features, running_mean, running_var, weight, bias, False, momentum, eps)
    axes = [axis for axis in range(features.dim()) if axis != 1]
    shape = [-1 if axis == 1 else 1 for axis in range(features.dim())]
    mean: Tensor = _Mean.apply(features.mean(axes))
    centred = features - mean.view(shape)
    variance: Tensor = _Mean.apply((centred * centred).mean(axes))
    if running_mean is not None and running_var is not None:
        total = features.numel() // features.shape[1] * distributed.get_world_size()
        with torch.no_grad():
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            running_var.lerp_((variance * total / max(total - 1, 1)).to(running_var.dtype), momentum)
    normal = centred * (variance + eps).rsqrt().view(shape)
    if weight is not None:
        normal = normal * weight.view(shape)
    return normal if bias is None else normal + bias.view(shape)
