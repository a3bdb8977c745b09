"""What was drawn and cannot be used is named, also with ``--quiet``, and makes the exit code 1."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coarsekit.cli.main import main as coarsekit
from coarsekit.images import write_image
from tests import command_line
from zoo.cli.main import main as zoo

CIRCLE = {"label": "MA", "shape_type": "circle", "points": [[40, 30], [45, 30]]}
FLAT = {"label": "MA", "shape_type": "rectangle", "points": [[40, 30], [45, 30]]}
UNNAMED = {**CIRCLE, "label": ""}
OUTSIDE = {**CIRCLE, "points": [[400, 30], [405, 30]]}
POINT = {"label": "MA", "shape_type": "point", "points": [[20, 20]]}
THIN = {"label": "MA", "shape_type": "polygon", "points": [[40.6, 30.6], [40.9, 30.6], [40.9, 30.9]]}
CUT = "cut short"


def labelme(folder: Path, *shapes: dict[str, Any], name: str = "A") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.json"
    head = {"version": "5.5.0", "imagePath": f"{name}.png", "imageWidth": 80, "imageHeight": 60}
    file.write_text(json.dumps({**head, "shapes": shapes}))
    return file


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(60, 200, (60, 80, 3), dtype=np.uint8)
    for name in ("A", "B"):
        write_image(tmp_path / f"p/{name}.png", pixels)
        pixels = 255 - pixels
    return tmp_path / "p"


def drawn(folder: Path, damage: dict[str, Any] | str) -> Path:
    labelme(folder, CIRCLE, *([] if isinstance(damage, str) else [damage]))
    file = labelme(folder, CIRCLE, name="B")
    if damage == CUT:
        file.write_text(file.read_text()[:90])
    return folder


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (FLAT, "no area"),
        (UNNAMED, "it has no label"),
        (OUTSIDE, "lies wholly outside"),
        (THIN, "polygons.0 covers no pixel"),
        (CUT, "B.json: not JSON"),
    ],
)
def test_refine_names_what_is_lost(photographs: Path, damage: dict[str, Any] | str, said: str, tmp_path: Path) -> None:
    folder = drawn(tmp_path / "in", damage)
    command = ("refine", photographs, folder, "--refiner", "otsu", "-o", tmp_path / "out", "-q")
    result = command_line.run(zoo, *command)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
    assert result.stderr.startswith("Left out: ")
    assert said in result.stderr
    assert (tmp_path / "out/A_MA.png").is_file()


def test_refine_of_one_photograph_names_what_is_lost(photographs: Path, tmp_path: Path) -> None:
    file = labelme(tmp_path / "in", CIRCLE, FLAT)
    options = ("--refiner", "otsu", "-o", tmp_path / "out", "-q")
    result = command_line.run(zoo, "refine", photographs / "A.png", file, *options)
    assert (result.exit_code, "no area" in result.stderr) == (1, True)


def test_a_table_beside_the_drawings_is_named_and_is_no_loss(photographs: Path, tmp_path: Path) -> None:
    labelme(tmp_path / "in", CIRCLE)
    (tmp_path / "in/patients.csv").write_text("name,age\nA,61\n")
    result = command_line.run(zoo, "refine", photographs, tmp_path / "in", "--refiner", "otsu", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "1 file in no format that is known is no drawing, and is passed over: " in result.stderr
    result = command_line.run(coarsekit, "convert", tmp_path / "in", tmp_path / "a.xml")
    assert (result.exit_code, "patients.csv" in result.stderr) == (0, True)


@pytest.mark.parametrize("content", [b"", b" \n", b"\0" * 90])
def test_a_drawing_without_content_is_a_loss(photographs: Path, content: bytes, tmp_path: Path) -> None:
    labelme(tmp_path / "in", CIRCLE)
    (tmp_path / "in/B.xml").write_bytes(content)
    command = ("refine", photographs, tmp_path / "in", "--refiner", "otsu", "-o", tmp_path / "out", "-q")
    result = command_line.run(zoo, *command)
    assert (result.exit_code, result.stderr.startswith("Left out: "), "B.xml" in result.stderr) == (1, True, True)


@pytest.mark.parametrize("damage", [FLAT, CUT])
def test_commands_that_read_drawings_do_the_same(
    photographs: Path, damage: dict[str, Any] | str, tmp_path: Path
) -> None:
    folder, other = drawn(tmp_path / "one", damage), drawn(tmp_path / "two", CIRCLE)
    file, out = labelme(tmp_path / "three", CIRCLE, FLAT), tmp_path / "out"
    for program, *command in (
        (zoo, "consensus", photographs, folder, other, "--refiner", "otsu", "-o", out / "consensus"),
        (zoo, "agreement", photographs, folder, other, "--refiner", "otsu"),
        (coarsekit, "convert", folder, out / "a.xml"),
        (coarsekit, "preview", photographs / "A.png", file, "-o", out),
    ):
        result = command_line.run(program, *command, "-q")
        assert (result.exit_code, result.stderr.count("Left out: ")) == (1, 1), result.output


def test_consensus_names_marks_outside(photographs: Path, tmp_path: Path) -> None:
    folder, other = drawn(tmp_path / "one", OUTSIDE), drawn(tmp_path / "two", CIRCLE)
    options = ("--refiner", "otsu", "-o", tmp_path / "out", "--json", "-q")
    result = command_line.run(zoo, "consensus", photographs, folder, other, *options)
    assert (result.exit_code, result.stderr.count("Left out: ")) == (1, 1), result.output
    [sentence] = json.loads(result.stdout)["left_out"]
    assert "lies wholly outside" in sentence


@pytest.mark.parametrize("options", [("--labels", "other="), ("--no-points",)])
def test_what_is_left_out_on_purpose_is_no_loss(photographs: Path, options: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    labelme(folder, CIRCLE, {**CIRCLE, "label": "other"} if "--labels" in options else POINT)
    command = ("refine", photographs, folder, "--refiner", "otsu", "-o", tmp_path / "out", *options)
    result = command_line.run(zoo, *command)
    assert (result.exit_code, "Left out" in result.stderr) == (0, False), result.output


def test_a_task_that_nobody_annotated_yet_is_no_loss(photographs: Path, tmp_path: Path) -> None:
    value = {"x": 50, "y": 50, "radiusX": 6, "radiusY": 8, "rotation": 0, "ellipselabels": ["MA"]}
    region = {"id": "r", "type": "ellipselabels", "original_width": 80, "original_height": 60, "value": value}
    tasks = [
        {"data": {"image": "A.png"}, "annotations": [{"result": [region]}]},
        {"data": {"image": "B.png"}, "annotations": []},
    ]
    file = tmp_path / "ls.json"
    file.write_text(json.dumps(tasks))
    command = ("refine", photographs, file, "--refiner", "otsu", "-o", tmp_path / "out")
    result = command_line.run(zoo, *command)
    assert (result.exit_code, "nobody annotated it" in result.stderr) == (0, True), result.output


SHARES = {"label": "MA", "shape_type": "rectangle", "points": [[0.4, 0.4], [0.45, 0.45]]}


@pytest.mark.parametrize("name", ["labelme", "via", "coco"])
def test_coordinates_in_shares_of_the_photograph_are_said_and_lost_marks_named(
    photographs: Path, tmp_path: Path, name: str
) -> None:
    box = {"name": "rect", "x": 0.4, "y": 0.4, "width": 0.05, "height": 0.05}
    region = {"shape_attributes": box, "region_attributes": {"lesion": "MA"}}
    coco = {
        "images": [{"id": 1, "file_name": "A.png", "width": 80, "height": 60}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0.4, 0.4, 0.45, 0.4, 0.45, 0.45]]}
        ],
        "categories": [{"id": 1, "name": "MA"}],
    }
    via = {"A.png-1": {"filename": "A.png", "size": -1, "regions": [region]}}
    file = labelme(tmp_path / "in", SHARES)
    if name != "labelme":
        file.write_text(json.dumps({"via": via, "coco": coco}[name]))
    options = ("--refiner", "otsu", "-o", tmp_path / "out")
    result = command_line.run(zoo, "refine", photographs, file, *options)
    assert result.exit_code == 1, result.output
    assert "all coordinates: they lie between 0 and 1, and are taken for px; if they are shares" in result.stderr
    assert "Failed: A.png: polygons.0 covers no pixel" in result.stderr
    assert not (tmp_path / "out/A_MA.png").exists()


def test_marks_in_px_are_no_shares(photographs: Path, tmp_path: Path) -> None:
    for shapes in ((SHARES, POINT), ({**POINT, "points": [[0, 0]]},)):
        file = labelme(tmp_path / "in", *shapes)
        options = ("--refiner", "otsu", "-o", tmp_path / "out", "--force")
        assert "all coordinates" not in command_line.run(zoo, "refine", photographs, file, *options).stderr
