"""Files as curators have them: half-broken, of several annotators, with folders in names, in ZIPs, with attributes."""

import json
from base64 import b64encode
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from click.testing import CliRunner, Result

from coarsekit.annotations import format_named, read_annotation, read_annotations, read_drawn
from coarsekit.annotations.photograph_names import photograph_name, same_photograph
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.main import main
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.images import encode_png, write_image
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon

SIZE = (100, 80)
ELLIPSE = '<ellipse label="HE" cx="50" cy="40" rx="9" ry="6"/>'
GREY = np.full((80, 100, 3), 90, np.uint8)


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


def cvat(*images: tuple[str, str], meta: str = "") -> str:
    each = "".join(f'<image name="{name}" width="100" height="80">{shapes}</image>' for name, shapes in images)
    return f"<annotations><version>1.1</version>{meta}{each}</annotations>"


def task(*answers: dict, **data: str) -> dict:
    return {"data": data or {"image": "A.jpg"}, "annotations": list(answers)}


def region(key: str = "a", to: str = "image", label: str = "MA", **more) -> dict:
    value = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 10, "ellipselabels": [label]}
    size = {"original_width": 100, "original_height": 80}
    return {"id": key, "type": "ellipselabels", "from_name": "lab", "to_name": to, "value": value, **size, **more}


# ------------------------------------------------------------------------------------------ reading forgives


