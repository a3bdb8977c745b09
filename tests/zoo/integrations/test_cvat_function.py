"""CVAT's own SDK annotates a task with a refiner; only the server is another."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import zoo
from coarsekit.annotations import cvat
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.geometry import draw
from coarsekit.images import encode_png, read_image
from coarsekit.types import Annotation, Ellipse, Line, Mark, Polygon
from tests.pictures import HEIGHT, WIDTH, photograph
from tests.zoo.integrations.loopback_cvat import Cvat, serving
from tests.zoo.integrations.trusting import Sure, Wary, warnings_of
from zoo.integrations import cvat_function

sdk = pytest.importorskip("cvat_sdk", reason="CVAT's SDK is not installed: pip install 'coarsekit[cvat]'")

# The SDK's own.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:cvat_sdk"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:dateutil"),
]
MARKS = (
    Mark("MA", Ellipse(45, 45, 6, 5, 20), {"label": "Microaneurysm"}),
    Mark("HE", Ellipse(80, 70, 12, 8), {"label": "Hemorrhage"}),
    Mark("HE", Line(((60, 30), (75, 36))), {"label": "Hemorrhage"}),
)
LABELS = {"Hemorrhage": "any", "Optic disc": "any", "Microaneurysm": "any"}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What was drawn on two of the task's three frames."""
    drawn = [Annotation(name, WIDTH, HEIGHT, MARKS) for name in ("left/a.png", "b.png")]
    cvat.write(tmp_path / "export.xml", drawn)
    return tmp_path / "export.xml"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cvat]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    names = ("b.png", "c.png", "left/a.png")
    frames = {name: encode_png(np.asarray(photograph(place))) for place, name in enumerate(names)}
    with serving(Cvat(frames, dict(LABELS))) as running:
        yield running


def annotate(server: Cvat, function: Any, cache: Path, **options: Any) -> list[dict[str, Any]]:
    """Let the SDK annotate the task; what it uploads."""
    from cvat_sdk.auto_annotation import annotate_task
    from cvat_sdk.core.client import Client, Config

    with Client(server.url, config=Config(cache_dir=cache)) as client:
        client.login(("ada", "secret"))
        annotate_task(client, 1, function, **options)
    [(action, content)] = server.uploaded
    assert action == ("replace" if options.get("clear_existing") else "create")
    assert content.get("tags", []) == []
    return content["shapes"]


def expected(frame: int) -> dict[str, np.ndarray]:
    drawn = Annotation("x", WIDTH, HEIGHT, MARKS)
    return dict(zoo.from_pretrained("shrink").refine(np.asarray(photograph(frame)), drawn))


def pixels(shapes: list[dict[str, Any]], frame: int, label: int) -> np.ndarray:
    """The union of the masks of a label on a frame, by the SDK's own decoding, or of the polygons."""
    found = np.zeros((HEIGHT, WIDTH), bool)
    for shape in shapes:
        if (shape["frame"], shape["label_id"]) == (frame, label) and shape["type"] == "mask":
            from cvat_sdk.masks import decode_mask

            found |= decode_mask(shape["points"], image_width=WIDTH, image_height=HEIGHT)
        elif (shape["frame"], shape["label_id"]) == (frame, label):
            ring = tuple(zip(shape["points"][::2], shape["points"][1::2], strict=True))
            found |= draw([Polygon((ring,))], (HEIGHT, WIDTH))
    return found


@pytest.mark.parametrize("shape", ["mask", "polygon"])
def test_the_sdk_uploads_a_mask_for_each_mark_of_the_frames_that_the_export_has(
    server: Cvat, export: Path, tmp_path: Path, shape: str
) -> None:
    function = cvat_function.create("shrink", export, shape)
    shapes = annotate(server, function, tmp_path / "cache")
    assert {one["frame"] for one in shapes} == {0, 2}
    assert {(one["type"], one["source"]) for one in shapes} == {(shape, "auto")}
    for frame in (0, 2):
        masks = expected(frame)
        assert np.array_equal(pixels(shapes, frame, server.label_id("Microaneurysm")), masks["MA"])
        assert np.array_equal(pixels(shapes, frame, server.label_id("Hemorrhage")), masks["HE"])


def test_masks_become_polygons_where_the_user_says_so(server: Cvat, export: Path, tmp_path: Path) -> None:
    function = cvat_function.create("shrink", export)
    shapes = annotate(server, function, tmp_path / "cache", conv_mask_to_poly=True, clear_existing=True)
    assert {one["type"] for one in shapes} == {"polygon"}
    assert np.array_equal(pixels(shapes, 0, server.label_id("Hemorrhage")), expected(0)["HE"])


def test_a_label_that_takes_no_masks_is_refused_by_the_sdk(server: Cvat, export: Path, tmp_path: Path) -> None:
    from cvat_sdk.auto_annotation import BadFunctionError

    server.labels["Hemorrhage"] = "ellipse"
    with pytest.raises(BadFunctionError, match="has type 'mask' in the function, but 'ellipse' in the dataset"):
        annotate(server, cvat_function.create("shrink", export), tmp_path / "cache")


