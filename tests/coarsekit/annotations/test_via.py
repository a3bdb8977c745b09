"""VIA 2's project, JSON and CSV, as it writes them."""

import copy
from math import degrees, pi

import numpy as np
import pytest

from coarsekit.annotations import format_named, read_annotations
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError
from coarsekit.images import write_image
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon

ELLIPSE = {"name": "ellipse", "cx": 60, "cy": 50, "rx": 12, "ry": 9, "theta": 0.524}
REGIONS = [
    {"shape_attributes": ELLIPSE, "region_attributes": {"lesion": "Microaneurysm"}},
    {"shape_attributes": {"name": "circle", "cx": 90, "cy": 70, "r": 10.5}, "region_attributes": {"lesion": "HE"}},
    {
        "shape_attributes": {"name": "polygon", "all_points_x": [1, 9, 5], "all_points_y": [1, 1, 8]},
        "region_attributes": {"lesion": {"EX": True, "SE": False}},
    },
    {
        "shape_attributes": {"name": "rect", "x": 10, "y": 20, "width": 30, "height": 5},
        "region_attributes": {"note": "unsure", "Label": "EX"},
    },
    {"shape_attributes": {"name": "point", "cx": 3, "cy": 4}, "region_attributes": {"lesion": "MA"}},
    {
        "shape_attributes": {"name": "polyline", "all_points_x": [1, 9, 5], "all_points_y": [1, 1, 8]},
        "region_attributes": {"lesion": "HE"},
    },
    {"shape_attributes": {"name": "cube", "cx": 3, "cy": 3}, "region_attributes": {"lesion": "HE"}},
]
FILE = {"filename": "IDRiD_01.jpg", "size": 12345, "regions": REGIONS, "file_attributes": {"caption": ""}}
PROJECT = {
    "_via_settings": {"ui": {}, "core": {"buffer_size": 18}, "project": {"name": "fundus"}},
    "_via_img_metadata": {"IDRiD_01.jpg12345": FILE},
    "_via_attributes": {"region": {"lesion": {"type": "text"}}, "file": {}},
    "_via_data_format_version": "2.0.10",
    "_via_image_id_list": ["IDRiD_01.jpg12345"],
}
TABLE = """filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes
IDRiD_01.jpg,12345,"{}",2,0,"{""name"":""ellipse"",""cx"":60,""cy"":50,""rx"":12,""ry"":9,""theta"":0.524}","{""lesion"":""MA""}"
IDRiD_01.jpg,12345,"{}",2,1,"{""name"":""circle"",""cx"":90,""cy"":70,""r"":10.5}","{""lesion"":""HE""}"
IDRiD_02.jpg,999,"{}",0,0,"{}","{}"
"""


def reading(**more) -> ReadOptions:
    return ReadOptions(size=(200, 150), **more)


@pytest.mark.parametrize("content", [PROJECT, PROJECT["_via_img_metadata"]], ids=["project", "annotations"])
def test_json_is_read_whole(put, content: dict) -> None:
    told = reading(labels={"Microaneurysm": "MA"})
    [annotation], report = read_annotations(put("via.json", content), told)
    assert (annotation.image, annotation.width, annotation.height) == ("IDRiD_01.jpg", 200, 150)
    assert [mark.lesion for mark in annotation.marks] == ["MA", "HE", "EX", "EX", "MA", "HE"]
    ellipse, circle, polygon, box, *others = (mark.shape for mark in annotation.marks)
    assert ellipse == Ellipse(60, 50, 12, 9, degrees(0.524))
    assert circle == Ellipse(90, 70, 10.5, 10.5)
    assert polygon == Polygon((((1, 1), (9, 1), (5, 8)),))
    assert box == Polygon((((10, 20), (40, 20), (40, 25), (10, 25)),))
    assert others == [Point(3, 4), Line(((1, 1), (9, 1), (5, 8)))]
    assert len(report.left_out) == 1
    assert "regions.6" in report.left_out[0]


def test_files_of_via_1_have_regions_by_number_and_ellipses_without_angle(put) -> None:
    old = {**ELLIPSE}
    del old["theta"]
    file = {**FILE, "regions": {"0": {"shape_attributes": old, "region_attributes": {"type": "MA"}}}}
    [annotation] = read_annotations(put("via.json", {"k": file}), reading()).annotations
    assert annotation.marks == (Mark("MA", Ellipse(60, 50, 12, 9)),)


@pytest.mark.parametrize("begin", ["", "#", "\ufeff"])
def test_csv_is_read_whole(put, begin: str) -> None:
    first, second = read_annotations(put("via.csv", begin + TABLE), reading()).annotations
    assert [mark.lesion for mark in first.marks] == ["MA", "HE"]
    assert (second.image, second.marks) == ("IDRiD_02.jpg", ())


def test_sizes_come_from_the_photographs_or_are_asked_for(put, tmp_path) -> None:
    path = put("via.json", PROJECT)
    with pytest.raises(AnnotationError, match=r"give the folder with IDRiD_01\.jpg as images=…"):
        read_annotations(path)
    write_image(tmp_path / "IDRiD_01.jpg", np.zeros((30, 40, 3), np.uint8))
    [annotation] = read_annotations(path, ReadOptions(images=tmp_path)).annotations
    assert (annotation.width, annotation.height) == (40, 30)


def test_written_files_know_the_bytes_of_their_photographs(tmp_path) -> None:
    write_image(tmp_path / "p.jpg", np.zeros((30, 40, 3), np.uint8))
    annotation = Annotation("p.jpg", 40, 30, (Mark("MA", Ellipse(9, 9, 3, 2, 90)),))
    via = format_named("via")
    via.write(tmp_path / "a.json", [annotation], images=tmp_path)
    assert f'"size": {(tmp_path / "p.jpg").stat().st_size}' in (tmp_path / "a.json").read_text()
    assert f'"theta": {pi / 2!r}' in (tmp_path / "a.json").read_text()
    with pytest.raises(AnnotationError, match="comes twice"):
        via.write(tmp_path / "b.json", [annotation, annotation])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shape_attributes": {**ELLIPSE, "cx": "6O"}}, "shape_attributes: cx: expected a valid number"),
        ({"shape_attributes": {"name": "ellipse"}}, "cx is missing"),
        ({"shape_attributes": {"name": "cube"}}, "must be ellipse, circle, rect, polygon, point or polyline"),
        ({"shape_attributes": {"name": "polygon", "all_points_x": [1], "all_points_y": []}}, "equally many"),
        ({"region_attributes": {}}, "it has no label"),
        ({"region_attributes": {"a": "x", "b": "y"}}, "label_attribute=…"),
        ({"region_attributes": {"lesion": ""}}, "labels=…, such as '=MA'"),
        ({"region_attributes": {"lesion": {"MA": True, "HE": True}}}, "it has no label"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(put, change: dict, said: str) -> None:
    content = copy.deepcopy(PROJECT)
    content["_via_img_metadata"]["IDRiD_01.jpg12345"]["regions"][0].update(change)
    with pytest.raises(AnnotationError) as caught:
        read_annotations(put("via.json", content), reading(strict=True))
    assert "IDRiD_01.jpg: regions.0: " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("row", ['a.jpg,1,"{}",1,0,"{""name""","{}"', '"' + "x" * 200_000 + '",1,{},0,0,{},{}'])
def test_a_damaged_table_is_refused(put, row: str) -> None:
    with pytest.raises(AnnotationError, match=r"not a table as VIA writes it|row 0 of a\.jpg: not JSON"):
        read_annotations(put("via.csv", TABLE.splitlines()[0] + "\n" + row + "\n"), reading(strict=True))
