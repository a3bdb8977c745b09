"""Label Studio's JSON, full and MIN, as it writes them."""

import copy
import json
from pathlib import Path
from xml.etree import ElementTree as Tree

import numpy as np
import pytest

from coarsekit.annotations import format_named, read_annotations, read_drawn
from coarsekit.annotations.labelstudio_config import labelling_config
from coarsekit.annotations.labelstudio_regions import results_of
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw
from coarsekit.images import write_image
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
        ("s3://bucket/eyes/IMG #12 50%.jpg", "eyes/IMG #12 50%.jpg"),
        ("gs://bucket/a/what?%20.png", "a/what?%20.png"),
        ("azure-blob://box/IMG+2 [1].JPG", "IMG+2 [1].JPG"),
        ("IMG #1.jpg", "IMG #1.jpg"),
        ("/data/upload/1/0a1b2c3d-a%201.jpg?x=1", "a 1.jpg"),
        ("http://[bad/p.jpg", "p.jpg"),
        ("p.jpg", "p.jpg"),
        ("s3://clinic/upload/20240105-p.jpg", "upload/20240105-p.jpg"),
        ("https://example.org/upload/20240105-p.jpg", "upload/20240105-p.jpg"),
        ("http://localhost:8080/data/upload/1/20240105-p.jpg", "p.jpg"),
        ("/label-studio/data/media/upload/1/0a1b2c3d-p.jpg", "p.jpg"),
        ("/data/local-files/?d=eyes/Müller & Sohn/A.jpg", "eyes/Müller & Sohn/A.jpg"),
        ("/data/local-files/?d=eyes/A+B.jpg", "eyes/A+B.jpg"),
        ("/data/local-files/?d=eyes/A#2.jpg", "eyes/A#2.jpg"),
        ("http://host/data/local-files/?d=eyes/A%26B.jpg&t=1", "eyes/A&B.jpg"),
        ("/data/local-files/?d=eyes%2FA+B.jpg", "eyes/A B.jpg"),
        ("/tasks/1/resolve/?fileuri=czM6Ly9idWNrZXQvZXllcy9BLmpwZw==", "eyes/A.jpg"),
        ("http://host/tasks/1/presign/?fileuri=czM6Ly9idWNrZXQvZXllcy9BLmpwZw", "eyes/A.jpg"),
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


def answer(kind: str, question: str, value: dict, key: str = "r") -> dict:
    """An answer about a region as the tool writes it: with the geometry of the region."""
    return {**SIZE, "id": key, "type": kind, "from_name": question, "to_name": "image", "value": {**ELLIPSE, **value}}


ALONE = {**SIZE, "id": "r", "type": "ellipse", "from_name": "shape", "to_name": "image", "value": ELLIPSE}
CHOSEN = answer("choices", "lesion", {"choices": ["HE"]})
ABOUT = [
    answer("choices", "signs", {"choices": ["blurred", "dark"]}),
    answer("textarea", "remark", {"text": ["near the disc"]}),
    answer("rating", "stars", {"rating": 7}),
    answer("number", "size", {"number": 3}),
    answer("datetime", "seen", {"datetime": "2024-05-02"}),
    answer("taxonomy", "kind", {"taxonomy": [["red", "dot"], ["red", "blot"]]}),
]


def tasks_with(*results: dict) -> list:
    return [{"data": {"image": "p.jpg"}, "annotations": [{"result": list(results)}]}]


@pytest.mark.parametrize(
    ("drawn", "options", "lesion"),
    [
        ([ALONE], ReadOptions({"": "MA"}), "MA"),
        ([ALONE], ReadOptions(label_attribute="Lesion"), "HE"),
        ([region("ellipse", ELLIPSE, id="r")], ReadOptions(), "MA"),
        ([region("ellipse", ELLIPSE, id="r")], ReadOptions(label_attribute="lesion"), "HE"),
        ([ALONE, answer("labels", "label", {"labels": ["EX"]})], ReadOptions(), "EX"),
    ],
)
def test_an_answer_that_repeats_the_geometry_is_no_drawing(put, drawn: list, options: ReadOptions, lesion: str) -> None:
    for results in ([*drawn, CHOSEN, *ABOUT], [CHOSEN, *ABOUT, *drawn]):
        [annotation], report = read_annotations(put("a.json", tasks_with(*results)), options)
        assert [(mark.lesion, mark.shape) for mark in annotation.marks] == [(lesion, Ellipse(10, 6, 4, 3, 30))]
        assert annotation.marks[0].details["attributes"] == {
            "lesion": "HE",
            "signs": ["blurred", "dark"],
            "remark": "near the disc",
            "stars": 7,
            "size": 3,
            "seen": "2024-05-02",
            "kind": [["red", "dot"], ["red", "blot"]],
        }
        assert (report.left_out, report.notes) == ((), ())


