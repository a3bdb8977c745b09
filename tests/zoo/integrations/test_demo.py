"""What people paint on the demo's page is told apart as ellipses, clicks, strokes and regions, and is refined."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO, StringIO
from math import cos, pi, sin
from pathlib import Path
from time import sleep
from urllib.request import ProxyHandler, build_opener
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

import zoo
from coarsekit.annotations import native, read_annotation
from coarsekit.errors import AnnotationError, ImageError, OutputError, ParameterError
from coarsekit.geometry import draw
from coarsekit.images import decode_mask, read_mask
from coarsekit.metrics import count, iou
from coarsekit.types import Ellipse, Line, Mask, Point, Raster, Shape
from tests import command_line
from tests.pictures import HEIGHT, WIDTH, photograph
from tests.zoo.integrations.trusting import Sure, Wary, warnings_of
from tests.zoo.review.browser import MISSING, Browser, browsing, hosts
from zoo.cli.main import main
from zoo.integrations import demo_page
from zoo.integrations.demo import drawing_of, painted, refine_drawing, write_space
from zoo.integrations.strokes import shapes_of

SIZE = (600, 800)


def line(places: np.ndarray, breadth: int = 7, size: tuple[int, int] = SIZE) -> Mask:
    """A line painted with a round brush."""
    return draw([Line(tuple(map(tuple, places.tolist())), breadth)], size)


def arc(ellipse: Ellipse, degrees: float, wobble: float = 0.0) -> np.ndarray:
    """Places along an ellipse, by an unsteady hand."""
    turns = np.radians(np.arange(0, degrees, 2.0))
    unsteady = 1 + wobble * np.sin(5 * turns)
    x, y = ellipse.rx * unsteady * np.cos(turns), ellipse.ry * unsteady * np.sin(turns)
    turn = np.radians(ellipse.angle)
    return np.stack(
        [ellipse.cx + x * np.cos(turn) - y * np.sin(turn), ellipse.cy + x * np.sin(turn) + y * np.cos(turn)], axis=1
    )


def overlap(one: Shape, other: Shape) -> float:
    return iou(count(draw([one], SIZE), draw([other], SIZE)))


ELLIPSES = [Ellipse(300, 200, 90, 50, 30), Ellipse(400, 300, 30, 30), Ellipse(300, 500, 160, 20, 5)]


@pytest.mark.parametrize("degrees", [330, 360, 400], ids=["a gap", "closed", "ends that cross"])
@pytest.mark.parametrize("drawn", ELLIPSES, ids=["large", "round", "long"])
def test_a_line_around_a_lesion_is_the_ellipse_along_its_middle(drawn: Ellipse, degrees: int) -> None:
    [found] = shapes_of(line(arc(drawn, degrees, 0.03)))
    assert isinstance(found, Ellipse)
    assert overlap(found, drawn) > 0.85


@pytest.mark.parametrize("breadth", [3, 7, 15])
def test_the_breadth_of_the_brush_is_no_part_of_the_ellipse(breadth: int) -> None:
    [found] = shapes_of(line(arc(ELLIPSES[0], 360), breadth))
    assert isinstance(found, Ellipse)
    assert (found.rx, found.ry) == (pytest.approx(90, abs=2), pytest.approx(50, abs=2))


@pytest.mark.parametrize("radius", [0, 1, 4, 12])
def test_a_dot_is_a_click(radius: int) -> None:
    paint = np.zeros(SIZE, np.uint8)
    cv2.circle(paint, (400, 300), radius, 1, -1)
    [found] = shapes_of(paint > 0)
    assert isinstance(found, Point)
    assert (found.x, found.y, found.radius) == (pytest.approx(400.5), pytest.approx(300.5), None)


@pytest.mark.parametrize(
    "places",
    [[(100, 100), (300, 160)], [(100, 100), (200, 100), (260, 180), (400, 200)], [(50, 300), (50, 330)]],
    ids=["straight", "bent", "short"],
)
def test_any_other_line_is_a_stroke_along_its_middle(places: list[tuple[int, int]]) -> None:
    [found] = shapes_of(line(np.array(places, float), 7))
    assert isinstance(found, Line)
    assert found.width == pytest.approx(7, abs=1.5)
    assert overlap(found, Line(tuple(places), 7)) > 0.75
    assert len(found.places) <= 8


def test_half_a_circle_is_a_stroke() -> None:
    [found] = shapes_of(line(arc(Ellipse(400, 300, 60, 60), 180)))
    assert isinstance(found, Line)


def test_what_is_filled_in_counts_as_its_pixels() -> None:
    blot = draw([Ellipse(400, 300, 60, 40, 20)], SIZE)
    [found] = shapes_of(blot)
    assert isinstance(found, Raster)
    assert np.array_equal(draw([found], SIZE), blot)


def test_each_part_of_the_paint_is_a_mark_and_a_clean_layer_has_none() -> None:
    paint = line(arc(ELLIPSES[0], 360)) | line(np.array([(600, 100), (700, 130)]))
    paint[550:552, 20:22] = True
    assert [type(shape) for shape in shapes_of(paint)] == [Line, Ellipse, Point]
    assert shapes_of(np.zeros(SIZE, bool)) == []


@pytest.mark.parametrize("seed", range(20))
def test_any_paint_becomes_shapes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    paint = rng.random((40, 50)) < rng.uniform(0.01, 0.9)
    shapes = shapes_of(paint)
    assert len(shapes) == cv2.connectedComponents(paint.astype(np.uint8))[0] - 1


def editor(paint: Mask, image: np.ndarray | None = None) -> dict[str, object]:
    """What an image editor has."""
    pixels = np.asarray(photograph(1)) if image is None else image
    background = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
    layer = np.zeros((*paint.shape, 4), np.uint8)
    layer[paint] = 0, 255, 255, 255
    return {"background": background, "layers": [layer, np.zeros_like(layer)], "composite": background}


def test_a_painted_photograph_is_refined_and_its_masks_can_be_downloaded() -> None:
    small = (HEIGHT, WIDTH)
    paint = line(arc(Ellipse(60, 60, 15, 10), 360), 2, small) | draw([Point(100, 60, 2)], small)
    image, layers = painted(editor(paint))
    assert np.array_equal(image, np.asarray(photograph(1)))
    drawing = drawing_of(image, layers, "Microaneurysm")
    assert [(mark.lesion, type(mark.shape)) for mark in drawing.marks] == [("MA", Ellipse), ("MA", Point)]
    answer = refine_drawing(Sure(), image, drawing)
    assert [(row["lesion"], row["drawn_as"], row["expected_iou"]) for row in answer.rows] == [
        ("MA", "outline", 0.7),
        ("MA", "click", 0.6),
    ]
    assert answer.picture.shape == image.shape
    with ZipFile(BytesIO(answer.archive)) as archive:
        assert archive.namelist() == ["photograph_MA.png", "photograph_marks.csv", "photograph_drawing.json"]
        mask = decode_mask(archive.read("photograph_MA.png"), "the mask")
        rows = list(csv.DictReader(StringIO(archive.read("photograph_marks.csv").decode())))
        text = archive.read("photograph_drawing.json").decode()
    assert np.array_equal(mask, Sure().refine(image, drawing)["MA"])
    assert [row["refined_pixels"] for row in rows] == [str(row["refined_pixels"]) for row in answer.rows]
    assert text == native.dumps(drawing)
    assert answer.notes == []
    assert refine_drawing(Wary(), image, drawing).notes == warnings_of("the photograph", 2, "MA")


def test_layers_of_another_size_are_laid_over_the_photograph() -> None:
    double = cv2.resize(np.asarray(photograph(1)), (2 * WIDTH, 2 * HEIGHT))
    _, [layer, _] = painted(editor(line(arc(Ellipse(60, 60, 15, 10), 360), 2, (HEIGHT, WIDTH)), double))
    [found] = shapes_of(layer)
    assert isinstance(found, Ellipse)
    assert (found.cx, found.cy) == (pytest.approx(121, abs=2), pytest.approx(121, abs=2))
    assert found.rx * found.ry * pi == pytest.approx(600 * pi, rel=0.15)


@pytest.mark.parametrize("value", [None, {}, {"background": None, "layers": []}])
def test_without_a_photograph_there_is_one_sentence(value: dict[str, object] | None) -> None:
    with pytest.raises(ImageError, match="there is no photograph; drop one"):
        painted(value)


GREY = np.full((HEIGHT, WIDTH), 90, np.uint8)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"background": GREY.astype(np.uint16)}, r"the photograph is \(\d+, \d+\) uint16; expected \(h, w\), "),
        ({"background": np.dstack([GREY] * 2)}, "the photograph is "),
        ({"background": "a.png"}, "the photograph is "),
        ({"background": GREY, "layers": [GREY]}, r"the drawing is .*; expected \(h, w, 4\) uint8"),
        ({"background": GREY, "layers": [np.zeros((0, 0, 4), np.uint8)]}, "the drawing is "),
    ],
)
def test_what_is_no_picture_is_one_sentence(value: dict[str, object], said: str) -> None:
    with pytest.raises(ImageError, match=said):
        painted(value)


def test_a_grey_photograph_with_black_edges_is_a_photograph() -> None:
    grey = np.pad(GREY, 5)
    image, layers = painted({"background": grey})
    assert np.array_equal(image, np.repeat(grey[..., None], 3, axis=2))
    assert layers == []


def test_without_a_drawing_or_with_a_class_that_names_no_file_there_is_one_sentence() -> None:
    image, layers = painted(editor(np.zeros((HEIGHT, WIDTH), bool)))
    with pytest.raises(AnnotationError, match="nothing is drawn"):
        drawing_of(image, layers, "MA")
    dot = np.zeros((HEIGHT, WIDTH), bool)
    dot[50, 50] = True
    for name in ("", " ", "a/b"):
        with pytest.raises(AnnotationError, match="must be usable in a file name"):
            drawing_of(image, [dot], name)
    assert drawing_of(image, [dot], " drusen ").lesions == ("drusen",)


def test_the_files_of_a_space_are_written_and_written_over_only_if_forced(tmp_path: Path) -> None:
    files = write_space(tmp_path, "lite", "6.31.0", "0.1.0")
    assert [file.name for file in files] == ["app.py", "requirements.txt", "README.md"]
    compile(files[0].read_text(), "app.py", "exec")
    assert "from_pretrained('lite')" in files[0].read_text()
    assert files[1].read_text() == "coarsekit[demo]==0.1.0\n"
    front = files[2].read_text().split("---\n")[1].splitlines()
    assert {"sdk: gradio", "sdk_version: 6.31.0", "app_file: app.py", "license: apache-2.0"} <= set(front)
    files[0].write_text("mine")
    with pytest.raises(OutputError, match=r"app\.py is already there, and no earlier run wrote it"):
        write_space(tmp_path, "lite", "6.31.0", "0.1.0")
    write_space(tmp_path, "lite", "6.31.0", "0.1.0", force=True)
    assert files[0].read_text() != "mine"


def test_without_gradio_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ParameterError, match=r"pip install coarsekit\[demo\]"):
        demo_page.page(Sure())
    refused = command_line.refusal(command_line.run(main, "demo", "--space", tmp_path))
    assert "Gradio is not installed" in refused


@pytest.fixture
def address() -> Iterator[str]:
    """The command itself, in a process of its own, and where its page is."""
    command = [sys.executable, "-m", "zoo", "demo", "--refiner", "shrink", "--port", "0"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}, text=True
    ) as run:
        assert run.stderr is not None
        line = run.stderr.readline()
        assert line.startswith("The page is at http://127.0.0.1:"), line + run.stderr.read()
        yield line.split()[-1]
        run.send_signal(signal.SIGTERM)
        rest = run.stderr.read()
        assert (run.wait(30), rest) == (0, "Stopped\n")


def stroke(browser: Browser, places: list[tuple[float, float]]) -> None:
    """Press the mouse at the first place of the window, go along the others, and release it."""
    moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 10} for x, y in places]
    actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
    mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
    browser.call("POST", "/actions", {"actions": [mouse]})


@pytest.mark.skipif(find_spec("gradio") is None, reason="Gradio is not installed: pip install 'coarsekit[demo]'")
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_the_page_refines_what_is_drawn_on_it_and_asks_no_other_server(tmp_path: Path, address: str) -> None:
    picture = np.asarray(photograph(1, (480, 640)))
    Pillow.fromarray(picture).save(tmp_path / "p.png")
    with browsing(tmp_path / "browser", (1280, 1600)) as browser:
        browser.call("POST", "/url", {"url": address})
        browser.wait("return document.querySelector('#editor input[type=file]') !== null", seconds=60)
        browser.click("#refine")
        browser.wait("return document.body.innerText.includes('there is no photograph; drop one')")
        browser.give("#editor input[type=file]", tmp_path / "p.png")
        browser.wait("return document.querySelector('#editor button[aria-label=Brush]') !== null")
        browser.wait("return document.querySelector('#editor').innerText.match(/[0-9]+%/) !== null")
        sleep(2)  # until the picture has come to rest
        canvas = browser.run("return document.querySelector('#editor canvas').getBoundingClientRect()")
        percent = float(browser.run("return document.querySelector('#editor').innerText.match(/([0-9]+)%/)[1]"))
        x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
        turns = np.linspace(0, 2 * pi, 40)
        stroke(browser, [(x + 60 * cos(turn), y + 40 * sin(turn)) for turn in turns])
        stroke(browser, [(x + 100, y + 60)] * 2)
        browser.click("#refine")
        link = browser.wait("return (document.querySelector('#archive a') || {}).href")
        assert "outline" in browser.text("#marks")
        assert "click" in browser.text("#marks")
        assert hosts(browser.requested()) == {address.split("/")[2]}
    with build_opener(ProxyHandler({})).open(link, timeout=30) as answer, ZipFile(BytesIO(answer.read())) as archive:
        archive.extractall(tmp_path / "found")
    drawing = read_annotation(tmp_path / "found" / "photograph_drawing.json")
    ellipse, point = (mark.shape for mark in drawing.marks)
    assert isinstance(ellipse, Ellipse)
    assert isinstance(point, Point)
    unit = 100 / percent
    expected = (320, 240, 60 * unit, 40 * unit)
    assert (ellipse.cx, ellipse.cy, ellipse.rx, ellipse.ry) == pytest.approx(expected, abs=3 * unit)
    assert (point.x, point.y) == pytest.approx((320 + 100 * unit, 240 + 60 * unit), abs=3 * unit)
    mask = read_mask(tmp_path / "found" / "photograph_MA.png")
    assert np.array_equal(mask, zoo.from_pretrained("shrink").refine(picture, drawing)["MA"])


@pytest.mark.skipif(find_spec("gradio") is None, reason="Gradio is not installed: pip install 'coarsekit[demo]'")
@pytest.mark.filterwarnings("ignore")  # Gradio's own
def test_the_command_writes_a_space(tmp_path: Path) -> None:
    done = command_line.run(main, "demo", "--space", tmp_path / "space")
    assert (done.exit_code, done.stderr.count("Written: ")) == (0, 3)
    assert "write over it" in command_line.refusal(command_line.run(main, "demo", "--space", tmp_path / "space"))
    refused = command_line.refusal(command_line.run(main, "demo", "--space", tmp_path / "space", "--port", 1))
    assert "--port does nothing here" in refused
