"""``zoo consensus``, on the sample and three simulated annotators."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import coarsekit
from coarsekit.annotations import native
from coarsekit.images import read_mask, write_image
from coarsekit.types import Ellipse, Mark
from tests.benchmarks.consensus import measure
from zoo.cli.main import main
from zoo.evaluation.agreement import agreement
from zoo.evaluation.refiners import Floor
from zoo.loading import from_pretrained
from zoo.marks.consensus import majority
from zoo.output.consensus_to_folder import consensus


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


def draw(who: str, image: str, *marks: Mark) -> None:
    native.write(Path(who, f"{Path(image).stem}.json"), [coarsekit.Annotation(image, 160, 120, marks)])


def grey(*names: str) -> None:
    """Photographs without a rim, each of another grey."""
    for value, name in enumerate(names, start=90):
        write_image(Path("in", name), np.full((120, 160, 3), value, np.uint8))


MA, HE = Mark("MA", Ellipse(50, 50, 9, 9)), Mark("HE", Ellipse(110, 60, 20, 16))


def test_a_depth_that_only_the_values_of_a_photograph_tell_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    deep = np.random.default_rng(0).integers(0, 1024, (120, 160), np.uint16)
    Image.fromarray(deep).save("in/a.png")
    for who in ("person0", "person1"):
        draw(who, "a.png", MA)
    agreeing = ["agreement", "in", "person0", "person1", "--refiner", "shrink"]
    for result in (run(people=2), run(people=2), CliRunner().invoke(main, agreeing)):
        assert "The values in the 16 bits of a" in result.stderr, result.stderr
    assert json.loads(Path("out/a.json").read_text())["depth_guessed"] == 10


def test_other_drawings_need_force_and_one_person_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grey("a.png")
    for who in ("person0", "person1", "person2"):
        draw(who, "a.png", MA)
    assert run().exit_code == 0
    refused = run(people=2)
    assert refused.exit_code == 1
    assert "is of other drawings, another refiner, or another scale" in refused.output
    assert run("--force", people=2).exit_code == 0
    alone = run(people=1)
    assert alone.exit_code == 2
    assert "one annotator alone" in alone.output


def test_the_masks_of_a_class_that_nobody_draws_any_more_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grey("a.png")
    draw("person0", "a.png", MA, HE)
    draw("person1", "a.png", MA)
    assert run(people=2).exit_code == 0
    draw("person0", "a.png", MA)
    assert run("--force", people=2).exit_code == 0
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["a_MA_majority.png", "a_MA_staple.png"]


@pytest.mark.parametrize("command", ["consensus", "agreement"])
def test_photographs_of_one_name_in_two_folders_are_two(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grey("left/001.png", "right/001.png", "002.png")
    draw("person0", "left/001.png", MA)
    draw("person1", "right/001.png", MA)
    for who in ("person0", "person1"):
        draw(who, "002.png", MA)
    result = CliRunner().invoke(main, [command, "in", "person0", "person1", "--refiner", "shrink"])
    assert result.exit_code == 1
    names = "left/001.png by person0, right/001.png by person1"
    assert f"Left out: 2 photographs were annotated by one alone ({names})" in result.stderr
    assert not list(Path().glob("consensus/001*"))
    Path("in/002.png").unlink()
    refused = CliRunner().invoke(main, [command, "in", "person0", "person1", "--refiner", "shrink"])
    assert refused.exit_code == 2
    assert "no photograph in it that two annotated" in refused.stderr


@pytest.mark.parametrize("command", ["consensus", "agreement"])
def test_what_cannot_be_done_of_a_photograph_is_named_and_the_others_are_done(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grey("a.png", "b.png", "c.png", "d.png", "e.png")
    for who in ("person0", "person1"):
        for name in ("a.png", "b.png", "c.png", "d.png", "e.png"):
            draw(who, name, MA)
    native.write(Path("person0/june.json"), [coarsekit.Annotation("A.PNG", 160, 120, (HE,))])
    native.write(Path("person0/b.json"), [coarsekit.Annotation("b.png", 160, 160, (MA,))])
    native.write(Path("person0/e.json"), [coarsekit.Annotation("e.png", 80, 60, (Mark("MA", Ellipse(25, 25, 5, 5)),))])
    Path("in/c.png").write_bytes(Path("in/c.png").read_bytes()[:60])
    result = CliRunner().invoke(main, [command, "in", "person0", "person1", "--refiner", "shrink", "--json"])
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    said = result.stderr
    for word in ("a.png and A.PNG: annotated more than once", "Failed: ", "b.png", "Failed: in/c.png", "scaled by 2"):
        assert word in said
    assert sum(len(failure) > 0 for failure in document["failures"]) == 2
    if command == "agreement":
        assert [row["photographs"] for row in document["rows"]] == [2]
    else:
        assert sorted(path.stem for path in Path("consensus").glob("*.json")) == ["d", "e"]


def test_everybody_s_marks_are_refined_at_one_scale_which_is_said_where_it_is_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grey("a.png")
    asked = []

    class Asked(Floor):
        def refine(self, image: Any, annotation: Any, advance: Any = None, scale: float | None = None) -> Any:
            asked.append(scale)
            return super().refine(image, annotation)

    drawn = {
        who: coarsekit.Annotation("a.png", 160, 120, (Mark("HE", Ellipse(80, 60, radius, radius)),))
        for who, radius in (("x", 10), ("y", 40))
    }
    image = coarsekit.read_image("in/a.png")
    consensus(Asked(), image, drawn)
    list(agreement(Asked(), [("a", image)], {who: {"a": own} for who, own in drawn.items()}))
    assert len(asked) == 4
    assert len(set(asked)) == 1
    assert asked[0] is not None
    for who, own in drawn.items():
        native.write(Path(who, "a.json"), [own])
    for command in (["consensus", "-o", "out", "--force"], ["agreement"]):
        asked_of = [*command, "in", "x", "y", "--refiner", "shrink"]
        told = CliRunner().invoke(main, asked_of)
        assert "the scale was taken from the sizes of the marks; --scale says it" in told.stderr
        said = CliRunner().invoke(main, [*asked_of, "--scale", "3418"])
        assert said.exit_code == 0, said.output
        assert "the scale was taken" not in said.stderr
    record = json.loads(Path("out/a.json").read_text())
    assert (record["content"]["scale"], record["content"]["scale_from"]) == (1.0, "given")


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