@pytest.mark.parametrize(
    ("about", "attributes"),
    [
        (answer("Choices", "q", {"choices": ["HE"]}), {"q": "HE"}),
        (answer("customchoices", "q", {"choices": ["HE"]}), {"q": "HE"}),
        (answer("choices", "q", {"choices": ["HE"], "ellipselabels": ["MA"]}), {"q": "HE"}),
        (answer("choices", "q", {"choices": []}), None),
        (answer("choices", "q", {}), None),
        (answer("pairwise", "q", {"selected": "left"}), None),
    ],
)
def test_a_result_is_an_answer_by_its_type_or_by_the_field_of_its_content(
    put, about: dict, attributes: dict | None
) -> None:
    [annotation] = read_annotations(put("a.json", tasks_with(region("ellipse", ELLIPSE, id="r"), about))).annotations
    [mark] = annotation.marks
    assert mark.details.get("attributes") == attributes


def test_a_taxonomy_with_one_path_gives_the_label_at_its_end(put) -> None:
    kind = answer("taxonomy", "kind", {"taxonomy": [["red", "Hemorrhage"]]})
    path = put("a.json", tasks_with(ALONE, kind))
    [annotation] = read_annotations(path, ReadOptions(label_attribute="kind")).annotations
    assert [mark.lesion for mark in annotation.marks] == ["HE"]


def test_in_a_min_export_the_geometry_tells_of_which_region_a_label_or_an_answer_is(put) -> None:
    size = {"original_width": 20, "original_height": 12}
    other = {**ELLIPSE, "x": 25}
    task = {
        **{name: value for name, value in MIN[0].items() if name != "label"},
        "shape": [{**ELLIPSE, **size}, {**other, **size}],
        "label": [{**ELLIPSE, **size, "labels": ["EX"]}, {**other, **size, "labels": ["MA"]}],
        "signs": [{**other, **size, "choices": ["blurred", "dark"]}],
        "stars": [{**ELLIPSE, **size, "rating": 4}],
        "quality": [{"rating": 2}],
    }
    [annotation], report = read_annotations(put("a.json", [task]))
    assert [(mark.lesion, mark.details["attributes"]) for mark in annotation.marks] == [
        ("EX", {"stars": 4}),
        ("MA", {"signs": ["blurred", "dark"]}),
    ]
    assert annotation.marks[0].shape == Ellipse(10, 6, 4, 3, 30)
    assert [text.partition("(IDRiD_01.jpg): ")[2] for text in report.notes] == [
        "rating is of no region, and is kept in the provenance"
    ]
    assert annotation.provenance["labelstudio"]["results"] == [
        {"from_name": "quality", "type": "rating", "value": {"rating": 2}}
    ]


def written_again(annotations: list[Annotation], path: Path) -> list[dict]:
    format_named("labelstudio").write(path, annotations)
    [task] = json.loads(path.read_text())
    return task["annotations"][0]["result"]


def test_answers_are_written_with_the_type_that_they_had(put, tmp_path) -> None:
    found = read_annotations(put("a.json", tasks_with(region("ellipse", ELLIPSE, id="r"), *ABOUT))).annotations
    drawn, *about = written_again(found, tmp_path / "b.json")
    assert drawn["id"] == "r"
    assert about == [
        {
            **{field: each[field] for field in ("id", "type", "from_name", "to_name")},
            "value": {field: value for field, value in each["value"].items() if field not in ELLIPSE},
        }
        for each in ABOUT
    ]
    assert read_annotations(tmp_path / "b.json").annotations[0].marks[0].details == found[0].marks[0].details


