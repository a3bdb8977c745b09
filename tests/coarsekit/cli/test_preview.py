"""``coarsekit preview``: which pictures it writes, what is in them, and what it says of bad input."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from coarsekit.annotations import native
from coarsekit.cli.main import main
from coarsekit.export.pairs import pairs_of, some_pairs_of
from coarsekit.geometry import draw
from coarsekit.images import read_image, write_image
from coarsekit.types import Annotation, Ellipse, Fundus, Image, Line, Mark, Mask, Point, Polygon, Raster
from coarsekit.visualize.colours import colour_of
from coarsekit.visualize.legends import Entry, headed
from coarsekit.visualize.outlines import outline_shape
from coarsekit.visualize.sheets import captioned_pairs, drawing_sheet, preview
from tests import command_line

W, H = 300, 200
SCALE = 900 / H
OUTSIDE = Mark("HE", Ellipse(295, 60, 30, 15))
POLYGON = Mark("EX", Polygon((((60, 60), (120, 60), (90, 140)),)))
RASTER = Mark("SE", Raster(150, 100, np.ones((30, 40), bool)))
POINT = Mark("MA", Point(120.5, 60))
LINE = Mark("HE", Line(((60, 60), (120, 60), (90, 140))))
GREY = np.full((H, W, 3), 60, np.uint8)


def run(*arguments: str | Path) -> Result:
    return command_line.run(main, "preview", *arguments)


def has(picture: Image, lesion: str) -> Mask:
    """The pixels (h, w) in nearly the class's colour."""
    return (np.abs(picture.astype(int) - colour_of(lesion)) < 40).all(axis=2)


def photograph_of(sheet: Image, view: int) -> Image:
    """The left (0) or the right (1) photograph of a sheet of `GREY`, 900 px high, which lies below the bar."""
    width = sheet.shape[1] // 2
    start = int(np.flatnonzero((sheet[:, 0] == 60).all(axis=1))[0])
    return sheet[start : start + 900, view * width : (view + 1) * width]


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Path, Path]:
    """A photograph, and an annotation of it with an ellipse partly outside and a polygon, made of plain files."""
    image, annotation = tmp_path / "p.png", tmp_path / "p.json"
    write_image(image, GREY)
    native.write(annotation, [Annotation("p.png", W, H, (OUTSIDE, POLYGON))])
    return image, annotation


@pytest.fixture
def source(idrid: Path) -> str:
    return f"idrid:{idrid}"


# ---------------------------------------------------------------------------------------------- a SOURCE


def test_a_source_gives_a_picture_of_each_photograph_and_a_grid_of_pairs(source: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(source, "-o", out)
    assert result.exit_code == 0, result.stderr
    pictures = [f"IDRiD_{key}_preview.png" for key in ("01", "02", "55")]
    assert sorted(path.name for path in out.iterdir()) == sorted([*pictures, "idrid_pairs.png"])
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in [*pictures, "idrid_pairs.png"])
    sheet = read_image(out / pictures[0])
    assert sheet.shape[1] == 2400  # twice a photograph of 160 × 120 px at a height of 900
    assert sheet.shape[0] > 900
    coarse, fine = sheet[100:900, :1200], sheet[100:900, 1200:]
    assert all(has(half, lesion).any() for half in (coarse, fine) for lesion in ("MA", "HE", "EX"))
    grid = read_image(out / "idrid_pairs.png")
    assert grid.shape[1] == 4 * 3 * 192
    assert "left out" not in result.stderr


def test_limit_says_how_many_photographs_were_left_out(source: str, tmp_path: Path) -> None:
    result = run(source, "-o", tmp_path / "out", "--limit", 1)
    assert result.stderr == f"Pictures of 1 photograph of idrid are in {tmp_path / 'out'}; 2 more were left out, " + (
        "see --limit\n"
    )
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_json_is_one_document_that_names_what_was_written(source: str, tmp_path: Path) -> None:
    options = ("--split", "train", "--style", "human", "--reduction", "1.5", "--seed", "3", "--limit", "1")
    result = run(source, "-o", tmp_path / "out", *options, "--json", "--quiet")
    assert result.exit_code == 0
    assert result.stderr == ""
    document = json.loads(result.stdout)
    [shown] = document.pop("photographs")
    assert shown.pop("marks") == {"MA": 4, "HE": 4, "EX": 4}  # 6 components / 1.5
    assert shown == {"photograph": "IDRiD_01", "file": str(tmp_path / "out" / "IDRiD_01_preview.png")}
    assert document == {
        "source": source,
        "split": "train",
        "style": "human",
        "reduction": 1.5,
        "seed": 3,
        "pairs": str(tmp_path / "out" / "idrid_pairs.png"),
        "photographs_left_out": 1,
        "failures": [],
    }


