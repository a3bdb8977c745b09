"""``coarsekit simulate`` at several reduction factors."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from coarsekit.annotations import read_annotation
from coarsekit.cli.main import main
from coarsekit.datasets import open_source
from coarsekit.simulation.simulate import annotate, annotate_sweep
from coarsekit.simulation.styles import HUMAN
from tests import command_line


def run(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


def test_a_sweep_draws_what_its_factors_draw_one_by_one() -> None:
    fundus = open_source("sample").read("IDRiD_46")
    swept = list(annotate_sweep(fundus, (1.0, 1.5, 2.0), HUMAN, seed=3, dataset="sample"))
    assert swept == [annotate(fundus, factor, HUMAN, seed=3, dataset="sample") for factor in (1.0, 1.5, 2.0)]


def test_each_factor_has_a_folder_and_each_row_says_its_factor(tmp_path: Path) -> None:
    result = run("simulate", "--reduction", "1.0:2.0:0.5", "--out", tmp_path, "--json")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reduction-1", "reduction-1.5", "reduction-2"]
    document = json.loads(result.stdout)
    assert document["reduction"] == [1.0, 1.5, 2.0]
    assert [row["reduction"] for row in document["rows"]] == [factor for factor in (1.0, 1.5, 2.0) for _ in range(4)]
    assert {line["reduction"] for line in document["images"]} == {1.0, 1.5, 2.0}
    for row in document["rows"]:
        paths = (tmp_path / f"reduction-{row['reduction']:g}").glob("*/ellipses.json")
        assert sum(len(read_annotation(path).of(row["lesion"])) for path in paths) == row["ellipses"]


def test_one_factor_is_as_it_always_was(tmp_path: Path) -> None:
    result = run("simulate", "--reduction", "1.5", "--out", tmp_path / "one", "--json")
    document = json.loads(result.stdout)
    assert document["reduction"] == 1.5
    assert list(document) == ["source", "split", "reduction", "style", "rows", "images", "failures"]
    assert "reduction" not in document["rows"][0]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["IDRiD_19", "IDRiD_46"]


@pytest.mark.parametrize("text", ["0.5:2:0.5", "1,0.9", "2:1:0.1", "1:2:0", "1,x", "1:2", ""])
def test_a_sweep_that_is_none_is_one_sentence_before_any_work(tmp_path: Path, text: str) -> None:
    result = run("simulate", "--reduction", text, "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert not (tmp_path / "out").exists()
