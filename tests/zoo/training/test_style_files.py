"""A style in a TOML file serves wherever a preset does."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from coarsekit.simulation.styles import Imprecision, Style, dump_style
from tests import command_line
from zoo.cli.main import main


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "ours.toml"
    path.write_text(dump_style(Style("ours", other=Imprecision(size=0.1))), encoding="utf-8")
    return path


def zoo(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


def test_refiners_are_scored_on_drawings_of_a_style_file(style: Path) -> None:
    result = zoo("evaluate", "sample", "--refiner", "shrink", "--style", style, "--lesion", "SE", "--json")
    assert result.exit_code == 0, result.output
    assert [row["style"] for row in json.loads(result.stdout)["rows"]] == ["ours"]


def test_a_network_is_trained_for_a_style_file_and_goes_on_with_it(style: Path, tmp_path: Path) -> None:
    tiny = ("--set", "width=2", "--set", "size=32", "--set", "batch=4", "--set", "samples=4", "--split", "validation")
    train = ("train", "sample", "-o", tmp_path / "out", "--set", f"styles={style}", *tiny)
    result = zoo(*train, "--set", "epochs=1")
    assert result.exit_code == 0, result.output
    assert '"ours"' in (tmp_path / "out" / "training.json").read_text()
    assert zoo(*train, "--set", "epochs=2", "--resume").exit_code == 0


def test_two_styles_of_one_name_are_one_sentence(style: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(style.read_text(encoding="utf-8"), encoding="utf-8")
    result = zoo("train", "sample", "-o", tmp_path / "out", "--set", f"styles={style},{other}")
    assert result.exit_code == 2
    assert "name one style twice" in result.stderr