def test_the_labelling_configuration_asks_each_question_in_the_way_it_was_answered(put) -> None:
    found = read_annotations(put("a.json", tasks_with(region("ellipse", ELLIPSE, id="r"), *ABOUT))).annotations
    view = Tree.fromstring(labelling_config(found))
    asked = {each.get("name"): each for each in view if each.get("perRegion") == "true"}
    assert {name: each.tag for name, each in asked.items()} == {
        "signs": "Choices",
        "remark": "TextArea",
        "stars": "Rating",
        "size": "Number",
        "seen": "DateTime",
        "kind": "Taxonomy",
    }
    assert [choice.get("value") for choice in asked["signs"]] == ["blurred", "dark"]
    assert asked["stars"].get("maxRating") == "7"
    [red] = asked["kind"]
    assert (red.get("value"), [choice.get("value") for choice in red]) == ("red", ["dot", "blot"])


def test_attributes_of_other_tools_are_numbers_and_choices(tmp_path) -> None:
    attributes = {
        "certain": "no",
        "boxes": {"a": True, "b": False, "c": True},
        "none": {"a": False},
        "size": 2.5,
        "null": None,
    }
    marks = (Mark("MA", Ellipse(10, 6, 4, 3), {"attributes": attributes | {"paths": [["A", "B"]], "flag": False}}),)
    annotation = Annotation("p.jpg", 20, 12, marks)
    _, *about = written_again([annotation], tmp_path / "a.json")
    assert {each["from_name"]: each["value"] for each in about} == {
        "certain": {"choices": ["no"]},
        "boxes": {"choices": ["a", "c"]},
        "size": {"number": 2.5},
        "paths": {"taxonomy": [["A", "B"]]},
        "flag": {"choices": ["False"]},
    }
    view = Tree.fromstring(labelling_config([annotation]))
    assert {choice.get("value") for choice in view.iter("Choice")} == {"no", "a", "c", "A", "B", "False"}


def test_no_two_regions_are_written_with_one_id(put, tmp_path) -> None:
    both = {**region("ellipse", ELLIPSE), "id": "m", "value": {**ELLIPSE, "ellipselabels": ["MA", "HE"]}}
    sure = answer("choices", "sure", {"choices": ["no"]}, key="m")
    others = [region("ellipse", {**ELLIPSE, "x": place}, id=key) for place, key in ((20, "one"), (30, "0-1"))]
    found = read_annotations(put("a.json", tasks_with(both, sure, *others))).annotations
    results = written_again(found, tmp_path / "b.json")
    assert [(each["id"], each["type"]) for each in results] == [
        ("0-0", "ellipselabels"),
        ("0-0", "choices"),
        ("0-1-", "ellipselabels"),  # 0-1 is another's
        ("0-1-", "choices"),
        ("one", "ellipselabels"),
        ("0-1", "ellipselabels"),
    ]
    ids = [results_of(found[0], mark, f"new {place}")[0]["id"] for place, mark in enumerate(found[0].marks)]
    assert ids == ["new 0", "new 1", "one", "0-1"]


def test_two_key_points_of_a_coco_region_become_two_regions(put, tmp_path) -> None:
    person = {"id": 6, "image_id": 1, "category_id": 1, "keypoints": [2, 3, 2, 8, 9, 2], "num_keypoints": 2}
    images = [{"id": 1, "file_name": "p.jpg", "width": 20, "height": 12}]
    categories = [{"id": 1, "name": "MA", "keypoints": ["a", "b"]}]
    content = {"images": images, "annotations": [person], "categories": categories}
    found = read_annotations(put("coco.json", content)).annotations
    ids = [each["id"] for each in written_again(found, tmp_path / "b.json")]
    assert len(set(ids)) == len(ids) == 2


TWO = {"L.jpg": "/data/upload/1/abcd1234-L.jpg", "R.jpg": "/data/upload/1/abcd1235-R.jpg"}


def eyes(fields: str, **by_name: str) -> list:
    """A task of a left and a right photograph in the ``fields``, and on each ``to_name`` a region of that label."""
    results = [region("ellipse", ELLIPSE, label, id=label, to_name=name) for name, label in by_name.items()]
    data = dict(zip(fields.split(), TWO.values(), strict=True))
    return [{"data": data, "annotations": [{"result": results}]}]


