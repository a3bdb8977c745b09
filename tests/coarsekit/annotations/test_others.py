"""LabelMe, COCO, DIARETDB1 and the native format, as their tools write them."""

import copy
from base64 import b64encode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from coarsekit.annotations import native, read_annotations
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Raster

MASK = np.array([[0, 1, 1], [1, 1, 0]], bool)


def png(mask: np.ndarray, mode: str = "L") -> str:
    data = BytesIO()
    Image.fromarray(mask.astype(np.uint8)).convert(mode).save(data, format="PNG")
    return b64encode(data.getvalue()).decode()


def labelme_shape(kind: str, points: list, label: str = "HE", **more) -> dict:
    head = {"label": label, "points": points, "group_id": None, "description": "", "shape_type": kind, "flags": {}}
    return {**head, "mask": None, **more}


LABELME = {
    "version": "5.4.1",
    "flags": {},
    "shapes": [
        labelme_shape("circle", [[60.5, 50.0], [63.5, 54.0]], "Microaneurysm"),
        labelme_shape("polygon", [[1.0, 1.0], [9.0, 1.0], [5.0, 8.0]], "EX"),
        labelme_shape("rectangle", [[40.0, 25.0], [10.0, 20.0]], "EX"),
        labelme_shape("mask", [[20.0, 30.0], [22.0, 31.0]], "SE", mask=png(MASK)),
        labelme_shape("linestrip", [[1.0, 1.0], [2.0, 2.0], [4.0, 9.0]], "HE"),
        labelme_shape("line", [[1.0, 1.0], [2.0, 2.0]], "HE"),
        labelme_shape("point", [[5.5, 6.0]], "MA"),
        labelme_shape("points", [[5.5, 6.0], [7.0, 8.0]], "MA"),
        labelme_shape("cube", [[5.5, 6.0], [7.0, 8.0]], "MA"),
        {"label": "old", "points": [[1.0, 1.0], [9.0, 1.0], [5.0, 8.0]], "line_color": None, "fill_color": None},
        {"label": "old", "points": [[1.0, 1.0], [9.0, 1.0], [5.0, 8.0]], "shape_type": None},
        labelme_shape("rotation", [[1.0, 1.0], [9.0, 1.0], [9.0, 8.0], [1.0, 8.0]], "old"),
    ],
    "imagePath": "x\\IDRiD_01.jpg",
    "imageData": None,
    "imageHeight": 150,
    "imageWidth": 200,
}


def test_labelme_is_read_whole(put) -> None:
    reading = ReadOptions({"Microaneurysm": "MA"})
    [annotation], report = read_annotations(put("a.json", LABELME), reading)
    assert (annotation.image, annotation.width, annotation.height) == ("x/IDRiD_01.jpg", 200, 150)
    assert [mark.lesion for mark in annotation.marks] == [
        "MA",
        "EX",
        "EX",
        "SE",
        *["HE"] * 2,
        *["MA"] * 3,
        *["old"] * 3,
    ]
    circle, polygon, box, mask, *others = (mark.shape for mark in annotation.marks)
    assert circle == Ellipse(60.5, 50, 5, 5)
    assert polygon == Polygon((((1, 1), (9, 1), (5, 8)),))
    assert draw([box], (150, 200)).sum() == 30 * 5
    assert mask == Raster(20, 30, MASK)
    assert others[:2] == [Line(((1, 1), (2, 2), (4, 9))), Line(((1, 1), (2, 2)))]
    assert others[2:5] == [Point(5.5, 6), Point(5.5, 6), Point(7, 8)]
    assert len(report.left_out) == 1
    assert "the cube 'MA' is not read" in report.left_out[0]


