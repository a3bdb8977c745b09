"""Label Studio asks the server over HTTP, as it asks its own, and gets masks that its exports could have."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import pytest
from PIL import Image as Pillow

import zoo
from coarsekit.annotations import labelstudio_regions, read_annotations
from coarsekit.errors import AnnotationError, ImageError, ParameterError
from coarsekit.geometry import draw
from coarsekit.images import encode_png, read_image
from coarsekit.types import Annotation, Ellipse, Mark, Point, Polygon, Raster
from tests import command_line
from tests.pictures import HEIGHT, WIDTH, photograph
from tests.zoo.integrations.trusting import Sure, Wary, warnings_of
from zoo.cli.main import main
from zoo.integrations.labelstudio_backend import LabelStudioBackend, serving
from zoo.integrations.labelstudio_photographs import TaskPhotographs
from zoo.integrations.labelstudio_predict import LabelStudioRefiner
from zoo.output.tool_files import made_by

CONFIG = """<View>
  <Image name="photo" value="$image"/>
  <EllipseLabels name="round" toName="photo" smart="true"><Label value="Microaneurysm"/></EllipseLabels>
  <BrushLabels name="pixels" toName="photo"><Label value="Hard exudate"/><Label value="Microaneurysm"/></BrushLabels>
</View>"""
ELLIPSE = Ellipse(45, 45, 6, 5, 20)
TOKEN = "a-token-that-nobody-sees"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    (folder / "left").mkdir()
    photograph(1).save(folder / "left" / "a.png")
    photograph(2).save(folder / "b.png")
    return folder


@pytest.fixture(scope="module")
def url(images: Path) -> Iterator[str]:
    """The command itself, in a process of its own."""
    command = [sys.executable, "-m", "zoo", "serve-labelstudio", "--refiner", "shrink", "--port", "0"]
    environment = {**os.environ, "LABEL_STUDIO_API_KEY": TOKEN, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([*command, "--images", images], stderr=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert line.startswith("Serving shrink"), line + server.stderr.read()
        yield line.split()[-1]
        server.send_signal(signal.SIGTERM)
        rest = server.stderr.read()
        assert server.wait(30) == 0
        assert rest.endswith("Stopped\n")
        assert "Traceback" not in rest
        assert TOKEN not in line + rest


@contextmanager
def answering(images: Path | None, **options: Any) -> Iterator[str]:
    """A server in this process, of a refiner that says how far to trust it."""
    refiner = LabelStudioRefiner(Sure(), TaskPhotographs(images, **options))
    with serving(LabelStudioBackend(refiner), port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def ask(url: str, path: str, content: object = None) -> tuple[int, Any]:
    data = None if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
    request = Request(url + path, data, {"Content-Type": "application/json"})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def region(shape: Any, label: str = "Microaneurysm", key: str = "r1", **more: Any) -> dict[str, Any]:
    """What was drawn, as the tool has it."""
    annotation = Annotation("a.png", WIDTH, HEIGHT)
    return (
        labelstudio_regions.results_of(annotation, Mark("x", shape, {"label": label, "id": key}), key, "photo")[0]
        | more
    )


def asked(task: dict[str, Any], *regions: dict[str, Any], config: str | None = CONFIG) -> dict[str, Any]:
    context = {"context": {"result": list(regions)}} if regions else {}
    return {"tasks": [task], "project": "1.1700000000", "label_config": config, "params": context}


def task(address: str = "/data/upload/3/0a1b2c3d-a.png", *answers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": 7, "data": {"image": address}, "annotations": [{"result": answer} for answer in answers]}


def shape_of(result: dict[str, Any], tmp_path: Path) -> Raster:
    """The brush of an answer, as an export with it is read."""
    file = tmp_path / "export.json"
    file.write_text(json.dumps([{"data": {"image": "a.png"}, "annotations": [{"result": [result]}]}]))
    [annotation] = read_annotations(file).annotations
    [mark] = annotation.marks
    assert isinstance(mark.shape, Raster)
    return mark.shape


def test_the_server_is_up_and_says_its_version(url: str) -> None:
    version = made_by(zoo.from_pretrained("shrink"))
    assert ask(url, "/health") == ask(url, "/") == (200, {"status": "UP", "model_class": "Shrink"})
    setup = {"project": "1.1700000000", "schema": CONFIG, "hostname": "http://127.0.0.1:8080", "access_token": "x"}
    assert ask(url, "/setup", setup) == (200, {"model_version": version})
    assert ask(url, "/webhook", {"action": "ANNOTATION_CREATED", "project": {"id": 1}})[0] == 201
    assert ask(url, "/webhook", {"action": "PROJECT_UPDATED"}) == (200, {"status": "Unknown event"})


def test_a_region_that_was_just_drawn_becomes_a_brush_with_its_label(url: str, images: Path, tmp_path: Path) -> None:
    status, answer = ask(url, "/predict", asked(task("/data/local-files/?d=left/a.png"), region(ELLIPSE)))
    assert status == 200, answer
    [prediction] = answer["results"]
    assert prediction["model_version"] == made_by(zoo.from_pretrained("shrink"))
    [result] = prediction["result"]
    assert {name: result[name] for name in ("type", "from_name", "to_name", "original_width", "original_height")} == {
        "type": "brushlabels",
        "from_name": "pixels",
        "to_name": "photo",
        "original_width": WIDTH,
        "original_height": HEIGHT,
    }
    assert result["value"]["brushlabels"] == ["Microaneurysm"]
    assert result["value"]["format"] == "rle"
    assert result["id"] != "r1"
    drawn = Annotation("a.png", WIDTH, HEIGHT, (Mark("MA", ELLIPSE),))
    expected = zoo.from_pretrained("shrink").refine(read_image(images / "left" / "a.png"), drawn)["MA"]
    assert np.array_equal(draw([shape_of(result, tmp_path)], (HEIGHT, WIDTH)), expected)


def rectangle() -> dict[str, Any]:
    value = {"x": 25, "y": 25, "width": 10, "height": 20, "rotation": 0, "rectanglelabels": ["Microaneurysm"]}
    head = {"id": "r1", "type": "rectanglelabels", "from_name": "box", "to_name": "photo"}
    return {**head, "original_width": WIDTH, "original_height": HEIGHT, "value": value}


@pytest.mark.parametrize(
    "drawn",
    [
        region(ELLIPSE),
        rectangle(),
        region(Polygon((((40, 40), (52, 41), (45, 52)),))),
        region(Point(45, 50, 4), is_positive=True),
        region(Raster(40, 40, np.ones((9, 7), bool))),
    ],
    ids=lambda drawn: drawn["type"],
)
def test_whatever_was_drawn_is_refined_and_the_score_says_how_far_to_trust_it(
    images: Path, tmp_path: Path, drawn: dict[str, Any]
) -> None:
    with answering(images) as own:
        status, answer = ask(own, "/predict", asked(task(), drawn))
    assert status == 200, answer
    [prediction] = answer["results"]
    assert (prediction["score"], prediction["model_version"]) == (0.7, "sure 01234567")
    assert [result["score"] for result in prediction["result"]] == [0.7]
    assert not draw([shape_of(prediction["result"][0], tmp_path)], (HEIGHT, WIDTH))[45].any()


def test_what_is_seen_in_the_marks_is_said(images: Path) -> None:
    heard: list[str] = []
    LabelStudioRefiner(Wary(), TaskPhotographs(images)).predict(asked(task(), region(ELLIPSE)), heard.append)
    assert heard == warnings_of("a.png", 1, "MA")
    heard.clear()
    LabelStudioRefiner(Wary(), TaskPhotographs(images)).predict(asked(task("a.png", [region(ELLIPSE)])), heard.append)
    assert heard == [f"task 7: {sentence}" for sentence in warnings_of("a.png", 1, "MA")]


def test_what_is_marked_as_background_and_what_is_not_found_get_no_region(images: Path) -> None:
    with answering(images) as own:
        outside = ask(own, "/predict", asked(task(), region(Point(45, 50, 4), is_positive=False)))
        nothing = ask(own, "/predict", asked(task(), region(ELLIPSE, "nothing")))
    assert outside == nothing == (200, {"results": [{"model_version": "sure 01234567", "result": []}]})


def test_without_a_context_the_annotations_of_the_tasks_are_refined(images: Path, tmp_path: Path) -> None:
    drawn = region(ELLIPSE)
    about = {"id": "r1", "type": "choices", "from_name": "certain", "to_name": "photo", "value": {"choices": ["no"]}}
    imported = {name: value for name, value in region(Ellipse(80, 60, 5, 5), key="r2").items() if "orig" not in name}
    every = [
        task("s3://bucket/left/a.png", [drawn, about, imported]),
        {"id": 8, "data": {"image": "b.png"}},
        task("b.png", [], [{"id": "q", "type": "choices", "value": {"choices": ["good"]}, "from_name": "quality"}]),
    ]
    with answering(images) as own:
        status, answer = ask(own, "/predict", {"tasks": every, "label_config": CONFIG, "params": {"context": None}})
    assert status == 200, answer
    first, *others = answer["results"]
    assert [(result["id"], result["type"], result["to_name"]) for result in first["result"]] == [
        ("r1", "brushlabels", "photo"),
        ("r1", "choices", "photo"),
        ("r2", "brushlabels", "photo"),
    ]
    assert others == [{"model_version": "sure 01234567", "result": []}] * 2
    exported = tmp_path / "export.json"
    exported.write_text(json.dumps([{**every[0], "annotations": [], "predictions": [first]}]))
    [annotation] = read_annotations(exported).annotations
    assert [mark.details["attributes"] for mark in annotation.marks if "attributes" in mark.details] == [
        {"certain": "no"}
    ]


@pytest.mark.parametrize(
    ("left", "right"),
    [("left/a.png", "b.png"), ("/data/upload/1/0a1b2c3d-eye.png", "/data/upload/1/9f8e7d6c-eye.png")],
)
def test_each_of_several_photographs_of_a_task_gets_its_own(tmp_path: Path, left: str, right: str) -> None:
    for place, address in enumerate((left, right)):
        file = tmp_path / address.removeprefix("/data/upload/1/")
        file.parent.mkdir(exist_ok=True)
        photograph(place).save(file)
    config = """<View><Image name="left" value="$left"/><Image name="right" value="$right"/>
    <BrushLabels name="one" toName="left"/><BrushLabels name="other" toName="right"/></View>"""
    drawn = [region(ELLIPSE) | {"to_name": "right"}, region(Ellipse(80, 60, 5, 5), key="r2") | {"to_name": "left"}]
    both = {"data": {"left": left, "right": right}, "annotations": [{"result": drawn}]}
    with answering(tmp_path) as own:
        status, answer = ask(own, "/predict", asked(both, config=config))
    assert status == 200, answer
    found = {(result["id"], result["from_name"], result["to_name"]) for result in answer["results"][0]["result"]}
    assert found == {("r1", "other", "right"), ("r2", "one", "left")}


def two_images(first: str, second: str, *values: str) -> str:
    """A configuration with two images, whose brushes are ``brush-FIRST`` and ``brush-SECOND``."""
    images = (f'<Image name="{name}" {value}/>' for name, value in zip((first, second), values, strict=True))
    brushes = (f'<BrushLabels name="brush-{name}" toName="{name}"/>' for name in (first, second))
    return f"<View>{''.join(images)}{''.join(brushes)}</View>"


SHOWN = {
    "numbers from 1 and from 0": (
        two_images("img-1", "img-2", 'value="$image_0"', 'value="$image_1"'),
        {"image_0": "left/a.png", "image_1": "missing.png"},
        {"to_name": "img-1"},
    ),
    "names without a word of the fields": (
        two_images("a", "b", 'value="$right"', 'value="$left"'),
        {"left": "missing.png", "right": "left/a.png"},
        {"to_name": "a"},
    ),
    "names of the other field": (
        two_images("left", "right", 'value="$right"', 'value="$left"'),
        {"left": "missing.png", "right": "left/a.png"},
        {"to_name": "left"},
    ),
    "photographs of one name": (
        two_images("one", "two", 'value="$od"', 'value="$os"'),
        {"od": "/data/upload/3/0a1b2c3d-missing.png", "os": "left/a.png"},
        {"to_name": "two"},
    ),
    "fields within fields": (
        two_images("one", "two", 'value="$eyes[1].url"', 'value="$eyes[0].url"'),
        {"eyes": [{"url": "missing.png"}, {"url": "left/a.png"}]},
        {"to_name": "one"},
    ),
    "a field within an address": (
        two_images("one", "two", 'value="/data/local-files/?d=left/$file"', 'value="$other"'),
        {"file": "a.png", "other": "missing.png"},
        {"to_name": "one"},
    ),
    "a page of a list": (
        two_images("one", "two", 'valueList="$pages"', 'value="$other"'),
        {"pages": ["missing.png", "left/a.png"], "other": "missing.png"},
        {"to_name": "one", "item_index": 1},
    ),
    "a list of one page": (
        two_images("one", "two", 'valueList="$pages"', 'value="$other"'),
        {"pages": ["left/a.png"], "other": "missing.png"},
        {"to_name": "one"},
    ),
    "an address without a suffix": (
        two_images("one", "two", 'value="$key"', 'value="$other"'),
        {"key": "left/a.png", "other": "data:image/png;base64,AAAA"},
        {"to_name": "one"},
    ),
    "the only photograph, in another field": (
        '<View><Image name="one" value="$image"/><BrushLabels name="brush-one" toName="one"/></View>',
        {"photo": "left/a.png", "text": "x"},
        {"to_name": "one"},
    ),
    "a repeater": (
        """<View><Repeater on="$pages" indexFlag="{{i}}"><Image name="page_{{i}}" value="$pages[{{i}}].url"/>
        <BrushLabels name="brush-page_{{i}}" toName="page_{{i}}"/></Repeater></View>""",
        {"pages": [{"url": "missing.png"}, {"url": "left/a.png"}]},
        {"to_name": "page_1"},
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_configuration_says_which_photograph_was_drawn_on(url: str, name: str) -> None:
    config, data, own = SHOWN[name]
    status, answer = ask(url, "/predict", asked({"data": data}, region(ELLIPSE) | own, config=config))
    assert status == 200, answer
    [result] = answer["results"][0]["result"]
    assert {field: result.get(field) for field in ("to_name", "from_name", "item_index")} == {
        "to_name": own["to_name"],
        "from_name": f"brush-{own['to_name']}",
        "item_index": own.get("item_index"),
    }


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"to_name": "left"}, "its to_name 'left' is none of the images one, two"),
        ({"to_name": "two"}, "the task has no address of a photograph for the image 'two', which shows '$right'"),
        ({"to_name": "one"}, "its item_index None is none of the 2 photographs of the image 'one'"),
        ({"to_name": "one", "item_index": 2}, "its item_index 2 is none of the 2 photographs"),
    ],
)
def test_what_is_on_no_photograph_for_certain_is_refused_and_never_taken_for_one_of_another(
    url: str, own: dict[str, Any], said: str
) -> None:
    config = two_images("one", "two", 'valueList="$left"', 'value="$right"')
    data = {"left": ["left/a.png", "b.png"], "right": 5}
    status, answer = ask(url, "/predict", asked({"data": data}, region(ELLIPSE) | own, config=config))
    assert (status, said in answer["error"]) == (400, True), answer


def test_a_mask_is_never_put_on_the_image_of_other_brushes(url: str) -> None:
    config = '<View><Image name="a" value="$l"/><Image name="b" value="$r"/><BrushLabels name="x" toName="a"/></View>'
    both = {"data": {"l": "left/a.png", "r": "b.png"}}
    status, answer = ask(url, "/predict", asked(both, region(ELLIPSE) | {"to_name": "b"}, config=config))
    assert (status, "has no BrushLabels for the image 'b'" in answer["error"]) == (400, True), answer


def test_without_a_configuration_the_photograph_is_guessed_and_the_mask_is_on_its_image(url: str) -> None:
    both = {"data": {"left": "left/a.png", "right": "missing.png"}}
    status, answer = ask(url, "/predict", asked(both, region(ELLIPSE) | {"to_name": "left"}, config=None))
    assert status == 200, answer
    assert [result["to_name"] for result in answer["results"][0]["result"]] == ["left"]


UNUSABLE: dict[str, dict[str, Any]] = {
    "no photograph there": task("c.png", [region(ELLIPSE)]),
    "another size": task("b.png", [region(ELLIPSE) | {"original_width": WIDTH // 4}]),
    "no data": {"id": 7, "annotations": [{"result": [region(ELLIPSE)]}]},
    "no address": {"id": 7, "data": {"text": "x"}, "annotations": [{"result": [region(ELLIPSE)]}]},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_task_that_cannot_be_refined_costs_no_other(images: Path, name: str) -> None:
    good, said = task("b.png", [region(ELLIPSE)]), []
    refiner = LabelStudioRefiner(Sure(), TaskPhotographs(images))
    request = {"tasks": [good, UNUSABLE[name], good], "label_config": CONFIG}
    first, other, last = refiner.predict(request, said.append)
    assert [len(one["result"]) for one in (first, other, last)] == [1, 0, 1]
    assert other["error"].startswith("task 7: ")
    assert said == [f"Left out: {other['error']}"]
    with pytest.raises(AnnotationError, match="none of the 2 tasks can be refined: task 7: "):
        refiner.predict({**request, "tasks": [UNUSABLE[name]] * 2})


def test_a_photograph_that_cannot_be_refined_costs_no_other_of_its_task(images: Path) -> None:
    config = two_images("one", "two", 'value="$a"', 'value="$b"')
    drawn = [region(ELLIPSE, key=key) | {"to_name": name} for key, name in (("x", "one"), ("y", "two"), ("z", "three"))]
    both = {"id": 7, "data": {"a": "missing.png", "b": "b.png"}, "annotations": [{"result": drawn}]}
    said: list[str] = []
    refiner = LabelStudioRefiner(Sure(), TaskPhotographs(images))
    [prediction] = refiner.predict({"tasks": [both], "label_config": config}, said.append)
    assert [(result["id"], result["to_name"]) for result in prediction["result"]] == [("y", "two")]
    assert [sentence.startswith("task 7: Left out: ") for sentence in said] == [True, True]
    assert "its to_name 'three'" in said[0]
    assert "'missing.png' is not fetched" in said[1]


def test_sentences_name_the_options_of_the_command(url: str) -> None:
    _, answer = ask(url, "/predict", asked(task(), region(ELLIPSE, "")))
    assert "name the class of such regions by --labels" in answer["error"]
    assert "=…" not in answer["error"]


def test_a_photograph_in_the_task_itself_is_read() -> None:
    address = "data:image/png;base64," + b64encode(encode_png(np.asarray(photograph(3)))).decode()
    with answering(None) as own:
        status, answer = ask(own, "/predict", asked(task(address), region(ELLIPSE), config=None))
    assert status == 200, answer
    assert [result["from_name"] for result in answer["results"][0]["result"]] == ["brush"]


class Tool(BaseHTTPRequestHandler):
    """Label Studio's own server, which gives photographs to those who have its token."""

    elsewhere, seen = "", []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.path == "/data/sent-on.png":
            self.send_response(302)
            self.send_header("Location", self.elsewhere)
            self.end_headers()
            return
        known = self.headers.get("Authorization") == f"Token {TOKEN}"
        content = encode_png(np.asarray(photograph(4))) if known and self.path != "/data/page" else b"<html>log in"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Standard error stays the tests' own."""


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "*")
    Tool.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Tool) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        Tool.elsewhere = f"http://localhost:{server.server_port}/data/stolen.png"
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_label_studio_is_asked_for_its_photographs_with_the_token_and_nobody_else_is(tool: str, images: Path) -> None:
    photographs = TaskPhotographs(images, tool, f"{TOKEN}\n")
    assert TOKEN not in repr(photographs)
    expected = np.asarray(photograph(4))
    assert np.array_equal(photographs.read("/data/upload/3/0a1b2c3d-c.png"), expected)
    assert np.array_equal(photographs.read(f"{tool}/tasks/7/resolve/?fileuri=abc"), expected)
    assert np.array_equal(photographs.read(tool.replace("://", "://me:secret@") + "/c.png"), expected)
    assert Tool.seen == ["/data/upload/3/0a1b2c3d-c.png", "/tasks/7/resolve/?fileuri=abc", "/c.png"]
    Tool.seen.pop()
    for address in ("http://127.0.0.1:9/c.png", "//127.0.0.1:9/c.png", "file:///etc/c.png", "/srv/c.png", "c.png"):
        with pytest.raises(ImageError, match="is not fetched"):
            photographs.read(address)
    with pytest.raises(ImageError, match="sends on to another"):
        photographs.read("/data/sent-on.png")
    assert Tool.seen[2:] == ["/data/sent-on.png"]
    with pytest.raises(ImageError, match="web page"):
        photographs.read("/data/page")


