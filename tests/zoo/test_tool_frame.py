"""What goes back to the tool that the drawing came from is in that tool's pixels, under that tool's names."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import numpy as np
import pytest

import zoo
from coarsekit.annotations import format_named, read_annotations
from coarsekit.annotations.convert import convert
from coarsekit.annotations.reading import ReadOptions
from coarsekit.geometry import draw
from coarsekit.images import read_mask, write_image
from coarsekit.types import Annotation, Ellipse, Mark, Polygon
from zoo.evaluation.refiners import Floor
from zoo.output.marks_found import POLYGON
from zoo.output.tool_files import ToolOptions
from zoo.review.apply import apply_review


class Drawing(Floor):
    """Answers what was drawn, and keeps its results."""

    weights_sha256 = "0123456789abcdef"


TOOL = (240, 180)
MARKS = (
    Mark("MA", Ellipse(60, 50, 20, 12, 30)),
    Mark("MA", Polygon((((180, 120), (220, 120), (220, 160)),))),
    Mark("HE", Ellipse(100.5, 120.5, 0.8, 0.8)),  # of which the copy of half the size has hardly a pixel
    Mark("HE", Ellipse(239.2, 179.2, 3, 3)),  # in the corner
)
DRAWN = Annotation("left.png", *TOOL, MARKS)
TOOLS = ("cvat", "coco", "labelstudio", "labelme")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def photographs(scale: float, *names: str, folder: str = "in") -> None:
    width, height = (round(side * scale) for side in TOOL)
    for number, name in enumerate(names):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.full((height, width, 3), 90 + number, np.uint8))


def drawing(name: str, file: str, *annotations: Annotation) -> str:
    """The export of a tool, in a file or, for LabelMe, a folder."""
    path = Path(file) if name == "labelme" else Path(f"{file}.{'xml' if name == 'cvat' else 'json'}")
    path.parent.mkdir(parents=True, exist_ok=True)
    format_named(name).write(path, annotations, approximate=True)
    return str(path)


def refine(drawn: str, *formats: str, source: str = "in", **options: Any) -> zoo.RefineReport:
    report = zoo.refine_to_folder(Drawing(), source, drawn, "out", for_tools=ToolOptions(formats, **options))
    assert report.failures == []
    return report


def written_to(name: str, place: str = "out") -> Path:
    return Path(place, {"cvat": "refined_cvat.xml", "labelme": "refined_labelme"}.get(name, f"refined_{name}.json"))


def written(name: str, place: str = "out") -> list[Annotation]:
    return read_annotations(written_to(name, place), ReadOptions()).annotations


def assert_fits(found: Annotation, scale: float) -> None:
    """Each mark lies where it was drawn, to a pixel of the coarser of the two photographs."""
    assert (found.width, found.height, len(found.marks)) == (*TOOL, len(MARKS))
    for own, drawn in zip(found.marks, MARKS, strict=True):
        one, other = (draw([mark.shape], TOOL[::-1]) for mark in (own, drawn))
        assert one.any()
        if other.sum() > 50:
            assert (one & other).sum() / (one | other).sum() > 0.85
        places = [np.argwhere(mask).mean(0) for mask in (one, other) if mask.any()]
        assert np.abs(places[0] - places[-1]).max() <= max(1, 1 / scale)


@pytest.mark.parametrize("scale", [2, 0.5, 1.5])
@pytest.mark.parametrize("name", TOOLS)
def test_marks_come_back_in_the_pixels_of_the_copies(name: str, scale: float) -> None:
    photographs(scale, "left.png")
    refine(drawing(name, "drawn", DRAWN), name, "native")
    assert_fits(written(name)[0], scale)
    [here] = read_annotations("out/refined_native").annotations
    size = here.height, here.width
    assert size == tuple(round(side * scale) for side in TOOL[::-1])
    for lesion in here.lesions:
        assert np.array_equal(draw(here.of(lesion), size), read_mask(Path(f"out/left_{lesion}.png")))


@pytest.mark.parametrize("name", TOOLS)
def test_a_review_and_a_conversion_of_native_files_still_know_them(name: str) -> None:
    photographs(2, "left.png")
    refine(drawing(name, "drawn", DRAWN), "native")
    decisions = {"format": "coarsekit-review", "version": 1, "results_sha256": "0", "photographs": []}
    Path("decisions.json").write_text(json.dumps(decisions))
    apply_review("out", "decisions.json", "reviewed", for_tools=ToolOptions((name,)))
    assert_fits(written(name, "reviewed")[0], 2)
    convert("out/refined_native", written_to(name, "again"), to=name)
    assert_fits(written(name, "again")[0], 2)


def test_polygons_and_the_drawing_come_back_too() -> None:
    photographs(1.5, "left.png")
    refine(drawing("cvat", "drawn", DRAWN), "cvat", shape=POLYGON, with_drawing=True)
    # What a machine made is not read beside a person's.
    both = Path("out/refined_cvat.xml").read_text()
    Path("out/refined_cvat.xml").write_text(both.replace('"auto"', '"semi-auto"'))
    [found] = written("cvat")
    ellipse, polygon = (mark.shape for mark in found.marks[:2])
    assert isinstance(ellipse, Ellipse)
    assert isinstance(polygon, Polygon)
    assert (ellipse.cx, ellipse.cy, ellipse.rx, ellipse.ry) == pytest.approx((60, 50, 20, 12))
    assert np.allclose(polygon.rings, MARKS[1].shape.rings)
    assert_fits(replace(found, marks=found.marks[len(MARKS) :]), 1.5)


def test_another_tool_gets_the_photographs_that_lie_here() -> None:
    photographs(2, "P1/left.png")
    refine(drawing("cvat", "in/P1/drawn", DRAWN), "coco", "cvat")
    [coco], [cvat] = written("coco"), written("cvat")
    assert (coco.image, coco.width) == ("P1/left.png", 480)
    assert (cvat.image, cvat.width) == ("left.png", 240)


def test_some_are_scaled_and_some_are_not_and_frames_keep_their_numbers() -> None:
    photographs(2, "left.png")
    photographs(1, "right.png")
    path = Path(drawing("cvat", "drawn", replace(DRAWN, image="right.png"), DRAWN))
    path.write_text(path.read_text().replace('id="0"', 'id="17"').replace('id="1"', 'id="5"'))
    refine(str(path), "cvat")
    for found in written("cvat"):
        assert_fits(found, 2)
    root = Tree.parse("out/refined_cvat.xml").getroot()
    assert [(image.get("id"), image.get("name")) for image in root.iter("image")] == [
        ("17", "right.png"),
        ("5", "left.png"),
    ]


def test_coco_has_its_ids_names_and_fields_again() -> None:
    photographs(2, "left.png")
    path = Path(drawing("coco", "drawn", DRAWN))
    content = json.loads(path.read_text())
    content["images"][0] |= {"id": 88, "file_name": "./pictures/left.png", "license": 3}
    for region in content["annotations"]:
        region["image_id"] = 88
    path.write_text(json.dumps(content))
    refine(str(path), "coco")
    again = json.loads(Path("out/refined_coco.json").read_text())
    assert again["images"] == content["images"]
    assert {region["image_id"] for region in again["annotations"]} == {88}


def test_what_roboflow_renamed_has_the_name_of_its_copy() -> None:
    photographs(2, "left.png")
    copy = "left_png.rf.0a1b2c3d4e5f.jpg"
    refine(drawing("coco", "drawn", replace(DRAWN, image=copy)), "coco")
    [image] = json.loads(Path("out/refined_coco.json").read_text())["images"]
    assert (image["file_name"], image["width"]) == (copy, TOOL[0])


def test_labelme_finds_its_photographs_from_where_its_file_was() -> None:
    photographs(1, "left.png")
    Path(drawing("labelme", "drawn", DRAWN), "left.json").write_text(
        Path("drawn/left.json").read_text().replace('"left.png"', '"..\\\\in\\\\left.png"')
    )
    refine("drawn", "labelme")
    assert json.loads(next(Path("out/refined_labelme").rglob("*.json")).read_text())["imagePath"] == "..\\in\\left.png"


def test_label_studio_has_the_address_where_one_of_several_photographs_was_drawn_on() -> None:
    photographs(2, "left.png", "right.png")
    path = Path(drawing("labelstudio", "drawn", DRAWN))
    content = json.loads(path.read_text())
    content[0]["data"] = {"left": "/data/upload/1/0a1b2c3d-left.png", "right": "/data/upload/1/0a1b2c3e-right.png"}
    for region in content[0]["annotations"][0]["result"]:
        region["to_name"] = "left"
    path.write_text(json.dumps(content))
    refine(str(path), "labelstudio")
    [task] = json.loads(Path("out/refined_labelstudio.json").read_text())
    assert task["data"] == {"image": "/data/upload/1/0a1b2c3d-left.png"}


@pytest.mark.parametrize("name", ["cvat", "coco", "via"])
def test_tasks_that_name_their_photographs_alike_get_a_file_each(name: str) -> None:
    photographs(1 if name == "via" else 2, "P1/left.png", "P2/left.png")
    for number, folder in enumerate(("P1", "P2")):
        drawing(name, f"exports/{folder}/annotations", replace(DRAWN, marks=MARKS[: 2 + number]))
    report = refine("exports", name)
    below, suffix = Path(f"out/refined_{name}"), "xml" if name == "cvat" else "json"
    assert report.for_tools == [str(below)]
    for number, folder in enumerate(("P1", "P2")):
        file = below / folder / f"annotations.{suffix}"
        [found] = read_annotations(file, ReadOptions(size=TOOL)).annotations
        assert (found.image, found.width, len(found.marks)) == ("left.png", TOOL[0], 2 + number)
    assert any("share names or numbers" in note for note in report.notes)
    # They are no drawings, and a second run has nothing in its way.
    assert refine("exports", name).for_tools == [str(below)]


def test_frames_of_two_tasks_that_have_one_number_get_a_file_each_and_exports_of_one_task_do_not() -> None:
    photographs(1, "left.png", "right.png")
    drawing("cvat", "exports/one", DRAWN)
    path = Path(drawing("cvat", "exports/two", replace(DRAWN, image="right.png")))
    refine("exports", "cvat")
    assert sorted(file.name for file in Path("out/refined_cvat").iterdir()) == ["one.xml", "two.xml"]
    path.write_text(path.read_text().replace('id="0"', 'id="1"'))
    refine("exports", "cvat")
    assert [one.image for one in written("cvat")] == ["left.png", "right.png"]


def test_a_record_from_outside_leads_out_of_no_folder() -> None:
    photographs(1, "left.png", "right.png")
    for name in ("left", "right"):
        drawing("cvat", f"exports/{name}", replace(DRAWN, image=f"{name}.png"))
    refine("exports")
    record = json.loads(Path("out/left.json").read_text())
    record["provenance"] |= {"file": "../../evil.xml", "scaled": {"from": [-3, "x"], "to": "?"}}
    Path("out/left.json").write_text(json.dumps(record))
    decisions = {"format": "coarsekit-review", "version": 1, "results_sha256": "0", "photographs": []}
    Path("decisions.json").write_text(json.dumps(decisions))
    apply_review("out", "decisions.json", "reviewed", for_tools=ToolOptions(("cvat",)))
    assert sorted(file.name for file in Path("reviewed/refined_cvat").iterdir()) == ["evil.xml", "right.xml"]