def test_labelme_files_without_a_size_ask_for_the_photographs(refused, put) -> None:
    content = {**LABELME, "imageHeight": None}
    assert "images=…" in refused("a.json", content)
    assert read_annotations(put("a.json", content), ReadOptions(size=(9, 9))).annotations[0].width == 9


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (labelme_shape("circle", [[1, 1]]), "a circle must have 2 points, got 1"),
        (labelme_shape("circle", [[1, 1], [1, 1]]), "a circle or an ellipse has no size, as a mere click leaves it"),
        (labelme_shape("polygon", [[1, 1], [2]]), "shapes.0.points.1"),
        (labelme_shape("mask", [[1, 1], [2, 2]]), "mask must be a PNG in base64"),
        (labelme_shape("mask", [[1, 1], [2, 2]], mask="bm90IGEgcG5n"), "mask must be a PNG in base64"),
        (labelme_shape("mask", [[1, 1], [2, 2]], mask="ü"), "mask must be a PNG in base64"),
        (labelme_shape("mask", [[1, 1], [2, 2]], mask=png(MASK)[:60]), "mask must be a PNG in base64"),
        (labelme_shape("mask", [[1, 1], [2, 2]], mask=png(0 * MASK)), "at least one pixel"),
    ],
)
def test_labelme_says_what_is_wrong(refused, shape: dict, said: str) -> None:
    assert said in refused("a.json", {**LABELME, "shapes": [shape]})


# What pycocotools 2.0.11 makes of this mask, compressed, and its run lengths.
COCO_MASK = np.zeros((12, 9), bool)
COCO_MASK[2:7, 1:5], COCO_MASK[4, 3], COCO_MASK[9:, 8], COCO_MASK[0, 0] = True, False, True, True
COMPRESSED = "01=4J00MJ063[1N"
RUNS = [0, 1, 13, 5, 7, 5, 7, 2, 1, 2, 7, 5, 50, 3]

COCO = {
    "info": {"year": 2024},
    "licenses": [],
    "images": [
        {"id": 5, "file_name": "train/IDRiD_01.jpg", "width": 9, "height": 12, "license": 1},
        {"id": 6, "file_name": "IDRiD_02.jpg", "width": 9, "height": 12},
    ],
    "categories": [{"id": 1, "name": "Microaneurysm", "supercategory": "lesion"}, {"id": 3, "name": "HE"}],
    "annotations": [
        {"id": 1, "image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": [], "area": 12, "iscrowd": 0},
        {"id": 2, "image_id": 5, "category_id": 3, "segmentation": [[1, 1, 5, 1, 5, 5], [2.5, 6, 6, 6, 6, 9, 2, 9]]},
        {"id": 3, "image_id": 5, "category_id": 3, "iscrowd": 1, "segmentation": {"size": [12, 9], "counts": RUNS}},
        {"id": 4, "image_id": 5, "category_id": 3, "segmentation": {"size": [12, 9], "counts": COMPRESSED}},
    ],
}


def test_coco_is_read_whole(put) -> None:
    first, second = read_annotations(put("a.json", COCO), ReadOptions({"Microaneurysm": "MA"})).annotations
    assert (first.image, first.width, first.height) == ("train/IDRiD_01.jpg", 9, 12)
    assert (second.image, second.marks) == ("IDRiD_02.jpg", ())
    assert first.lesions == ("MA", "HE")
    box, polygon, runs, compressed = (mark.shape for mark in first.marks)
    assert box == Polygon((((1, 2), (4, 2), (4, 6), (1, 6)),))
    assert polygon == Polygon((((1, 1), (5, 1), (5, 5)), ((2.5, 6), (6, 6), (6, 9), (2, 9))))
    assert runs == compressed == Raster(0, 0, COCO_MASK)


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        (0, {"bbox": [1, 2, 3]}, "annotations.0: bbox must hold x, y, width and height, got 3 numbers"),
        (0, {"bbox": [1, 2, 3, None]}, "annotations.0: bbox.3: expected a valid number, got null"),
        (0, {"bbox": []}, "neither segmentation nor bbox"),
        (0, {"keypoints": [1, None, 2]}, "annotations.0: keypoints.1: expected a valid number, got null"),
        (0, {"bbox": None}, "neither segmentation nor bbox"),
        (0, {"image_id": 99}, "annotations.0: image_id 99 is not the id of an image"),
        (0, {"category_id": 99}, "annotations.0: category_id 99"),
        (1, {"segmentation": [[1, 2, 3]]}, "odd length"),
        (1, {"segmentation": [[1, 2, 3, 4]]}, "at least 3 corners"),
        (1, {"segmentation": [[1, 1, 5, 1, 5, None]]}, "segmentation.0.5: expected a valid number, got null"),
        (1, {"segmentation": [[[1, 1], [5, 1, 2], [5, 5]]]}, "segmentation.0.0: expected a valid number, got [1, 1]"),
        (1, {"segmentation": "x"}, "annotations.1.segmentation: expected a valid list"),
        (2, {"segmentation": {"size": [12], "counts": RUNS}}, "segmentation.size must be [12, 9], got [12]"),
        (2, {"segmentation": {"size": [9, 12], "counts": RUNS}}, "segmentation.size must be [12, 9]"),
        (2, {"segmentation": {"size": [12, 9], "counts": [1, -1, 108]}}, "must add up"),
        (3, {"segmentation": {"size": [12, 9], "counts": "01=4J"}}, "must add up"),
        (3, {"segmentation": {"size": [12, 9], "counts": "o"}}, "end within a number"),
        (3, {"segmentation": {"size": [12, 9], "counts": "0 1"}}, "hold ' '"),
    ],
)
def test_coco_says_what_is_wrong(refused, place: int, change: dict, said: str) -> None:
    content = copy.deepcopy(COCO)
    content["annotations"][place].update(change)
    assert said in refused("a.json", content)