def test_what_the_tool_refuses_is_one_sentence_without_the_token(tool: str) -> None:
    for token, said in ((f"{TOKEN}x", "answers 401; set LABEL_STUDIO_API_KEY"), (f"{TOKEN}\nx", "is no access token")):
        with pytest.raises(ImageError, match=said) as caught:
            TaskPhotographs(None, tool, token).read("/data/upload/3/c.png")
        assert TOKEN not in str(caught.value)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "address",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "http://127.0.0.1:9/x/../c.png?token=secret",
        "https://me:secret@127.0.0.1:9/c.png",
    ],
)
def test_no_file_outside_of_the_folder_is_read_and_no_query_is_quoted(images: Path, address: str) -> None:
    with pytest.raises(ImageError, match="no such file") as caught:
        TaskPhotographs(images).read(address)
    assert "secret" not in str(caught.value)


BAD_REQUESTS = {
    "not JSON": (b"{", "the request is not JSON"),
    "a list": (b"[]", "the request is list; send a JSON object"),
    "no tasks": ({}, "the request: tasks"),
    "a task without data": ({"tasks": [{}]}, "tasks.0.data"),
    "no photograph": ({"tasks": [{"data": {"text": "x"}, "annotations": [{"result": [rectangle()]}]}]}, "its image is"),
    "another photograph": (asked(task("c.png"), region(ELLIPSE)), "c.png: no such file"),
    "the web": (asked(task("https://example.org/c.png"), region(ELLIPSE)), "is not fetched"),
    "no brushes": (asked(task(), region(ELLIPSE), config="<View/>"), "has no BrushLabels"),
    "not XML": (asked(task(), region(ELLIPSE), config="<View"), "is not XML"),
    "entities": (asked(task(), region(ELLIPSE), config='<!DOCTYPE v [<!ENTITY a "b">]><View>&a;</View>'), "not XML"),
    "no label": (asked(task(), region(ELLIPSE, "")), "it has no label"),
    "not finite": (
        asked(task(), rectangle() | {"value": {"x": 1, "y": 2, "width": "x", "height": 3}}),
        "value: width: expected a valid number",
    ),
    "a bad brush": (
        asked(task(), region(ELLIPSE) | {"value": {"rle": [1, 2], "brushlabels": ["MA"]}}),
        "the brush's rle is cut short",
    ),
    "a bad image": (asked(task("data:image/png;base64,AAAA"), region(ELLIPSE)), "not an image that can be read"),
    "no image": (asked(task("data:text/html,<p>"), region(ELLIPSE)), "begins no image"),
    "two tasks": ({"tasks": [task(), task()], "params": {"context": {"result": [rectangle()]}}}, "of one task"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_request_that_cannot_be_answered_gets_one_sentence(url: str, name: str) -> None:
    content, said = BAD_REQUESTS[name]
    status, answer = ask(url, "/predict", content)
    assert status == 400, answer
    assert list(answer) == ["error"]
    assert said in answer["error"]
    assert "\n" not in answer["error"]


def test_other_pages_and_ways_are_refused(url: str) -> None:
    assert ask(url, "/train", {})[0] == 404
    assert ask(url, "/predict")[0] == 405
    assert ask(url, "/setup", {"schema": "<View/>"})[0] == 400


def test_a_request_that_is_too_long_is_refused_before_it_is_read(url: str) -> None:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/predict")
    connection.putheader("Content-Length", str(2**40))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["error"]) == (
        400,
        "the request has more than 200 MB; send fewer tasks at once",
    )
    connection.close()


def test_a_client_that_sends_everything_first_reads_the_refusal(url: str) -> None:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("POST", "/nowhere", bytes(2**24), {"Content-Type": "application/json"})
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status", "ways"),
    [
        ("HEAD", "/health", 200, None),
        ("HEAD", "/nowhere", 404, None),
        ("HEAD", "/predict", 405, "POST"),
        ("OPTIONS", "/predict", 405, "POST"),
        ("PUT", "/health/", 405, "GET"),
    ],
)
def test_other_methods_are_answered_by_the_rules(
    url: str, method: str, path: str, status: int, ways: str | None
) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head, _, body = connection.makefile("rb").read().decode().partition("\r\n\r\n")
    assert head.split()[1] == str(status)
    assert [line for line in head.split("\r\n") if line.startswith("Allow")] == ([f"Allow: {ways}"] if ways else [])
    assert bool(body) is (method != "HEAD")


