"""A bundled name, a folder of that name, and a repository on the Hub never stand in for one another."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import zoo
from coarsekit.errors import ParameterError, RefinerError
from tests import command_line
from tests.own_datasets import write_own
from tests.places import BUNDLED
from zoo.checkpoints.folder import locate, weights_sha256
from zoo.cli.main import main


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own rule in the folder ``tiny`` of the present folder, which is named like a bundled network."""
    shutil.copytree(BUNDLED / "otsu", tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tiny"


def test_a_name_that_is_both_is_refused_and_each_can_be_said(own: Path) -> None:
    sentence = "two refiners are called tiny: a bundled one and the folder tiny here; write ./tiny for the folder, or"
    with pytest.raises(RefinerError, match=sentence):
        zoo.from_pretrained("tiny")
    for name in ("./tiny", "tiny/", own, str(own), Path("tiny")):
        assert (zoo.from_pretrained(name).variant, locate(name).resolve()) == ("otsu", own)
    assert zoo.from_pretrained("bundled:tiny").weights_sha256 == weights_sha256(BUNDLED / "tiny")
    assert zoo.from_pretrained("lite").weights_sha256 == weights_sha256(BUNDLED / "lite")


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "sample", "--refiner", "tiny"),
        ("robustness", "sample", "--refiner", "tiny"),
        ("refine", "sample", "--refiner", "tiny"),
        ("refine", "sample", "--split", "held-out", "--refiner", "tiny"),
        ("card", "tiny"),
        ("push", "tiny", "ada/tiny", "--no-metrics"),
        ("train", "sample", "-o", "out", "--set", "start=tiny"),
    ],
)
def test_every_command_asks_which_is_meant(own: Path, arguments: tuple[str, ...]) -> None:
    assert "two refiners are called tiny" in command_line.refusal(command_line.run(main, *arguments))
    assert [path.name for path in own.parent.iterdir()] == ["tiny"]


def test_the_list_and_the_image_blind_rule_of_every_table_are_the_bundled_ones(own: Path) -> None:
    own.rename("shrink")
    assert command_line.run(main, "list").exit_code == 0
    source = write_own(own.parent / "data", photographs=1)
    result = command_line.run(main, "evaluate", source, "--refiner", "./shrink")
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    assert f"shrink {weights_sha256(BUNDLED / 'shrink')[:12]}" in shown
    assert f"./shrink {weights_sha256(own.parent / 'shrink')[:12]}" in shown


@pytest.mark.parametrize("name", ["otsu", "bundled:otsu"])
def test_a_path_is_never_a_bundled_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefinerError, match=f"no refiner '{name}'"):
        zoo.from_pretrained(Path(name))
    assert zoo.from_pretrained(name).variant == "otsu"


def test_a_folder_comes_before_the_hub_and_the_hub_can_be_said(hub: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line.run(main, "push", "otsu", "ada/rule", "--no-metrics").exit_code == 0
    assert zoo.from_pretrained("hub:ada/rule").variant == "otsu"
    Path("ada/rule").mkdir(parents=True)
    with pytest.raises(RefinerError, match="write hub:ada/rule for the repository on the Hub, which was not asked"):
        zoo.from_pretrained("ada/rule")
    shutil.copytree(BUNDLED / "grabcut", "ada/rule", dirs_exist_ok=True)
    assert zoo.from_pretrained("ada/rule").variant == "grabcut"
    assert zoo.from_pretrained("hub:ada/rule").variant == "otsu"
    with pytest.raises(RefinerError, match="leave the revision out, or write hub:ada/rule"):
        zoo.from_pretrained("ada/rule", revision="main")


@pytest.mark.parametrize("name", ["bundled:none", "hub:none", "hub:", "bundled:"])
def test_what_is_said_and_not_there_is_one_sentence(name: str) -> None:
    with pytest.raises(RefinerError, match=f"no refiner '{name}'"):
        zoo.from_pretrained(name)


def test_a_path_that_is_named_like_a_bundled_one_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefinerError, match="a Path is never a name, so give 'tiny' as a text") as caught:
        zoo.from_pretrained(Path("tiny"))
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["x" * 300, "x\0y", "", 3, None, Path("x" * 300), zoo.from_pretrained("otsu")])
def test_what_can_name_no_refiner_is_one_short_sentence(name: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BUNDLED / "otsu", tmp_path, dirs_exist_ok=True)  # which an empty text does not name
    with pytest.raises(RefinerError) as caught:
        zoo.from_pretrained(name)
    assert len(str(caught.value)) < 300


def test_an_evaluation_of_a_refiner_itself_does_not_print_it() -> None:
    with pytest.raises(ParameterError, match=r"expected a name or a path, got a Network$"):
        zoo.evaluate("sample", zoo.from_pretrained("tiny"))  # type: ignore[arg-type]