def test_photographs_of_coco_without_a_size_have_that_of_their_files(put, tmp_path) -> None:
    content = copy.deepcopy(COCO)
    del content["images"][0]["width"], content["images"][1]["height"]
    path = put("a.json", content)
    (tmp_path / "photographs").mkdir()
    Image.new("RGB", (9, 12)).save(tmp_path / "photographs" / "IDRiD_01.jpg")
    [first], report = read_annotations(path, ReadOptions(images=tmp_path / "photographs"))
    assert (first.image, first.width, first.height, len(first.marks)) == ("train/IDRiD_01.jpg", 9, 12, 4)
    missing = "width and height are missing; add them, or give the folder with IDRiD_02.jpg as images=…"
    assert report.left_out == (f"{path}: images.1: {missing}",)
    assert [name for name, _ in report.photographs] == ["IDRiD_02.jpg"]
    with pytest.raises(AnnotationError, match=r"images\.0: width and height are missing"):
        read_annotations(path, ReadOptions(strict=True))
    (_, sized), report = read_annotations(path, ReadOptions(size=(9, 12)))
    assert ((sized.width, sized.height), report.left_out) == ((9, 12), ())


def renamed(*files: tuple[str, str | None]) -> dict:
    """A COCO file of photographs as Roboflow calls them, and before."""
    images = [
        {"id": place, "file_name": file, "width": 40, "height": 30} | ({"extra": {"name": name}} if name else {})
        for place, (file, name) in enumerate(files)
    ]
    return {"images": images, "annotations": [], "categories": []}


def test_photographs_that_roboflow_renamed_have_their_own_names_and_that_is_said(put, tmp_path) -> None:
    first, second = (f"IMG-{place}_JPG.rf.{'0a1b' * 8}.jpg" for place in (1, 2))
    path = put("a.json", renamed((first, "IMG 1.JPG"), (second, None), ("plain.jpg", "other.jpg")))
    annotations, report = read_annotations(path)
    assert [one.image for one in annotations] == ["IMG 1.JPG", "IMG-2.JPG", "plain.jpg"]
    assert "Roboflow renamed it, and its own name is taken: 2 times" in report.notes[0]
    assert f"{first} is IMG 1.JPG" in report.notes[0]
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "photos" / first)
    found = read_annotations(path, ReadOptions(images=tmp_path / "photos")).annotations
    assert [one.image for one in found] == [first, "IMG-2.JPG", "plain.jpg"]


def test_copies_that_roboflow_made_of_a_photograph_are_not_taken_for_it(put) -> None:
    files = [f"IMG_1_jpg.rf.{key * 8}.jpg" for key in ("0a1b", "2c3d")]
    annotations, report = read_annotations(put("a.json", renamed(*((file, "IMG_1.jpg") for file in files))))
    assert [one.image for one in annotations] == files
    assert report.notes == ()