@pytest.mark.parametrize(
    ("fields", "drawn", "found"),
    [
        ("left_eye right_eye", {"right": "HE"}, {"R.jpg": "HE"}),
        ("os_image od_image", {"od": "HE"}, {"R.jpg": "HE"}),
        ("image_left image_right", {"left": "MA", "right": "HE"}, {"L.jpg": "MA", "R.jpg": "HE"}),
        ("imgOS imgOD", {"left": "MA", "OD": "HE"}, {"L.jpg": "MA", "R.jpg": "HE"}),
        ("left right", {"right_view": "HE"}, {"R.jpg": "HE"}),
        ("image_1 image_2", {"img-2": "HE"}, {"R.jpg": "HE"}),
        ("image image2", {"img": "MA"}, {"L.jpg": "MA"}),
        ("image image2", {"first": "MA", "img2": "HE"}, {"L.jpg": "MA", "R.jpg": "HE"}),
    ],
)
def test_a_to_name_is_told_by_its_words_and_that_is_said(put, fields: str, drawn: dict, found: dict) -> None:
    annotations, report = read_annotations(put("a.json", eyes(fields, **drawn)))
    assert {one.image: "".join(one.lesions) for one in annotations} == found
    assert "what its to_name stands for is guessed from the names: " in report.notes[0]
    assert report.left_out == ()


@pytest.mark.parametrize(
    ("fields", "drawn"),
    [
        ("left_eye right_eye", "image"),
        ("bright_image image", "right"),
        ("first second", "img"),
        ("image image2", "img3"),
        ("left right", "left_right"),
    ],
)
def test_what_could_be_of_the_other_eye_is_left_out_and_named(put, fields: str, drawn: str) -> None:
    annotations, report = read_annotations(put("a.json", eyes(fields, **{drawn: "HE"})))
    assert annotations == []
    assert f"its to_name {drawn!r} is none of its images" in report.left_out[0]


def test_two_to_names_are_not_one_image_nor_the_one_of_the_other(put) -> None:
    annotations, report = read_annotations(put("a.json", eyes("left right", left="MA", left_zoom="HE")))
    assert [(one.image, one.lesions) for one in annotations] == [("L.jpg", ("MA",))]
    assert "'left_zoom' is none of its images left, right" in report.left_out[0]


def test_a_min_export_does_not_say_which_of_several_images_is_meant(put) -> None:
    task = {name: value for name, value in MIN[0].items() if name != "image"}
    several = {**task, "image": TWO["L.jpg"], "other": TWO["R.jpg"]}
    annotations, report = read_annotations(put("a.json", [several]))
    assert annotations == []
    assert "export as JSON, and not as JSON-MIN: 2 times" in report.left_out[0]
    [annotation] = read_annotations(put("b.json", [{**task, "img": TWO["L.jpg"], "file": "L.jpg"}])).annotations
    assert (annotation.image, annotation.lesions) == ("L.jpg", ("MA", "SE"))


def test_the_images_of_a_list_are_told_by_their_number(put) -> None:
    drawn = [
        region("ellipse", ELLIPSE, label, id=label, item_index=place) for place, label in enumerate(("MA", "HE", "EX"))
    ]
    sure = answer("choices", "sure", {"choices": ["no"]}, key="HE")
    task = {"data": {"images": [*TWO.values()]}, "annotations": [{"result": [*drawn, sure]}]}
    annotations, report = read_annotations(put("a.json", [task]))
    assert [(one.image, one.lesions) for one in annotations] == [("L.jpg", ("MA",)), ("R.jpg", ("HE",))]
    assert annotations[1].marks[0].details["attributes"] == {"sure": "no"}
    assert "its item_index 2 is of none of its images images.0, images.1" in report.left_out[0]
    alone = {**task, "data": {"images": [TWO["L.jpg"]]}}
    assert [one.image for one in read_annotations(put("b.json", [alone])).annotations] == ["L.jpg"]


