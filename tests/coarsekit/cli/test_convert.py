"""``coarsekit convert``."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from coarsekit.annotations import format_named, read_annotation, read_annotations
from coarsekit.cli.main import main
from coarsekit.images import write_image
from coarsekit.types import Annotation, Ellipse, Mark, Polygon

ELLIPSE = Ellipse(60, 50, 12, 9, 20)
MARKS = (Mark("Microaneurysm", ELLIPSE), Mark("EX", Polygon((((1, 1), (9, 1), (5, 8)),))))


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


def wrong(*arguments: object) -> str:
    result = convert(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture
def cvat(tmp_path) -> Path:
    path = tmp_path / "annotations.xml"
    photographs = [Annotation(f"p{key}.png", 160, 120, MARKS[: key + 1]) for key in range(2)]
    format_named("cvat").write(path, photographs)
    return path


def test_a_file_of_several_photographs_becomes_a_folder_and_back_a_file(cvat, tmp_path) -> None:
    folder, back = tmp_path / "ellipses", tmp_path / "back.xml"
    result = convert(cvat, folder, "--labels", "Microaneurysm=MA", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["format"] == "native"
    assert report["files"] == [str(folder / "p0.json"), str(folder / "p1.json")]
    assert report["rows"] == [
        {"lesion": "MA", "photographs": 2, "ellipses": 2, "polygons": 0, "masks": 0},
        {"lesion": "EX", "photographs": 1, "ellipses": 0, "polygons": 1, "masks": 0},
    ]
    assert report["approximated"] == report["left_out"] == []
    assert convert(folder, back).exit_code == 0
    for before, after in zip(read_annotations(cvat).annotations, read_annotations(back).annotations, strict=True):
        assert [mark.shape for mark in before.marks] == [mark.shape for mark in after.marks]
        assert before.image == after.image


def test_approximations_are_asked_for_and_named(cvat, tmp_path) -> None:
    assert "with --approximate it gets a polygon of 72 corners for an ellipse" in wrong(
        cvat, tmp_path / "c.json", "--to", "coco"
    )
    result = convert(cvat, tmp_path / "c.json", "--to", "coco", "--approximate")
    assert result.exit_code == 0
    assert "Approximated: p0.png: 1 × a polygon of 72 corners for an ellipse" in result.stderr
    assert "MA" in result.stdout


def test_what_is_left_out_is_named_and_counts_as_a_finding(cvat, tmp_path) -> None:
    text = cvat.read_text().replace("<polygon ", "<cuboid ").replace("</polygon>", "</cuboid>")
    cvat.write_text(text)
    result = convert(cvat, tmp_path / "out", "--labels", "Drusen=DR")
    assert result.exit_code == 1
    assert "Left out: " in result.stderr
    assert "the cuboid 'EX' is not read" in result.stderr
    assert "No region has the label 'Drusen'" in result.stderr
    assert len(read_annotation(tmp_path / "out" / "p1.json").marks) == 1


def test_via_asks_for_the_photographs(cvat, tmp_path) -> None:
    assert convert(cvat, tmp_path / "via.csv").exit_code == 0
    assert "as --images" in wrong(tmp_path / "via.csv", tmp_path / "out")
    for key in range(2):
        write_image(tmp_path / f"p{key}.png", np.zeros((120, 160, 3), np.uint8))
    assert convert(tmp_path / "via.csv", tmp_path / "out", "--images", tmp_path).exit_code == 0


def test_bad_usage_is_one_sentence(cvat, tmp_path) -> None:
    assert "did you mean 'coco'" in wrong(cvat, tmp_path / "x", "--to", "cocoo")
    assert "diaretdb1 can only be read" in wrong(cvat, tmp_path / "x", "--to", "diaretdb1")
    assert "LABEL=LESION" in wrong(cvat, tmp_path / "x", "--labels", "MA")
    assert "two lesion classes" in wrong(cvat, tmp_path / "x", "--labels", "a=MA", "--labels", "a=HE")
    assert "no such folder" in wrong(cvat, tmp_path / "x", "--images", tmp_path / "missing")
    assert "no such file" in wrong(tmp_path / "missing", tmp_path / "x")
    (tmp_path / "empty").mkdir()
    assert "no annotation file in this folder" in wrong(tmp_path / "empty", tmp_path / "x")
    assert "name a folder" in wrong(cvat, tmp_path / "one.json")
    assert "is a folder" in wrong(cvat, tmp_path, "--to", "cvat")
    assert "is read here" in wrong(cvat, cvat)
    assert "is read here" in wrong(cvat, cvat, "--force")
    (tmp_path / "taken.xml").touch()
    assert "give --force" in wrong(cvat, tmp_path / "taken.xml")
    assert (
        convert(cvat, tmp_path / "again.xml").exit_code
        == convert(cvat, tmp_path / "again.xml", "--force").exit_code
        == 0
    )


def test_photographs_that_differ_in_the_suffix_are_left_out_and_the_rest_is_converted(tmp_path) -> None:
    path, folder = tmp_path / "a.xml", tmp_path / "out"
    names = ("001.jpg", "001.png", "002.jpg")
    format_named("cvat").write(path, [Annotation(name, 160, 120, MARKS) for name in names])
    for to in ("native", "labelme"):
        result = convert(path, folder, "--to", to, "--approximate", "--force", "-q")
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith(
            f"Left out: 001.jpg and 001.png: {folder / '001.json'} would be written for each"
        )
        assert [file.name for file in folder.iterdir()] == ["002.json"]
    assert "would be written for each" in wrong(path, folder, "--force", "--strict")
    assert convert(path, tmp_path / "one.json", "--to", "labelstudio").exit_code == 0
