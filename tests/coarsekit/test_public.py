"""What the commands do, called from Python: the same results, and one error where something is wrong."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import coarsekit
from coarsekit.annotations import read_annotations
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.main import main
from coarsekit.errors import AnnotationError
from tests.annotators_folder import fill, painted
from tests.command_line import refusal, run

SIZE = 32


@pytest.fixture(autouse=True)
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> coarsekit.Annotation:
    """What is drawn on ``image.png``; the work is done in the folder that has it."""
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path, painted())


def told(*arguments: object) -> Any:
    result = run(main, *arguments, "--json")
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


# ---------------------------------------------------------------------------------------------- convert


def test_convert_reports_what_the_command_does() -> None:
    calls: list[str] = []
    options: dict[str, Any] = {"to": "coco", "labels": {"MA": "HE", "Drusen": ""}, "approximate": True}
    report = coarsekit.convert("annotations.xml", "by-python.json", **options, on_note=calls.append)
    labels = ("--labels", "MA=HE", "--labels", "Drusen=")
    document = told("convert", "annotations.xml", "by-command.json", "--to", "coco", *labels, "--approximate")
    names = ("format", "photographs", "rows", "approximated", "not_held", "left_out", "notes")
    assert {name: getattr(report, name) for name in names} == {name: document[name] for name in names}
    assert (report.files, document["files"]) == ([Path("by-python.json")], ["by-command.json"])
    assert Path("by-python.json").read_bytes() == Path("by-command.json").read_bytes()
    assert report.approximated
    assert calls == report.notes == ["No region has the label 'Drusen'."]
    assert report.annotations == 1


def test_convert_names_what_is_left_out_and_stops_at_it_where_asked() -> None:
    text = Path("annotations.xml").read_text(encoding="utf-8")
    Path("odd.xml").write_text(text.replace("</image>", '<cuboid label="MA"/></image>'), encoding="utf-8")
    calls: list[str] = []
    report = coarsekit.convert("odd.xml", "out", on_left_out=calls.append)
    assert calls == report.left_out == told("convert", "odd.xml", "out", "--force")["left_out"]
    assert "cuboid" in calls[0]
    with pytest.raises(coarsekit.CoarsekitError, match="cuboid"):
        coarsekit.convert("odd.xml", "out", strict=True, force=True)


def test_several_annotators_get_a_folder_each_and_it_is_said(drawn: coarsekit.Annotation) -> None:
    both = [replace(drawn, provenance={"annotator": name}) for name in ("ann", "ben")]
    coarsekit.write_annotations(both, "both")
    calls: list[str] = []
    report = coarsekit.convert("both", "each", on_note=calls.append)
    assert (report.photographs, report.annotations, len(report.files)) == (1, 2, 2)
    assert "annotator=… chooses one" in calls[-1]
    result = run(main, "convert", "both", "again")
    assert "each gets a folder; --annotator chooses one." in result.stderr
    assert "1 photograph, 2 annotations, written to again" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (("missing.xml", "x"), {}, "missing.xml: no such file"),
        (("annotations.xml", "x"), {"to": "cocoo"}, "did you mean 'coco'"),
        (("annotations.xml", "x"), {"to": "roc"}, "roc can only be read"),
        (("annotations.xml", "x"), {"images": "nowhere"}, "nowhere: no such folder; images=… names"),
        (("annotations.xml", "annotations.xml"), {"force": True}, "is read here"),
        (("annotations.xml", "ellipses.json"), {}, "give force=True"),
        (("annotations.xml", "x.json"), {"to": "coco"}, "approximate=True"),
    ],
)
def test_what_cannot_be_converted_is_one_error(arguments: tuple[str, str], options: dict, sentence: str) -> None:
    with pytest.raises(coarsekit.CoarsekitError) as error:
        coarsekit.convert(*arguments, **options)
    assert sentence in str(error.value)
    assert not Path("x").exists()


def test_a_file_of_nothing_usable_says_why() -> None:
    Path("empty.xml").write_text(
        '<annotations><version>1.1</version><image id="0" name="a.png"><box/></image></annotations>', encoding="utf-8"
    )
    with pytest.raises(coarsekit.CoarsekitError, match=r"empty\.xml: has no photograph that could be converted: ."):
        coarsekit.convert("empty.xml", "x")
    result = run(main, "convert", "empty.xml", "x")
    assert (result.exit_code, result.stderr.count("Left out: ")) == (2, 1)
    assert result.stderr.endswith("could be converted; what was left out is named above; export the annotation again\n")


# ---------------------------------------------------------------------------------------------- write


@pytest.mark.parametrize(
    ("out", "to", "written"),
    [
        ("a.xml", None, "cvat"),
        ("a.csv", None, "via"),
        ("a.json", None, "native"),
        ("folder", None, "native"),
        ("b.json", "labelstudio", "labelstudio"),
    ],
)
def test_annotations_are_written_as_they_are_read(
    drawn: coarsekit.Annotation, out: str, to: str | None, written: str
) -> None:
    report = coarsekit.write_annotations([drawn], Path(out), to=to)
    assert report.format == written
    (file,) = report.files
    (read,) = read_annotations(file, ReadOptions(size=(drawn.width, drawn.height))).annotations
    assert [mark.lesion for mark in read.marks] == [mark.lesion for mark in drawn.marks]


def test_what_a_format_cannot_hold_is_an_error_or_said(drawn: coarsekit.Annotation) -> None:
    with pytest.raises(coarsekit.CoarsekitError, match="approximate=True"):
        coarsekit.write_annotations(drawn, "coco.json", to="coco")
    assert not Path("coco.json").exists()
    assert coarsekit.write_annotations(drawn, "coco.json", to="coco", approximate=True).approximated
    with pytest.raises(coarsekit.CoarsekitError, match="give force=True"):
        coarsekit.write_annotations(drawn, "coco.json", to="coco", approximate=True)
    assert coarsekit.write_annotations(drawn, "coco.json", to="coco", approximate=True, force=True).files


def test_nothing_to_write_is_an_error(drawn: coarsekit.Annotation) -> None:
    with pytest.raises(coarsekit.CoarsekitError, match="no annotation to write"):
        coarsekit.write_annotations([], "a.xml")
    with pytest.raises(coarsekit.CoarsekitError, match="is a folder"):
        coarsekit.write_annotations(drawn, "PHOTOGRAPHS", to="cvat")
    assert len(read_annotations("annotations.xml").annotations) == 1


# ---------------------------------------------------------------------------------------------- check


def test_check_reports_what_the_command_does() -> None:
    steps: list[tuple[int, int]] = []
    report = coarsekit.check("sample", progress=lambda *step: steps.append(step))
    document = told("check", "sample")
    assert [finding._asdict() for finding in report.findings] == document["findings"]
    assert (report.classes, report.summary) == (document["classes"], document["summary"])
    assert (report.photographs, len(report.errors), len(report.notes)) == (2, document["errors"], document["notes"])
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert coarsekit.check(coarsekit.open_source("sample"), "validation") == report


@pytest.mark.parametrize(("source", "split"), [("smaple", None), ("sample", "nowhere"), ("idrid:missing", None)])
def test_what_cannot_be_checked_is_one_error(source: str, split: str | None) -> None:
    with pytest.raises(coarsekit.CoarsekitError) as error:
        coarsekit.check(source, split)
    result = run(main, "check", source, *([] if split is None else ["--split", split]))
    assert str(error.value) in refusal(result)


# ---------------------------------------------------------------------------------------------- export


def test_pairs_are_those_of_the_command() -> None:
    steps: list[tuple[int, int]] = []
    options: dict[str, Any] = {"reductions": [1, 1.5], "size": SIZE, "seed": 3}
    report = coarsekit.export_pairs("sample", "python", **options, progress=lambda *step: steps.append(step))
    document = told("export", "sample", "-o", "command", "--reduction", "1,1.5", "--size", SIZE, "--seed", "3")
    assert (report.made, report.kept) == (document["made"], document["kept"]) == (2, 0)
    assert [row["pairs"] for row in report.rows] == [row["pairs"] for row in document["rows"]]
    files = [path.relative_to("python") for path in sorted(Path("python").rglob("*")) if path.is_file()]
    assert all((Path("python") / file).read_bytes() == (Path("command") / file).read_bytes() for file in files)
    assert (steps[0], steps[-1]) == ((0, 2), (2, 2))
    assert coarsekit.export_pairs(coarsekit.open_source("sample"), Path("python"), **options).kept == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"jobs": 0}, "jobs must be 1 or more"),
        ({"reductions": []}, "at least one reduction factor"),
        ({"reductions": [0.5]}, "0.5"),
        ({"reductions": 0.5}, "0.5"),
        ({"size": 1}, "size of a patch"),
        ({"size": 10**9}, "size of a patch must be 8192 px or less, got 1000000000"),
        ({"split": "nowhere"}, "nowhere"),
        ({"jobs": 1.5}, "jobs must be 1 or more, got 1.5"),
        ({"reductions": "two"}, "the reduction factor must be .* got 'two'"),
        ({"reductions": None}, "the reduction factor must be .* got None"),
        ({"seed": "x"}, "the seed must be a whole number, got 'x'"),
        ({"size": "x"}, "size of a patch must be .* got 'x'"),
        ({"style": "hunam"}, "no style 'hunam'.*did you mean 'human'"),
        ({"style": 3}, "no style 3"),
    ],
)
def test_what_cannot_be_exported_is_one_error(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(coarsekit.CoarsekitError, match=sentence):
        coarsekit.export_pairs("sample", "x", **options)
    assert not Path("x").exists()


def test_a_style_is_taken_by_its_name_or_its_file(tmp_path: Path) -> None:
    fundus = coarsekit.open_source("sample").read("IDRiD_46")
    drawn = coarsekit.annotate(fundus, 1, coarsekit.HUMAN)
    assert coarsekit.annotate(fundus, 1, "human") == drawn
    (tmp_path / "own.toml").write_text("expand = 5.0\n")
    assert coarsekit.annotate(fundus, 1, tmp_path / "own.toml").provenance["style"] == "own"
    for wrong, sentence in (("hunam", "did you mean 'human'"), (None, "no style None"), (Path("x.toml"), "x.toml")):
        with pytest.raises(coarsekit.CoarsekitError, match=sentence):
            coarsekit.annotate(fundus, 1, wrong)
    with pytest.raises(coarsekit.CoarsekitError, match=r"reduction factor must be .* got '1'"):
        coarsekit.annotate(fundus, "1", "human")
    with pytest.raises(coarsekit.CoarsekitError, match=r"seed must be a whole number, got 0\.5"):
        coarsekit.annotate(fundus, 1, "human", seed=0.5)


def test_a_path_alone_is_no_source() -> None:
    with pytest.raises(
        coarsekit.CoarsekitError, match=r"'photographs' is not a source; .* such as 'folder:photographs'"
    ):
        coarsekit.open_source(Path("photographs"))


# ---------------------------------------------------------------------------------------------- calibrate


def test_calibrate_measures_what_the_command_does() -> None:
    steps: list[tuple[int, int]] = []
    folders = ["ANNOTATOR1", Path("ANNOTATOR2")]
    found = coarsekit.calibrate(folders, out="ours.toml", progress=lambda *step: steps.append(step))
    document = told("calibrate", *folders, "-o", "again/ours.toml")
    assert (found.annotators, found.lesions) == (document["annotators"], document["lesions"])
    assert {"name": found.style.name} | found.style.parameters() == document["style"]
    assert Path("ours.toml").read_bytes() == Path("again/ours.toml").read_bytes()
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert coarsekit.calibrate(folders).style.name == "calibrated"
    with pytest.raises(coarsekit.CoarsekitError, match="give force=True"):
        coarsekit.calibrate(folders, out="ours.toml")
    assert coarsekit.calibrate(folders, base="ours.toml", out="more.toml").style.name == "more"


def test_calibrate_measures_against_fine_masks() -> None:
    sample = coarsekit.open_source("sample")
    exact = [coarsekit.annotate(sample.read(key), 1.0, coarsekit.PAPER) for key in sample.keys()]  # noqa: SIM118
    coarsekit.write_annotations(exact, "exact")
    steps: list[tuple[int, int]] = []
    found = coarsekit.calibrate(["exact"], source=sample, base="paper", progress=lambda *step: steps.append(step))
    assert found.lesions[-1]["matches"] > 100
    assert found.lesions[-1]["centre"] == 0
    assert (steps[0], steps[-1]) == ((0, 4), (4, 4))


def test_what_cannot_be_measured_is_one_error() -> None:
    for folders, sentence in (
        ("ANNOTATOR1", "name a second folder, or fine masks by source=…"),
        (["ANNOTATOR1", "nobody"], "nobody: no annotation"),
    ):
        with pytest.raises(coarsekit.CoarsekitError, match=sentence):
            coarsekit.calibrate(folders)
    assert "fine masks by --source" in refusal(run(main, "calibrate", "ANNOTATOR1"))


# ---------------------------------------------------------------------------------------------- the names


def test_no_public_name_is_hidden_by_a_room() -> None:
    """Nor by a file that has its name, in whichever order they are imported."""
    code = (
        "import coarsekit.annotations.convert, coarsekit.export.export, coarsekit.simulation.calibrate, coarsekit\n"
        "names = ('calibrate', 'check', 'convert', 'export_pairs', 'write_annotations')\n"
        "assert all(callable(getattr(coarsekit, name)) for name in names)\n"
        "from coarsekit import calibrate, check, convert, export_pairs, write_annotations\n"
        "assert all(map(callable, (calibrate, check, convert, export_pairs, write_annotations)))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reports_are_values() -> None:
    report = coarsekit.check("sample")
    assert pickle.loads(pickle.dumps(report)) == report


def test_an_error_of_another_process_is_the_same_here(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(AnnotationError) as raised:
        coarsekit.read_annotation(tmp_path / "a.csv")
    there = pickle.loads(pickle.dumps(raised.value))
    assert (type(there), str(there)) == (type(raised.value), str(raised.value))