def test_regions_on_a_photograph_of_coco_that_is_left_out_are_not_said_to_lack_it(put) -> None:
    content = copy.deepcopy(COCO)
    content["images"][0]["width"] = -1
    content["annotations"][3]["image_id"] = 99
    report = read_annotations(put("a.json", content)).report
    assert [sentence.partition(".json: ")[2] for sentence in report.left_out] == [
        "annotations.3: image_id 99 is not the id of an image; add the image",
        "images.0.width: expected greater than 0, got -1",
    ]


def test_ids_of_coco_that_two_share_give_nothing_to_either(put) -> None:
    """As where two people's files were put together without new ids."""
    content = copy.deepcopy(COCO)
    content["categories"].append({"id": 3, "name": "Haemorrhage"})
    [first, _], report = read_annotations(put("a.json", content), ReadOptions({"Microaneurysm": "MA"}))
    assert first.lesions == ("MA",)
    [said] = [sentence for sentence in report.left_out if "category_id 3" in sentence]
    assert "category_id 3 is the id of 2 categories, HE and Haemorrhage; give each its own: 3 times" in said
    content = copy.deepcopy(COCO)
    content["images"].append({**content["images"][0], "file_name": "other.jpg"})
    [second], report = read_annotations(put("b.json", content))
    assert second.image == "IDRiD_02.jpg"
    assert [name for name, _ in report.photographs] == ["train/IDRiD_01.jpg", "other.jpg"]
    assert "id 5 is that of 2 images, train/IDRiD_01.jpg and other.jpg, whose regions" in report.left_out[-1]


def test_what_a_coco_file_says_twice_counts_once(put) -> None:
    content = copy.deepcopy(COCO)
    content["categories"] *= 2
    content["images"] *= 2
    found, expected = (read_annotations(put("a.json", each)).annotations for each in (content, COCO))
    assert [one.image for one in found] == [one.image for one in expected]
    assert [one.marks for one in found] == [one.marks for one in expected]


@pytest.mark.parametrize("field", ["image_id", "category_id"])
@pytest.mark.parametrize("side", ["region", "list"])
def test_ids_of_coco_may_be_floats_as_tables_write_them(put, field: str, side: str) -> None:
    content = copy.deepcopy(COCO)
    if side == "region":
        content["annotations"] = [{**region, field: float(region[field])} for region in content["annotations"]]
    else:
        name = {"image_id": "images", "category_id": "categories"}[field]
        content[name] = [{**each, "id": float(each["id"])} for each in content[name]]
    (first, _), report = read_annotations(put("a.json", content))
    assert (first.lesions, len(first.marks), report.left_out) == (("MA", "HE"), 4, ())


def test_regions_of_coco_keep_ids_that_a_table_made_floats(put) -> None:
    content = copy.deepcopy(COCO)
    content["annotations"] = [{**region, "id": float(region["id"])} for region in content["annotations"]]
    [first, _] = read_annotations(put("a.json", content)).annotations
    assert [repr(mark.details["id"]) for mark in first.marks] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "more", [{"bbox": []}, {"bbox": [1, 2]}, {"bbox": [None] * 4}, {"bbox": "x"}, {"keypoints": 3}]
)
def test_what_stands_beside_a_segmentation_of_coco_cannot_lose_it(put, more: dict) -> None:
    content = copy.deepcopy(COCO)
    content["annotations"][1].update(more)
    (first, _), report = read_annotations(put("a.json", content))
    assert (len(first.marks), report.left_out) == (4, ())


@pytest.mark.parametrize(
    "segmentation",
    [
        [[[1, 1], [5, 1], [5, 5]], [[2.5, 6], [6, 6], [6, 9]]],
        [[[1, 1], [5, 1], [5, 5]], [2.5, 6, 6, 6, 6, 9]],
    ],
)
def test_rings_of_coco_may_be_lists_of_corners(put, segmentation: list) -> None:
    content = copy.deepcopy(COCO)
    content["annotations"][1]["segmentation"] = segmentation
    [first, _] = read_annotations(put("a.json", content)).annotations
    assert first.marks[1].shape == Polygon((((1, 1), (5, 1), (5, 5)), ((2.5, 6), (6, 6), (6, 9))))