BROKEN = {
    "cvat": ("a.xml", cvat(("A.jpg", ELLIPSE + '<ellipse label="HE" cx="x" cy="4" rx="9" ry="6"/>'))),
    "labelstudio": ("a.json", [task({"result": [region(), region("b", original_width=-3)]})]),
    "coco": (
        "a.json",
        {
            "images": [{"id": 1, "file_name": "A.jpg", "width": "100", "height": "80"}],
            "categories": [{"id": 1, "name": "HE"}],
            "annotations": [
                {"image_id": "1", "category_id": 1, "segmentation": [1, 1, 9, 1, 9, 9]},
                {"image_id": 1, "category_id": 1, "bbox": [5, 5, 0, 4]},
            ],
        },
    ),
    "labelme": (
        "a.json",
        {
            "imagePath": "A.jpg",
            "imageWidth": 100,
            "imageHeight": 80,
            "shapes": [
                {"label": "HE", "shape_type": "circle", "points": [[50, 40], [55, 40]]},
                {"label": "HE", "shape_type": "circle", "points": [[50, 40]]},
            ],
        },
    ),
    "via": (
        "a.json",
        {
            "k": {
                "filename": "A.jpg",
                "regions": [
                    {
                        "shape_attributes": {"name": "circle", "cx": 50, "cy": 40, "r": 5},
                        "region_attributes": {"l": "HE"},
                    },
                    {"shape_attributes": {"name": "circle", "cx": 50}, "region_attributes": {"l": "HE"}},
                ],
            }
        },
    ),
    "native": (
        "a.json",
        {
            "image": {"name": "A.jpg", "width": 100, "height": 80},
            "ellipses": [{"lesion": "HE", "cx": 50, "cy": 40, "r": 5}, {"lesion": "HE", "cx": 50, "cy": 40, "r": 0}],
        },
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_odd_region_is_named_and_the_others_are_read(put, name: str) -> None:
    path = put(*BROKEN[name])
    [annotation], report = read_annotations(path, ReadOptions(size=SIZE))
    assert len(annotation.marks) == 1
    assert len(report.left_out) == 1
    with pytest.raises(AnnotationError) as caught:
        read_annotations(path, ReadOptions(size=SIZE, strict=True))
    assert str(caught.value).startswith(str(path))
    assert CliRunner().invoke(main, ["convert", str(path), str(path.parent / "out"), "--strict"]).exit_code == 2


def test_a_file_that_cannot_be_read_does_not_stop_a_folder(put, tmp_path: Path) -> None:
    put("a.xml", cvat(("A.jpg", ELLIPSE)))
    put("b.json", "{")
    put("classes.csv", "MA,HE\n")
    put("c.json", "{}".encode("utf-16"))
    result = convert(tmp_path, tmp_path / "out", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["photographs"] == 1
    assert [Path(text.split(":")[0]).name for text in report["left_out"]] == ["b.json"]
    assert f"{tmp_path / 'c.json'}, {tmp_path / 'classes.csv'}" in report["notes"][0]
    assert convert(tmp_path, tmp_path / "out", "--strict").exit_code == 2


def test_one_kind_is_one_line(put) -> None:
    shapes = "".join(f'<ellipse label="HE" cx="{place}" cy="4" rx="0" ry="{place}"/>' for place in range(1, 500))
    [sentence] = read_annotations(put("a.xml", cvat(("A.jpg", ELLIPSE + shapes)))).report.left_out
    assert "499 times" in sentence


# ------------------------------------------------------------------------------------------ photographs


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("left/001.jpg", "left/001.jpg"),
        ("left\\001.jpg", "left/001.jpg"),
        ("../photos/A.jpg", "photos/A.jpg"),
        ("C:\\Users\\me\\A.jpg", "A.jpg"),
        ("/home/me/A.jpg", "A.jpg"),
        ("./A.jpg", "A.jpg"),
        ("https://host/left/A%201.jpg?x=1", "left/A 1.jpg"),
        ("a/../b/A.jpg", "A.jpg"),
    ],
)
def test_names_keep_the_folders_below_that_of_the_photographs(text: str, name: str) -> None:
    assert photograph_name(text) == name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("left/001.jpg", "left/001.jpg"),
        ("LEFT/001.JPG", "left/001.jpg"),
        ("photos/left/001.jpg", "left/001.jpg"),
        ("IMG_1.JPG", "IMG_1.jpg"),
        ("img_1.jpg", "IMG_1.jpg"),
        ("0a1b2c3d-eye_scan_1.jpg", "day 1/eye scan (1).jpg"),
        ("eye scan (1).jpg", "day 1/eye scan (1).jpg"),
    ],
)
def test_photographs_are_found_below_a_folder(tmp_path: Path, name: str, file: str) -> None:
    for place in ("left/001.jpg", "right/001.jpg", "IMG_1.jpg", "day 1/eye scan (1).jpg", ".hidden/x.jpg"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(b"")
    assert PhotographFolder(tmp_path).find(name) == tmp_path / file


def test_where_several_fit_they_are_named(tmp_path: Path) -> None:
    for folder in ("left", "right"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "001.jpg").write_bytes(b"")
    with pytest.raises(ImageError, match=r"left/001\.jpg, right/001\.jpg"):
        PhotographFolder(tmp_path).find("001.jpg")
    with pytest.raises(ImageError, match=r"did you mean '001\.jpg'"):
        PhotographFolder(tmp_path).find("01.jpg")


def test_a_drawing_on_a_smaller_copy_is_scaled_and_that_is_said(tmp_path: Path) -> None:
    write_image(tmp_path / "A.png", GREY)
    format_named("native").write(
        tmp_path / "a.json", [Annotation("A.png", 50, 40, (Mark("HE", Ellipse(25, 20, 6, 4)),))]
    )
    _, annotation, report = read_drawn(tmp_path / "A.png", tmp_path / "a.json")
    assert annotation.marks == (Mark("HE", Ellipse(50, 40, 12, 8)),)
    assert "scaled by 2" in report.notes[0]
    format_named("native").write(tmp_path / "b.json", [Annotation("A.png", 50, 45)])
    with pytest.raises(AnnotationError, match="drawn on 50 × 45 px"):
        read_drawn(tmp_path / "A.png", tmp_path / "b.json")


def test_what_was_left_out_of_another_photograph_does_not_matter(put, tmp_path: Path) -> None:
    write_image(tmp_path / "B.png", GREY)
    path = put("a.xml", cvat(("A.png", '<points label="fovea" points="1,1"/>'), ("B.png", "")))
    assert read_drawn(tmp_path / "B.png", path)[1].marks == ()


@pytest.mark.parametrize(
    ("drawn_on", "photograph", "same"),
    [
        ("deadbeef-left.png", "left.png", True),
        ("left.png", "deadbeef-left.png", True),
        ("deadbeef-left.png", "cafebabe-left.png", True),
        ("deadbeef-20240220-left.png", "20240220-left.png", True),
        ("12345678-left_eye.png", "left eye.PNG", True),
        ("20230115-left.png", "20240220-left.png", False),
        ("20230115-left.png", "deadbeef-left.png", False),
        ("deadbeef-20230115-left.png", "20240220-left.png", False),
    ],
)
def test_what_label_studio_puts_before_a_name_is_no_date(
    drawn_on: str, photograph: str, same: bool, tmp_path: Path
) -> None:
    assert same_photograph(drawn_on, photograph) == same
    write_image(tmp_path / photograph, GREY)
    finder = PhotographFolder(tmp_path)
    if same:
        assert finder.find(drawn_on) == tmp_path / photograph
    else:
        with pytest.raises(ImageError, match="no such file"):
            finder.find(drawn_on)


def test_the_drawing_of_another_photograph_is_refused_unless_told(tmp_path: Path) -> None:
    for name in ("IDRiD_01.png", "IDRiD_02.png", "image.png"):
        write_image(tmp_path / name, GREY)
    format_named("native").write(
        tmp_path / "a.json", [Annotation("IDRiD_01.png", *SIZE, (Mark("HE", Ellipse(50, 40, 9, 9)),))]
    )
    for name in ("left/a.png", "right/a.png"):
        write_image(tmp_path / name, GREY)
    format_named("native").write(
        tmp_path / "left.json", [Annotation("left/a.png", *SIZE, (Mark("HE", Ellipse(50, 40, 9, 9)),))]
    )
    for other in ("IDRiD_02.png", "image.png"):
        with pytest.raises(AnnotationError, match=r"it is of IDRiD_01\.png, not of"):
            read_drawn(tmp_path / other, tmp_path / "a.json")
        assert read_drawn(tmp_path / other, tmp_path / "a.json", ignore_name=True)[1].marks
    with pytest.raises(AnnotationError, match=r"it is of left/a\.png, not of .*right/a\.png; give that photograph"):
        read_drawn(tmp_path / "right/a.png", tmp_path / "left.json")
    assert read_drawn(tmp_path / "left/a.png", tmp_path / "left.json")[2].notes == ()
    (tmp_path / "left/a.png").unlink()
    with pytest.raises(AnnotationError, match=r"it is of left/a\.png, not of a\.png; give that photograph"):
        read_drawn(tmp_path / "right/a.png", tmp_path / "left.json")
    (tmp_path / "IDRiD_01.png").unlink()
    assert "called IDRiD_01.png" in read_drawn(tmp_path / "image.png", tmp_path / "a.json")[2].notes[0]


# ------------------------------------------------------------------------------------------ annotators, images, ZIPs


def test_annotators_are_chosen_or_written_apart(put, tmp_path: Path) -> None:
    answers = [{"result": [region()], "completed_by": who} for who in (1, {"id": 2, "email": "b@x.org"})]
    path = put("ls.json", [task(*answers)])
    result = convert(path, tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["files"] == [str(tmp_path / "out" / who / "A.json") for who in "12"]
    assert "--annotator" in result.stderr
    assert "choose one by --annotator" in convert(path, tmp_path / "a.xml").stderr
    assert convert(path, tmp_path / "a.xml", "--annotator", "b@x.org").exit_code == 0
    assert "there are 1, 2, b@x.org" in convert(path, tmp_path / "b.xml", "--annotator", "3").stderr


def test_a_task_of_two_photographs_is_told_apart_by_to_name(put) -> None:
    data = {"right": "/data/upload/1/0a1b2c3d-R.jpg", "left": "/data/upload/1/4e5f6a7b-L.jpg"}
    result = [region("a", "right"), region("b", "left", "HE"), region("c", "top", "EX")]
    annotations, report = read_annotations(put("ls.json", [task({"result": result}, **data)]))
    assert [(one.image, one.lesions) for one in annotations] == [("R.jpg", ("MA",)), ("L.jpg", ("HE",))]
    assert "'top' is none of its images right, left" in report.left_out[0]


def test_two_uploads_of_one_name_do_not_become_one(put) -> None:
    tasks = [task({"result": [region()]}, image=f"/data/upload/1/{key}-001.jpg") for key in ("0a1b2c3d", "4e5f6a7b")]
    annotations, report = read_annotations(put("ls.json", tasks))
    assert [one.image for one in annotations] == ["0a1b2c3d-001.jpg", "4e5f6a7b-001.jpg"]
    assert report.photographs == ()


def test_an_odd_task_or_answer_costs_no_other(put) -> None:
    odd = task({"result": [region(), "x"]}, {"result": 3}) | {"predictions": [{"result": 4}]}
    annotations, report = read_annotations(put("ls.json", [odd, None, task({"result": [region()]}, image="B.jpg")]))
    assert [(one.image, len(one.marks)) for one in annotations] == [("A.jpg", 1), ("B.jpg", 1)]
    answers, tasks = report.left_out
    assert "result: expected a valid list, got 3: 2 times" in answers
    assert "expected a task, got 'None'" in tasks


def test_predictions_are_read_where_nobody_annotated_or_their_model_is_asked_for(put) -> None:
    prediction = {"result": [region(label="HE", score=0.5)], "model_version": "v2"}
    path = put("ls.json", [task({"result": [region()]}) | {"predictions": [prediction]}])
    assert [one.lesions for one in read_annotations(path).annotations] == [("MA",)]
    [chosen] = read_annotations(path, ReadOptions(annotator="v2")).annotations
    assert chosen.lesions == ("HE",)
    alone = read_annotations(put("p.json", [task() | {"predictions": [prediction]}]))
    assert alone.annotations[0].lesions == ("HE",)
    assert "prediction of 'v2'" in alone.report.notes[0]


def test_bitmasks_are_read(put) -> None:
    mask = np.zeros((80, 100), bool)
    mask[10:20, 30:60] = True
    value = {"imageDataURL": "data:image/png;base64," + b64encode(encode_png(mask)).decode(), "bitmasklabels": ["MA"]}
    item = region() | {"type": "bitmasklabels", "value": value}
    [annotation] = read_annotations(put("ls.json", [task({"result": [item]})])).annotations
    [shape] = annotation.of("MA")
    assert (shape.left, shape.top, shape.crop.shape) == (30, 10, (10, 30))


def test_a_zip_is_read_as_it_was_downloaded(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.writestr("annotations.xml", cvat(("left/A.jpg", ELLIPSE)))
        archive.writestr("images/left/A.jpg", b"not read")
        archive.writestr("__MACOSX/._annotations.xml", b"x")
    [annotation] = read_annotations(tmp_path / "task.zip").annotations
    assert annotation.image == "left/A.jpg"
    (tmp_path / "cut.zip").write_bytes((tmp_path / "task.zip").read_bytes()[:200])
    with pytest.raises(AnnotationError, match="ZIP cannot be unpacked"):
        read_annotations(tmp_path / "cut.zip")


def test_the_tasks_of_a_project_are_told_apart(put) -> None:
    tasks = "".join(f"<task><id>{key}</id><name>{name}</name></task>" for key, name in ((1, "ann"), (2, "bob")))
    meta = f"<meta><project><tasks>{tasks}</tasks></project></meta>"
    text = cvat(("A.jpg", ELLIPSE), ("A.jpg", ELLIPSE), meta=meta)
    text = text.replace("<image ", '<image task_id="1" ', 1)[::-1].replace(" egami<", ' "2"=di_ksat egami<', 1)[::-1]
    path = put("a.xml", text)
    assert len(read_annotations(path, ReadOptions(annotator="bob")).annotations) == 1
    assert len(read_annotations(path).annotations) == 2


ROC = """<set><annotations-per-image imagename="A.png">
<annotation><mark x="20" y="15"><radius>10</radius></mark><lesion>microaneurysm</lesion>
<probability>1.0</probability></annotation>
<annotation><mark x="20" y="15"/><lesion>microaneurysm</lesion></annotation>
</annotations-per-image><annotations-per-image imagename="B.png"/></set>"""


def test_the_roc_challenge_is_read(put, tmp_path: Path) -> None:
    write_image(tmp_path / "A.png", GREY)
    [annotation], report = read_annotations(put("roc.xml", ROC), ReadOptions(images=tmp_path))
    assert (annotation.width, annotation.height) == SIZE
    assert annotation.marks == (Mark("MA", Ellipse(20.5, 15.5, 10, 10)),)
    assert "radius must be a finite number" in report.left_out[0] + report.left_out[1]
    assert report.photographs[0][0] == "B.png"
    assert f"{tmp_path / 'B.png'}: no such file" in report.photographs[0][1]
    assert "give the folder" not in report.photographs[0][1]
    assert "give the folder" in read_annotations(put("roc.xml", ROC)).report.photographs[0][1]


@pytest.mark.parametrize(
    ("xy", "shape"),
    [
        ([2, 10, 20, 30, 5], Polygon((((10, 20), (40, 20), (40, 25), (10, 25)),))),
        ([3, 50, 40, 9], Ellipse(50, 40, 9, 9)),
        ([4, 50, 40, 9, 6], Ellipse(50, 40, 9, 6)),
        ([7, 1, 1, 9, 1, 5, 8], Polygon((((1, 1), (9, 1), (5, 8)),))),
        ([9, 10, 0, 0, 10, -10, 0], Ellipse(0, 0, 10, 10)),
        ([1, 5, 5], Point(5, 5)),
        ([5, 5, 5, 7, 7], Line(((5, 5), (7, 7)))),
        ([6, 5, 5, 7, 7, 8, 9], Line(((5, 5), (7, 7), (8, 9)))),
        ([6, 5, 5], None),
        ([10, 5, 5], None),
    ],
)
def test_a_project_of_via_3_is_read(put, xy: list, shape: object) -> None:
    project = {
        "attribute": {"1": {"aname": "lesion", "options": {"0": "MA"}}, "2": {"aname": "grade", "options": {}}},
        "file": {"1": {"fname": "A.jpg"}},
        "view": {"1": {"fid_list": ["1"]}},
        "metadata": {"1_x": {"vid": "1", "xy": xy, "av": {"1": "0", "2": "mild"}}},
    }
    [annotation], report = read_annotations(put("via3.json", project), ReadOptions(size=SIZE))
    assert [mark.shape for mark in annotation.marks] == ([] if shape is None else [shape])
    assert len(report.left_out) == (shape is None)
    assert all(mark.details["attributes"] == {"grade": "mild"} for mark in annotation.marks)


# ------------------------------------------------------------------------------------------ nothing is lost


RICH = cvat(
    (
        "left/A.jpg",
        '<ellipse label="Dot hemorrhage" source="semi-auto" occluded="1" z_order="2" group_id="3" cx="50" cy="40"'
        ' rx="9" ry="6"><attribute name="certain">no</attribute></ellipse><tag label="gradable"><attribute name="q">2'
        "</attribute></tag>",
    ),
    meta="<meta><task><id>1</id><name>fundus</name><labels><label><name>Dot hemorrhage</name><color>#ff0000</color>"
    "<type>any</type><attributes><attribute><name>certain</name><mutable>False</mutable><input_type>select</input_type>"
    "<default_value>yes</default_value><values>yes\nno</values></attribute></attributes></label></labels></task></meta>",
)


def test_what_cvat_says_survives_the_native_format(put, tmp_path: Path) -> None:
    path = put("a.xml", RICH)
    assert convert(path, tmp_path / "native").exit_code == 0
    assert convert(tmp_path / "native", tmp_path / "b.xml").exit_code == 0
    before, after = (read_annotations(each).annotations[0] for each in (path, tmp_path / "b.xml"))
    assert before.image == after.image == "left/A.jpg"
    assert before.marks[0].lesion == "HE"
    assert before.marks[0].details["label"] == "Dot hemorrhage"
    assert before.marks[0].details["attributes"] == {"certain": "no"}
    assert before.marks == after.marks
    assert before.marks[0].details == after.marks[0].details
    assert before.provenance["labels"] == after.provenance["labels"]
    assert before.provenance["cvat"] == {k: v for k, v in after.provenance["cvat"].items() if k != "id"}
    assert before.provenance["labels"][0]["color"] == "#ff0000"


def test_what_label_studio_says_survives_the_native_format(put, tmp_path: Path) -> None:
    answers = [
        region(score=0.7),
        {"id": "a", "type": "choices", "from_name": "grade", "to_name": "image", "value": {"choices": ["mild"]}},
        {"id": "a", "type": "number", "from_name": "size", "to_name": "image", "value": {"number": 3}},
        {"from_id": "a", "to_id": "b", "type": "relation", "direction": "right"},
    ]
    path = put("ls.json", [task({"result": answers, "completed_by": 7})])
    assert convert(path, tmp_path / "native").exit_code == 0
    assert convert(tmp_path / "native", tmp_path / "b.json", "--to", "labelstudio").exit_code == 0
    before, after = (read_annotations(each).annotations[0] for each in (path, tmp_path / "b.json"))
    assert before.marks[0].details["attributes"] == {"grade": "mild", "size": 3}
    assert before.marks[0].details["id"] == "a"
    assert before.marks[0].details["labelstudio"]["score"] == after.marks[0].details["labelstudio"]["score"] == 0.7
    assert after.marks[0].details["attributes"] == before.marks[0].details["attributes"]
    assert after.provenance == before.provenance


def test_a_class_that_the_user_gives_replaces_the_tools_label(put, tmp_path: Path) -> None:
    assert convert(put("a.xml", RICH), tmp_path / "native").exit_code == 0
    assert convert(tmp_path / "native", tmp_path / "b.xml", "--labels", "HE=EX").exit_code == 0
    [mark] = read_annotations(tmp_path / "b.xml").annotations[0].marks
    assert (mark.lesion, mark.details.get("label")) == ("EX", None)


def test_what_a_format_cannot_hold_is_named(put, tmp_path: Path) -> None:
    result = convert(put("a.xml", RICH), tmp_path / "c.json", "--to", "coco", "--approximate")
    assert result.exit_code == 0
    assert "Not held: COCO (JSON) cannot hold the groups of 1 region" in result.stderr


def test_what_is_read_alone_is_strict_or_says_what_it_left_out(put) -> None:
    path = put(*BROKEN["cvat"])
    with pytest.raises(AnnotationError, match="cx must be a finite number"):
        read_annotation(path)
    assert len(read_annotation(path, options=ReadOptions()).provenance["left_out"]) == 1


# ------------------------------------------------------------------------------------------ sizes that nobody wrote


def _coco_of(size: dict[str, object]) -> str:
    region = {"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]}
    image = {"id": 1, "file_name": "A.jpg", **size}
    return json.dumps({"images": [image], "categories": [{"id": 1, "name": "HE"}], "annotations": [region]})


def _labelme_of(size: dict[str, object]) -> str:
    shape = {"label": "HE", "shape_type": "circle", "points": [[50, 40], [59, 40]]}
    own = {f"image{side.capitalize()}": value for side, value in size.items()}
    return json.dumps({"shapes": [shape], "imagePath": "A.jpg", "imageData": None, **own})


def _cvat_of(size: dict[str, object]) -> str:
    own = " ".join(f'{side}="{value}"' for side, value in size.items() if value is not None)
    return f'<annotations><version>1.1</version><image name="A.jpg" {own}>{ELLIPSE}</image></annotations>'


@pytest.mark.parametrize("write", [_coco_of, _labelme_of, _cvat_of])
@pytest.mark.parametrize(
    "size",
    [{}, {"width": 0, "height": 0}, {"width": "0", "height": ""}, {"width": 640}, {"width": None, "height": 0.0}],
    ids=str,
)
def test_a_size_that_the_file_does_not_say_is_that_of_the_photograph(tmp_path: Path, write, size: dict) -> None:
    path = tmp_path / f"a.{'xml' if write is _cvat_of else 'json'}"
    path.write_text(write(size))
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    if write is _labelme_of:  # whose file has no other photograph
        with pytest.raises(AnnotationError, match="imageWidth and imageHeight are missing; give the folder"):
            read_annotations(path)
    else:
        found, report = read_annotations(path)
        assert (found, [name for name, _ in report.photographs]) == ([], ["A.jpg"])
    write_image(photographs / "A.jpg", GREY)
    [annotation], report = read_annotations(path, ReadOptions(images=photographs))
    assert (annotation.width, annotation.height, len(annotation.marks), report.left_out) == (*SIZE, 1, ())
