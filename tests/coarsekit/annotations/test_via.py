"""VIA 2's project, JSON and CSV, as it writes them."""

import copy
import csv
import json
from io import StringIO
from math import degrees, pi

import numpy as np
import pytest

from coarsekit.annotations import format_named, read_annotations
from coarsekit.annotations.convert import convert
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
        ({"region_attributes": {"lesion": {"MA": False, "HE": False}}}, "it has no label"),
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


def region(**attributes: object) -> dict:
    return {"shape_attributes": ELLIPSE, "region_attributes": attributes}


def file_of(*regions: dict, name: str = "p.jpg", size: int = 12345, **attributes: object) -> dict:
    return {f"{name}{size}": {"filename": name, "size": size, "regions": [*regions], "file_attributes": attributes}}


def project_of(options: dict, *regions: dict, kind: str = "dropdown") -> dict:
    described = {"region": {"lesion": {"type": kind, "options": options}}, "file": {}}
    return {"_via_settings": {}, "_via_img_metadata": file_of(*regions), "_via_attributes": described}


def written(path, told: ReadOptions, **more) -> dict:
    """What VIA's file has when it is read and written again, through a file of this project."""
    annotations = read_annotations(path, told).annotations
    own, back = path.with_name("native"), path.with_name("back.json")
    format_named("native").write(own, annotations)
    files = sorted(own.rglob("*.json"))
    format_named("via").write(back, [one for file in files for one in read_annotations(file).annotations], **more)
    return json.loads(back.read_text())


def attributes_in(content: dict) -> list[dict]:
    return [one["region_attributes"] for file in content.values() for one in file["regions"]]


