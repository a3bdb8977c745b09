"""Seeing and dropping what trainings and evaluations keep to go on from."""

import json
from pathlib import Path

import pytest

from coarsekit.errors import OutputError
from coarsekit.storage.outputs import at_work
from tests import command_line
from zoo.checkpoints.caches import drop_caches, list_caches
from zoo.cli.main import main


def rows(*arguments: object) -> list[dict]:
    result = command_line.run(main, "cache", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["rows"]


def test_the_scores_of_an_evaluation_are_shown_dropped_and_made_again(tmp_path: Path) -> None:
    command = ("evaluate", "sample", "--refiner", "shrink", "--lesion", "SE", "-o", tmp_path / "out", "-q")
    assert command_line.run(main, *command).exit_code == 0
    results = (tmp_path / "out" / "results.json").read_bytes()
    [row] = rows(tmp_path / "out")
    assert (row["folder"], row["kind"], row["entries"]) == (str(tmp_path / "out"), "scores of drawings", 4)
    assert rows(tmp_path / "out", "--drop") == [row]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["results.json"]
    assert rows(tmp_path / "out") == []
    assert command_line.run(main, *command).exit_code == 0
    assert (tmp_path / "out" / "results.json").read_bytes() == results
    assert rows(tmp_path / "out") == [row]


def test_photographs_and_pairs_go_and_files_of_other_people_stay(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / ("a" * 64)).mkdir(parents=True)
    (cache / ("a" * 64) / "rows.arrow").write_bytes(bytes(2_000_000))
    (cache / ("b" * 64 + ".npy")).write_bytes(bytes(500_000))
    (cache / "mine.txt").touch()
    (cache / ("c" * 64)).symlink_to(tmp_path)
    assert [(row.kind, row.entries, row.megabytes) for row in list_caches(tmp_path)] == [
        ("unpacked pairs", 1, 2.0),
        ("decoded photographs and masks", 1, 0.5),
    ]
    with at_work(tmp_path), pytest.raises(OutputError, match="another run is at work"):
        drop_caches(tmp_path)
    drop_caches(tmp_path)
    assert sorted(path.name for path in cache.iterdir()) == ["c" * 64, "mine.txt"]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert "no such folder" in command_line.refusal(command_line.run(main, "cache", tmp_path / "none"))