@pytest.mark.skipif(find_spec("cvat_cli") is None, reason="CVAT's command line is not installed: pip install cvat-cli")
def test_the_command_line_of_cvat_takes_the_function_and_its_parameters(
    server: Cvat, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    program = [sys.executable, "-m", "cvat_cli", "--auth", "ada:secret", "--server-host", server.url]
    parameters = ["-p", "refiner=str:shrink", "-p", f"annotations=str:{export}"]
    function = ["task", "auto-annotate", "1", "--function-module", cvat_function.__name__, *parameters]
    done = subprocess.run([*program, *function], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    [(_, content)] = server.uploaded
    assert np.array_equal(pixels(content["shapes"], 2, server.label_id("Hemorrhage")), expected(2)["HE"])


def context(name: str, threshold: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(frame_name=name, conf_threshold=threshold, conv_mask_to_poly=False)


def test_what_is_not_trusted_enough_is_left_out(export: Path) -> None:
    function = replace(cvat_function.create("shrink", export), refiner=Sure())
    counts = [len(function.detect(context("b.png", least), photograph(2))) for least in (None, 0.6, 0.65, 0.9)]
    assert counts == [3, 2, 1, 0]


def test_a_frame_that_is_turned_is_seen_as_people_see_it(export: Path, tmp_path: Path) -> None:
    upright = np.asarray(photograph(2))
    exif = Pillow.Exif()
    exif[0x0112] = 3
    Pillow.fromarray(upright[::-1, ::-1]).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), upright)
    function = cvat_function.create("shrink", export)
    turned = function.detect(context("left/a.png"), Pillow.open(tmp_path / "a.png"))
    plain = function.detect(context("left/a.png"), Pillow.fromarray(upright))
    assert turned
    assert function.detect(context("right/a.png"), Pillow.fromarray(upright)) == []
    assert [one.points for one in turned] == [one.points for one in plain]


def test_a_frame_that_cannot_be_refined_is_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = Annotation("b.png", WIDTH, HEIGHT, MARKS)
    cvat.write(
        tmp_path / "export.xml", [*[replace(good, image="a.png")] * 2, good, Annotation("c.png", 90, 160, MARKS)]
    )
    function = cvat_function.create("shrink", tmp_path / "export.xml")
    found = [len(function.detect(context(name), photograph(1))) for name in ("a.png", "b.png", "c.png")]
    assert found == [0, 3, 0]
    twice, other = capsys.readouterr().err.splitlines()
    assert twice == "Left out: the export has 2 drawings of a.png; export the one task that is annotated"
    assert other.startswith("Left out: the annotation was drawn on 90 × 160 px, but c.png has 160 × 120 px")


def test_what_is_seen_in_the_marks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cvat.write(tmp_path / "export.xml", [Annotation("b.png", WIDTH, HEIGHT, MARKS[1:])])
    function = replace(cvat_function.create("shrink", tmp_path / "export.xml"), refiner=Wary())
    assert len(function.detect(context("b.png"), photograph(2))) == 2
    assert capsys.readouterr().err.splitlines() == warnings_of("b.png", 2, "HE")


def test_parameters_that_are_missing_or_wrong_are_one_sentence(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ParameterError, match="annotations=… is missing"):
        cvat_function.create("shrink")
    with pytest.raises(ParameterError, match="must be one of mask, polygon, got 'box'"):
        cvat_function.create("shrink", export, "box")
    with pytest.raises(AnnotationError, match="no such file"):
        cvat_function.create("shrink", tmp_path / "none.xml")
    cvat.write(tmp_path / "empty.xml", [Annotation("a.png", WIDTH, HEIGHT)])
    with pytest.raises(AnnotationError, match="nothing that was drawn could be read"):
        cvat_function.create("shrink", tmp_path / "empty.xml")
    monkeypatch.setitem(sys.modules, "cvat_sdk.auto_annotation", None)
    with pytest.raises(ParameterError, match=r"pip install coarsekit\[cvat\]"):
        cvat_function.create("shrink", export)


def test_a_frame_of_more_than_8_bits_is_read_as_its_file_is(export: Path, tmp_path: Path) -> None:
    grey = np.asarray(photograph(0))[..., 1].astype(np.uint16) * 257
    Pillow.fromarray(grey).save(tmp_path / "deep.png")
    function = cvat_function.create("otsu", export)
    context = SimpleNamespace(frame_name="b.png", conf_threshold=None, conv_mask_to_poly=False)
    found = function.detect(context, Pillow.open(tmp_path / "deep.png"))
    drawn = Annotation("x", WIDTH, HEIGHT, MARKS)
    marks = zoo.from_pretrained("otsu").refine_marks(tmp_path / "deep.png", drawn).marks
    assert len(found) == sum(mark.mask is not None for mark in marks) > 0
