"""The command line, in the process and as the installed program."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from coarsekit.annotations import read_annotation
from coarsekit.cli.main import main
from coarsekit.datasets import READERS, open_source
from coarsekit.images import read_image
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN
from coarsekit.storage.digests import photograph_sha256
from tests import command_line

PROGRAM = Path(sys.executable).with_name("coarsekit")


def run(*arguments: str | Path) -> Result:
    """The command in this process, by its entry point."""
    return command_line.run(main, *arguments)


def program(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed program, in a folder of its own."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder: its bytes and when it was written."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def source(idrid: Path) -> str:
    """A small IDRiD tree, as a SOURCE."""
    return f"idrid:{idrid}"


# ---------------------------------------------------------------------------------------------- the program


def test_simulate_writes_ellipses_and_a_preview_for_each_photograph_of_the_sample(tmp_path: Path) -> None:
    result = program(tmp_path, "simulate", "--reduction", "1.5")
    assert result.returncode == 0
    folder = tmp_path / "simulated" / "sample-human-1.5-0"
    assert sorted(contents(tmp_path / "simulated")) == [
        f"sample-human-1.5-0/{key}/{name}"
        for key in ("IDRiD_19", "IDRiD_46")
        for name in ("ellipses.json", "preview.jpg")
    ]
    annotation = read_annotation(folder / "IDRiD_46" / "ellipses.json")
    assert (annotation.image, annotation.width, annotation.height) == ("IDRiD_46.jpg", 2144, 1424)
    for lesion, components in annotation.provenance["components"].items():
        assert len(annotation.of(lesion)) == max(1, round(components / 1.5))
    assert read_image(folder / "IDRiD_46" / "preview.jpg").shape[0] > 900
    assert result.stderr == (
        "2 photographs of sample drawn; ellipses.json and preview.jpg of each are in "
        f"{Path('simulated', 'sample-human-1.5-0')}\n"
    )
    for lesion in ("MA", "HE", "EX", "SE"):
        assert f" {lesion} " in result.stdout


def test_json_is_one_document_and_nothing_else_on_stdout(tmp_path: Path) -> None:
    result = program(tmp_path, "simulate", "--json", "--reduction", "2", "--style", "human")
    assert result.returncode == 0
    document = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert list(document) == ["source", "split", "reduction", "style", "rows", "images", "failures"]
    assert [document[name] for name in ("source", "split", "reduction", "style")] == ["sample", "all", 2.0, "human"]
    rows = {"lesion", "images", "components", "ellipses", "floor_iou", "floor_iou_std"}
    assert [set(row) for row in document["rows"]] == [rows] * 4
    assert [set(image) for image in document["images"]] == [{"image", "lesion", "components", "ellipses"}] * 8
    for row in document["rows"]:
        own = [image for image in document["images"] if image["lesion"] == row["lesion"]]
        assert row["images"] == len(own) == 2
        assert row["components"] == sum(image["components"] for image in own)
        assert row["ellipses"] == sum(image["ellipses"] for image in own)
        assert 0 < row["floor_iou"] < 100


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "idrid:missing"],
        ["simulate", "--reduction", "0.5"],
        ["simulat"],
    ],
)
def test_a_wrong_input_is_2_and_one_line_on_stderr(tmp_path: Path, arguments: list[str]) -> None:
    result = program(tmp_path, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--help"], [], ["readers"], ["simulate", "--help"], ["simulate", "--json"]])
def test_no_command_imports_torch(tmp_path: Path, arguments: list[str]) -> None:
    result = program(tmp_path, *arguments, PYTHONPROFILEIMPORTTIME="1")
    assert result.returncode == 0
    imported = {line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines()}
    assert "coarsekit.cli.main" in imported
    assert not {name for name in imported if name.partition(".")[0] in ("torch", "torchvision", "timm", "safetensors")}


def test_help_imports_no_command(tmp_path: Path) -> None:
    result = program(tmp_path, "--help", PYTHONPROFILEIMPORTTIME="1")
    assert "coarsekit.cli.main" in result.stderr
    assert "coarsekit.cli.simulate" not in result.stderr
    assert "numpy" not in result.stderr


# ---------------------------------------------------------------------------------------------- simulate


def test_the_files_hold_what_the_library_gives(source: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("simulate", source, "--style", "human", "--reduction", "1.5", "--seed", "3", "--out", out, "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    for fundus in open_source(source).photographs():
        expected = annotate(fundus, 1.5, HUMAN, 3, "idrid")
        provenance = {**expected.provenance, "photograph_sha256": photograph_sha256(fundus.image)}
        assert read_annotation(out / fundus.key / "ellipses.json") == replace(expected, provenance=provenance)


def test_a_split_is_simulated_alone(source: str, tmp_path: Path) -> None:
    result = run("simulate", source, "--split", "test", "--out", tmp_path / "out", "--json")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["IDRiD_55"]
    assert json.loads(result.stdout)["split"] == "test"


def test_running_again_changes_nothing(source: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run("simulate", source, "--out", out, "--json")
    before = contents(out)
    second = run("simulate", source, "--out", out, "--json")
    assert (second.exit_code, second.stdout) == (0, first.stdout)
    assert contents(out) == before


@pytest.mark.parametrize("name", ["ellipses.json", "preview.jpg"])
def test_running_again_makes_what_an_interrupt_has_left_out(source: str, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    run("simulate", source, "--out", out)
    before = contents(out)
    (out / "IDRiD_02" / name).unlink()
    assert run("simulate", source, "--out", out).exit_code == 0
    after = contents(out)
    changed = f"IDRiD_02/{name}"
    assert after.pop(changed)[0] == before.pop(changed)[0]
    assert after == before


@pytest.mark.parametrize("other", [["--reduction", "2"], ["--style", "paper"], ["--seed", "1"]])
def test_other_parameters_into_the_same_folder_are_refused_unless_forced(
    source: str, tmp_path: Path, other: list[str]
) -> None:
    out = tmp_path / "out"
    run("simulate", source, "--out", out)
    before = contents(out)

    refused = run("simulate", source, "--out", out, *other)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith(
        f"Error: {out / 'IDRiD_01' / 'ellipses.json'} has another annotation; give --force"
    )
    assert len(refused.stderr.splitlines()) == 1
    assert contents(out) == before

    assert run("simulate", source, "--out", out, *other, "--force").exit_code == 0
    assert run("simulate", source, "--out", tmp_path / "fresh", *other).exit_code == 0
    assert {name: text for name, (text, _) in contents(out).items()} == {
        name: text for name, (text, _) in contents(tmp_path / "fresh").items()
    }


@pytest.mark.parametrize("content", [b"", b"{}", b"\x89PNG\xff\xfe"])
def test_a_file_of_someone_else_is_not_written_over(source: str, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "out" / "IDRiD_01" / "ellipses.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    result = run("simulate", source, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "has another annotation" in result.stderr
    assert path.read_bytes() == content


def test_a_photograph_that_cannot_be_read_is_named_and_the_others_are_drawn(idrid: Path, tmp_path: Path) -> None:
    photograph = next(idrid.rglob("IDRiD_02.jpg"))
    photograph.write_bytes(photograph.read_bytes()[:300])
    result = run("simulate", f"idrid:{idrid}", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert str(photograph) in result.stderr.splitlines()[-1]
    drawn = {path.parent.name for path in (tmp_path / "out").glob("*/ellipses.json")}
    assert drawn == set(open_source(f"idrid:{idrid}").keys()) - {"IDRiD_02"}


def test_a_dataset_without_any_lesion_is_no_failure(idrid: Path, tmp_path: Path) -> None:
    for mask in idrid.rglob("*.tif"):
        mask.unlink()
    result = run("simulate", f"idrid:{idrid}", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rows"] == []
    assert read_annotation(tmp_path / "out" / "IDRiD_01" / "ellipses.json").marks == ()


def test_an_out_that_is_a_file_is_one_sentence(source: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("simulate", source, "--out", tmp_path / "file")
    assert result.exit_code == 2
    assert str(tmp_path / "file") in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["simulate", "--style", "humane"], "no style 'humane'; choose one of .*, strokes; did you mean 'human'?"),
        (["simulate", "sampel"], "'sampel' is not a source; .* did you mean 'sample'"),
        (["simulate", "--split", "train"], "sample has no split 'train'; choose one of validation"),
        (["simulate", "--reduction", "much"], "Invalid value for '--reduction'"),
        (["simulate", "--reduction", "nan"], "reduction factor must be .*, got nan"),
        (["simulate", "--reduction", "inf"], "reduction factor must be .*, got inf"),
        (["simulate", "--seed", "-1"], "Invalid value for '--seed'"),
        (["simulate", "sample", "again"], "unexpected extra argument"),
        (["simulate", "--unknown"], "--unknown.*see 'coarsekit simulate --help'"),
        (["smulate"], "no command 'smulate'; choose one of .*simulate.*; did you mean 'simulate'?"),
        (["--unknown"], "--unknown.*see 'coarsekit --help'"),
    ],
)
def test_a_wrong_word_is_one_sentence_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("Error: ")
    assert re.search(sentence, result.stderr)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------- readers and help


def test_readers_are_shown_with_their_licences() -> None:
    result = run("readers")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in READERS)
    assert "CC-BY-4.0" in result.stdout


def test_readers_as_json() -> None:
    rows = json.loads(run("readers", "--json").stdout)["readers"]
    assert [row["reader"] for row in rows] == list(READERS)
    assert all(set(row) == {"reader", "dataset", "lesions", "licence", "may_be_passed_on"} for row in rows)


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_help_shows_every_command_with_its_line(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 0
    for name in main.list_commands(None):
        command = main.get_command(None, name)
        assert f"  {name} " in result.stdout
        assert command.name == name
        assert run(name, "--help").stdout.startswith(f"Usage: coarsekit {name} ")


def test_the_version_is_shown() -> None:
    assert run("--version").stdout.startswith("coarsekit, version ")
