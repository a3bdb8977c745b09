"""One photograph or mask that cannot be used costs no other: it is named, the rest is done, and the exit code is 1."""

import json
from pathlib import Path
from typing import Any

import pytest

from coarsekit.cli.main import main as coarsekit
from coarsekit.datasets import open_source
from coarsekit.errors import ImageError
from tests import command_line
from tests.own_datasets import TRAINING, write_own
from zoo.cli.main import main as zoo
from zoo.evaluation import run as evaluation
from zoo.training import run as training


@pytest.fixture
def damaged(tmp_path: Path) -> tuple[str, Path]:
    """The SOURCE of four photographs, of which p1 has a mask that is cut short, and that file."""
    source = write_own(tmp_path / "clinic", photographs=4)
    file = tmp_path / "clinic/masks/p1_SE.png"
    file.write_bytes(file.read_bytes()[:60])
    return source, file


@pytest.fixture
def sound(tmp_path: Path) -> str:
    """The SOURCE of the three others alone."""
    source = write_own(tmp_path / "sound" / "clinic", photographs=4)
    for path in (tmp_path / "sound" / "clinic").glob("*/p1*.png"):
        path.unlink()
    return source


def named(program: Any, file: Path, *arguments: object) -> dict[str, Any]:
    """The JSON of a command that leaves out what the file belongs to, with one sentence, and does the rest."""
    result = command_line.run(program, *arguments, "--json", "-q")
    assert result.exit_code == 1, result.output
    assert result.stderr.count("Left out: ") == 1
    assert str(file) in result.stderr
    assert "Traceback" not in result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    if "failures" in found:
        [failure] = found["failures"]
        assert failure["photograph"] == "p1"
        assert str(file) in failure["reason"]
    return found


def whole(program: Any, *arguments: object) -> dict[str, Any]:
    result = command_line.run(program, *arguments, "--json", "-q")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_simulate(tmp_path: Path, damaged: tuple[str, Path], sound: str) -> None:
    found = named(coarsekit, damaged[1], "simulate", damaged[0], "-o", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"p0", "p2", "p3"}
    assert found["rows"] == whole(coarsekit, "simulate", sound, "-o", tmp_path / "other")["rows"]


def test_a_photograph_that_is_no_image(tmp_path: Path) -> None:
    source = write_own(tmp_path / "clinic", photographs=2)
    file = tmp_path / "clinic/images/p1.png"
    file.write_text("no image")
    named(coarsekit, file, "simulate", source, "-o", tmp_path / "out")


def test_preview(tmp_path: Path, damaged: tuple[str, Path]) -> None:
    found = named(coarsekit, damaged[1], "preview", damaged[0], "-o", tmp_path / "out", "--limit", "3")
    assert [one["photograph"] for one in found["photographs"]] == ["p0", "p2"]
    assert found["photographs_left_out"] == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "p0_preview.png",
        "p2_preview.png",
        "clinic_pairs.png",
    }


def test_export(tmp_path: Path, damaged: tuple[str, Path], sound: str) -> None:
    out = tmp_path / "out"
    options = ("--size", "32")
    found = named(coarsekit, damaged[1], "export", damaged[0], "-o", out, *options)
    assert (found["made"], found["kept"]) == (3, 0)
    assert found["rows"] == whole(coarsekit, "export", sound, "-o", tmp_path / "other", *options)["rows"]
    again = named(coarsekit, damaged[1], "export", damaged[0], "-o", out, *options)
    assert (again["made"], again["kept"]) == (0, 3)


def test_a_mended_mask_is_exported(tmp_path: Path) -> None:
    source = write_own(tmp_path / "clinic", photographs=2)
    file = tmp_path / "clinic/masks/p1_SE.png"
    content = file.read_bytes()
    file.write_bytes(b"")
    named(coarsekit, file, "export", source, "-o", tmp_path / "out", "--size", "32")
    file.write_bytes(content)
    assert whole(coarsekit, "export", source, "-o", tmp_path / "out", "--size", "32")["made"] == 2


def test_evaluate(damaged: tuple[str, Path], sound: str) -> None:
    options = ("--refiner", "otsu")
    found = named(zoo, damaged[1], "evaluate", damaged[0], *options)
    assert found["rows"] == whole(zoo, "evaluate", sound, *options)["rows"]
    assert {row["dataset_images"] for row in found["rows"]} == {3}


@pytest.mark.parametrize("command", ["robustness", "doubt"])
def test_what_else_scores(damaged: tuple[str, Path], sound: str, command: str) -> None:
    found = named(zoo, damaged[1], command, damaged[0], "--refiner", "otsu")
    assert found["rows"] == whole(zoo, command, sound, "--refiner", "otsu")["rows"]