# The elements that the published ground truth has, with one marking of each kind and two of its quirks.
DIARETDB1 = """<?xml version="1.0" encoding="utf-8"?>
<imgannotooldata>
<markinglist>
<marking><circleregion><centroid><coords2d>1012,475</coords2d></centroid><radius>25</radius></circleregion>
<representativepoint><coords2d>1010,470</coords2d></representativepoint>
<confidencelevel>High</confidencelevel><markingtype>Red_small_dots</markingtype></marking>
<marking><ellipseregion><centroid><coords2d>700,300</coords2d></centroid><radius direction="x">60</radius>
<radius direction="y">20</radius><angle>30</angle></ellipseregion>
<confidencelevel>Medium</confidencelevel><markingtype>Haemorrhages</markingtype></marking>
<marking><polygonregion><centroid><coords2d>20,20</coords2d></centroid><coords2d>10,10</coords2d>
<coords2d>30,10</coords2d><coords2d>30,40</coords2d></polygonregion>
<confidencelevel>Low</confidencelevel><markingtype>Disc</markingtype></marking>
<marking><circleregion><centroid><coords2d>5,6</coords2d></centroid><radius>0</radius></circleregion>
<confidencelevel>Low</confidencelevel><markingtype>Soft_exudates</markingtype></marking>
<marking><polygonregion><coords2d>10,10</coords2d></polygonregion>
<confidencelevel>Low</confidencelevel><markingtype>Hard_exudates</markingtype></marking>
</markinglist>
</imgannotooldata>
"""


def test_diaretdb1_is_read_whole(put) -> None:
    reading = ReadOptions({"Disc": "optic disc"})
    [annotation], report = read_annotations(put("diaretdb1_image005_02_plain.xml", DIARETDB1), reading)
    assert (annotation.image, annotation.width, annotation.height) == ("diaretdb1_image005.png", 1500, 1152)
    assert annotation.provenance["expert"] == "02"
    assert annotation.provenance["confidence"] == ["High", "Medium", "Low", "Low"]
    assert [mark.lesion for mark in annotation.marks] == ["MA", "HE", "optic disc", "SE"]
    circle, ellipse, polygon, click = (mark.shape for mark in annotation.marks)
    assert circle == Ellipse(1012.5, 475.5, 25, 25)
    assert polygon == Polygon((((10.5, 10.5), (30.5, 10.5), (30.5, 40.5)),))
    assert [tuple(place) for place in np.argwhere(draw([click], (20, 20)))] == [(6, 5)]
    # 30 degrees counter-clockwise: the long axis rises to the right, towards smaller y.
    assert ellipse == Ellipse(700.5, 300.5, 60, 20, 150)
    drawn = draw([ellipse], (1152, 1500))
    assert drawn[300 - 25, 700 + 43]
    assert not drawn[300 + 25, 700 + 43]
    assert [text.rpartition(": ")[2] for text in report.left_out] == ["its polygon has fewer than three corners"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1012,475", "1012", ": marking 0: coords2d must be x,y"),
        ("<radius>25</radius>", "", "radius is missing"),
        ("<radius>25</radius>", "<radius>x</radius>", "radius must be a finite number"),
        ('direction="x"', "", "radius of direction x"),
        ("<angle>30</angle>", "", "angle is missing"),
        ("<markingtype>Disc</markingtype>", "", "markingtype is missing"),
        ("circleregion>", "squareregion>", "expected to be a circleregion"),
    ],
)
def test_diaretdb1_says_what_is_wrong(refused, old: str, new: str, said: str) -> None:
    assert said in refused("a_01.xml", DIARETDB1.replace(old, new))