def test_the_same_command_draws_the_same_pictures(source: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(source, "-o", tmp_path / name, "--limit", 1, "--style", "human", "--seed", 5)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(one) == 2


def test_what_is_there_is_kept_unless_forced(source: str, tmp_path: Path) -> None:
    taken = tmp_path / "idrid_pairs.png"
    taken.write_text("mine")
    assert "already there; give --force" in command_line.refusal(run(source, "-o", tmp_path))
    assert taken.read_text() == "mine"
    assert not list(tmp_path.glob("*_preview.png"))
    assert run(source, "-o", tmp_path, "--force").exit_code == 0
    assert taken.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--split", "tset"], "no split 'tset'"),
        (["--reduction", "0.5"], "a finite number from 1"),
        (["--reduction", "nan"], "a finite number from 1"),
        (["--reduction", "1,2"], "one reduction factor"),
        (["--style", "nobody"], "nobody"),
        (["--limit", "0"], "--limit"),
        (["--labels", "a=MA"], "--labels does nothing here"),
    ],
)
def test_bad_options_are_one_sentence(source: str, tmp_path: Path, options: list[str], sentence: str) -> None:
    assert sentence in command_line.refusal(run(source, "-o", tmp_path / "out", *options))
    assert not (tmp_path / "out").exists()


def test_an_unknown_source_is_one_sentence() -> None:
    assert "is not a source" in command_line.refusal(run("smaple"))


# ---------------------------------------------------------------------------------------------- IMAGE ANNOTATION


