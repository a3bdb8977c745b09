"""A checkpoint folder, in the Hub's layout: config.json, model.safetensors, training.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as save_tensors
from torch import nn
from torch.nn import functional

from coarsekit.errors import RefinerError
from coarsekit.storage.files import atomic_write, write_text
from zoo.checkpoints.folder import CONFIG, RECORD, WEIGHTS, read_config

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""The types that weights may be stored in."""


def save(
    folder: Path, module: nn.Module, config: Mapping[str, Any], record: Mapping[str, Any], half: bool = True
) -> None:
    """Write the weights of a module, the ``config`` that it is built from, and its training record.

    ``half``: store the weights as 16-bit floats, at half the size, unless one is too large for them.

    Raises `RefinerError`, and writes nothing, when a weight or a number of config or record is not finite.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    if (wrong := not_finite(weights)) is not None:
        raise RefinerError(
            f"{folder / WEIGHTS}: the tensor {wrong} is not finite, so nothing is written; train again with a smaller "
            "learning_rate"
        )
    if half:
        halved = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
        weights = halved if not_finite(halved) is None else weights
    texts = {path: _json(content, path) for path, content in ((folder / CONFIG, config), (folder / RECORD, record))}
    with atomic_write(folder / WEIGHTS) as temporary:
        # Bytes, as safetensors' own file would be readable by its owner alone.
        temporary.write_bytes(save_tensors(weights, metadata={"format": "pt"}))
    for path, text in texts.items():
        write_text(path, text)


def save_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the training record alone, of the weights that the folder has.

    Raises `RefinerError`, and writes nothing, when a number in it is not finite.
    """
    write_text(folder / RECORD, _json(record, folder / RECORD))


def not_finite(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """The name of the first tensor with a NaN or an infinity in it; None where all are finite."""
    return next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), None)


def fits_half(module: nn.Module) -> bool:
    """Whether the module's weights are the same as 16-bit floats."""
    floats = [tensor for tensor in module.state_dict().values() if tensor.is_floating_point()]
    return all(tensor.half().to(tensor.dtype).equal(tensor) for tensor in floats)


def are_in(module: nn.Module, folder: Path) -> bool:
    """Whether a checkpoint folder has just the weights of the module; False for one that cannot be read."""
    own = module.state_dict()
    try:
        stored = _read(folder)
    except RefinerError:
        return False
    return own.keys() == stored.keys() and all(
        tensor.detach().cpu().equal(stored[name].to(tensor.dtype)) for name, tensor in own.items()
    )


def load_into(module: nn.Module, folder: Path) -> None:
    """Fill a module with the weights of a checkpoint folder, strictly.

    Raises `RefinerError` when they cannot be read, or a tensor is missing, extra or misshapen, of another type, or not
    finite.
    """
    own, weights, path = module.state_dict(), _read(folder), folder / WEIGHTS
    _check(own, weights, path)
    module.load_state_dict({name: _as(tensor, own[name], name, path) for name, tensor in weights.items()})


def load_shared(module: nn.Module, lesions: Sequence[str], folder: Path) -> list[str]:
    """Fill a network with those weights of a checkpoint that have the same name and shape: for fine-tuning.

    The other may have another head, fewer stages or other classes. Input channels that the checkpoint lacks start at 0,
    so that the network's features are those of the checkpoint.

    Args:
        module: The network.
        lesions: The classes that are inputs of the network.
        folder: The checkpoint.

    Returns:
        Names of the network's tensors that were not filled and stay as they were.

    Raises:
        RefinerError: The weights cannot be read, no learned tensor is shared, one that is shared is of another type or
            not finite, or the classes of both are not in one order, since the planes of one class would be taken for
            another's.
    """
    theirs = tuple(read_config(folder)["config"].get("lesions") or ())
    if any(one != other for one, other in zip(lesions, theirs, strict=False)):
        raise RefinerError(
            f"{folder / CONFIG}: its classes are {', '.join(theirs)}, and this network's {', '.join(lesions)}; put the "
            "classes that both have first, in one order"
        )
    own, weights, path = module.state_dict(), _read(folder), folder / WEIGHTS
    fitted = {name: _with_more_inputs(weights[name], own[name]) for name in own if name in weights}
    shared = {
        name: _as(weight, own[name], name, path) for name, weight in fitted.items() if weight.shape == own[name].shape
    }
    if not any(name in shared for name, _ in module.named_parameters()):
        raise RefinerError(f"{path}: none of its tensors fits this network; start from a refiner of a similar network")
    module.load_state_dict(shared, strict=False)
    return sorted(own.keys() - shared.keys())


def _with_more_inputs(weight: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """The kernels of a convolution with as many input channels as those of ``like``; any other tensor as it is."""
    missing = like.shape[1] - weight.shape[1] if weight.ndim == like.ndim == 4 else 0
    return functional.pad(weight, (0, 0, 0, 0, 0, missing)) if missing > 0 else weight


def _read(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / WEIGHTS
    if not path.is_file():  # reading a pipe would wait for ever
        raise RefinerError(f"{path}: the weights cannot be read (no such file); copy the folder again")
    try:
        return load_file(path)
    except (OSError, SafetensorError) as cause:
        raise RefinerError(f"{path}: the weights cannot be read ({cause}); copy the folder again") from None


def _as(tensor: torch.Tensor, own: torch.Tensor, name: str, path: Path) -> torch.Tensor:
    """The tensor ``name`` of the file ``path`` as the network holds it: of the type of its ``own``, and finite."""
    if tensor.dtype not in (_FLOATS if own.is_floating_point() else (own.dtype,)):
        expected = "floating" if own.is_floating_point() else _type(own)
        raise RefinerError(
            f"{path}: the tensor {name} must be {expected}, got {_type(tensor)}; copy the folder again, or train again"
        )
    converted = tensor.to(own.dtype)
    if not converted.isfinite().all():
        raise RefinerError(f"{path}: the tensor {name} is not finite; copy the folder again, or train again")
    return converted


def _type(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _json(content: Mapping[str, Any], path: Path) -> str:
    try:
        return json.dumps(content, indent=2, allow_nan=False) + "\n"
    except ValueError:
        raise RefinerError(f"{path}: a number in it is not finite, so nothing is written; train again") from None


def _check(expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor], path: Path) -> None:
    for problem, names in (("is missing", expected.keys() - found), ("is not part of it", found.keys() - expected)):
        if names:
            raise RefinerError(
                f"{path}: the tensor {min(names)} {problem}; weights and configuration must belong together"
            )
    for name, tensor in expected.items():
        if tensor.shape != found[name].shape:
            raise RefinerError(
                f"{path}: the tensor {name} must be {tuple(tensor.shape)}, got {tuple(found[name].shape)}; weights and "
                "config.json must belong together"
            )