def test_whatever_is_asked_is_one_line_of_the_log_each(images: Path) -> None:
    said: list[str] = []
    backend = LabelStudioBackend(LabelStudioRefiner(Sure(), TaskPhotographs(images)), said.append)
    other = task("c\nGET '/health': 200.png", [region(ELLIPSE)])
    content = json.dumps({"tasks": [task("b.png", [region(ELLIPSE)]), other]}).encode()
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/predict", "CONTENT_LENGTH": str(len(content))}
    [answer] = backend({**environ, "wsgi.input": BytesIO(content)}, lambda *_: None)
    assert [line.split(":")[0] for line in said] == ["Left out", "POST '/predict'"]
    assert not [line for line in (*said, json.loads(answer)["results"][1]["error"]) if "\n" in line]


def test_what_was_guessed_is_said(images: Path) -> None:
    said: list[str] = []
    both = {"id": 7, "data": {"image_left": "left/a.png", "image_right": "b.png"}}
    both["annotations"] = [{"result": [region(ELLIPSE) | {"to_name": "left"}]}]
    LabelStudioRefiner(Sure(), TaskPhotographs(images)).predict({"tasks": [both]}, said.append)
    assert said == ["task 7: what its to_name stands for is guessed from the names: left for image_left"]


def test_an_error_of_the_server_itself_is_no_traceback(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sure, "refine_marks", lambda *_: 1 / 0)
    with answering(images) as own:
        status, answer = ask(own, "/predict", asked(task(), region(ELLIPSE)))
    assert (status, answer["error"][:40]) == (500, "the request failed inside the server (Ze")


