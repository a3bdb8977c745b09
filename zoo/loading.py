"""A refiner by its name: the bundled ones, the folder of a checkpoint, or a repository on the Hub."""

import os
from typing import TYPE_CHECKING

from coarsekit.errors import ParameterError
from zoo.checkpoints.folder import DEFAULT
from zoo.refiner import Refiner

if TYPE_CHECKING:
    import torch


def from_pretrained(
    name: str | os.PathLike[str] = DEFAULT,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Refiner:
    """Load a refiner: the name of a bundled one, the path of a checkpoint folder, or ``ORG/NAME`` on the Hub.

    A bundled name comes before a folder and a folder before a repository; a path that exists never touches the
    internet. What was fetched from the Hub stays in its cache, and is read from there without a connection.

    Args:
        name: The name of a bundled refiner, the path of a checkpoint folder, ``ORG/NAME`` or ``ORG/NAME@REVISION``.
        revision: A branch, tag or commit of the repository; None for its main branch.
        token: The Hub's token; None or True for the stored one, False for none.
        cache_dir: The Hub's cache; None for the usual one.
        local_files_only: Whether to use the cache only.
        force_download: Whether to fetch again what the cache has.

    Returns:
        The refiner, on the CPU; a network is in evaluation mode.

    Raises:
        RefinerError: When there is none of that name (the nearest is offered), or its folder is damaged.
        HubError: When a repository cannot be fetched.
    """
    return Refiner.from_pretrained(
        name,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
        force_download=force_download,
    )


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
