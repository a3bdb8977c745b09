"""The image-blind rule on shapes that are no ellipses, and photographs refined from other tools' files."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from coarsekit.annotations import format_named
from coarsekit.geometry import draw, extent
from coarsekit.images import read_mask, write_image
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Raster
from zoo.baselines.shrink import Amount
from zoo.cli.main import main

SQUARE = ((10, 10), (20, 10), (20, 20), (10, 20))
MARKS = (
    Mark("Microaneurysm", Ellipse(60, 50, 12, 9, 20)),
    Mark("EX", Polygon((((30, 30), (60, 30), (45, 60)),))),
    Mark("EX", Raster(100, 80, np.ones((9, 9), bool))),
)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "p1.png"
    write_image(path, np.full((120, 160, 3), 90, np.uint8))
    return path


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Polygon((SQUARE,)), Polygon((((12.5, 12.5), (17.5, 12.5), (17.5, 17.5), (12.5, 17.5)),))),
        (Ellipse(15, 15, 5, 8, 30), Ellipse(15, 15, 2.5, 4, 30)),
        (Point(15, 15, 4), Point(15, 15, 2)),
        (Line(((1, 1), (5, 9)), 6), Line(((1, 1), (5, 9)), 3)),
        (Polygon((((1, 1), (5, 1), (9, 1)),)), Polygon((((3, 1), (5, 1), (7, 1)),))),
    ],
)
def test_shapes_shrink_about_their_centres(shape, expected) -> None:
    assert Amount(0.5, 0).shrink(shape, 4288) == expected


def test_a_raster_shrinks_from_its_rim_and_never_vanishes() -> None:
    disk = Raster(5, 5, draw([Ellipse(10, 10, 10, 10)], (20, 20)))
    smaller = Amount(0.5, 0).shrink(disk, 4288)
    assert np.sqrt(smaller.crop.sum() / np.pi) == pytest.approx(5, abs=0.6)
    assert extent(smaller) == (10, 10, 20, 20)
    assert Amount(1.0, 0).shrink(disk, 4288) == disk
    assert Amount(0.0, 0).shrink(disk, 4288).crop.any()


@pytest.mark.parametrize("name", ["native", "cvat", "labelstudio", "via", "labelme", "coco"])
def test_refine_finds_a_photograph_in_a_file_of_any_format(name: str, image, tmp_path) -> None:
    drawn = Annotation("p1.png", 160, 120, MARKS)
    target, path = format_named(name), tmp_path / "annotation.json"
    photographs = [drawn] if target.ONE_FILE_EACH else [Annotation("p0.png", 160, 120, MARKS[:1]), drawn]
    target.write(path, photographs, approximate=True)
    options = ["--refiner", "shrink", "--labels", "Microaneurysm=MA", "-o", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(main, ["refine", str(image), str(path), *options])
    assert result.exit_code == 0, result.output
    masks = {mask["lesion"]: mask for mask in json.loads(result.stdout)["records"][0]["masks"]}
    assert set(masks) == {"MA", "EX"}
    for mask in masks.values():
        assert 0 < read_mask(mask["file"]).sum() < mask["coarse_pixels"]


def test_refine_says_which_photographs_there_are_and_what_it_left_out(image, tmp_path) -> None:
    path = tmp_path / "a.xml"
    format_named("cvat").write(path, [Annotation(f"p{key}.png", 160, 120, MARKS) for key in (2, 3)])
    refine = ["refine", str(image), str(path), "--refiner", "shrink", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(main, refine)
    assert result.exit_code == 2
    assert "has no annotation of p1.png, but of p2.png, p3.png" in result.stderr
    path.write_text(path.read_text().replace("p2.png", "p1.png").replace("polygon", "cuboid"))
    result = CliRunner().invoke(main, refine)
    assert result.exit_code == 1, result.output
    assert "Left out: " in result.stderr
    assert "the cuboid 'EX' is not read" in result.stderr


CLICKS = (Mark("MA", Point(60, 50)), Mark("MA", Point(70, 90)), Mark("HE", Line(((30, 30), (60, 30), (70, 40)))))


@pytest.mark.parametrize("name", ["native", "cvat", "labelstudio", "via", "labelme", "coco"])
def test_points_and_lines_of_every_format_are_refined_unless_they_are_switched_off(name: str, image, tmp_path) -> None:
    path = tmp_path / "annotation.json"
    marks = (*CLICKS, Mark("MA", Polygon((((30, 30), (60, 30), (45, 60)),))))
    format_named(name).write(path, [Annotation("p1.png", 160, 120, marks)], approximate=True)

    def refine(*options: str) -> tuple[dict[str, dict[str, int]], str]:
        common = ["refine", str(image), str(path), "--refiner", "shrink", "-o", str(tmp_path / "out"), "--json"]
        result = CliRunner().invoke(main, [*common, "--force", *options])
        assert result.exit_code == 0, result.output
        [record] = json.loads(result.stdout)["records"]
        return {mask["lesion"]: mask["drawn_as"] for mask in record["masks"]}, result.stderr

    stroke = {"HE": {"outline" if name == "coco" else "stroke": 1}}
    counts, said = refine()
    assert counts == {"MA": {"outline": 1, "click": 2}, **stroke}
    assert "2 as clicks" in said
    counts, said = refine("--no-points")
    assert counts == {"MA": {"outline": 1}, **stroke}
    assert "since points do not count here: 2 times" in said
    counts, said = refine("--no-points", "--no-lines", "--strict")
    assert counts == {"MA": {"outline": 1}} | (stroke if name == "coco" else {})


def test_the_network_refines_every_shape(image, tmp_path) -> None:
    path = tmp_path / "a.json"
    format_named("native").write(path, [Annotation("p1.png", 160, 120, (*MARKS, *CLICKS))])
    result = CliRunner().invoke(main, ["refine", str(image), str(path), "-o", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["records"][0]["masks"]) == 3
