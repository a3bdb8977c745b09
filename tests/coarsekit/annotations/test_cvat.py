"""CVAT for images 1.1, as CVAT writes it."""

import numpy as np
import pytest

from coarsekit.annotations import read_annotations
from coarsekit.annotations.reading import ReadOptions
from coarsekit.geometry import draw
from coarsekit.types import Ellipse, Line, Point, Polygon, Raster

# The layout of an export from CVAT 2: meta data with labels and owner, numbers with two decimals, attributes in shapes.
EXPORT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>7</id>
      <name>fundus</name>
      <size>2</size>
      <mode>annotation</mode>
      <overlap>0</overlap>
      <labels>
        <label><name>Microaneurysm</name><color>#33ddff</color><type>any</type><attributes></attributes></label>
      </labels>
      <owner><username>admin</username><email></email></owner>
    </task>
    <dumped>2024-05-02 10:11:12.123456+00:00</dumped>
  </meta>
  <image id="0" name="batch 1/IDRiD_01.jpg" subset="default" task_id="7" width="200" height="150">
    <ellipse label="Microaneurysm" source="manual" occluded="0" cx="60.50" cy="50.25" rx="12.00" ry="9.50" z_order="0"/>
    <ellipse label="HE" source="manual" occluded="0" cx="100.00" cy="90.00" rx="30.00" ry="10.00" rotation="90.00"
      z_order="0"/>
    <polygon label="EX" source="manual" occluded="0" points="10.00,10.00;30.00,12.50;20.00,30.00" z_order="0">
      <attribute name="certain">yes</attribute>
    </polygon>
    <box label="EX" source="manual" occluded="0" xtl="10.00" ytl="20.00" xbr="30.00" ybr="24.00" rotation="90.00"
      z_order="0"/>
    <mask label="SE" source="semi-auto" occluded="0" rle="1, 2, 1, 3, 2" left="40" top="30" width="3" height="3"
      z_order="0"/>
    <polyline label="EX" source="manual" occluded="0" points="1.00,1.00;2.00,2.00" z_order="0"></polyline>
    <points label="Microaneurysm" source="manual" occluded="0" points="60.25,50.50;61.00,7.00" z_order="0"></points>
    <skeleton label="HE" source="manual" occluded="0" z_order="0">
      <points label="1" source="manual" outside="0" occluded="0" points="20.00,30.00"></points>
      <points label="2" source="manual" outside="1" occluded="0" points="0.00,0.00"></points>
    </skeleton>
    <cuboid label="HE" source="manual" occluded="0" xtl1="1" ytl1="1" z_order="0"></cuboid>
    <tag label="gradable" source="manual"></tag>
  </image>
  <image id="1" name="IDRiD_02.jpg" width="200" height="150">
  </image>
