"""A refiner by its name: the bundled ones, the folder of a checkpoint, or a repository on the Hub."""

from typing import TYPE_CHECKING

from coarsekit.errors import ParameterError
from zoo.refiner import Refiner

if TYPE_CHECKING:
    import torch


from_pretrained = Refiner.from_pretrained
"""Loads a refiner of any class."""


def usable_device(device: str) -> "torch.device":
    """The torch device of that name, such as ``cpu``, ``cuda`` or ``cuda:1``.

    Raises `ParameterError` when it cannot be used here.
    """
    import torch

    try:
        torch.zeros((), device=device)
        return torch.device(device)
    except (RuntimeError, AssertionError) as cause:
        reason = str(cause).splitlines()[0]
        raise ParameterError(f"the device {device} cannot be used here ({reason}); choose cpu or another") from None


def on_device(refiner: Refiner, device: str) -> Refiner:
    """The refiner with its network moved to a device such as ``cpu`` or ``cuda``; baselines stay as they are.

    Raises `ParameterError` when the device cannot be used here.
    """
    from torch import nn

    if isinstance(refiner, nn.Module):
        refiner.to(usable_device(device))
    return refiner
