"""``zoo consensus``, on the sample and three simulated annotators."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import coarsekit
from coarsekit.annotations import native
from coarsekit.images import read_mask, write_image
from tests.benchmarks.consensus import measure
from zoo.cli.main import main
from zoo.loading import from_pretrained
from zoo.marks.consensus import majority


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The photographs of the sample, and what three people drew on them; one of them drew on one only."""
    monkeypatch.chdir(tmp_path)
    for place, fundus in enumerate(coarsekit.open_source("sample").photographs()):
        write_image(tmp_path / "in" / fundus.name, fundus.image)
        for seed in range(3 - place):
            drawn = coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, seed)
            native.write(tmp_path / f"person{seed}" / f"{Path(fundus.name).stem}.json", [drawn])
    return tmp_path


def run(*more: str, people: int = 3) -> Result:
    who = [f"person{seed}" for seed in range(people)]
    return CliRunner().invoke(main, ["consensus", "in", *who, "--refiner", "shrink", "-o", "out", *more])


def test_the_majority_of_three_is_written_and_what_was_done_before_is_kept(work: Path) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    records = {path.stem: json.loads(path.read_text()) for path in Path("out").glob("*.json")}
    assert [len(record["annotators"]) for record in records.values()].count(3) == 1
    refiner = from_pretrained("shrink")
    for stem, record in records.items():
        people = [coarsekit.read_annotation(Path(who) / f"{stem}.json") for who in record["annotators"]]
        image = coarsekit.read_image(Path("in") / f"{stem}.jpg")
        refined = [refiner.refine(image, one) for one in people]
        for lesion in record["lesions"]:
            nothing = np.zeros(image.shape[:2], bool)
            expected = majority([own.get(lesion, nothing) for own in refined])
            assert np.array_equal(read_mask(Path("out") / f"{stem}_{lesion}_majority.png"), expected)
    rows = list(csv.DictReader(Path("out/consensus_lesions.csv").read_text().splitlines()))
    assert len(rows) == sum(len(own) for record in records.values() for own in record["lesions"].values())
    assert {row["seen_by_one"] for row in rows} <= {"True", "False"}
    before = {path: path.stat().st_mtime_ns for path in Path("out").glob("*.png")}
    again = json.loads(run("--json").stdout)
    assert sorted(again["kept"]) == sorted(records)
    assert {path: path.stat().st_mtime_ns for path in Path("out").glob("*.png")} == before


def test_other_drawings_need_force_and_one_person_alone_is_refused(work: Path) -> None:
    assert run().exit_code == 0
    refused = run(people=2)
    assert refused.exit_code == 1
    assert "is of other drawings, or another refiner" in refused.output
    assert run("--force", people=2).exit_code == 0
    alone = run(people=1)
    assert alone.exit_code == 2
    assert "one annotator alone" in alone.output


def test_a_file_of_somebody_else_is_not_written_over(work: Path) -> None:
    Path("out").mkdir()
    Path("out/IDRiD_46.json").write_text("mine")
    result = run()
    assert result.exit_code == 2
    assert "IDRiD_46.json" in result.output
    assert Path("out/IDRiD_46.json").read_text() == "mine"


def test_the_majority_of_three_beats_each_of_them() -> None:
    measured = measure(coarsekit.open_source("sample"), None, from_pretrained("shrink"))
    single = [score for who, score in measured.items() if who.startswith("annotator")]
    assert len(single) == 3
    assert measured["majority"] > max(single)
