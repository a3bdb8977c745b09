"""A refiner by its name: the bundled ones, the folder of a checkpoint, or a repository on the Hub."""

import os

from coarsekit.errors import ParameterError
from zoo.bundled import DEFAULT, locate, read_config
from zoo.refiner import Refiner
from zoo.remote import Access


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
    return load(name, Access(revision, token, cache_dir, local_files_only, force_download))


def load(name: str | os.PathLike[str], access: Access) -> Refiner:
    """`from_pretrained`, with all its options in one."""
    folder = locate(name, access)
    called = os.fspath(name) + (f"@{access.revision}" if access.revision else "")
    variant = read_config(folder)["variant"]
    if variant == "shrink":
        from zoo.classical import load_shrink

        return load_shrink(folder, called)
    from zoo.peers import peer

    if rule := peer(variant, called):
        return rule
    from zoo import checkpoint

    return checkpoint.load(folder, called)


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
