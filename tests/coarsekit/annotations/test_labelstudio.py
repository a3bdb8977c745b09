"""Label Studio's JSON, full and MIN, as it writes them."""

import copy
import json

import numpy as np
import pytest

from coarsekit.annotations import format_named, read_annotations
from coarsekit.annotations.reading import ReadOptions
from coarsekit.geometry import draw
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Raster

# What label-studio-converter 0.0.59 makes of this mask (mask2rle): runs of literal and of equal bytes.
BRUSH_MASK = np.zeros((12, 20), bool)
BRUSH_MASK[2:7, 3:15], BRUSH_MASK[4, 6:9] = True, False
BRUSH = [0, 0, 3, 192, 57, 27, 254, 171, 0, 197, 255, 248, 124, 3, 23, 255, 225, 240, 11, 127, 246, 192, 48, 191, 254]
BRUSH += [31, 0, 197, 255, 248, 124, 3, 23, 255, 240, 26, 48, 0]

SIZE = {"original_width": 20, "original_height": 12, "image_rotation": 0}


def region(kind: str, value: dict, label: str = "MA", **more) -> dict:
    head = {
        "id": f"id{kind}{label}",
        "type": f"{kind}labels",
        "from_name": "label",
        "to_name": "image",
        "origin": "manual",
    }
    return {**SIZE, **head, "value": {**value, f"{kind}labels": [label]}, **more}


ELLIPSE = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 25, "rotation": 30}
VECTOR = {
    "vertices": [
        {"id": "a", "x": 10, "y": 10, "prevPointId": None, "isBezier": False},
        {"id": "b", "x": 20, "y": 10, "prevPointId": "a", "isBezier": False},
        {"id": "c", "x": 20, "y": 50, "prevPointId": "b", "isBezier": False},
    ],
    "closed": False,
}
FULL = [
    {
        "id": 1,
        "annotations": [
            {
                "id": 1,
                "completed_by": 3,
                "was_cancelled": False,
                "result": [
                    region("ellipse", ELLIPSE, "Microaneurysm"),
                    region("polygon", {"points": [[10, 10], [50, 10], [30, 50]], "closed": True}, "EX"),
                    region("rectangle", {"x": 50, "y": 25, "width": 20, "height": 50, "rotation": 90}, "HE"),
                    region("brush", {"format": "rle", "rle": BRUSH}, "SE"),
                    region("keypoint", {"x": 25, "y": 50, "width": 1}),
                    region("vector", VECTOR, "HE"),
                    region("vector", {**VECTOR, "closed": True}, "HE", id="closed"),
                    {
                        "id": "c",
                        "type": "choices",
                        "value": {"choices": ["gradable"]},
                        "from_name": "q",
                        "to_name": "image",
                    },
                ],
                "lead_time": 12.5,
            },
            {"id": 2, "completed_by": 4, "was_cancelled": True, "result": []},
        ],
        "file_upload": "0a1b2c3d-IDRiD_01.jpg",
        "drafts": [],
        "predictions": [],
        "data": {"image": "/data/upload/1/0a1b2c3d-IDRiD_01.jpg"},
        "meta": {},
        "project": 1,
    }
]
MIN = [
    {
        "image": "/data/upload/1/0a1b2c3d-IDRiD_01.jpg",
        "id": 1,
        "label": [
            {**ELLIPSE, "ellipselabels": ["MA"], "original_width": 20, "original_height": 12},
            {"format": "rle", "rle": BRUSH, "brushlabels": ["SE"], "original_width": 20, "original_height": 12},
        ],
        "annotator": 1,
        "annotation_id": 1,
        "created_at": "2024-05-02T10:11:12.123456Z",
        "lead_time": 12.5,
    }
]


def test_a_full_export_is_read_whole(put) -> None:
    reading = ReadOptions({"Microaneurysm": "MA"})
    [annotation], report = read_annotations(put("a.json", FULL), reading)
    assert (annotation.image, annotation.width, annotation.height) == ("IDRiD_01.jpg", 20, 12)
    assert annotation.provenance["annotator"] == 3
    assert [mark.lesion for mark in annotation.marks] == ["MA", "EX", "HE", "SE", "MA", "HE", "HE"]
    ellipse, polygon, rectangle, brush, *others = (mark.shape for mark in annotation.marks)
    assert ellipse == Ellipse(10, 6, 4, 3, 30)
    assert polygon == Polygon((((2, 1.2), (10, 1.2), (6, 6)),))
    # Turned by 90 degrees clockwise about its top left corner, 10, 3: 4 wide and 6 high become 6 and 4, to the left.
    assert isinstance(rectangle, Polygon)
    assert np.allclose(rectangle.rings[0], [(10, 3), (10, 7), (4, 7), (4, 3)])
    assert np.array_equal(draw([brush], (12, 20)), BRUSH_MASK)
    places = ((2, 1.2), (4, 1.2), (4, 6))
    assert others == [Point(5, 6, 0.2), Line(places), Polygon((places,))]
    assert report.left_out == ()
    assert [text.partition("(IDRiD_01.jpg): ")[2] for text in report.notes] == [
        "an annotation that was skipped in the tool is not read",
        "choices is of no region, and is kept in the provenance",
    ]


