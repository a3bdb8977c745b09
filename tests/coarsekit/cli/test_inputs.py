"""No command writes over what it reads, or over files of other people, and each says what a dataset lacks."""

import shutil
from pathlib import Path

import pytest

from coarsekit.cli.main import main
from tests import command_line
from tests.own_datasets import write_own


def refused(*arguments: object) -> str:
    return command_line.refusal(command_line.run(main, *arguments))


def done(*arguments: object) -> None:
    result = command_line.run(main, *arguments)
    assert result.exit_code == 0, result.output


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_own(tmp_path / "data", photographs=1)


def test_simulate_writes_over_no_photograph(source: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "out" / "p0").mkdir(parents=True)
    (tmp_path / "out" / "p0" / "preview.jpg").symlink_to(data / "images" / "p0.png")
    before = (data / "images" / "p0.png").read_bytes()
    for force in ((), ("--force",)):
        assert "preview.jpg would be written over, and is read here" in refused(
            "simulate", source, "-o", tmp_path / "out", *force
        )
    assert (data / "images" / "p0.png").read_bytes() == before


def test_simulate_writes_over_an_annotation_of_other_people_only_if_forced(source: str, tmp_path: Path) -> None:
    place = tmp_path / "out" / "p0" / "ellipses.json"
    place.parent.mkdir(parents=True)
    place.write_text('{"image": {"name": "p0.png"}, "ellipses": []}')
    assert "has another annotation; give --force" in refused("simulate", source, "-o", tmp_path / "out")
    assert [path.name for path in place.parent.iterdir()] == ["ellipses.json"]
    done("simulate", source, "-o", tmp_path / "out", "--force")
    assert sorted(path.name for path in place.parent.iterdir()) == ["ellipses.json", "preview.jpg"]


def test_a_picture_that_an_interrupted_simulation_lacks_is_made(source: str, tmp_path: Path) -> None:
    done("simulate", source, "-o", tmp_path / "out", "-q")
    picture = tmp_path / "out" / "p0" / "preview.jpg"
    before = picture.read_bytes()
    picture.unlink()
    done("simulate", source, "-o", tmp_path / "out", "-q")
    assert picture.read_bytes() == before


def test_preview_writes_over_no_photograph(source: str, tmp_path: Path) -> None:
    images = tmp_path / "data" / "images"
    shutil.copy(images / "p0.png", images / "p0_preview.png")
    before = (images / "p0_preview.png").read_bytes()
    assert "would be written over, and is read here" in refused("preview", source, "-o", images, "--force")
    assert (images / "p0_preview.png").read_bytes() == before


def test_convert_writes_over_no_photograph_and_twice_over_its_own_file(source: str, tmp_path: Path) -> None:
    done("simulate", source, "-o", tmp_path / "out", "-q")
    drawn, images = tmp_path / "out" / "p0" / "ellipses.json", tmp_path / "data" / "images"
    photograph = images / "p0.png"
    before = photograph.read_bytes()
    assert "is read here" in refused("convert", drawn, photograph, "--to", "coco", "--images", images, "--force")
    assert photograph.read_bytes() == before
    for force in ((), ("--force",)):
        done("convert", drawn, images / "out.xml", "--images", images, *force)


def test_calibrate_writes_over_no_style_that_it_reads(source: str, tmp_path: Path) -> None:
    for annotator, seed in (("one", 1), ("two", 2)):
        done("simulate", source, "--seed", seed, "-o", tmp_path / annotator, "-q")
    done("calibrate", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "ours.toml", "-q")
    before = (tmp_path / "ours.toml").read_bytes()
    again = ("calibrate", tmp_path / "one", tmp_path / "two", "--base", tmp_path / "ours.toml")
    assert "is read here" in refused(*again, "-o", tmp_path / "ours.toml", "--force")
    assert (tmp_path / "ours.toml").read_bytes() == before


def test_a_file_where_a_folder_is_needed_is_one_sentence(source: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert "is a file, and a folder is needed there" in refused("preview", source, "-o", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("command", ["simulate", "preview", "export"])
def test_photographs_without_any_mask_are_said(tmp_path: Path, command: str) -> None:
    source = write_own(tmp_path / "data", photographs=2)
    for path in (tmp_path / "data" / "masks").glob("p1_*"):
        path.unlink()
    result = command_line.run(main, command, source, "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "1 photograph has no mask of any class and counts as healthy: p1\n" in result.stderr
    assert "healthy" not in command_line.run(main, command, source, "-o", tmp_path / "quiet", "-q").stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("simulate", "sample", "-o", ""), "-o is an empty text"),
        (("simulate", "sample", "--out="), "--out is an empty text"),
        (("export", ""), "what follows export is an empty text"),
        (("convert", "a.json", ""), "what follows a.json is an empty text"),
    ],
)
def test_a_variable_that_is_not_set_is_not_the_present_folder(
    arguments: tuple[str, ...], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named in refused(*arguments)
    assert list(tmp_path.iterdir()) == []