</annotations>
"""


def test_an_export_is_read_whole(put) -> None:
    reading = ReadOptions({"Microaneurysm": "MA"})
    (first, second), report = read_annotations(put("annotations.xml", EXPORT), reading)
    assert (first.image, first.width, first.height) == ("batch 1/IDRiD_01.jpg", 200, 150)
    assert (second.image, second.marks) == ("IDRiD_02.jpg", ())
    assert [mark.lesion for mark in first.marks] == ["MA", "HE", "EX", "EX", "SE", "EX", "MA", "MA", "HE"]
    ellipse, turned, polygon, box, mask, *others = (mark.shape for mark in first.marks)
    assert ellipse == Ellipse(60.5, 50.25, 12, 9.5)
    assert turned == Ellipse(100, 90, 30, 10, 90)
    assert polygon == Polygon((((10, 10), (30, 12.5), (20, 30)),))
    assert isinstance(box, Polygon)
    upright = Polygon((((18, 12), (22, 12), (22, 32), (18, 32)),))
    assert np.array_equal(draw([box], (150, 200)), draw([upright], (150, 200)))
    assert mask == Raster(40, 30, np.array([[0, 1, 1], [0, 1, 1], [1, 0, 0]], bool))
    assert others == [Line(((1, 1), (2, 2))), Point(60.25, 50.5), Point(61, 7), Point(20, 30)]
    assert [text.partition(": ")[2] for text in report.left_out] == [
        "batch 1/IDRiD_01.jpg: the cuboid 'HE' is not read; draw an ellipse or a polygon",
    ]
    assert "the tag 'gradable' is of the whole photograph" in report.notes[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('cx="60.50"', 'cx="6O.50"', ": image 0: batch 1/IDRiD_01.jpg, ellipse 0: cx must be a finite number"),
        ('cx="60.50"', "", "cx is missing"),
        ('rx="12.00"', 'rx="0.00"', "rx must be above 0"),
        ("10.00,10.00;30.00,12.50;20.00,30.00", "1,2;3,4", "at least 3 corners"),
        ("10.00,10.00;30.00,12.50;20.00,30.00", "1,2;3", "points must be"),
        ("1, 2, 1, 3, 2", "1, 2, 1, 3, 3", "must add up to its 9 pixels, got 10"),
        ("1.00,1.00;2.00,2.00", "1.00,1.00", "a line needs at least 2 places, got 1"),
        ("60.25,50.50;61.00,7.00", "60.25;61", "points must be"),
        ("1, 2, 1, 3, 2", "9", "at least one pixel"),
        ("1, 2, 1, 3, 2", "1, x", "rle must be whole numbers"),
        (
            'width="200" height="150">\n    <ellipse',
            'width="-1" height="150">\n    <ellipse',
            "width must be a whole number",
        ),
        ("<meta>", "<track/><meta>", "CVAT for video"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(refused, old: str, new: str, said: str) -> None:
    assert old in EXPORT
    assert said in refused("annotations.xml", EXPORT.replace(old, new, 1))


def test_elements_are_numbered_by_kind_as_they_stand_in_the_file(put) -> None:
    good = '<ellipse label="MA" cx="4" cy="4" rx="2" ry="2"/>'
    bad = good.replace('cx="4"', 'cx="{}"')
    polygon = '<polygon label="MA" points="{}"/>'
    shapes = good + bad.format("x") + polygon.format("1") + good + bad.format("y") + polygon.format("1,2;3")
    text = f'<annotations><version>1.1</version><image name="A" width="9" height="9">{shapes}</image></annotations>'
    left_out = read_annotations(put("a.xml", text)).report.left_out
    assert [sentence.split(": ")[2] for sentence in left_out] == [
        "A, ellipse 1",
        "A, polygon 0",
        "A, ellipse 3",
        "A, polygon 1",
    ]


def test_what_is_left_out_is_one_line_a_kind(put) -> None:
    line = '<cuboid label="vessel"/>'
    images = "".join(f'<image name="{name}.jpg" width="9" height="9">{line * 300}</image>' for name in "ABCD")
    text = f"<annotations><version>1.1</version>{images}</annotations>"
    [sentence] = read_annotations(put("many.xml", text)).report.left_out
    assert sentence.endswith(
        "the cuboid 'vessel' is not read; draw an ellipse or a polygon: 1,200 times (A.jpg; B.jpg; C.jpg …)"
    )


def sources(*several: str) -> str:
    """Photographs with an ellipse of each source, with a tag alone, and with what a machine made alone."""
    shapes = [
        f'<ellipse label="HE" {each} cx="{20 * n + 20}" cy="40" rx="9" ry="6"/>' for n, each in enumerate(several)
    ]
    head = 'width="200" height="150"'
    return (
        f'<annotations><version>1.1</version><image id="0" name="a.jpg" {head}>{"".join(shapes)}</image>'
        f'<image id="1" name="b.jpg" {head}><tag label="good" source="manual"/></image>'
        f'<image id="2" name="c.jpg" {head}><tag label="good" source="manual"/>'
        '<mask label="MA" source="auto" rle="0, 4" left="4" top="4" width="2" height="2"/>'
        '<ellipse label="MA" source="auto" cx="9" cy="9" rx="2" ry="2"/></image></annotations>'
    )


@pytest.mark.parametrize("person", ["", 'source="manual"', 'source="semi-auto"', 'source="file"'])
def test_what_a_machine_made_is_no_drawing_where_a_person_drew(put, person: str) -> None:
    path = put("a.xml", sources('source="auto"', person, 'source="auto"'))
    (first, second, third), report = read_annotations(path, ReadOptions(strict=True))
    assert [mark.shape.cx for mark in first.marks] == [40]
    assert (len(second.marks), len(third.marks)) == (0, 2)
    assert dict(report.labels) == {"HE": 1, "MA": 2}
    assert [note.removeprefix(f"{path}: ") for note in report.notes if "tag" not in note] == [
        "a shape that a machine made (source auto) is not read, since a person drew there: 2 times (a.jpg)",
        "c.jpg: nobody drew on it, so what a machine made (source auto) is read",
    ]
