"""A checkpoint folder, in the layout that the Hub holds: config.json, model.safetensors, training.json."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as save_tensors
from torch.nn import functional

from coarsekit.errors import CoarsekitError, RefinerError
from coarsekit.files import whole, write_text
from zoo.bundled import CONFIG, FORMAT, RECORD, WEIGHTS, read_config, read_record
from zoo.network import Network, build
from zoo.variants import variant


def save(network: Network, folder: Path, record: dict[str, Any], half: bool = True) -> None:
    """Write a network and its training record; ``half`` stores weights as 16-bit floats, at half the size."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if half:
        weights = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    with whole(folder / WEIGHTS) as temporary:
        # Bytes, as safetensors' own file would be readable by its owner alone.
        temporary.write_bytes(save_tensors(weights, metadata={"format": "pt"}))
    write_text(folder / CONFIG, json.dumps(describe(network), indent=2) + "\n")
    write_text(folder / RECORD, json.dumps(record, indent=2) + "\n")


def describe(network: Network) -> dict[str, Any]:
    """What config.json says of a network: all that is needed to build it, before its weights are filled in."""
    return {
        "format": FORMAT,
        "variant": network.variant,
        "trained_on": network.trained_on,
        "config": asdict(network.config),
    }


def load(folder: Path, name: str = "") -> Network:
    """Read a network, strictly: every tensor that its config promises, of the promised shape, and no other.

    Raises `RefinerError` for an unknown variant or field, a newer format, and a missing, extra or misshapen tensor.
    """
    stored = read_config(folder)
    try:
        network = build(variant(stored["variant"]), stored["config"])
    except CoarsekitError as error:
        raise RefinerError(f"{folder / CONFIG}: {error}") from None
    load_into(network, folder)
    network.name, network.trained_on = name or str(folder), stored.get("trained_on", "")
    network.record = read_record(folder)
    return network.eval()


def load_into(network: Network, folder: Path) -> None:
    """Fill a network with the weights of a checkpoint folder, strictly.

    Raises `RefinerError` when they cannot be read, or a tensor is missing, extra or misshapen.
    """
    weights = _read(folder)
    _check(network.state_dict(), weights, folder / WEIGHTS)
    network.load_state_dict(weights)


def load_shared(network: Network, folder: Path) -> list[str]:
    """Fill a network with those weights of another's that it has by the same name and shape; what it has beside them.

    For fine-tuning with another head, fewer stages, or classes told. Input channels that the other lacks start at 0, so
    that its features are what they were. The names given back begin as they were.

    Raises `RefinerError` when the weights cannot be read, nothing that is learned is shared, or the classes that both
    are told do not stand in one order, since their planes would be taken for one another's.
    """
    told = tuple(read_config(folder)["config"].get("lesions") or ())
    if any(ours != theirs for ours, theirs in zip(network.lesions, told, strict=False)):
        raise RefinerError(
            f"{folder / CONFIG}: it is told {', '.join(told)}, and this network {', '.join(network.lesions)}; put the "
            "classes that both are told first, in one order"
        )
    own, weights = network.state_dict(), _read(folder)
    fitted = {name: _with_more_inputs(weights[name], own[name]) for name in own.keys() & weights.keys()}
    shared = {name: weight for name, weight in fitted.items() if weight.shape == own[name].shape}
    if not any(name in shared for name, _ in network.named_parameters()):
        raise RefinerError(
            f"{folder / WEIGHTS}: none of its tensors fits {network.variant} with these fields; start from a refiner "
            "that is built alike"
        )
    network.load_state_dict(shared, strict=False)
    return sorted(own.keys() - shared.keys())


def _with_more_inputs(weight: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """The kernels of a convolution with as many input channels as those of ``like``; any other tensor as it is."""
    missing = like.shape[1] - weight.shape[1] if weight.ndim == like.ndim == 4 else 0
    return functional.pad(weight, (0, 0, 0, 0, 0, missing)) if missing > 0 else weight


def _read(folder: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(folder / WEIGHTS)
    except (FileNotFoundError, SafetensorError) as cause:
        raise RefinerError(f"{folder / WEIGHTS}: the weights cannot be read ({cause}); copy the folder again") from None


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