def photograph(path, height: int = 30) -> int:
    """How many bytes a photograph has that is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(height).integers(0, 255, (height, 40, 3), np.uint8)
    write_image(path.with_suffix(".png"), noise)
    path.with_suffix(".png").rename(path)
    return path.stat().st_size


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"type": "MA", "grade": "2"}, {}),
        ({"Label": "Microaneurysm", "note": "unsure"}, {}),
        ({"lesion": "spot 7", "grade": "MA"}, {"label_attribute": "grade"}),
        ({"lesion": "spot 7", "Grade": "MA"}, {"label_attribute": " grade "}),
        ({"lesion": {"MA": True, "HE": False}, "grade": "2"}, {}),
        ({"lesion": 3}, {}),
    ],
)
def test_a_label_goes_back_to_the_attribute_that_held_it(put, attributes: dict, told: dict) -> None:
    path = put("via.json", file_of(region(**attributes)))
    assert attributes_in(written(path, reading(**told))) == [attributes]


@pytest.mark.parametrize(
    ("attributes", "told", "expected"),
    [
        ({"type": "spots", "grade": "2"}, {"labels": {"spots": "MA"}}, {"type": "MA", "grade": "2"}),
        ({"lesion": {"HE": False, "EX": False}}, {"labels": {"": "MA"}}, {"lesion": "MA"}),
        ({"lesion": "7"}, {"labels": {"": "MA"}, "label_attribute": "grade"}, {"lesion": "7", "grade": "MA"}),
    ],
)
def test_a_class_that_the_user_gives_is_written_there_too(put, attributes: dict, told: dict, expected: dict) -> None:
    path = put("via.json", file_of(region(**attributes)))
    assert attributes_in(written(path, reading(**told))) == [expected]


def test_a_mark_of_another_format_gets_the_attribute_lesion(tmp_path) -> None:
    mark = Mark("MA", Ellipse(60, 50, 12, 9), {"label": "Microaneurysm", "attributes": {"grade": "2"}})
    format_named("via").write(tmp_path / "via.json", [Annotation("p.jpg", 200, 150, (mark,))])
    content = json.loads((tmp_path / "via.json").read_text())
    assert attributes_in(content) == [{"grade": "2", "lesion": "Microaneurysm"}]


@pytest.mark.parametrize(
    ("options", "value", "lesion"),
    [
        ({"1": "Microaneurysm", "2": "Hard exudate"}, "1", "MA"),
        ({"1": "Microaneurysm", "2": "Hard exudate"}, 2, "EX"),
        ({"1": "Microaneurysm", "2": "Hard exudate"}, {"1": False, "2": True}, "EX"),
        ({"1": "pale, round"}, "1", "pale, round"),
        ({"a": "Microaneurysm"}, "a", "MA"),
        ({"a": "typical"}, "a", "a"),
        ({"MA": "Hemorrhage?"}, "MA", "MA"),
        ({"MA": ""}, "MA", "MA"),
        ({"1": ""}, "1", "1"),
        ({"1": "Microaneurysm"}, "3", "3"),
        (None, "3", "3"),
    ],
)
def test_an_option_is_its_description_where_that_says_more(put, options: dict, value: object, lesion: str) -> None:
    path = put("via.json", project_of(options, region(lesion=value, grade="2")))
    [annotation] = read_annotations(path, reading()).annotations
    assert annotation.lesions == (lesion,)
    assert attributes_in(written(path, reading())) == [{"lesion": value, "grade": "2"}]


def test_what_the_user_says_of_an_option_holds_for_its_key_and_its_description(put) -> None:
    path = put("via.json", project_of({"1": "Microaneurysm", "b": "pale"}, region(lesion="1"), region(lesion="b")))
    for labels in ({"1": "HE", "b": "EX"}, {"Microaneurysm": "HE", "pale": "EX"}):
        [annotation], report = read_annotations(path, reading(labels=labels))
        assert annotation.lesions == ("HE", "EX")
        assert report.all_notes(reading(labels=labels)) == []
    assert read_annotations(path, reading(labels={"1": ""})).annotations[0].lesions == ("b",)


@pytest.mark.parametrize(
    ("ticked", "told", "options"),
    [
        ({"MA": True, "HE": True, "EX": False}, {}, {}),
        ({"MA": True, "EX": False, "HE": True}, {"label_attribute": "Lesion"}, {}),
        ({"1": True, "2": True}, {}, {"1": "Microaneurysm", "2": "Hemorrhage"}),
    ],
)
def test_each_option_that_is_ticked_is_a_mark_and_stays_so(put, ticked: dict, told: dict, options: dict) -> None:
    path = put("via.json", project_of(options, region(lesion=ticked, grade={"1": True, "2": True}), kind="checkbox"))
    [annotation], report = read_annotations(path, reading(**told))
    first, second = annotation.marks
    assert (first.lesion, second.lesion, first.shape) == ("MA", "HE", second.shape)
    assert report.left_out == ()
    back = attributes_in(written(path, reading(**told)))
    assert [[option for option, on in each["lesion"].items() if on] for each in back] == [
        [option] for option, on in ticked.items() if on
    ]
    assert all(each["grade"] == {"1": True, "2": True} for each in back)


def test_pictures_of_options_are_no_labels(put) -> None:
    path = put("via.json", project_of({"1": "https://a.org/x.png"}, region(lesion="1"), kind="image"))
    assert read_annotations(path, reading()).annotations[0].lesions == ("1",)


def test_a_description_of_an_attribute_that_is_damaged_is_said(put) -> None:
    path = put("via.json", project_of(["MA"], region(lesion="MA")))
    [annotation], report = read_annotations(path, reading())
    assert annotation.lesions == ("MA",)
    assert "_via_attributes.region.lesion: options: expected a valid dictionary" in report.left_out[0]


def via_3(put, attribute: dict, **values: object):
    described = {str(key): {"aname": name} for key, name in enumerate(values)}
    described["0"] |= attribute
    return put(
        "via3.json",
        {
            "attribute": described,
            "file": {"1": {"fname": "p.jpg"}},
            "view": {"1": {"fid_list": ["1"]}},
            "metadata": {
                "1_a": {"vid": "1", "xy": [3, 60, 50, 9], "av": {str(k): v for k, v in enumerate(values.values())}}
            },
        },
    )


def test_two_ticks_of_via_3_are_two_marks(put) -> None:
    options = {"options": {"0": "MA", "1": "HE"}, "type": 2}
    [annotation], report = read_annotations(via_3(put, options, lesion="0,1"), reading())
    assert [mark.lesion for mark in annotation.marks] == ["MA", "HE"]
    assert report.left_out == ()
    [annotation] = read_annotations(via_3(put, options, lesion="1", grade="0,1"), reading()).annotations
    assert (annotation.lesions, annotation.marks[0].details["attributes"]) == (("HE",), {"grade": "0,1"})


def test_a_label_of_via_3_goes_into_the_attribute_of_its_name(put) -> None:
    path = via_3(put, {"options": {"0": "Microaneurysm"}}, type="0", Grade="2")
    assert attributes_in(written(path, reading())) == [{"type": "Microaneurysm", "Grade": "2"}]
    assert attributes_in(written(path, reading(label_attribute="grade"))) == [{"type": "Microaneurysm", "Grade": "2"}]


@pytest.mark.parametrize("found", [True, False])
def test_a_photograph_of_via_keeps_its_name_and_bytes(put, found: bool, tmp_path) -> None:
    names = ("002.jpg", "eye.jpg", "https://a.org/left/3.jpg")
    content = {key: file for name in names for key, file in file_of(region(lesion="MA"), name=name).items()}
    if found:
        for file in ("left/002.jpg", "EYE.JPG", "3.jpg"):
            photograph(tmp_path / "photos" / file)
    more = {"images": tmp_path / "photos"} if found else {}
    assert set(written(put("via.json", content), reading(**more), **more)) == set(content)


@pytest.mark.parametrize("table", [False, True])
def test_a_photograph_that_via_knows_by_its_address_alone_stays_so(put, tmp_path, table: bool) -> None:
    photograph(tmp_path / "photos" / "A.jpg")
    content = file_of(region(lesion="MA"), name="https://a.org/d/A.jpg?x=1", size=-1)
    path, images = put("via.json", content), {"images": tmp_path / "photos"}
    if table:
        format_named("via").write(tmp_path / "via.csv", read_annotations(path, reading(**images)).annotations)
        path = tmp_path / "via.csv"
    assert set(written(path, reading(**images), **images)) == set(content)


def test_bytes_are_looked_up_in_any_folder_and_said_where_they_are_not_found(tmp_path) -> None:
    size = photograph(tmp_path / "left" / "P.JPG")
    via, drawn = format_named("via"), [Annotation(name, 40, 30) for name in ("p.jpg", "q.jpg")]
    said = via.write(tmp_path / "via.json", drawn, images=tmp_path)
    assert [*json.loads((tmp_path / "via.json").read_text())] == [f"p.jpg{size}", "q.jpg-1"]
    assert said == ["q.jpg: 1 × -1 for the bytes of a photograph that is not found"]


def test_a_table_keeps_what_is_said_of_photographs(put, tmp_path) -> None:
    content = {
        **file_of(region(lesion="MA"), region(type="HE", grade="2"), grader="anna", sure={"yes": True}),
        **file_of(name="q.jpg", grader="bo"),
    }
    read = reading(images=tmp_path / "none")
    path = put("via.json", content)
    for out in ("one.csv", "two.csv", "three.json"):
        format_named("via").write(tmp_path / out, read_annotations(path, read).annotations)
        path = tmp_path / out
    table = list(csv.DictReader(StringIO((tmp_path / "two.csv").read_text())))
    assert [json.loads(row["file_attributes"])["grader"] for row in table] == ["anna", "anna", "bo"]
    back = json.loads(path.read_text())
    assert {key: (file["size"], file["file_attributes"]) for key, file in back.items()} == {
        key: (file["size"], file["file_attributes"]) for key, file in content.items()
    }
    assert attributes_in(back) == attributes_in(content)


def test_a_table_whose_words_on_a_photograph_are_damaged_keeps_its_regions(put) -> None:
    [annotation, _], report = read_annotations(put("via.csv", TABLE.replace('12345,"{}"', '12345,"{x"')), reading())
    assert len(annotation.marks) == 2
    assert [text.partition(".csv: ")[2] for text in report.left_out] == [
        "file_attributes of IDRiD_01.jpg: not JSON (Expecting property name enclosed in double quotes: line 1 column 2 "
        "(char 1)), got '{x'"
    ]


@pytest.mark.parametrize("folders", [("left", "right"), (".", "right")])
def test_photographs_of_one_name_are_told_apart_by_their_bytes(put, tmp_path, folders: tuple[str, str]) -> None:
    photos, content, images = tmp_path / "photos", {}, []
    for height, folder in zip((30, 40), folders, strict=True):
        size = photograph(photos / folder / "001.jpg", height)
        images.append((photos / folder / "001.jpg").relative_to(photos).as_posix())
        content |= file_of(region(lesion="MA"), size=size, name="001.jpg")
    path = put("via.json", content)
    annotations, report = read_annotations(path, ReadOptions(images=photos))
    assert [(one.image, one.height) for one in annotations] == [(images[0], 30), (images[1], 40)]
    assert "chosen by its bytes among the photographs of one file name" in report.notes[0]
    assert images[1] in report.notes[0]
    done = convert(path, tmp_path / "back.json", to="via", images=photos)
    assert done.approximated == []
    assert set(json.loads((tmp_path / "back.json").read_text())) == set(content)


@pytest.mark.parametrize("size", [7, -1, "same"])
def test_photographs_of_one_name_that_the_bytes_do_not_tell_apart_are_named(put, tmp_path, size: object) -> None:
    for folder in ("left", "right"):
        same = photograph(tmp_path / "photos" / folder / "001.jpg")
    photograph(tmp_path / "photos" / "right" / "002.jpg")
    content = {
        **file_of(region(lesion="MA"), name="001.jpg", size=same if size == "same" else size),
        **file_of(region(lesion="MA"), name="002.jpg"),
    }
    [annotation], report = read_annotations(put("via.json", content), ReadOptions(images=tmp_path / "photos"))
    assert annotation.image == "002.jpg"
    assert "2 could be meant (left/001.jpg, right/001.jpg)" in report.photographs[0][1]
    assert "give the folder" not in report.photographs[0][1].partition("could be meant")[0]


def test_a_photograph_of_via_3_that_several_could_be_is_named(put, tmp_path) -> None:
    for folder in ("left", "right"):
        photograph(tmp_path / folder / "p.jpg")
    report = read_annotations(via_3(put, {}, lesion="MA"), ReadOptions(images=tmp_path)).report
    assert "2 could be meant (left/p.jpg, right/p.jpg)" in report.photographs[0][1]


TABLE_3 = """# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)
# ATTRIBUTE = {"1":{"aname":"lesion"}}
# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata
"1_abc","[""A.jpg""]",0,"[]","[4,200,150,30,20]","{""1"":""MA""}"
"""


def test_a_table_of_via_3_is_named_and_refused(put) -> None:
    with pytest.raises(AnnotationError, match=r"a table of VIA 3, .* save the project as JSON"):
        read_annotations(put("via3.csv", TABLE_3), reading())


def test_a_file_is_known_by_any_photograph_and_the_first_may_have_no_regions(put, tmp_path) -> None:
    circle = {"shape_attributes": {"name": "circle", "cx": 20, "cy": 15, "r": 4}, "region_attributes": {"lesion": "MA"}}
    content = {
        "B.png-1": {"filename": "B.png", "size": -1, "file_attributes": {}},
        "A.png-1": {"filename": "A.png", "size": -1, "regions": [circle]},
    }
    found, report = read_annotations(put("via.json", content), ReadOptions(size=(80, 60)))
    assert ([len(one.marks) for one in found], report.left_out) == ([0, 1], ())