def test_train(tmp_path: Path, damaged: tuple[str, Path], sound: str) -> None:
    named(zoo, damaged[1], "train", damaged[0], "-o", tmp_path / "out", *TRAINING)
    whole(zoo, "train", sound, "-o", tmp_path / "other", *TRAINING)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("out", "other")]
    assert weights[0] == weights[1]
    record = json.loads((tmp_path / "out/training.json").read_text())
    assert set(record["photograph_sha256"]) == {"p0", "p2", "p3"}


def test_the_rule_is_fitted(tmp_path: Path, damaged: tuple[str, Path], sound: str) -> None:
    rule = ("--recipe", "shrink", "--split", "all")
    found = named(zoo, damaged[1], "train", damaged[0], "-o", tmp_path / "out", *rule)
    assert found["training_iou"] == whole(zoo, "train", sound, "-o", tmp_path / "other", *rule)["training_iou"]


def test_held_out_photographs_are_scored_without_the_one_that_cannot_be_read(tmp_path: Path) -> None:
    source = write_own(tmp_path / "clinic", photographs=4)
    options = (*TRAINING, "--set", "validation=0.5")
    whole(zoo, "train", source, "-o", tmp_path / "out", *options)
    held = json.loads((tmp_path / "out/training.json").read_text())["validation_images"]
    file = tmp_path / f"clinic/images/{held[0]}.png"
    file.write_bytes(b"")
    result = command_line.run(
        zoo, "evaluate", source, "--split", "held-out", "--refiner", tmp_path / "out", "-q", "--json"
    )
    assert result.exit_code == 1, result.output
    assert str(file) in result.stderr
    assert {row["dataset_images"] for row in json.loads(result.stdout)["rows"]} == {len(held) - 1}


def test_reproduce(tmp_path: Path, damaged: tuple[str, Path]) -> None:
    tiny = [option for pair in ("epochs=1", "samples=8", "batch=4", "size=32") for option in ("--set", pair)]
    where = ("--split", "all", "--test-split", "all", "--methods", "proto", "--threads", "1")
    command = ("reproduce", "table1", damaged[0], "-o", tmp_path / "out", *where, *tiny)
    for more in ((), ("--force",)):
        result = command_line.run(zoo, *command, *more, "-q")
        assert result.exit_code == 1, result.output
        assert result.stderr.count("Left out: ") == 1
        assert str(damaged[1]) in result.stderr


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (coarsekit, ("simulate", "-o", "OUT")),
        (coarsekit, ("preview", "-o", "OUT")),
        (coarsekit, ("export", "-o", "OUT")),
        (zoo, ("evaluate", "--refiner", "otsu")),
        (zoo, ("robustness", "--refiner", "otsu")),
        (zoo, ("doubt", "--refiner", "otsu")),
        (zoo, ("train", "-o", "OUT", *TRAINING)),
    ],
)
def test_where_none_can_be_used_it_is_an_error(tmp_path: Path, program: Any, arguments: tuple[str, ...]) -> None:
    source = write_own(tmp_path / "clinic", photographs=2)
    for file in (tmp_path / "clinic/masks").glob("*_MA.png"):
        file.write_bytes(b"")
    name, *options = (str(tmp_path / "out") if part == "OUT" else part for part in arguments)
    said = command_line.refusal(command_line.run(program, name, source, *options))
    assert "none of 2 photographs of clinic can be used" in said
    assert "p0_MA.png" in said


def test_of_many_the_first_three_have_their_reasons(tmp_path: Path) -> None:
    source = write_own(tmp_path / "clinic", photographs=8)
    for number in range(6):
        (tmp_path / f"clinic/images/p{number}.png").write_bytes(b"")
    result = command_line.run(coarsekit, "simulate", source, "-o", tmp_path / "out", "-q")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 4
    assert "Left out, too: 3 more photographs that cannot be used: p3, p4, p5\n" in result.stderr


def test_in_python(tmp_path: Path, damaged: tuple[str, Path]) -> None:
    found = evaluation.evaluate(damaged[0], "otsu")
    assert list(found.failures) == ["p1"]
    settings = {"variant": "unet", "width": 2, "size": 32, "epochs": 1, "samples": 8, "batch": 4}
    with pytest.raises(ImageError, match="p1"):
        training.train("paper", damaged[0], tmp_path / "strict", settings=settings, split="all", device="cpu")
    with pytest.raises(ImageError, match="p1"):
        open_source(damaged[0]).read("p1")