@pytest.mark.parametrize(
    ("left", "right", "names"),
    [
        (
            "/data/upload/1/0a1b2c3d-eye.jpg",
            "/data/upload/1/9f8e7d6c-eye.jpg",
            ["0a1b2c3d-eye.jpg", "9f8e7d6c-eye.jpg"],
        ),
        ("s3://left-eyes/001.jpg", "s3://right-eyes/001.jpg", ["left-eyes/001.jpg", "right-eyes/001.jpg"]),
        ("/data/local-files/?d=001.jpg", "/data/local-files/?d=second/001.jpg", ["001.jpg", "second/001.jpg"]),
        ("001.jpg", "second/001.jpg", ["001.jpg", "second/001.jpg"]),
        ("/home/me/left/001.jpg", "/home/me/right/001.jpg", ["left/001.jpg", "right/001.jpg"]),
        ("https://a.org/x/1.jpg", "https://b.org/x/1.jpg", ["a.org/x/1.jpg", "b.org/x/1.jpg"]),
    ],
)
def test_two_photographs_of_one_name_are_told_apart_by_their_addresses(put, left: str, right: str, names: list) -> None:
    results = [
        region("ellipse", ELLIPSE, label, id=label, to_name=to) for to, label in (("left", "MA"), ("right", "HE"))
    ]
    both = {"data": {"left": left, "right": right}, "annotations": [{"result": results}]}
    annotations, report = read_annotations(put("a.json", [both]))
    assert [(one.image, *one.lesions) for one in annotations] == [(names[0], "MA"), (names[1], "HE")]
    assert (report.left_out, report.notes) == ((), ())
    tasks = [
        {"data": {"image": address}, "annotations": [{"result": [one]}]}
        for address, one in zip((left, right), results, strict=True)
    ]
    assert [one.image for one in read_annotations(put("b.json", tasks)).annotations] == names
    alone = [{**both, "annotations": [{"result": results[1:]}]}]
    [annotation] = read_annotations(put("c.json", alone)).annotations
    assert annotation.provenance["labelstudio"]["data"] == {"image": right}


def test_an_uploaded_file_that_is_there_is_the_photograph(put, tmp_path) -> None:
    for key in ("0a1b2c3d", "9f8e7d6c"):
        write_image(tmp_path / "upload" / "1" / f"{key}-left.png", np.full((12, 20, 3), 90, np.uint8))
    path = put("a.json", [{**MIN[0], "image": "/data/upload/1/0a1b2c3d-left.png"}])
    for folder, name in (("upload/1", "0a1b2c3d-left.png"), ("upload", "1/0a1b2c3d-left.png")):
        [annotation] = read_annotations(path, ReadOptions(images=tmp_path / folder)).annotations
        assert annotation.image == name
    with pytest.raises(AnnotationError, match=r"it is of 0a1b2c3d-left\.png, not of .*9f8e7d6c-left\.png"):
        read_drawn(tmp_path / "upload/1/9f8e7d6c-left.png", path)


@pytest.mark.parametrize("address", ["/data/upload/1/abcd1234-A.jpg", "A.jpg"])
def test_a_comment_that_names_a_photograph_is_none(put, address: str) -> None:
    data = {"photo": address, "comment": "compare with B.jpg"}
    content = [{"data": data, "annotations": [{"result": [region("ellipse", ELLIPSE, to_name="img")]}]}]
    [annotation] = read_annotations(put("a.json", content)).annotations
    assert (annotation.image, len(annotation.marks)) == ("A.jpg", 1)


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_is_named_and_refused(refused, sign: str) -> None:
    head, row = "image,id,label,annotator,annotation_id,created_at", "/data/a.jpg,1,[],1,1,x"
    said = refused("a.csv", "\n".join((head, row)).replace(",", sign) + "\n")
    assert "a table of Label Studio" in said
    assert "export the project as JSON" in said


def test_a_photograph_that_is_not_in_the_folder_is_named(put, tmp_path) -> None:
    path = put("a.json", [{"data": {"image": "p.jpg"}, "annotations": [{"result": []}]}])
    report = read_annotations(path, ReadOptions(images=tmp_path)).report
    assert "p.jpg: no such file" in report.left_out[0]
    assert "give the folder" not in report.left_out[0]


def read_tagged(put, *results: dict, options: ReadOptions | None = None, **task):
    path = put("a.json", [{"data": {"image": "a.png"}, "annotations": [{"result": list(results)}], **task}])
    return read_annotations(path, options)