def test_a_port_that_is_taken_a_bad_address_and_a_missing_folder_are_one_sentence(url: str, tmp_path: Path) -> None:
    taken = command_line.run(main, "serve-labelstudio", "--refiner", "shrink", "--port", url.rpartition(":")[2])
    assert "give another --port" in command_line.refusal(taken)
    missing = command_line.run(main, "serve-labelstudio", "--refiner", "shrink", "--images", tmp_path / "none")
    assert "is no folder; give the folder of the photographs as --images" in command_line.refusal(missing)
    bad = command_line.run(main, "serve-labelstudio", "--refiner", "shrink", "--label-studio-url", "ftp://x")
    assert "is no address of a server" in command_line.refusal(bad)
    with pytest.raises(ParameterError):
        TaskPhotographs(None, "http://[")
    with pytest.raises(ParameterError, match="has a user's name in it") as caught:
        TaskPhotographs(None, "http://me:secret@127.0.0.1:8080")
    assert "secret" not in str(caught.value)


def test_a_picture_of_another_size_here_gets_brushes_of_the_size_that_label_studio_shows(
    images: Path, tmp_path: Path
) -> None:
    Pillow.fromarray(np.asarray(photograph(5, (2 * HEIGHT, 2 * WIDTH)))).save(tmp_path / "a.png")
    with answering(tmp_path) as own:
        _, answer = ask(own, "/predict", asked(task("a.png"), region(ELLIPSE)))
    [result] = answer["results"][0]["result"]
    assert (result["original_width"], result["original_height"]) == (WIDTH, HEIGHT)
