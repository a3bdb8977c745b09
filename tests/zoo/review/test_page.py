"""The page's files and data, without a browser."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

import zoo
from coarsekit.annotations import native
from coarsekit.errors import ImageError, OutputError, ParameterError
from coarsekit.geometry import draw
from coarsekit.images import image_size, read_mask
from coarsekit.types import Ellipse, Line, Mark, Mask, Point, Polygon, Raster
from tests import command_line
from tests.zoo.review.conftest import DRAWN, MARKS, SIZE, Upper, photograph
from zoo.cli.main import main
from zoo.review.contours import drawn_outline, loops_of
from zoo.review.page import by_doubt, write_page
from zoo.review.pictures import TILE, tiles_of


def data(path: Path) -> Any:
    """What a script of the page hands over, its last argument."""
    found = re.fullmatch(r'review\.(?:results|photograph)\((?:"[^"]*",)?\s*(.*)\);\n', path.read_text(), re.S)
    assert found
    return json.loads(found[1])


def marks_of(page: Path, number: int) -> dict[int, dict[str, Any]]:
    return {mark["mark"]: mark for mark in data(page / "photographs" / f"{number:04}" / "marks.js")["marks"]}


def filled(loops: list[list[float]], size: tuple[int, int]) -> Mask:
    """The pixels in loops by the even-odd rule."""
    mask = np.zeros(size, bool)
    for loop in loops:
        steps = np.array(loop).reshape(-1, 2)
        mask ^= draw([Polygon((tuple(map(tuple, steps.cumsum(0))),))], size)
    return mask


def test_the_page_has_every_photograph_with_its_marks_and_nothing_from_elsewhere(work: Path) -> None:
    report = write_page("out")
    assert (report.photographs, report.marks, report.failures) == (["b.json", "left/a.json"], 10, [])
    page = Path("out/review")
    assert report.page == page / "index.html"
    index = data(page / "results.js")
    assert index["results_sha256"] == report.results_sha256
    assert [one["marks"] for one in index["photographs"]] == [3, 7]
    record = json.loads(Path("out/left/a.json").read_text())
    shown = index["photographs"][1]
    assert shown["photograph_sha256"] == record["photograph_sha256"]
    assert (shown["image"], shown["width"], shown["height"], shown["refiner"]) == ("left/a.png", *SIZE, "upper")
    texts = [file.read_text() for file in page.rglob("*") if file.suffix in (".html", ".js", ".css")]
    assert not [text for text in texts if "http:" in text or "https:" in text]
    assert {image_size(file) for file in page.rglob("*.jpg")} == {SIZE}


def test_the_outlines_are_the_masks_of_the_marks_to_the_pixel(work: Path) -> None:
    write_page("out")
    marks, size = marks_of(Path("out/review"), 2), SIZE[::-1]
    for lesion in ("MA", "HE"):
        refined = [filled(mark["refined"], size) for mark in marks.values() if mark["lesion"] == lesion]
        assert np.array_equal(np.sum(refined, axis=0), read_mask(f"out/left/a_{lesion}.png"))
    assert marks[0]["drawn"] == {"ellipse": [40, 30, 9, 6, 30]}
    assert marks[5]["drawn"]["ellipse"][:2] == [75.5, 60.5]
    assert np.array_equal(filled(marks[6]["drawn"]["loops"], size), draw([MARKS[6].shape], size))
    assert marks[4]["drawn"] == {"loops": [[100, 20, 20, 2, -10, 18]]}
    assert (marks[3]["found"], marks[3]["refined"], marks[3]["box"]) == ("nothing", [], [135, 15, 145, 25])
    assert (marks[0]["label"], marks[0]["id"]) == ("Microaneurysm", 7)
    assert "expected_iou" not in marks[0]


@given(st.integers(1, 2**20 - 1))
def test_loops_have_just_the_pixels_of_a_raster(bits: int) -> None:
    crop = np.array([bits >> place & 1 for place in range(20)], bool).reshape(4, 5)
    raster = Raster(3, 2, crop)
    assert np.array_equal(filled(loops_of(raster), (8, 10)), draw([raster], (8, 10)))


@pytest.mark.parametrize("shape", [Line(((500, 500), (510, 505)), 4), Raster(400, 400, np.ones((2, 3), bool))])
def test_what_lies_outside_of_the_photograph_has_its_box(shape: Any) -> None:
    assert len(drawn_outline(Mark("MA", shape), (100, 100))["loops"][0]) == 8


def test_shapes_are_shown_with_the_sizes_that_they_are_refined_with() -> None:
    assert drawn_outline(Mark("MA", Point(5, 6, 3)), (100, 1500))["ellipse"] == [5, 6, 3, 3, 0]
    assert drawn_outline(Mark("MA", Point(5, 6)), (100, 1500))["ellipse"] == [5, 6, 14, 14, 0]
    assert drawn_outline(Mark("MA", Ellipse(1.234, 2, 3, 4, 5)), (9, 9))["ellipse"] == [1.23, 2, 3, 4, 5]


def test_marks_come_by_doubt() -> None:
    given = [("part", None), ("part", 0.9), ("nothing", 0.3), ("part", 0.2), ("beyond the drawing", None)]
    rows = [{"mark": place, "found": found, "expected_iou": iou} for place, (found, iou) in enumerate(given)]
    assert [row["mark"] for row in by_doubt(rows)] == [2, 3, 1, 0, 4]


def test_large_photographs_have_tiles_at_full_resolution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    image = np.random.default_rng(0).integers(0, 255, (70, 2100, 3)).astype(np.uint8)
    Pillow.fromarray(image).save("wide.png")
    native.write(Path("wide.json"), [replace(DRAWN, image="wide.png", width=2100, height=70, marks=MARKS[:1])])
    zoo.refine_to_folder(Upper(), "wide.png", "wide.json", "out", ignore_name=True)
    write_page("out")
    sizes = {file.name: image_size(file) for file in Path("out/review").rglob("*.jpg")}
    assert sizes.pop("overview.jpg") == (2000, 67)
    assert sizes == {"tile_0_0.jpg": (TILE, 70), "tile_1_0.jpg": (TILE, 70), "tile_2_0.jpg": (2100 - 2 * TILE, 70)}
    assert tiles_of(2000, 4000) == []


def test_photographs_are_found_where_they_were_refined_or_where_is_said(work: Path, edit: Callable[..., None]) -> None:
    (work / "in").rename(work / "moved")
    with pytest.raises(ImageError, match=r"no photograph of it can be shown: b\.json: .*in/b\.png is no longer there"):
        write_page("out")
    assert not Path("out/review").exists()
    assert write_page("out", images="moved").failures == []
    edit("out/b.json", photograph=None)
    [(name, sentence)] = write_page("out", "one", "moved/left/a.png").failures
    assert (name, "does not say where b.png lies; give its folder, images=…" in sentence) == ("b.json", True)
    with pytest.raises(ParameterError, match="no such folder or file of photographs"):
        write_page("out", "two", images="nowhere")


def test_another_photograph_and_a_changed_mask_are_left_out_and_the_rest_is_done(work: Path) -> None:
    Pillow.fromarray(photograph(5)).save("in/b.png")
    result = command_line.run(main, "review", "out", "--json")
    assert (result.exit_code, "Left out: b.json" in result.stderr) == (1, True)
    said = json.loads(result.stdout)
    assert said["photographs"] == ["left/a.json"]
    [failure] = said["failures"]
    assert "is not the photograph that was refined; give the folder that has it, images=…" in failure["reason"]
    assert "--images" in result.stderr
    Pillow.fromarray(photograph(1)).save("in/b.png")
    Pillow.fromarray(np.zeros(SIZE[::-1], np.uint8)).save("out/left/a_MA.png")
    result = command_line.run(main, "review", "out", "--force")
    assert (result.exit_code, "a_MA.png was changed since it was refined" in result.stderr) == (1, True)
    assert [one["record"] for one in data(Path("out/review/results.js"))["photographs"]] == ["b.json"]
    assert not Path("out/review/photographs/0002").exists() or not list(Path("out/review/photographs/0002").iterdir())


def test_a_page_is_written_over_with_force_alone_and_other_files_stay(work: Path) -> None:
    assert command_line.run(main, "review", "out", "-q").exit_code == 0
    Path("out/review/mine.txt").write_text("mine")
    assert "index.html (and 10 more) is already there" in command_line.refusal(command_line.run(main, "review", "out"))
    assert command_line.run(main, "review", "out", "--force", "-o", "out/review").exit_code == 0
    assert Path("out/review/mine.txt").read_text() == "mine"
    Path("out/other").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        write_page("out", "out/other")


def test_folders_without_results_and_older_records_are_said(work: Path, edit: Callable[..., None]) -> None:
    assert "no photograph was refined into it" in command_line.refusal(command_line.run(main, "review", "in"))
    edit("out/b.json", marks=[{"mark": 0, "lesion": "MA"}])
    [(name, sentence)] = write_page("out").failures
    assert (name, "refine the photograph again" in sentence) == ("b.json", True)
    edit("out/left/a.json", marks=3)
    with pytest.raises(ImageError, match="no photograph of it can be shown"):
        write_page("out", force=True)
