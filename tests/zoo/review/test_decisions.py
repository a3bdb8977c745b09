"""Decisions are merged into the masks, and go into the files of tools."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from coarsekit.annotations import native, read_annotations, writable_formats
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError, OutputError
from coarsekit.geometry import draw
from coarsekit.images import read_mask, read_values
from coarsekit.types import Mask
from tests import command_line
from tests.zoo.review.conftest import DRAWN, MARKS, SIZE, Upper
from zoo.cli.main import main
from zoo.output.records import finished_records
from zoo.output.refine_to_folder import refine_to_folder
from zoo.output.tool_files import ToolOptions
from zoo.review.apply import apply_review, merged
from zoo.review.results import DIGESTS, results_in

LESIONS = ("MA", "HE")


def decide(given: Mapping[str, Mapping[int, str]], **changes: Any) -> Path:
    """Write decisions on the results in ``out``, by record and mark."""
    results = {result.name: result for result in results_in(Path("out"))[0]}
    photographs = [
        {
            "record": name,
            **results[name].digests,
            **changes,
            "decisions": [{"mark": mark, "decision": decision} for mark, decision in decisions.items()],
        }
        for name, decisions in given.items()
    ]
    content = {"format": "coarsekit-review", "version": 1, "results_sha256": "0", "photographs": photographs}
    Path("decisions.json").write_text(json.dumps(content))
    return Path("decisions.json")


def masks_in(folder: str, stem: str = "left/a") -> dict[str, Mask]:
    return {lesion: read_mask(f"{folder}/{stem}_{lesion}.png") for lesion in LESIONS}


def same(one: Mapping[str, Mask], other: Mapping[str, Mask]) -> bool:
    return all(np.array_equal(one[lesion], other[lesion]) for lesion in LESIONS)


def drawn(*places: int) -> dict[str, Mask]:
    """The pixels of marks as they were drawn."""
    own = replace(DRAWN, marks=tuple(DRAWN.marks[place] for place in places))
    return {lesion: draw(own.of(lesion), SIZE[::-1]) for lesion in LESIONS}


every = range(len(MARKS))


def test_all_accepted_are_the_refined_masks_none_is_nothing_and_all_drawings_are_the_drawn_ones(work: Path) -> None:
    apply_review("out", decide({"left/a.json": dict.fromkeys(every, "accept")}))
    assert same(masks_in("out/reviewed"), masks_in("out"))
    assert same(masks_in("out/reviewed", "b"), masks_in("out", "b"))
    apply_review("out", decide({"left/a.json": dict.fromkeys(every, "reject")}), "none")
    assert not any(mask.any() for mask in masks_in("none").values())
    apply_review("out", decide({"left/a.json": dict.fromkeys(every, "drawing")}), "drawn-ones")
    assert same(masks_in("drawn-ones"), drawn(*every))


CHOICES = st.dictionaries(st.sampled_from(every), st.sampled_from(["accept", "reject", "drawing"]))


@given(CHOICES, st.integers(0, 2**16))
def test_each_mark_counts_for_itself_and_what_marks_share_belongs_to_all(choices: dict[int, str], seed: int) -> None:
    noise = np.random.default_rng(seed).random(SIZE[::-1]) < 0.7
    masks = {lesion: mask & noise for lesion, mask in drawn(*every).items()}
    one_by_one = [
        merged(DRAWN, masks, {**dict.fromkeys(every, "reject"), place: choices.get(place, "accept")}) for place in every
    ]
    together = merged(DRAWN, masks, choices)
    assert same(together, {lesion: np.any([one[lesion] for one in one_by_one], axis=0) for lesion in LESIONS})
    left = {place: decision for place, decision in choices.items() if decision != "accept"}
    assert same(together, merged(DRAWN, masks, left))


def test_the_record_counts_decisions_and_is_no_result_to_review_again(work: Path) -> None:
    report = apply_review("out", decide({"left/a.json": {0: "accept", 1: "reject", 3: "drawing"}}))
    assert report.counts == {"accept": 1, "reject": 1, "drawing": 1, "undecided": 7}
    record = json.loads(Path("out/reviewed/left/a.json").read_text())
    assert record["reviewed"] == {"accept": 1, "reject": 1, "drawing": 1, "undecided": 4}
    assert [mark["decision"] for mark in record["marks"]] == ["accept", "reject", None, "drawing", None, None, None]
    for mask in record["masks"]:
        assert mask["reviewed_pixels"] == masks_in("out/reviewed")[mask["lesion"]].sum()
    assert "overlay" not in record
    assert [path.as_posix() for path, _ in finished_records(Path("out"))] == ["out/b.json", "out/left/a.json"]


def read(name: str) -> dict[str, Any]:
    [place] = [path for path in Path("out/reviewed").glob(f"refined_{name}*") if "config" not in path.name]
    files = sorted(place.rglob("*.json")) if place.is_dir() else [place]
    found = [one for file in files for one in read_annotations(file, ReadOptions(size=SIZE)).annotations]
    return {one.image.rpartition("/")[2]: one for one in found}


@pytest.mark.parametrize("name", writable_formats())
def test_every_format_holds_what_the_masks_hold(work: Path, name: str) -> None:
    file = decide({"left/a.json": {**dict.fromkeys(range(7), "accept"), 1: "reject", 3: "drawing"}})
    report = apply_review("out", file, for_tools=ToolOptions((name,)))
    found = read(name)["a.png"]
    assert len(found.marks) == 6
    assert same({lesion: draw(found.of(lesion), SIZE[::-1]) for lesion in LESIONS}, masks_in("out/reviewed"))
    assert report.for_tools
    assert len(read(name)["b.png"].marks) == 3


def test_cvat_is_told_who_made_what(work: Path) -> None:
    file = decide({"left/a.json": {0: "accept", 1: "reject", 3: "drawing", 6: "drawing"}})
    apply_review("out", file, for_tools=ToolOptions(("cvat",), with_drawing=False))
    [image] = [one for one in Tree.parse("out/reviewed/refined_cvat.xml").iter("image") if one.get("name") != "b.png"]
    assert [(shape.tag, shape.get("source")) for shape in image] == [
        *(("mask", "semi-auto"), ("mask", "auto"), ("ellipse", "manual"), ("mask", "auto"), ("mask", "auto")),
        ("polyline", "manual"),
    ]
    apply_review("out", file, "both", for_tools=ToolOptions(("cvat",), with_drawing=True))
    [image] = [one for one in Tree.parse("both/refined_cvat.xml").iter("image") if one.get("name") != "b.png"]
    assert [shape.get("source") for shape in image] == ["manual"] * 7 + ["semi-auto"] + ["auto"] * 3


def test_label_studio_and_the_table_say_it_too_and_via_knows_the_photographs(work: Path) -> None:
    file = decide({"left/a.json": {0: "accept", 1: "reject", 3: "drawing"}})
    apply_review("out", file, for_tools=ToolOptions(("labelstudio", "csv", "via")))
    tasks = json.loads(Path("out/reviewed/refined_labelstudio.json").read_text())
    assert {task["predictions"][0]["model_version"] for task in tasks} == {"upper 01234567, reviewed"}
    rows = list(csv.DictReader(Path("out/reviewed/refined_marks.csv").read_text().splitlines()))
    assert [row["decision"] for row in rows if row["image"] == "left/a.png"] == ["accept", "reject", "", "drawing"] + [
        ""
    ] * 3
    sizes = {one["size"] for one in json.loads(Path("out/reviewed/refined_via.json").read_text()).values()}
    assert sizes == {Path("in/left/a.png").stat().st_size, Path("in/b.png").stat().st_size}


@pytest.mark.parametrize("field", DIGESTS)
def test_decisions_on_other_content_are_named_and_left_out(work: Path, field: str) -> None:
    file = decide({"left/a.json": dict.fromkeys(every, "reject")}, **{field: "other"})
    result = command_line.run(main, "apply-review", "out", file, "--json")
    assert result.exit_code == 1
    assert f"left/a.json: the decisions are of {DIGESTS[field]}, and are left out" in result.stderr
    assert json.loads(result.stdout)["counts"] == {"accept": 0, "reject": 0, "drawing": 0, "undecided": 10}
    assert same(masks_in("out/reviewed"), masks_in("out"))


def test_decisions_on_results_that_are_not_there_are_named(work: Path) -> None:
    decide({"b.json": {0: "reject"}})
    text = Path("decisions.json").read_text()
    Path("decisions.json").write_text(text.replace('"b.json"', '"../c.json"'))
    result = command_line.run(main, "apply-review", "out", "decisions.json")
    assert (result.exit_code, "../c.json: there is no such result" in result.stderr) == (1, True)
    Path("decisions.json").write_text(text.replace('"masks_sha256"', '"results_sha256"'))
    assert "is not a field" in command_line.refusal(command_line.run(main, "apply-review", "out", "decisions.json"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[", "cannot be read as JSON"),
        ("[]", "expected"),
        ('{"format": "x", "version": 1}', "format: expected 'coarsekit-review', got"),
        (
            '{"format": "coarsekit-review", "version": 2, "results_sha256": "", "photographs": []}',
            "version: expected 1",
        ),
        ('{"format": "coarsekit-review", "version": 1, "results_sha256": ""}', "photographs is missing"),
    ],
)
def test_a_damaged_file_is_one_sentence(work: Path, content: str, sentence: str) -> None:
    Path("decisions.json").write_text(content)
    assert sentence in command_line.refusal(command_line.run(main, "apply-review", "out", "decisions.json"))
    assert not Path("out/reviewed").exists()


def test_unknown_decisions_and_marks_and_what_is_said_twice(work: Path, edit: Callable[..., None]) -> None:
    def refused() -> str:
        return command_line.refusal(command_line.run(main, "apply-review", "out", "decisions.json"))

    decide({"b.json": {0: "maybe"}})
    assert "decision: expected 'accept', 'reject' or 'drawing', got \"maybe\"" in refused()
    decide({"b.json": {3: "accept"}})
    assert "b.json has no mark 3, since it has 3" in refused()
    decide({"b.json": {-1: "accept"}})
    assert "mark: expected greater than or equal to 0" in refused().replace("Input should be ", "")
    decide({"b.json": {0: "accept"}})
    [one] = json.loads(Path("decisions.json").read_text())["photographs"]
    edit("decisions.json", photographs=[one, one])
    assert "b.json is there twice" in refused()
    edit("decisions.json", photographs=[{**one, "decisions": one["decisions"] * 2}])
    assert "mark 0 of b.json is decided twice" in refused()
    Path("decisions.json").unlink()
    assert "no such file; give the decisions that the page saved" in refused()


def test_what_is_there_is_not_written_over_and_an_input_never(work: Path) -> None:
    file = decide({"b.json": {0: "reject"}})
    apply_review("out", file)
    with pytest.raises(OutputError, match="is already there; give force=True"):
        apply_review("out", file)
    apply_review("out", decide({"b.json": {0: "accept"}}), force=True)
    assert same(masks_in("out/reviewed", "b"), masks_in("out", "b"))
    with pytest.raises(OutputError, match="would be written over, and is read here"):
        apply_review("out", file, "out", force=True)
    Path("tools").mkdir()
    Path("tools/refined_cvat.xml").write_text("mine")
    with pytest.raises(OutputError, match="no earlier run wrote it"):
        apply_review("out", file, "tools", for_tools=ToolOptions(("cvat",)))


def test_the_mask_of_a_class_that_is_gone_is_removed(work: Path) -> None:
    apply_review("out", decide({}))
    before = {path.name for path in Path("out/reviewed/left").glob("a_*.png")}
    native.write(Path("drawn/a.json"), [replace(DRAWN, marks=tuple(m for m in MARKS if m.lesion == "MA"))])
    refine_to_folder(Upper(), "in", "drawn", "out", force=True)
    apply_review("out", decide({}), force=True)
    assert before == {"a_MA.png", "a_HE.png"}
    assert {path.name for path in Path("out/reviewed/left").glob("a_*.png")} == {"a_MA.png"}


def test_a_changed_mask_is_left_out_and_the_rest_is_done(work: Path) -> None:
    file = decide({"b.json": {0: "reject"}})
    Path("out/left/a_HE.png").write_bytes(Path("out/b_HE.png").read_bytes())
    result = command_line.run(main, "apply-review", "out", file, "--to", "cvat")
    assert (result.exit_code, "a_HE.png was changed since it was refined" in result.stderr) == (1, True)
    assert "marks: 1 rejected, 2 undecided" in result.stderr
    assert "For a tool: out/reviewed/refined_cvat.xml" in result.stderr
    assert not Path("out/reviewed/left").exists()


def test_a_mark_that_is_not_there_stops_before_anything_is_written(work: Path) -> None:
    with pytest.raises(AnnotationError, match="has no mark 99"):
        apply_review("out", decide({"left/a.json": {99: "accept"}}))
    assert not Path("out/reviewed").exists()


def two_annotators() -> None:
    """What two people drew on one photograph and one on another, refined into ``both``."""
    for who, name in (("anna", "left/a.png"), ("anna", "b.png"), ("ben", "left/a.png")):
        one = replace(DRAWN, image=name, provenance={"annotator": who})
        native.write(Path("drawn_by", who, f"{Path(name).stem}.json"), [one])
    assert zoo.refine_to_folder(Upper(), "in", "drawn_by", "both").failures == []


def test_one_annotator_of_several_is_chosen_with_the_decisions(work: Path) -> None:
    two_annotators()
    results = {result.name: result for result in results_in(Path("both"))[0]}
    judged = [
        {"record": name, **result.digests, "decisions": [{"mark": 0, "decision": "reject"}]}
        for name, result in results.items()
    ]
    judged[-1]["weights_sha256"] = "0"  # ben's are of other content, which is of no concern to anna
    content = {"format": "coarsekit-review", "version": 1, "results_sha256": "0", "photographs": judged}
    Path("decisions.json").write_text(json.dumps(content))
    refused = command_line.run(main, "apply-review", "both", "decisions.json", "--to", "cvat", "-o", "all")
    assert refused.exit_code == 2
    assert "choose one by --annotator" in refused.stderr
    arguments = ("apply-review", "both", "decisions.json", "--to", "cvat,labelmap", "--annotator", "anna", "-o", "hers")
    done = command_line.run(main, *arguments)
    assert done.exit_code == 0, done.output
    assert "What others annotated is left out: 1 of 3." in done.stderr
    written = read_annotations(Path("hers/refined_cvat.xml")).annotations
    assert {one.image for one in written} == {"b.png", "left/a.png"}
    assert not list(Path("hers").rglob("ben"))
    unknown = command_line.run(main, "apply-review", "both", "decisions.json", "--annotator", "cleo", "-o", "none")
    assert "no annotation by 'cleo'; there are anna, ben" in command_line.refusal(unknown)


def test_label_maps_are_of_the_masks_after_the_review(work: Path) -> None:
    file = decide({"left/a.json": {0: "reject", 3: "drawing"}})
    apply_review("out", file, for_tools=ToolOptions(("labelmap",)))
    merged_masks, values = masks_in("out/reviewed"), read_values("out/reviewed/refined_labelmap/left/a.png")
    assert np.array_equal(values > 0, merged_masks["MA"] | merged_masks["HE"])
    assert not np.array_equal(values > 0, masks_in("out")["MA"] | masks_in("out")["HE"])