def tag(label: str, from_name: str, key: str, kind: str = "labels") -> dict:
    return {**SIZE, "id": key, "type": kind, "from_name": from_name, "value": {**ELLIPSE, kind: [label]}}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("shape", "lesion", "expected"),
    [("ellipselabels", "labels", ["MA", "Drusen"]), ("labels", "ellipselabels", ["MA", "Drusen"])],
)
def test_of_two_tags_on_a_region_that_which_tells_lesions_is_its_label(
    put, tmp_path: Path, swapped: bool, shape: str, lesion: str, expected: list[str]
) -> None:
    results = [
        each
        for key, label, sure in (("1", "MA", "certain"), ("2", "Drusen", "unsure"))
        for each in (tag(label, "finding", key, lesion), tag(sure, "certainty", key, shape))
    ]
    found, report = read_tagged(put, *(reversed(results) if swapped else results))
    marks = sorted(found[0].marks, key=lambda mark: mark.details["id"])
    assert [mark.lesion for mark in marks] == expected
    assert [mark.details["attributes"] for mark in marks] == [{"certainty": "certain"}, {"certainty": "unsure"}]
    assert any("the labels of 'certainty' stand beside those of another tag" in note for note in report.notes)
    asked = read_tagged(put, *results, options=ReadOptions(label_attribute="certainty"))[0][0]
    assert asked.lesions == ("certain", "unsure")
    asked = read_tagged(put, *results, options=ReadOptions(label_attribute="Finding"))
    assert (asked.annotations[0].lesions, asked.report.attributed) == (("MA", "Drusen"), 2)
    out = tmp_path / "out.json"
    format_named("labelstudio").write(out, found)
    written = json.loads(out.read_text(encoding="utf-8"))[0]["annotations"][0]["result"]
    own = [(item["type"], item["value"]["labels"]) for item in written if item["from_name"] == "certainty"]
    assert sorted(own) == [("labels", ["certain"]), ("labels", ["unsure"])]
    again = read_annotations(out).annotations[0]
    assert sorted(mark.details["attributes"]["certainty"] for mark in again.marks) == ["certain", "unsure"]


def test_of_two_tags_of_unknown_labels_that_which_drew_the_region_is_its_label(put) -> None:
    drawn, sure = tag("Drusen", "finding", "1", "ellipselabels"), tag("sure", "certainty", "1")
    assert read_tagged(put, sure, drawn)[0][0].lesions == ("Drusen",)
    assert read_tagged(put, drawn, sure, options=ReadOptions({"sure": ""}))[0][0].lesions == ("Drusen",)
    both = tag("MA", "red", "1", "ellipselabels"), tag("EX", "bright", "1")
    assert read_tagged(put, *both)[0][0].lesions == ("MA", "EX")


def test_a_draft_that_was_not_submitted_is_said(put) -> None:
    tasks = [
        {"data": {"image": "a.png"}, "annotations": [], "drafts": [{"result": [region("ellipse", ELLIPSE)]}]},
        {"data": {"image": "b.png"}, "annotations": [], "drafts": []},
        {"data": {"image": "c.png"}, "annotations": [{"result": [region("ellipse", ELLIPSE)]}]},
    ]
    report = read_annotations(put("a.json", tasks)).report
    assert "task 0 (a.png): nobody annotated it; there is a draft of it that was not submitted" in report.notes[0]
    assert report.notes[1].endswith("task 1 (b.png): nobody annotated it")
    assert not report.left_out


def test_a_model_is_asked_for_in_any_case_and_named_where_nobody_is_called_so(put) -> None:
    prediction = {"model_version": "UNet-v1", "result": [region("ellipse", ELLIPSE, "EX")]}
    drawn = region("ellipse", ELLIPSE)
    found = read_tagged(put, drawn, predictions=[prediction], options=ReadOptions(annotator="unet-V1")).annotations
    assert [one.lesions for one in found] == [("EX",)]
    with pytest.raises(AnnotationError, match="there are UNet-v1"):
        read_tagged(put, drawn, predictions=[prediction], options=ReadOptions(annotator="unet-v2"))
