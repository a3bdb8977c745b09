"""What was refined goes back into the tool that the drawing came from."""

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import numpy as np
import pytest
from PIL import Image as Pillow
from pycocotools.coco import COCO

import zoo
from coarsekit.annotations import format_named, native, read_annotations, writable_formats
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError, OutputError, ParameterError
from coarsekit.geometry import draw
from coarsekit.images import read_mask, read_values
from coarsekit.types import Annotation, Ellipse, Image, Line, Mark, Mask, Point, Raster
from tests import command_line
from zoo.cli.main import main
from zoo.evaluation.refiners import Floor
from zoo.output.marks_found import POLYGON
from zoo.output.records import drawn_in
from zoo.output.tool_files import ToolOptions
from zoo.refiner import Advance, no_progress

SIZE = (160, 120)
COLOURS = {"Microaneurysm": "#ff0000", "Hemorrhage": "#aa0000"}
MARKS = (
    Mark("MA", Ellipse(40, 30, 9, 6, 30), {"label": "Microaneurysm", "id": 7, "attributes": {"certain": "false"}}),
    Mark("MA", Ellipse(54, 34, 9, 6), {"label": "Microaneurysm", "id": 8, "attributes": {"certain": "true"}}),
    Mark("HE", Ellipse(100, 80, 20, 12, 45), {"label": "Hemorrhage", "id": 9, "group": "3"}),
    Mark("MA", Ellipse(140, 20, 5, 5), {"label": "Microaneurysm", "id": 10}),
    Mark("HE", Line(((20, 90), (50, 100)), 4), {"label": "Hemorrhage", "id": 11}),
)
DRAWN = Annotation("left/a.png", *SIZE, MARKS, {"labels": [{"name": n, "color": c} for n, c in COLOURS.items()]})


