"""A refiner by its name: the bundled ones, the folder of a checkpoint, or a repository on the Hub."""

import os

from coarsekit.errors import ParameterError
from zoo.checkpoints.folder import DEFAULT
from zoo.refiner import Refiner


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

    A bundled name comes before a folder and a folder before a repository; a path that is there never touches the
    network. ``revision``: a branch, tag or commit of the repository, also written ``ORG/NAME@REVISION``. The other
    options are those of `huggingface_hub`: what was fetched lies in its cache, which serves without a network.

    Raises `RefinerError` when there is none of that name (the nearest is offered), or its folder is damaged; `HubError`
    when a repository cannot be fetched.
    """
    return Refiner.from_pretrained(
        name,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
        force_download=force_download,
    )


def on_device(refiner: Refiner, device: str) -> Refiner:
    """The refiner with its network moved to a device such as ``cpu`` or ``cuda``; rules without one stay as they are.

    Raises `ParameterError` when there is no such device here.
    """
    from torch import nn

    if isinstance(refiner, nn.Module):
        try:
            refiner.to(device)
        except (RuntimeError, AssertionError) as cause:
            reason = str(cause).splitlines()[0]
            raise ParameterError(f"--device {device} cannot be used here ({reason}); choose cpu or another") from None
    return refiner
