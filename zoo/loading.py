"""A refiner by its name, for an engine: the bundled ones, a checkpoint folder or ONNX file, a repository on the Hub."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from coarsekit.errors import ParameterError, RefinerError
from coarsekit.hub.download import Access
from zoo.checkpoints.folder import DEFAULT, locate, read_config, refiner_text
from zoo.refiner import Refiner
from zoo.variants import ENGINES, ONNX, TORCH, variant_named

if TYPE_CHECKING:
    import torch
    from torch import nn


def engine_for(name: str | os.PathLike[str], engine: str | None = None) -> str:
    """The engine that a refiner is loaded for.

    Args:
        name: The refiner, as `from_pretrained` takes it.
        engine: The engine that is wanted; None for the one that is there.

    Returns:
        One of `ENGINES`: ``onnx`` for an ONNX file, and where there is ONNX Runtime and no torch.

    Raises:
        ParameterError: For an engine that there is not, and for torch with an ONNX file.
    """
    if engine not in (None, *ENGINES):
        raise ParameterError(f"the parameter engine must be {' or '.join(ENGINES)}, got {engine!r}")
    if is_onnx_file(name):
        if engine == TORCH:
            raise ParameterError(f"{os.fspath(name)} is an ONNX file, which torch does not compute; leave engine=… out")
        return ONNX
    return engine or (ONNX if find_spec("torch") is None and find_spec("onnxruntime") is not None else TORCH)


def is_onnx_file(name: str | os.PathLike[str]) -> bool:
    """Whether a refiner is named that is an ONNX file."""
    return refiner_text(name).endswith(".onnx") and not Path(name).is_dir()


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

    Raises `ParameterError` when the device cannot be used here, and for any but the processor with ONNX Runtime.
    """
    if refiner.engine == ONNX:
        if device != "cpu":
            raise ParameterError(f"ONNX Runtime refines on the processor here, not on {device}; leave device=… out")
    elif variant_named(refiner.variant).is_network:
        cast("nn.Module", refiner).to(usable_device(device))
    return refiner


def from_pretrained(
    name: str | os.PathLike[str] = DEFAULT,
    *,
    device: str = "cpu",
    engine: str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Refiner:
    """Load a refiner of any class onto a device; see `Refiner.from_pretrained`.

    Args:
        name: The name of a bundled refiner, the path of a checkpoint folder or of an ONNX file, or ``ORG/NAME`` on the
            Hub.
        device: Where a network computes: ``cpu``, ``cuda``, ``cuda:1``, ….
        engine: What computes a network: ``torch`` or ``onnx``; None for torch where it is installed. Baselines need
            neither.
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
        ParameterError: When the device cannot be used here, or the engine is none.

    Examples:
        >>> zoo.from_pretrained("tiny").lesions
        ('MA', 'HE', 'EX', 'SE')
    """
    if engine_for(name, engine) == ONNX:
        access = Access(revision, token, cache_dir, local_files_only, force_download)
        return on_device(_with_onnx(name, access), device)
    refiner = Refiner.from_pretrained(
        name,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
        force_download=force_download,
    )
    return on_device(refiner, device)


def _with_onnx(name: str | os.PathLike[str], access: Access) -> Refiner:
    """The refiner for ONNX Runtime; a baseline as it is."""
    from zoo.onnx.network import OnnxNetwork

    if is_onnx_file(name):
        if access.revision is not None:
            raise RefinerError(f"{os.fspath(name)} is a file and has no revision; leave the revision out")
        return OnnxNetwork.load_file(Path(name))
    folder, revision = locate(name, access), access.revision
    kind = variant_named(read_config(folder)["variant"])
    loaded: type[Refiner] = OnnxNetwork if kind.is_network else kind.load_class()
    return loaded.loaded(folder, os.fspath(name) + (f"@{revision}" if revision else ""))
