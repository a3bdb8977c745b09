"""Before the work every command claims all that it will write, and it never touches files of other people."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from coarsekit.storage.outputs import at_work
from tests import command_line
from tests.own_datasets import TRAINING, write_own
from tests.places import BUNDLED
from zoo.cli.main import main

# The Hub's client calls its HTTP library in a way that this library has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def refused(*arguments: object) -> str:
    return command_line.refusal(command_line.run(main, *arguments))


def done(*arguments: object) -> None:
    result = command_line.run(main, *arguments)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_own(tmp_path_factory.mktemp("own") / "data")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, source: str) -> Path:
    folder = tmp_path_factory.mktemp("evaluated") / "results"
    done("evaluate", source, "--refiner", "otsu", "--reduction", "1,2", "-o", folder, "-q")
    return folder


@pytest.mark.parametrize("name", ["report.md", "worst.png", "figure3.png", "figure4.png"])
def test_a_report_writes_over_files_of_other_people_only_if_forced(results: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    refusal = refused("report", results, "-o", tmp_path)
    assert f"{name} is already there, and no earlier run wrote it" in refusal
    assert "--force" in refusal
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]
    done("report", results, "-o", tmp_path, "-q", "--force")
    assert (tmp_path / name).read_bytes() != b"mine"


def test_a_report_replaces_an_earlier_one_only_if_forced_and_leaves_no_picture_of_it(
    results: Path, source: str, tmp_path: Path
) -> None:
    done("report", results, "-o", tmp_path / "out", "-q")
    first = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert first == ["figure3.png", "figure4.png", "report.md", "worst.png"]
    assert "report.md (and 3 more) is already there; give --force" in refused("report", results, "-o", tmp_path / "out")
    done("evaluate", source, "--refiner", "otsu", "-o", tmp_path / "one factor", "-q")
    (tmp_path / "out" / "notes.txt").touch()
    done("report", tmp_path / "one factor", "-o", tmp_path / "out", "-q", "--force")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "figure4.png",
        "notes.txt",
        "report.md",
        "worst.png",
    ]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "training.json", "state.pt"])
def test_a_training_writes_over_a_model_of_other_people_only_if_forced(source: str, tmp_path: Path, name: str) -> None:
    content = json.dumps({"architectures": ["BertModel"]})
    (tmp_path / name).write_text(content)
    refusal = refused("train", source, "-o", tmp_path, *TRAINING)
    assert f"{name} is already there, and no earlier run wrote it" in refusal
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, content)]
    done("train", source, "-o", tmp_path, *TRAINING, "--force")


def test_a_pull_removes_files_of_other_people_only_if_forced(hub: Any, tmp_path: Path) -> None:
    shutil.copytree(BUNDLED / "otsu", tmp_path / "rule")
    for name in ("notes.md", "metrics.json"):
        (tmp_path / "rule" / name).unlink(missing_ok=True)
    done("push", tmp_path / "rule", "ada/rule", "--no-metrics")
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.md").write_text("mine")
    assert "notes.md is already there, and no earlier run wrote it" in refused("pull", "ada/rule", "-o", out)
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("notes.md", "mine")]
    done("pull", "ada/rule", "-o", out, "--force")


def test_a_card_is_never_written_over_what_it_is_made_of(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED / "otsu", tmp_path / "rule")
    for name in ("config.json", "training.json", "notes.md"):
        before = (tmp_path / "rule" / name).read_bytes() if (tmp_path / "rule" / name).exists() else b""
        (tmp_path / "rule" / name).write_bytes(before)
        path = tmp_path / "rule" / name
        assert "is read here" in refused("card", tmp_path / "rule", "-o", path, "--force")
        assert path.read_bytes() == before


@pytest.mark.parametrize("command", ["train", "evaluate", "report", "cache"])
def test_a_second_run_into_a_folder_where_one_is_at_work_says_so(
    source: str, results: Path, tmp_path: Path, command: str
) -> None:
    out = tmp_path / "out"
    arguments = {
        "train": ("train", source, "-o", out, *TRAINING),
        "evaluate": ("evaluate", source, "--refiner", "otsu", "-o", out),
        "report": ("report", results, "-o", out),
        "cache": ("cache", out, "--drop"),
    }[command]
    with at_work(out):
        assert f"{out}: another run is at work there; wait for its end" in refused(*arguments)
        assert list(out.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not torch's", b"PK\x03\x04 half a zip"])
def test_a_damaged_state_is_one_sentence(source: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.pt").write_bytes(content)
    assert "state.pt: cannot be read" in refused("train", source, "-o", tmp_path, "--resume")


def test_a_training_that_has_no_checkpoint_yet_can_be_replaced_or_resumed(source: str, tmp_path: Path) -> None:
    done("train", source, "-o", tmp_path / "out", *TRAINING)
    weights = (tmp_path / "out" / "model.safetensors").read_bytes()
    for name in ("config.json", "model.safetensors", "training.json"):
        (tmp_path / "out" / name).unlink()
    assert "already there; give --force" in refused("train", source, "-o", tmp_path / "out", *TRAINING)
    done("train", source, "-o", tmp_path / "out", *TRAINING, "--force")
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == weights


def test_a_training_writes_over_neither_its_recipe_nor_the_weights_that_it_starts_from(
    source: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done("train", source, "-o", out, *TRAINING)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    for more in (("--recipe", out / "training.json"), ("--set", f"start={out}")):
        assert "is read here" in refused("train", source, "-o", out, *TRAINING, *more, "--force")
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


def test_a_rule_that_is_fitted_over_a_network_leaves_no_weights(source: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done("train", source, "-o", out, *TRAINING)
    done("train", source, "-o", out, "--recipe", "shrink", "--split", "all", "--force", "-q")
    assert sorted(path.name for path in out.iterdir() if path.is_file()) == ["config.json", "training.json"]
