"""A running average of the weights, and the batch norms' statistics that fit it."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from zoo.models.base import Network

STATISTICS = 24
"""Batches by which the batch norms of averaged weights are measured."""


def averaged(network: Network, decay: float) -> AveragedModel:
    """A copy of the network whose weights will be the exponential running average of its own."""
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return AveragedModel(network, multi_avg_fn=average)


@torch.no_grad()
def measure_statistics(
    network: Network, batches: Iterable[list[Tensor]], device: torch.device, autocast: AbstractContextManager[object]
) -> None:
    """Measure the batch norms' statistics again: those of the training do not fit an average of weights.

    ``autocast`` is entered for the passes, as it is in training.
    """
    norms = [module for module in network.modules() if isinstance(module, (nn.BatchNorm2d, nn.SyncBatchNorm))]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    network.train()
    with autocast:
        for image, coarse, _, *about in batches:
            network(image.to(device), coarse.to(device), *(part.to(device) for part in about))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