class Upper(Floor):
    """Answers what was drawn but for a strip through each photograph, and nothing of what lies on the right."""

    name, weights_sha256 = "upper", "0123456789abcdef"

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        masks = super().refine(image, annotation)
        for mask in masks.values():
            mask[31:33] = mask[:, 98:101] = mask[:, 130:] = False
        return masks


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photographs, with drawings on them."""
    for name in ("left/a.png", "b.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(np.full((*SIZE[::-1], 3), 90, np.uint8)).save(tmp_path / "in" / name)
    native.write(tmp_path / "drawn.json", [DRAWN])
    native.write(tmp_path / "drawn" / "a.json", [DRAWN])
    native.write(tmp_path / "drawn" / "b.json", [replace(DRAWN, image="b.png", marks=MARKS[:3])])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refine(*formats: str, force: bool = False, drawn: str = "drawn", **options: Any) -> zoo.RefineReport:
    tools = ToolOptions(formats, **options)
    return zoo.refine_to_folder(Upper(), "in", drawn, "out", for_tools=tools, force=force)


def place_of(name: str) -> Path:
    [place] = [path for path in Path("out").glob(f"refined_{name}*") if "config" not in path.name]
    return place


def read(name: str) -> dict[str, Annotation]:
    """What a written file, or the files of a folder, hold, by photograph."""
    place, options = place_of(name), ReadOptions(size=SIZE)
    files = sorted(place.rglob("*.json")) if place.is_dir() else [place]
    found = [one for file in files for one in read_annotations(file, options).annotations]
    return {one.image.rpartition("/")[2]: one for one in found}


def masks(stem: str) -> dict[str, Mask]:
    return {lesion: read_mask(Path("out") / f"{stem}_{lesion}.png") for lesion in ("MA", "HE")}


def drawn_of(annotation: Annotation) -> dict[str, Mask]:
    return {lesion: draw(annotation.of(lesion), SIZE[::-1]) for lesion in ("MA", "HE")}


def same(one: Mapping[str, Mask], other: Mapping[str, Mask]) -> bool:
    return all(np.array_equal(one[lesion], other[lesion]) for lesion in ("MA", "HE"))


@pytest.mark.parametrize("shape", ["mask", POLYGON])
@pytest.mark.parametrize("name", writable_formats())
def test_every_format_holds_just_the_masks_a_mark_each_and_convert_reads_them(
    work: Path, name: str, shape: str
) -> None:
    report = refine(name, shape=shape)
    assert report.failures == []
    found = read(name)
    assert {image: len(one.marks) for image, one in found.items()} == {"a.png": 4, "b.png": 3}
    assert same(drawn_of(found["a.png"]), masks("left/a"))
    assert same(drawn_of(found["b.png"]), masks("b"))
    rasters = name not in ("via",) and shape == "mask"
    assert all(isinstance(mark.shape, Raster) == rasters for one in found.values() for mark in one.marks)
    labels = [mark.details.get("label", mark.lesion) for mark in found["a.png"].marks]
    assert labels == ["Microaneurysm", "Microaneurysm", "Hemorrhage", "Hemorrhage"]
    held = format_named(name).HOLDS
    if "attributes" in held:
        kept = [mark.details.get("attributes", {}).get("certain") for mark in found["a.png"].marks]
        assert kept == ["false", "true", None, None]
    if "id" in held and name != "native":
        assert [int(mark.details["id"]) for mark in found["a.png"].marks] in ([7, 8, 9, 11], [1, 2, 3, 4])
    if "labels" in held:
        assert {each["name"]: each["color"] for each in found["a.png"].provenance["labels"]} == COLOURS
    assert report.for_tools[0] == str(place_of(name))
    assert "Nothing was found for 1 mark (MA 1): not in the files for tools." in report.notes


def test_cvat_is_told_that_a_machine_made_the_masks_and_has_the_drawing_where_asked(work: Path) -> None:
    refine("cvat", with_drawing=True)
    [image] = [each for each in Tree.parse(place_of("cvat")).iter("image") if each.get("name") == "left/a.png"]
    kinds = [(shape.tag, shape.get("source"), shape.get("group_id")) for shape in image]
    assert kinds[:5] == [("ellipse", "manual", None)] * 2 + [
        ("ellipse", "manual", "3"),
        ("ellipse", "manual", None),
        ("polyline", "manual", None),
    ]
    assert kinds[5:] == [("mask", "auto", None)] * 2 + [("mask", "auto", "3"), ("mask", "auto", None)]


def test_label_studio_gets_predictions_of_the_model_at_the_address_as_it_came_and_their_configuration(
    work: Path,
) -> None:
    refine("labelstudio", with_drawing=True)
    tasks = json.loads(place_of("labelstudio").read_text())
    tasks[0]["data"] = {"image": "/data/upload/3/0a1b2c3d-a.png", "patient": "17"}
    del tasks[0]["predictions"], tasks[1]
    Path("export.json").write_text(json.dumps(tasks))
    (work / "in" / "a.png").write_bytes((work / "in" / "left" / "a.png").read_bytes())
    tools = ToolOptions(("labelstudio",))
    zoo.refine_to_folder(Upper(), work / "in" / "a.png", "export.json", "again", for_tools=tools)
    [task] = json.loads(Path("again/refined_labelstudio.json").read_text())
    assert task["data"] == {"image": "/data/upload/3/0a1b2c3d-a.png", "patient": "17"}
    assert task["annotations"] == []
    [prediction] = task["predictions"]
    assert prediction["model_version"] == "upper 01234567"
    regions = [result for result in prediction["result"] if result["type"] == "brushlabels"]
    assert [region["value"]["brushlabels"] for region in regions] == [["Microaneurysm"]] * 2 + [["Hemorrhage"]] * 2
    view = Tree.parse("again/refined_labelstudio_config.xml").getroot()
    assert view.find("Image").attrib["value"] == "$image"  # type: ignore[union-attr]
    controls = {each.get("name"): each for each in view}
    assert {result["from_name"] for result in prediction["result"]} <= controls.keys()
    labels = [label.get("value") for label in controls["brush"]]
    assert labels == ["Microaneurysm", "Hemorrhage"]
    assert [choice.get("value") for choice in controls["certain"]] == ["false", "true"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_pycocotools_loads_coco_and_finds_the_same_pixels(work: Path) -> None:
    refine("coco")
    coco = COCO(str(place_of("coco")))
    for image in coco.dataset["images"]:
        regions = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        whole = np.any([coco.annToMask(region) for region in regions], axis=0)
        expected = masks(image["file_name"].removesuffix(".png"))
        assert np.array_equal(whole, expected["MA"] | expected["HE"])
        assert all(region["area"] == coco.annToMask(region).sum() for region in regions)


def test_the_record_says_what_was_found_for_each_mark(work: Path) -> None:
    report = refine()
    record = next(one for one in report.records if one["image"] == "left/a.png")
    rows = record["marks"]
    assert [row["mark"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["found"] for row in rows] == ["part"] * 3 + ["nothing", "part"]
    assert [row["drawn_as"] for row in rows][3:] == ["outline", "stroke"]
    assert [row["id"] for row in rows] == [7, 8, 9, 10, 11]
    for lesion, mask in masks("left/a").items():
        assert sum(row["refined_pixels"] for row in rows if row["lesion"] == lesion) == mask.sum()
    assert json.loads(Path("out/left/a.json").read_text())["marks"] == rows
    assert drawn_in(json.loads(Path("out/left/a.json").read_text())) == DRAWN


def test_a_table_has_a_row_for_each_mark(work: Path) -> None:
    report = refine("csv", "via")
    assert [Path(file).name for file in report.for_tools] == ["refined_marks.csv", "refined_via.json"]
    rows = list(csv.DictReader(Path("out/refined_marks.csv").read_text().splitlines()))
    assert [(row["image"], row["mark"], row["found"]) for row in rows if row["image"] == "b.png"] == [
        ("b.png", "0", "part"),
        ("b.png", "1", "part"),
        ("b.png", "2", "part"),
    ]
    expected = [one for record in report.records for one in record["marks"]]
    assert [row["refined_pixels"] for row in rows] == [str(one["refined_pixels"]) for one in expected]


def test_what_a_format_does_not_hold_is_said_once_for_all_photographs(work: Path) -> None:
    notes = refine("via", "coco", with_drawing=True).notes
    assert "VIA 2 (JSON or CSV) has 7 × an outline along the edges of its pixels for a mask" in notes
    assert "COCO (JSON) has 7 × a polygon of 72 corners for an ellipse" in notes
    assert any(note.startswith("VIA 2 (JSON or CSV) cannot hold the ids of") for note in notes)


def two_annotators(work: Path) -> None:
    tasks = [{"data": {"image": "b.png"}, "annotations": []}]
    for who in (1, 2):
        value = {"x": 20 * who, "y": 50, "radiusX": 5, "radiusY": 5, "rotation": 0, "ellipselabels": ["MA"]}
        region = {"id": f"r{who}", "type": "ellipselabels", "from_name": "ellipse", "to_name": "image", "value": value}
        region |= {"original_width": SIZE[0], "original_height": SIZE[1]}
        tasks[0]["annotations"].append({"result": [region], "completed_by": who})  # type: ignore[attr-defined]
    (work / "two.json").write_text(json.dumps(tasks))


def test_two_annotators_of_a_photograph_need_a_format_that_holds_both_and_that_is_said_first(work: Path) -> None:
    two_annotators(work)
    with pytest.raises(AnnotationError, match=r"b\.png was annotated by 1 and 2, and CVAT .* holds one annotation"):
        refine("labelstudio", "cvat", drawn="two.json")
    assert not list(Path().glob("out/**/*.png"))
    refine("labelstudio", "csv", drawn="two.json")
    assert [row["annotator"] for row in csv.DictReader(place_of("marks").read_text().splitlines())] == ["1", "2"]
    [task] = json.loads(place_of("labelstudio").read_text())
    assert len(task["predictions"]) == 2


def test_label_maps_of_two_annotators_lie_in_their_folders_under_the_names_of_the_masks(work: Path) -> None:
    two_annotators(work)
    (work / "in" / "b.png").rename(work / "in" / "B one.PNG")
    uploaded = (work / "two.json").read_text().replace("b.png", "/data/upload/1/0a1b2c3d-B_one.PNG")
    (work / "two.json").write_text(uploaded)
    report = refine("labelmap", "labelstudio", "native", drawn="two.json")
    folder = Path("out/refined_labelmap")
    stems = ["1/B one", "2/B one"]
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")) == [f"{s}.png" for s in stems]
    for stem in stems:
        assert np.array_equal(read_values(folder / f"{stem}.png") == 1, read_mask(Path(f"out/{stem}_MA.png")))
    assert len(report.for_tools) == 4


def test_a_label_map_that_is_in_the_way_is_refused_before_the_work(work: Path) -> None:
    for source, name in (("in", "left/a.png"), ("in/left/a.png", "a.png")):
        path = Path("out/refined_labelmap", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"somebody's")
        with pytest.raises(OutputError, match=str(path)):
            zoo.refine_to_folder(Upper(), source, "drawn.json", "out", for_tools=ToolOptions(("csv", "labelmap")))
        assert path.read_bytes() == b"somebody's"
    assert not list(Path("out").rglob("*_MA.png"))


def test_a_prediction_stays_one_when_it_is_converted(work: Path) -> None:
    refine("labelstudio")
    found = read_annotations(place_of("labelstudio")).annotations
    format_named("labelstudio").write(work / "again.json", found)
    tasks = json.loads((work / "again.json").read_text())
    assert [task["annotations"] for task in tasks] == [[], []]
    assert {task["predictions"][0]["model_version"] for task in tasks} == {"upper 01234567"}


def test_a_second_run_writes_the_same_from_what_is_kept_and_changed_files_need_force(work: Path) -> None:
    refine("cvat", "labelme")
    before = place_of("cvat").read_bytes()
    report = refine("cvat", "labelme")
    assert (len(report.kept), place_of("cvat").read_bytes()) == (2, before)
    native.write(work / "drawn" / "b.json", [replace(DRAWN, image="b.png", marks=MARKS[:1])])
    refine("cvat", force=True)
    assert place_of("cvat").read_bytes() != before
    place_of("cvat").write_text("mine")
    with pytest.raises(OutputError, match=r"refined_cvat\.xml is already there, and no earlier run wrote it"):
        refine("cvat")
    assert place_of("cvat").read_text() == "mine"
    refine("cvat", force=True)
    assert place_of("cvat").read_bytes() != before


def test_a_new_drawing_goes_into_the_file_without_force(work: Path) -> None:
    (work / "drawn" / "b.json").rename(work / "b.json")
    refine("cvat")
    assert list(read("cvat")) == ["a.png"]
    (work / "b.json").rename(work / "drawn" / "b.json")
    assert refine("cvat").kept == ["left/a.png"]
    assert set(read("cvat")) == {"a.png", "b.png"}


def test_photographs_that_a_file_no_longer_has_are_named(work: Path) -> None:
    refine("coco", "native")
    (work / "drawn" / "a.json").unlink()
    notes = refine("coco", "native").notes
    assert "refined_coco.json no longer has 1 photograph of an earlier run (left/a.png)" in "".join(notes)
    assert not any("no longer has" in note for note in refine("coco", "native").notes)


def test_files_for_tools_that_are_not_of_this_run_are_named_and_stay(work: Path) -> None:
    refine("labelme", "native", "labelmap", "csv")
    (work / "drawn" / "a.json").unlink()
    for _ in range(2):
        report = refine("labelme", "native", "labelmap", "csv")
        notes = "\n".join(report.notes)
        for folder, name in (("labelme", "left/a.json"), ("native", "left/a.json"), ("labelmap", "left/a.png")):
            assert (
                f"refined_{folder} still has 1 file of an earlier run ({name}), with what is not of this one" in notes
            )
            assert Path(f"out/refined_{folder}", name).is_file()
    assert "refined_marks.csv" not in notes
    for folder in ("labelme", "native", "labelmap"):
        for file in Path(f"out/refined_{folder}/left").iterdir():
            file.unlink()
    assert not any("earlier run" in note for note in refine("labelme", "native", "labelmap", "csv").notes)


def test_the_table_names_photographs_that_it_no_longer_has(work: Path) -> None:
    refine("csv")
    (work / "drawn" / "a.json").unlink()
    notes = "\n".join(refine("csv").notes)
    assert "refined_marks.csv no longer has 1 photograph of an earlier run (left/a.png)" in notes


def test_files_of_a_tool_that_one_file_stands_for_are_named(work: Path) -> None:
    refine("cvat")
    one = Path("out/refined_cvat.xml")
    Path("out/refined_cvat").mkdir()
    one.rename("out/refined_cvat/job.xml")
    ledger = Path("out/.for_tools.json")
    ledger.write_text(ledger.read_text().replace("refined_cvat.xml", "refined_cvat/job.xml"))
    assert "refined_cvat still has 1 file of an earlier run (job.xml)" in "\n".join(refine("cvat").notes)


def test_what_a_refiner_wrote_among_drawings_is_not_taken_for_a_drawing(work: Path) -> None:
    drawn = {record["image"]: record["marks"] for record in refine().records}
    for folder in ("in", "drawn"):
        report = zoo.refine_to_folder(
            Upper(), "in", "drawn", f"{folder}/masks", for_tools=ToolOptions(("cvat", "coco", "labelme"))
        )
        assert (report.failures, report.left_out) == ([], [])
    report = refine()
    assert (len(report.kept), report.failures, report.left_out) == (2, [], [])
    assert "6 files that a refiner wrote are no drawings, and are passed over: drawn/masks/b.json, " in report.notes[0]
    assert {record["image"]: record["marks"] for record in report.records} == drawn
    # And it doesn't stand for a drawing that is damaged.
    whole = Path("drawn/b.json").read_text()
    Path("drawn/b.json").write_text(whole[:-9])
    report = refine()
    assert ([record["image"] for record in report.records], len(report.left_out)) == (["left/a.png"], 1)
    Path("drawn/a.json").rename("a.json")
    with pytest.raises(AnnotationError, match="not JSON"):
        refine()
    Path("a.json").rename("drawn/a.json")
    Path("drawn/b.json").write_text(whole)
    # What a person changed since is that person's drawing.
    changed = Path("drawn/masks/refined_cvat.xml")
    changed.write_text(changed.read_text().replace("left/a.png", "c.png").replace('name="b.png"', 'name="d.png"'))
    assert [name for name, _ in refine().failures] == ["c.png", "d.png"]


def test_a_folder_of_what_a_refiner_wrote_alone_is_read(work: Path) -> None:
    refine("labelme")
    found, report = read_annotations("out", ReadOptions(size=SIZE))
    assert sorted(one.image.rpartition("/")[2] for one in found) == ["a.png", "b.png"]
    assert report.left_out == ()
    with pytest.raises(AnnotationError, match=r"b\.json: says what a refiner found, not what was drawn"):
        read_annotations("out/b.json")


def test_what_is_kept_is_written_from_where_it_lies_now(work: Path) -> None:
    """A folder that was moved away, while another drawing was refined where it had been."""
    refine()
    mask = Path("out/left/a_MA.png").read_bytes()
    Path("out").rename("kept")
    other = replace(DRAWN, marks=(Mark("MA", Ellipse(60, 60, 30, 20)),))
    native.write(Path("other/a.json"), [other])
    refine(drawn="other")
    Path("out").rename("elsewhere")
    Path("kept").rename("out")
    report = refine("labelmap", "coco")
    assert "left/a.png" in report.kept
    assert Path("out/left/a_MA.png").read_bytes() == mask
    assert np.array_equal(read_values(Path("out/refined_labelmap/left/a.png")) == 1, read_mask("out/left/a_MA.png"))
    assert all(mask["file"].startswith("out/") for record in report.records for mask in record["masks"])


def test_a_kept_record_has_the_details_of_now(work: Path) -> None:
    before = {record["image"]: record for record in refine().records}
    details = {"label": "Mikroaneurysma", "id": 70, "attributes": {"certain": "maybe"}}
    changed = replace(DRAWN, marks=(Mark("MA", MARKS[0].shape, details), *MARKS[1:]), provenance={"task": 5})
    native.write(Path("drawn/a.json"), [changed])
    report = refine("cvat")
    assert len(report.kept) == 2
    record = json.loads(Path("out/left/a.json").read_text())
    assert record == next(one for one in report.records if one["image"] == "left/a.png")
    assert (record["marks"][0]["label"], record["marks"][0]["id"]) == ("Mikroaneurysma", 70)
    assert record["provenance"] == {"task": 5}
    assert drawn_in(record) == changed
    assert record["files"] == before["left/a.png"]["files"]
    assert record["marks"][0]["refined_pixels"] == before["left/a.png"]["marks"][0]["refined_pixels"]


def test_several_processes_write_the_same(work: Path) -> None:
    refine("cvat", "csv")
    one = [path.read_bytes() for path in (place_of("cvat"), place_of("marks"))]
    zoo.refine_to_folder(Upper(), "in", "drawn", "two", for_tools=ToolOptions(("cvat", "csv")), jobs=2)
    assert [Path("two", name).read_bytes() for name in ("refined_cvat.xml", "refined_marks.csv")] == one


def test_a_click_gets_the_mask_of_what_was_found_around_it(work: Path) -> None:
    native.write(work / "drawn" / "b.json", [replace(DRAWN, image="b.png", marks=(Mark("MA", Point(30.0, 60.0)),))])
    refine("coco")
    assert isinstance(read("coco")["b.png"].marks[0].shape, Raster)


def test_the_command_writes_them_and_says_where(work: Path) -> None:
    result = command_line.run(
        main, "refine", "in", "drawn", "-o", "out", "--refiner", "shrink", "--to", "cvat,coco", "--to", "labelstudio"
    )
    assert result.exit_code == 0
    assert "For a tool: out/refined_cvat.xml" in result.stderr
    assert "For a tool: out/refined_labelstudio_config.xml" in result.stderr
    assert set(read("cvat")) == set(read("coco")) == {"a.png", "b.png"}


@pytest.mark.parametrize("name", ["roc", "voc"])
def test_a_format_that_cannot_be_written_is_refused_before_the_work(work: Path, name: str) -> None:
    with pytest.raises(ParameterError, match=f"no tool's format '{name}' that can be written; choose of coco, cvat"):
        refine(name)
    result = command_line.run(main, "refine", "in", "drawn", "-o", "out", "--refiner", "shrink", "--to", name)
    assert (result.exit_code, Path("out").exists()) == (2, False)


def test_another_shape_is_refused() -> None:
    with pytest.raises(ParameterError, match="shape must be one of mask, polygon, got 'box'"):
        ToolOptions(("cvat",), "box")


def test_the_classes_of_a_folder_of_label_maps_keep_their_values(work: Path) -> None:
    for image, lesion in (("left/a.png", "scar"), ("b.png", "drusen")):
        marks = (Mark(lesion, Ellipse(40, 60, 9, 6)),)
        native.write(Path(lesion, "a.json"), [replace(DRAWN, image=image, marks=marks)])
        refine("labelmap", drawn=lesion)
    legend = json.loads(Path("out/refined_labelmap/labels.json").read_text())
    assert legend == {"background": 0, "MA": 1, "HE": 2, "EX": 3, "SE": 4, "scar": 5, "drusen": 6}
    for stem, lesion in (("left/a", "scar"), ("b", "drusen")):
        values = read_values(Path(f"out/refined_labelmap/{stem}.png"))
        assert np.array_equal(values == legend[lesion], read_mask(f"out/{stem}_{lesion}.png"))


def test_label_maps_have_the_classes_of_the_masks_and_a_legend(work: Path) -> None:
    report = refine("labelmap")
    assert report.for_tools == ["out/refined_labelmap"]
    legend = json.loads(Path("out/refined_labelmap/labels.json").read_text())
    assert legend == {"background": 0, "MA": 1, "HE": 2, "EX": 3, "SE": 4}
    for stem in ("left/a", "b"):
        values = read_values(Path("out/refined_labelmap") / f"{stem}.png")
        own = masks(stem)
        smaller, larger = sorted(own, key=lambda lesion: own[lesion].sum())
        assert np.array_equal(values == legend[smaller], own[smaller])
        assert np.array_equal(values == legend[larger], own[larger] & ~own[smaller])
    assert refine("labelmap").kept
    Path("out/refined_labelmap/b.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"b\.png"):
        refine("labelmap")
