"""A refiner by its name: the bundled ones, or the folder of a checkpoint."""

import os

from coarsekit.errors import ParameterError
from zoo.bundled import DEFAULT, locate, read_config
from zoo.refiner import Refiner


def from_pretrained(name: str | os.PathLike[str] = DEFAULT) -> Refiner:
    """Load a refiner: the name of a bundled one, or the path of a checkpoint folder. Never touches the network.

    Raises `RefinerError` when there is none of that name (the nearest is offered), or its folder is damaged.
    """
    folder = locate(os.fspath(name))
    variant = read_config(folder)["variant"]
    if variant == "shrink":
        from zoo.classical import load_shrink

        return load_shrink(folder, os.fspath(name))
    from zoo.peers import peer

    if rule := peer(variant, os.fspath(name)):
        return rule
    from zoo.checkpoint import load

    return load(folder, os.fspath(name))


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