def test_a_drawing_is_shown_beside_the_photograph_as_it_is(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(*drawn, "-o", out, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {
        "image": str(drawn[0]),
        "annotation": str(drawn[1]),
        "width": W,
        "height": H,
        "marks": {"HE": 1, "EX": 1},
        "file": str(out / "p_preview.png"),
        "left_out": [],
        "notes": [],
    }
    assert [path.name for path in out.iterdir()] == ["p_preview.png"]
    sheet = read_image(out / "p_preview.png")
    plain, shown = (photograph_of(sheet, view) for view in (0, 1))
    assert plain.shape == shown.shape == (900, 1350, 3)
    assert (plain[:, :-2] == 60).all()
    # The rim of the ellipse left of its centre, the one above it, and the polygon's upper side.
    for lesion, x, y in (("HE", 265, 60), ("HE", 295, 45), ("EX", 90, 60)):
        row, column = round(y * SCALE), round(x * SCALE)
        assert has(shown, lesion)[row - 3 : row + 4, column - 3 : column + 4].any()
    inside = draw([Ellipse(295 * SCALE, 60 * SCALE, 25 * SCALE, 10 * SCALE)], shown.shape[:2])
    inside[:, -2:] = False
    assert (shown[inside] == 60).all()


def test_a_drawing_is_found_by_its_name_and_its_labels_are_renamed(tmp_path: Path) -> None:
    write_image(tmp_path / "p.png", GREY)
    (tmp_path / "both.xml").write_text(
        "<annotations><version>1.1</version>"
        '<image id="0" name="o.png" width="30" height="20"></image>'
        f'<image id="1" name="p.png" width="{W}" height="{H}">'
        '<ellipse label="bleeding" cx="100" cy="100" rx="20" ry="10"/></image></annotations>'
    )
    labels = ("--labels", "bleeding=HE")
    result = run(tmp_path / "p.png", tmp_path / "both.xml", "-o", tmp_path / "out", "--json", *labels)
    assert json.loads(result.stdout)["marks"] == {"HE": 1}
    assert has(photograph_of(read_image(tmp_path / "out" / "p_preview.png"), 1), "HE").any()


def test_a_picture_of_a_drawing_is_kept_unless_forced(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    taken = tmp_path / "p_preview.png"
    taken.write_text("mine")
    assert "already there; give --force" in command_line.refusal(run(*drawn, "-o", tmp_path))
    assert taken.read_text() == "mine"
    assert run(*drawn, "-o", tmp_path, "--force", "--quiet").stderr == ""


def test_a_photograph_alone_needs_an_annotation(drawn: tuple[Path, Path]) -> None:
    assert "needs an annotation" in command_line.refusal(run(drawn[0]))


@pytest.mark.parametrize("option", ["--split", "--style", "--reduction", "--seed", "--limit"])
def test_what_would_do_nothing_for_a_drawing_is_refused(drawn: tuple[Path, Path], option: str) -> None:
    assert f"{option} does nothing here" in command_line.refusal(run(*drawn, option, "1"))


def test_bad_files_are_one_sentence(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    image, annotation = drawn
    out = ("-o", tmp_path / "out")
    (tmp_path / "broken.json").write_text("{")
    native.write(tmp_path / "other.json", [Annotation("p.png", 30, 21)])
    assert "broken.json" in command_line.refusal(run(image, tmp_path / "broken.json", *out))
    assert "no such file" in command_line.refusal(run(tmp_path / "missing.png", annotation, *out))
    assert "missing.json" in command_line.refusal(run(image, tmp_path / "missing.json", *out))
    assert "drawn on 30 × 21 px" in command_line.refusal(run(image, tmp_path / "other.json", *out))
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------------------------------------- the pictures


@pytest.mark.parametrize(
    "mark", [OUTSIDE, POLYGON, RASTER, POINT, LINE], ids=["ellipse", "polygon", "raster", "point", "line"]
)
def test_every_shape_is_drawn_whole_and_in_a_closeup(mark: Mark) -> None:
    sheet = drawing_sheet(GREY, Annotation("p.png", W, H, (mark,)))
    assert has(photograph_of(sheet, 1), mark.lesion).any()
    closeups = sheet[-400:]
    assert has(closeups[60:], mark.lesion).any()


def test_fine_masks_are_outlined_at_the_right_and_shapes_at_the_left() -> None:
    mask = draw([Ellipse(100, 100, 20, 20)], (H, W))
    sheet = preview(GREY, Annotation("p.png", W, H, (RASTER,)), {"HE": mask})
    coarse, fine = (photograph_of(sheet, view) for view in (0, 1))
    assert has(coarse, "SE").any()
    assert not has(coarse, "HE").any()
    assert has(fine, "HE").any()
    assert not has(fine, "SE").any()


def test_a_huge_raster_is_seen_in_a_closeup_of_a_small_shape() -> None:
    marks = (Mark("SE", Raster(0, 0, np.ones((H, 150), bool))), Mark("MA", Ellipse(150, 100, 2, 2)))
    sheet = drawing_sheet(GREY, Annotation("p.png", W, H, marks))
    closeup = sheet[-335:, 674 + 337 : 674 + 674]  # the second of four that are 674 px wide, as drawn
    assert has(closeup, "SE")[:, 130:210].any(axis=1).mean() > 0.8
    assert not has(closeup, "SE")[:, :100].any()


@pytest.mark.parametrize("shape", [(200, 300), (40, 900), (900, 40), (1, 1)])
def test_a_photograph_of_any_shape_gives_a_picture_that_is_not_huge(shape: tuple[int, int]) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    annotation = Annotation("p.png", shape[1], shape[0], (Mark("MA", Ellipse(shape[1] / 2, shape[0] / 2, 3, 3)),))
    for sheet in (drawing_sheet(image, annotation), preview(image, annotation, {})):
        assert sheet.dtype == np.uint8
        assert max(sheet.shape) <= 3000


def test_a_photograph_without_marks_has_no_closeups() -> None:
    sheet = preview(GREY, Annotation("p.png", W, H), {})
    assert (sheet[-900:, :1348] == 60).all()


def test_a_shape_too_large_for_opencv_is_outlined_where_it_is_seen() -> None:
    picture = GREY.copy()
    outline_shape(picture, Ellipse(100 - 1e6, 100, 1e6, 1e6), 1, (255, 255, 255))
    columns = np.flatnonzero((picture == 255).all(axis=2).any(axis=0))
    assert set(columns) <= {98, 99, 100}
    assert (picture == 255).all(axis=2).any(axis=1).all()


@pytest.mark.parametrize("width", [60, 400, 3000])
def test_a_legend_is_never_cut_off(width: int) -> None:
    legend = [Entry(f"a lesion with a long name, number {number}") for number in range(12)]
    picture = headed(np.zeros((5, width, 3), np.uint8), ["x" * 200, "y" * 200], legend)
    assert picture.shape[1] == width
    assert not picture[:, -3:].any()
    assert not picture[-7:].any()
    assert picture.any()


def test_pairs_have_a_caption_and_few_pairs_few_columns() -> None:
    fundus = Fundus("p", "p.png", "all", GREY, {})
    [pair] = pairs_of(fundus, Annotation("p.png", W, H, (RASTER,)), 64)
    assert captioned_pairs([pair], size=64).shape[1] == 192
    assert captioned_pairs([pair] * 5, size=64).shape[1] == 4 * 192
    assert captioned_pairs([], size=64).shape[1] == 192


def test_some_pairs_are_spread_over_the_shapes_of_each_class() -> None:
    many = [Mark("MA", Ellipse(10 + 20 * place, 50, 4, 4)) for place in range(8)]
    annotation = Annotation("p.png", W, H, (*many, RASTER))
    pairs = some_pairs_of(Fundus("p", "p.png", "all", GREY, {}), annotation, 32)
    assert [(pair.lesion, round(pair.ellipse.cx)) for pair in pairs] == [("MA", 50), ("MA", 130), ("SE", 170)]


def test_help_names_what_it_takes() -> None:
    text = run("--help").stdout
    assert re.search(r"SOURCE\|IMAGE\S* \[ANNOTATION\]", text)
