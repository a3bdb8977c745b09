"""Only what different people, and models, say of one photograph shares a task of Label Studio."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coarsekit.annotations import labelstudio, read_annotations
from coarsekit.types import Annotation, Ellipse, Mark


def tasks_of(path: Path, *annotations: Annotation) -> list[tuple[int, int]]:
    """How many annotations and predictions each written task has."""
    labelstudio.write(path, annotations)
    tasks = json.loads(path.read_text())
    ids = [region["id"] for task in tasks for one in task["annotations"] for region in one["result"]]
    assert len({*ids}) == len(ids) or len(tasks) < len(annotations)
    return [(len(task["annotations"]), len(task.get("predictions", ()))) for task in tasks]


def drawn(**provenance: Any) -> Annotation:
    return Annotation("001.jpg", 100, 80, (Mark("MA", Ellipse(20, 30, 9, 9)),), provenance)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({"coco": {"id": 1}}, {"coco": {"id": 2}}, False),
        ({"task": "mueller", "annotator": "mueller"}, {"task": "schmidt", "annotator": "schmidt"}, False),
        ({"task": "t", "annotator": "anna"}, {"task": "t", "annotator": "ben"}, True),
        ({"annotator": "anna"}, {"annotator": "anna"}, False),
        ({"annotator": "anna"}, {}, False),
        ({}, {}, False),
        ({"expert": 1}, {"expert": 2}, True),
        ({"annotator": 1, "coco": {"id": 1}}, {"annotator": 2, "coco": {"id": 7}}, True),
    ],
)
def test_one_name_is_not_one_photograph(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any], together: bool
) -> None:
    path, both = tmp_path / "ls.json", [drawn(**one), drawn(**other)]
    assert tasks_of(path, *both) == ([(2, 0)] if together else [(1, 0), (1, 0)])
    answers = [replace(each, provenance={**each.provenance, "model_version": "lite"}) for each in both]
    pairs = [each for pair in zip(both, answers, strict=True) for each in pair]
    assert tasks_of(path, *pairs) == ([(2, 2)] if together else [(1, 1), (1, 1)])
    assert tasks_of(path, *answers) == ([(0, 2)] if together else [(0, 1), (0, 1)])


def test_a_task_of_label_studio_keeps_all_its_annotations(tmp_path: Path) -> None:
    value = {"x": 50, "y": 50, "radiusX": 6, "radiusY": 8, "rotation": 0, "ellipselabels": ["MA"]}
    region = {"id": "r", "type": "ellipselabels", "original_width": 80, "original_height": 60, "value": value}
    task = {"data": {"image": "/data/upload/1/0a1b2c3d-A.png"}, "annotations": [{"result": [region]}] * 2}
    (tmp_path / "in.json").write_text(json.dumps([task]))
    assert tasks_of(tmp_path / "ls.json", *read_annotations(tmp_path / "in.json").annotations) == [(2, 0)]


def test_two_images_of_a_coco_file_that_share_a_file_name_are_two_tasks(tmp_path: Path) -> None:
    images = [{"id": number, "file_name": "left.jpg", "width": 80, "height": 60} for number in (1, 2)]
    regions = [{"id": n, "image_id": n, "category_id": 1, "bbox": [10 * n, 10, 9, 9]} for n in (1, 2)]
    file = {"images": images, "annotations": regions, "categories": [{"id": 1, "name": "MA"}]}
    (tmp_path / "c.json").write_text(json.dumps(file))
    assert tasks_of(tmp_path / "ls.json", *read_annotations(tmp_path / "c.json").annotations) == [(1, 0), (1, 0)]


def test_a_file_is_known_by_any_task_and_the_first_may_be_one_that_nobody_annotated(tmp_path: Path) -> None:
    value = {"x": 50, "y": 50, "radiusX": 6, "radiusY": 8, "rotation": 0, "ellipselabels": ["MA"]}
    region = {"id": "r", "type": "ellipselabels", "original_width": 80, "original_height": 60, "value": value}
    bare = {"id": 1, "data": {"image": "B.png"}}
    whole = {"id": 2, "data": {"image": "A.png"}, "annotations": [{"result": [region]}]}
    flat = {"id": 2, "image": "A.png", "label": [{**region, **value}], "annotator": 1, "annotation_id": 3}
    for task in (whole, flat):
        (tmp_path / "ls.json").write_text(json.dumps([bare, task]))
        [one], report = read_annotations(tmp_path / "ls.json")
        assert (one.image, len(one.marks), report.left_out) == ("A.png", 1, ())
        assert "nobody annotated it" in report.notes[0]
