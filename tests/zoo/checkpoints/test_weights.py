"""What is kept and what is loaded is finite, of the right types, and as it was."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from coarsekit.errors import CoarsekitError, RefinerError
from tests import command_line
from zoo.checkpoints import weights
from zoo.cli.main import main
from zoo.models.base import Network, build, network_class

RECORD = {"data": "idrid train", "best_validation_iou": 50.0}


def network() -> Network:
    torch.manual_seed(0)
    return build(network_class("unet"), {"size": 32, "width": 2})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    network().save(tmp_path / "mine", RECORD)
    return tmp_path / "mine"


def name_of(floating: bool) -> str:
    """The last tensor of the network of that kind."""
    return [name for name, tensor in network().state_dict().items() if tensor.is_floating_point() == floating][-1]


def changed(folder: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    held = load_file(folder / "model.safetensors")
    save_file(held | {name: change(held[name]).contiguous()}, folder / "model.safetensors")


def with_one(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def change(tensor: torch.Tensor) -> torch.Tensor:
        tensor = tensor.clone()
        tensor.view(-1)[0] = value
        return tensor

    return change


WRONG: list[tuple[bool, Callable[[torch.Tensor], torch.Tensor], str]] = [
    (True, with_one(float("nan")), "is not finite"),
    (True, with_one(float("-inf")), "is not finite"),
    (True, lambda tensor: torch.full_like(tensor, 1e300, dtype=torch.float64), "is not finite"),
    (True, lambda tensor: tensor > 0, "must be floating, got bool"),
    (True, lambda tensor: tensor.to(torch.int8), "must be floating, got int8"),
    (True, lambda tensor: tensor.to(torch.complex64), "must be floating, got complex64"),
    (True, lambda tensor: tensor.to(torch.float8_e4m3fn), "must be floating, got float8_e4m3fn"),
    (False, lambda tensor: tensor.float(), "must be int64, got float32"),
    (False, lambda tensor: tensor.bool(), "must be int64, got bool"),
]


@pytest.mark.parametrize(("floating", "change", "sentence"), WRONG)
def test_a_tensor_of_another_type_or_not_finite_is_neither_loaded_nor_started_from(
    folder: Path, floating: bool, change: Callable[[torch.Tensor], torch.Tensor], sentence: str
) -> None:
    name = name_of(floating)
    changed(folder, name, change)
    told = rf"model\.safetensors: the tensor {name} {sentence}"
    with pytest.raises(RefinerError, match=told):
        zoo.from_pretrained(folder)
    with pytest.raises(RefinerError, match=told):
        weights.load_shared(network(), (), folder)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_weights_may_be_floats_of_any_usual_size(folder: Path, kind: torch.dtype) -> None:
    changed(folder, name_of(floating=True), lambda tensor: torch.full_like(tensor, 0.25, dtype=kind))
    loaded = zoo.from_pretrained(folder).state_dict()[name_of(floating=True)]
    assert loaded.dtype == torch.float32
    assert (loaded == 0.25).all()


def test_a_tensor_that_the_network_does_not_take_may_be_anything(folder: Path) -> None:
    changed(folder, name_of(floating=True), lambda tensor: tensor.new_full((3, 3), float("nan")))
    assert name_of(floating=True) in weights.load_shared(network(), (), folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_kept_and_what_was_there_stays(folder: Path, value: float) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    broken, name = network(), name_of(floating=True)
    broken.load_state_dict(broken.state_dict() | {name: with_one(value)(broken.state_dict()[name])})
    with pytest.raises(RefinerError, match=f"the tensor {name} is not finite, so nothing is written"):
        broken.save(folder, RECORD)
    with pytest.raises(RefinerError, match="nothing is written"):
        broken.save_pretrained(folder.with_name("new"))
    assert not list(folder.with_name("new").iterdir())
    with pytest.raises(RefinerError, match=r"training\.json: a number in it is not finite"):
        network().save(folder, RECORD | {"best_validation_iou": value})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("value", [65504.0, 65520.0, 1e38])
def test_weights_that_sixteen_bits_cannot_hold_are_stored_in_32(tmp_path: Path, value: float) -> None:
    large, name = network(), name_of(floating=True)
    large.load_state_dict(large.state_dict() | {name: with_one(value)(large.state_dict()[name])})
    large.save(tmp_path, RECORD)
    held = load_file(tmp_path / "model.safetensors")
    assert {tensor.dtype for tensor in held.values() if tensor.is_floating_point()} == {
        torch.float16 if value < 65505 else torch.float32
    }
    assert zoo.from_pretrained(tmp_path).state_dict()[name].view(-1)[0] == torch.tensor(value)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_weights_that_are_no_file_are_one_sentence(folder: Path, make: Callable[[Path], None]) -> None:
    (folder / "model.safetensors").unlink()
    make(folder / "model.safetensors")
    with pytest.raises(RefinerError, match="the weights cannot be read"):
        zoo.from_pretrained(folder)


@pytest.mark.parametrize("file", ["config.json", "training.json"])
def test_a_number_that_json_lacks_is_one_sentence(folder: Path, file: str) -> None:
    content = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps(content | {"more": float("nan")}))
    with pytest.raises(CoarsekitError, match=rf"{file}: cannot be read \(NaN is no number\)"):
        zoo.from_pretrained(folder)


def test_a_folder_of_weights_that_are_not_finite_is_not_pushed(hub: Any, folder: Path) -> None:
    changed(folder, name_of(floating=True), with_one(float("nan")))
    told = command_line.refusal(command_line.run(main, "push", folder, "ada/mine", "--no-metrics"))
    assert "is not finite" in told
    assert not hub.repositories
