"""A refiner by its name: the bundled ones, the folder of a checkpoint, or a repository on the Hub."""

import os
from typing import TYPE_CHECKING, cast

from coarsekit.errors import ParameterError
from zoo.checkpoints.folder import DEFAULT
from zoo.refiner import Refiner
from zoo.variants import variant_named

if TYPE_CHECKING:
    import torch
    from torch import nn


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
    if variant_named(refiner.variant).is_network:
        cast("nn.Module", refiner).to(usable_device(device))
    return refiner


def from_pretrained(
    name: str | os.PathLike[str] = DEFAULT,
    *,
    device: str = "cpu",
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Refiner:
    """Load a refiner of any class onto a device; see `Refiner.from_pretrained`.

    Args:
        name: The name of a bundled refiner, the path of a checkpoint folder, or ``ORG/NAME`` on the Hub.
        device: Where a network computes: ``cpu``, ``cuda``, ``cuda:1``, ….
        revision: A branch, tag or commit of the repository; None for its main branch.
        token: The Hub's token; None or True for the stored one, False for none.
        cache_dir: The Hub's cache; None for the usual one.
        local_files_only: Whether to use the cache only.
        force_download: Whether to fetch again what the cache has.

    Returns:
        The refiner; a network is in evaluation mode.

    Raises:
        RefinerError: When there is none of that name, or its folder is damaged.
        HubError: When a repository cannot be fetched.
        ParameterError: When the device cannot be used here.
    """
    refiner = Refiner.from_pretrained(
        name,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
        force_download=force_download,
    )
    return on_device(refiner, device)
