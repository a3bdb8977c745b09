"""Results that a later run puts elsewhere are named, reviews leave them out, and all others stay where they are."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from coarsekit.annotations import native
from coarsekit.images import read_mask, write_image
from coarsekit.types import Annotation, Ellipse, Mark
from tests import command_line
from zoo.cli.main import main
from zoo.evaluation.refiners import Floor
from zoo.output.records import SUPERSEDED_BY, finished_records
from zoo.review.results import results_in

MA, HE = Mark("MA", Ellipse(50, 50, 9, 9)), Mark("HE", Ellipse(110, 60, 20, 16))
ANNA, BEN, TASK = {"annotator": "anna"}, {"annotator": "ben"}, {"task": "Clinic A"}


class Weighed(Floor):
    """Answers the drawing, and has weights, so that its results are kept."""

    name, weights_sha256 = "weighed", "0123456789abcdef"


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for value, name in enumerate(("A.jpg", "B.jpg", "sub/A.jpg", "copy/A.jpg"), start=90):
        write_image(Path("in", name), np.full((120, 160, 3), value, np.uint8))
    Path("in/copy/A.jpg").write_bytes(Path("in/A.jpg").read_bytes())
    return tmp_path


def refine(*drawn: tuple[str, Mapping[str, Any], tuple[Mark, ...]], **options: Any) -> zoo.RefineReport:
    """Refine just these drawings: of a photograph, by somebody, with marks."""
    folder = Path("drawn")
    for file in folder.glob("*.json"):
        file.unlink()
    for number, (image, who, marks) in enumerate(drawn):
        native.write(folder / f"{number}.json", [Annotation(image, 160, 120, marks, who)])
    return zoo.refine_to_folder(Weighed(), "in", folder, "out", **options)


def counting() -> list[str]:
    return [path.relative_to("out").as_posix() for path, _ in finished_records(Path("out"))]


def said(report: zoo.RefineReport) -> list[str]:
    return [note for note in report.notes if "supersede" in note]


FIRST = (("A.jpg", ANNA, (MA, HE)), ("B.jpg", ANNA, (MA,)), ("sub/A.jpg", ANNA, (MA,)), ("copy/A.jpg", ANNA, (MA, HE)))


def test_only_photographs_that_two_annotated_move_and_what_they_leave_behind_is_named() -> None:
    refine(*FIRST)
    mask = read_mask("out/A_MA.png")
    mask[:5] = True
    write_image(Path("out/A_MA.png"), mask)
    report = refine(*FIRST, ("A.jpg", BEN, (MA,)))
    assert sorted(report.kept) == ["B.jpg", "copy/A.jpg", "sub/A.jpg"]
    assert counting() == ["B.json", "anna/A.json", "ben/A.json", "copy/A.json", "sub/A.json"]
    old, corrected = said(report)
    assert old.startswith("1 result of an earlier run is superseded: A.json by anna/A.json; reviews leave it out")
    assert "A_MA.png (now anna/A_MA.png)" in corrected
    assert "A_HE.png" not in corrected
    assert len(refine(*FIRST, ("A.jpg", BEN, (MA,))).kept) == 5
    found = results_in(Path("out"))
    assert found.notes == ["1 result is left out, superseded by a later run of refining: A.json by anna/A.json."]


def test_what_counts_again_supersedes_in_its_turn_and_what_is_removed_supersedes_nothing() -> None:
    refine(*FIRST)
    refine(*FIRST, ("A.jpg", BEN, (MA,)))
    report = refine(*FIRST)
    assert len(report.kept) == 4
    assert "anna/A.json by A.json" in said(report)[0]
    assert all(SUPERSEDED_BY not in record for record in report.records)
    assert counting() == ["A.json", "B.json", "ben/A.json", "copy/A.json", "sub/A.json"]
    Path("out/A.json").unlink()
    assert "anna/A.json" in counting()


@pytest.mark.parametrize(
    ("earlier", "later", "superseded"),
    [
        ((ANNA, (MA,)), (ANNA, (MA, HE)), True),  # her drawing grew
        ((TASK, (MA,)), (ANNA, (MA,)), True),  # the task was assigned
        ((TASK, (MA,)), (ANNA, (HE,)), False),
        ((ANNA, (MA,)), (BEN, (MA,)), False),
        ((TASK, ()), (ANNA, ()), False),  # nobody's marks are anyone's
    ],
)
def test_whose_drawing_it_was_tells(earlier: Any, later: Any, superseded: bool) -> None:
    refine(("A.jpg", *earlier))
    report = refine(("A.jpg", *later), ("A.jpg", {"annotator": "carl"}, (replace(HE, lesion="EX"),)))
    assert report.failures == []
    assert bool(said(report)) == superseded
    assert ("A.json" in counting()) != superseded


def test_the_commands_of_a_review_leave_it_out_and_say_so() -> None:
    refine(*FIRST)
    refine(*FIRST, ("A.jpg", BEN, (MA,)))
    page = command_line.run(main, "review", "out", "--json")
    assert page.exit_code == 0, page.output
    document = json.loads(page.stdout)
    assert (document["marks"], document["photographs"]) == (7, counting())
    assert "A.json by anna/A.json" in document["notes"][0]
    decided = {"format": "coarsekit-review", "version": 1, "results_sha256": "0", "photographs": []}
    Path("decisions.json").write_text(json.dumps(decided))
    merged = command_line.run(main, "apply-review", "out", "decisions.json", "--to", "labelstudio")
    assert merged.exit_code == 0, merged.output
    assert "A.json by anna/A.json" in merged.stderr
    tasks = json.loads(Path("out/reviewed/refined_labelstudio.json").read_text())
    assert sorted(len(task["predictions"]) for task in tasks) == [1, 1, 1, 2]
