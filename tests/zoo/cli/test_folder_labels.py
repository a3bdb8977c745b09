"""A coarsekit.toml beside the drawings or the photographs says what their labels stand for, in zoo's commands too."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from coarsekit.annotations import native
from coarsekit.images import write_image
from coarsekit.types import Annotation, Ellipse, Mark
from tests import command_line
from zoo.cli.main import main

TABLE = '[labels]\n"bright spots" = "EX"\n'
MARK = Mark("bright spots", Ellipse(60, 50, 12, 9))


def zoo(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of two photographs, and beside it what two people drew on them."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        write_image(folder / name, np.full((120, 160, 3), 90, np.uint8))
        for person in ("anna", "bob"):
            native.write(tmp_path / person / f"{name}.json", [Annotation(name, 160, 120, (MARK,))])
    return folder


@pytest.mark.parametrize("place", ["photographs", "anna"])
@pytest.mark.parametrize("several", [True, False])
def test_refine_reads_by_it(photographs: Path, tmp_path: Path, place: str, several: bool) -> None:
    (tmp_path / place / "coarsekit.toml").write_text(TABLE)
    what = (photographs, tmp_path / "anna") if several else (photographs / "a.png", tmp_path / "anna" / "a.png.json")
    result = zoo("refine", *what, "--refiner", "shrink", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[0] == f"Labels are read as {tmp_path / place / 'coarsekit.toml'} says."
    assert result.stderr.count("coarsekit.toml") == 1
    assert {path.name[1:] for path in (tmp_path / "out").glob("*.png")} == {"_EX.png"}
    told = zoo("refine", *what, "--refiner", "shrink", "-o", tmp_path / "told", "--labels", "Bright Spot=SE")
    assert told.exit_code == 0, told.stderr
    assert {path.name[1:] for path in (tmp_path / "told").glob("*.png")} == {"_SE.png"}


def test_a_table_that_does_not_fit_is_one_sentence(photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "anna" / "coarsekit.toml").write_text("[labels]\nspots = 3\n")
    sentence = "labels.spots: expected a valid string, got 3"
    drawn = (tmp_path / "anna", tmp_path / "bob")
    assert sentence in command_line.refusal(zoo("refine", photographs, drawn[0], "--refiner", "shrink"))
    assert sentence in command_line.refusal(zoo("agreement", photographs, *drawn, "--refiner", "shrink"))


def test_agreement_reads_by_that_of_each_annotator(photographs: Path, tmp_path: Path) -> None:
    for person in ("anna", "bob"):
        (tmp_path / person / "coarsekit.toml").write_text(TABLE)
    result = zoo("agreement", photographs, tmp_path / "anna", tmp_path / "bob", "--refiner", "shrink", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert {row["lesion"] for row in document["rows"]} == {"EX"}
    assert document["notes"][:-1] == [
        f"Labels are read as {tmp_path / who / 'coarsekit.toml'} says." for who in ("anna", "bob")
    ]
    assert "the scale was taken from the sizes of the marks" in document["notes"][-1]