def test_a_turned_view_changes_no_place(put) -> None:
    content = copy.deepcopy(FULL)
    for item in content[0]["annotations"][0]["result"]:
        item["image_rotation"] = 90
    turned, upright = (read_annotations(put(name, text)).annotations for name, text in (("t", content), ("u", FULL)))
    assert turned[0].marks[0] == upright[0].marks[0]


def test_a_min_export_is_read_whole(put) -> None:
    [annotation] = read_annotations(put("a.json", MIN)).annotations
    assert annotation.image == "IDRiD_01.jpg"
    assert [(m.lesion, type(m.shape)) for m in annotation.marks] == [("MA", Ellipse), ("SE", Raster)]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/1/0a1b2c3d-p.jpg", "p.jpg"),
        ("/data/local-files/?d=fundus/left%20eye.png", "fundus/left eye.png"),
        ("s3://bucket/fundus/p.tif", "fundus/p.tif"),
        ("https://example.org/a/p%201.jpg?token=a/b", "a/p 1.jpg"),
        ("http://[bad/p.jpg", "p.jpg"),
        ("p.jpg", "p.jpg"),
    ],
)
def test_photographs_have_their_own_names_whatever_their_address(put, address: str, name: str) -> None:
    [annotation] = read_annotations(put("a.json", [{**MIN[0], "image": address}])).annotations
    assert annotation.image == name


def test_the_tags_for_shapes_and_for_labels_may_be_two(put) -> None:
    alone = {**SIZE, "id": "x", "type": "ellipse", "value": ELLIPSE}
    labelled = {**SIZE, "id": "x", "type": "labels", "value": {**ELLIPSE, "labels": ["HE"]}}
    tasks = [{"data": {"image": "p.jpg"}, "annotations": [{"result": [alone, labelled]}]}]
    [annotation] = read_annotations(put("a.json", tasks)).annotations
    assert [mark.lesion for mark in annotation.marks] == ["HE"]


def test_each_annotator_has_an_annotation_of_their_own(put) -> None:
    answers = [{"result": [region("ellipse", ELLIPSE)], "completed_by": who} for who in (1, {"id": 2})]
    annotations = read_annotations(put("a.json", [{"data": {"image": "p.jpg"}, "annotations": answers}])).annotations
    assert [a.provenance["annotator"] for a in annotations] == [1, {"id": 2}]


def test_a_photograph_without_regions_needs_its_size_from_elsewhere(put) -> None:
    path = put("a.json", [{"data": {"image": "p.jpg"}, "annotations": [{"result": []}]}])
    reading = ReadOptions()
    annotations, report = read_annotations(path, reading)
    assert annotations == []
    assert "its size is not known" in report.left_out[0]
    [annotation] = read_annotations(path, ReadOptions(size=(20, 12))).annotations
    assert (annotation.width, annotation.height, annotation.marks) == (20, 12, ())


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("value", "x"), "5O", "task 0 (IDRiD_01.jpg): result 0: value: x: expected a valid number"),
        (("value", "radiusX"), 0, "rx must be above 0"),
        (("value", "ellipselabels"), [], "it has no label"),
        (("original_width",), None, "original_width: expected a valid integer"),
        (("original_height",), 13, "different sizes"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(refused, place: tuple, value: object, said: str) -> None:
    content = copy.deepcopy(FULL)
    inner = content[0]["annotations"][0]["result"][0]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    del content[0]["annotations"][0]["result"][4]  # a click, which would be refused, too
    assert said in refused("a.json", content)


def test_what_is_written_can_be_imported(tmp_path) -> None:
    annotation = Annotation(
        "p.jpg", 20, 12, (Mark("MA", Ellipse(10, 6, 4, 3, 30)), Mark("SE", Raster(3, 2, BRUSH_MASK)))
    )
    format_named("labelstudio").write(tmp_path / "a.json", [annotation])
    [task] = json.loads((tmp_path / "a.json").read_text())
    assert task["data"] == {"image": "p.jpg"}
    ellipse, brush = task["annotations"][0]["result"]
    assert ellipse["type"] == "ellipselabels"
    assert ellipse["value"].pop("ellipselabels") == ["MA"]
    assert ellipse["value"] == pytest.approx(ELLIPSE)
    assert (ellipse["original_width"], ellipse["to_name"]) == (20, "image")
    assert brush["value"]["format"] == "rle"
    assert all(0 <= number <= 255 for number in brush["value"]["rle"])