NATIVE = """{
  "format": "coarsekit-ellipses",
  "version": 1,
  "image": {"name": "p.jpg", "width": 200, "height": 150},
  "ellipses": [
    {"lesion": "MA", "cx": 60.5, "cy": 50, "rx": 12, "ry": 9, "angle": 10.0},
    {"lesion": "HE", "cx": 90, "cy": 70, "r": 10}
  ],
  "polygons": [
    {"lesion": "EX", "rings": [[[10, 10], [40, 12], [25.5, 30]]]}
  ],
  "masks": [
    {"lesion": "SE", "left": 100, "top": 80, "width": 3, "height": 2, "counts": [1, 4, 1]}
  ],
  "provenance": {"made_by": "hand"}
}
"""


def test_the_native_format_is_read_as_documented(put) -> None:
    [annotation] = read_annotations(put("a.json", NATIVE)).annotations
    assert annotation.provenance == {"made_by": "hand"}
    ellipse, circle, polygon, mask = (mark.shape for mark in annotation.marks)
    assert (ellipse, circle) == (Ellipse(60.5, 50, 12, 9, 10), Ellipse(90, 70, 10, 10))
    assert polygon == Polygon((((10, 10), (40, 12), (25.5, 30)),))
    assert mask == Raster(100, 80, MASK)


def test_the_native_text_of_ellipses_alone_stays_as_it_was() -> None:
    head = '{\n  "format": "coarsekit-ellipses",\n  "version": 1,\n'
    annotation = Annotation("p.jpg", 200, 150, (Mark("MA", Ellipse(60.5, 50.0, 12.0, 9.0, 10.0)),), {"seed": 0})
    ellipse = '{"lesion": "MA", "cx": 60.5, "cy": 50.0, "rx": 12.0, "ry": 9.0, "angle": 10.0}'
    assert native.dumps(annotation) == (
        f'{head}  "image": {{"name": "p.jpg", "width": 200, "height": 150}},\n'
        f'  "ellipses": [\n    {ellipse}\n  ],\n  "provenance": {{"seed": 0}}\n}}\n'
    )
    assert native.dumps(Annotation("p.jpg", 2, 1)) == (
        f'{head}  "image": {{"name": "p.jpg", "width": 2, "height": 1}},\n  "ellipses": [],\n  "provenance": {{}}\n}}\n'
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"r": 10', '"r": 0', ": ellipses.1.r: expected greater than 0, got 0"),
        ('"r": 10', '"r": 10, "rx": 3', ": ellipses.1: expected rx and ry, or r alone"),
        ("[25.5, 30]", "[25.5]", ": polygons.0.rings.0.2"),
        ("[25.5, 30]", '[25.5, "30"]', ": polygons.0.rings.0.2.1: expected a valid number"),
        ("[10, 10], ", "", ": polygons.0: a polygon's ring needs at least 3 corners, got 2"),
        ("[1, 4, 1]", "[1, 4]", ": masks.0: the mask's run lengths must add up to its 6 pixels, got 5"),
        ("[1, 4, 1]", "[6]", ": masks.0: a mask needs at least one pixel"),
        ('"left": 100', '"left": 1.5', ": masks.0.left: expected a valid integer"),
        ('"masks"', '"mask"', ": mask is not a field of this format"),
        ('"p.jpg"', '"a/../p.jpg"', ": image.name: expected the file name"),
    ],
)
def test_the_native_format_says_what_is_wrong(refused, old: str, new: str, said: str) -> None:
    assert old in NATIVE
    assert said in refused("a.json", NATIVE.replace(old, new, 1))


def test_a_box_that_cvat_turned_is_turned_about_its_middle(put) -> None:
    region = {"image_id": 1, "category_id": 1, "segmentation": [], "bbox": [160, 140, 80, 20]}
    image = {"id": 1, "width": 400, "height": 300, "file_name": "A.jpg"}
    region["attributes"] = {"occluded": False, "rotation": 45.0}
    content = {"images": [image], "annotations": [region], "categories": [{"id": 1, "name": "HE"}]}
    [annotation] = read_annotations(put("a.json", content)).annotations
    [shape] = [mark.shape for mark in annotation.marks]
    assert isinstance(shape, Polygon)
    expected = [(178.787, 114.645), (235.355, 171.213), (221.213, 185.355), (164.645, 128.787)]
    assert np.allclose(shape.rings[0], expected, atol=1e-3)
