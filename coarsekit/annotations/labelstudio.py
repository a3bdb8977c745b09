"""Label Studio: JSON, full or MIN, with any number of photographs; places are in percent of the photograph.

An ellipse's ``x, y`` are its centre, although the documentation says top left; a rectangle's are its top left corner,
about which it is turned. Rotations are in degrees clockwise; that of the view (``image_rotation``) changes no place.
A brush is Label Studio's own packing of the photograph's
RGBA pixels, of which the opaque ones count. Where a task has several annotations (one for each annotator), each becomes
an annotation of its own; predictions are not read. Answers about the whole photograph and regions without an area are
left out.

Written files are tasks to import: their control tags are ``ellipse``, ``polygon`` and ``brush``, their image ``image``.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from pydantic import Field

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.brush_rle import pack, unpack
from coarsekit.annotations.documents import Document, LenientModel, Pixels, error_context, load
from coarsekit.annotations.reading import ReadOptions, ReadResult, Recorder, file_name
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw, rotated
from coarsekit.images import PHOTOGRAPHS
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Ellipse, Mark, Polygon, Raster, Shape
from coarsekit.validation import validated

TITLE = "Label Studio (JSON)"
ONE_FILE_EACH = False
_CAPABILITIES = Capabilities("Label Studio", ellipses=True, circles=True, rasters=True)


class _Size(LenientModel):
    original_width: Pixels
    original_height: Pixels


class _EllipseValue(LenientModel):
    x: float
    y: float
    radiusX: float  # noqa: N815 — their name
    radiusY: float  # noqa: N815
    rotation: float = 0.0


class _RectangleValue(LenientModel):
    x: float
    y: float
    width: float
    height: float
    rotation: float = 0.0


class _PolygonValue(LenientModel):
    points: list[Annotated[list[float], Field(min_length=2, max_length=2)]]


class _BrushValue(LenientModel):
    rle: list[Annotated[int, Field(ge=0, le=255)]]


class _Answer(LenientModel):
    result: list[dict[str, Any]]
    was_cancelled: bool | None = False
    completed_by: Any = None


class _Task(LenientModel):
    data: dict[str, Any]
    annotations: list[_Answer]


def recognise(document: Document) -> bool:
    """A list of tasks (or one) with data and annotations, or with the annotation's id as MIN exports have it."""
    tasks = _tasks(document)
    if not tasks:
        return False
    first = tasks[0]
    full = isinstance(first.get("data"), dict) and "annotations" in first
    return full or "annotation_id" in first or ("annotator" in first and "id" in first)


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every annotation of every task; see `Format.read`.

    A task in which nothing was drawn has no size of its photograph: it is left out, unless ``options`` gives it.
    """
    document, recorder = load(source), Recorder(options)
    path = document.path
    if not recognise(document):
        raise AnnotationError(f"{path}: not an export of Label Studio; expected tasks with data and annotations")
    tasks = _tasks(document)
    annotations = []
    for place, task in enumerate(tasks):
        with error_context(f"{path}: task {place}"):
            name = _photograph(task["data"] if isinstance(task.get("data"), dict) else task)
        where = f"task {place} ({name})"
        for results, annotator in _answers(task, path, where, recorder):
            annotation = _annotation(name, results, path, where, recorder)
            if annotation is not None:
                provenance = {"made_by": "Label Studio", **({"annotator": annotator} if annotator is not None else {})}
                annotations.append(Annotation(*annotation, provenance))
    return recorder.result(annotations)


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write one JSON file of tasks to import; see `Format.write`."""
    tasks: list[dict[str, Any]] = []
    notes: list[str] = []
    for annotation in annotations:
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        result = [_result(annotation, mark, f"{len(tasks)}-{place}") for place, mark in enumerate(marks)]
        tasks.append({"data": {"image": file_name(annotation.image)}, "annotations": [{"result": result}]})
    write_text(path, json.dumps(tasks, ensure_ascii=False) + "\n")
    return notes


def _tasks(document: Document) -> list[dict[str, Any]]:
    """Empty for what is no list of objects."""
    content = [document.content] if isinstance(document.content, dict) else document.content
    return content if isinstance(content, list) and all(isinstance(task, dict) for task in content) else []


def _photograph(data: dict[str, Any]) -> str:
    """The photograph's file name, from an address of Label Studio's, a bucket's or the web's."""
    texts = {field: text for field, text in data.items() if isinstance(text, str)}
    suffixes = {text: PurePosixPath(urlsplit(_safe(text)).path).suffix.lower() for text in texts.values()}
    pictures = [text for text, suffix in suffixes.items() if suffix in PHOTOGRAPHS]
    text = texts.get("image") or next(iter(pictures), None)
    if text is None:
        raise AnnotationError("the address of its image is missing; expected data.image")
    parts = urlsplit(_safe(text))
    inner = parse_qs(parts.query).get("d")
    name = file_name(inner[0] if inner else unquote(parts.path) or text)
    # Uploads get eight characters and a hyphen in front of their names.
    return re.sub(r"^[0-9a-f]{8}-(?=.)", "", name) if "/upload/" in text else name


def _safe(text: str) -> str:
    """Without the brackets that would make an address malformed."""
    return text.translate({ord("["): "%5B", ord("]"): "%5D"})


def _answers(
    task: dict[str, Any], path: Path, where: str, recorder: Recorder
) -> Iterator[tuple[list[dict[str, Any]], Any]]:
    """The results of each annotation of a task, flat as MIN exports have them, and who made it."""
    if "annotations" not in task:
        lists = (value for value in task.values() if isinstance(value, list))
        yield [item for items in lists for item in items if isinstance(item, dict)], task.get("annotator")
        return
    answers = validated(_Task, task, f"{path}: {where}").annotations
    if not answers:
        recorder.leave_out(path, where, "nobody annotated it")
    for answer in answers:
        if answer.was_cancelled:
            recorder.leave_out(path, where, "an annotation that was skipped in the tool")
            continue
        # With a tag for shapes and one for labels, a region comes twice under one id: alone and with its labels.
        labelled = {str(item.get("id")) for item in answer.result if _labels(_flat(item)) and "id" in item}
        flat = [_flat(item) for item in answer.result]
        yield [item for item in flat if _labels(item) or str(item.get("id")) not in labelled], answer.completed_by


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    value = item.get("value")
    return {**item, **value} if isinstance(value, dict) else item


def _annotation(
    name: str, results: list[dict[str, Any]], path: Path, where: str, recorder: Recorder
) -> tuple[str, int, int, tuple[Mark, ...]] | None:
    sizes: set[tuple[int, int]] = set()
    marks: list[Mark] = []
    for place, item in enumerate(results):
        shape_of = next((shape for field, shape in _SHAPES.items() if field in item), None)
        if shape_of is None:
            kind = item.get("type", "unknown")
            recorder.leave_out(path, f"{where}: result {place}", f"{kind} is not a region with an area")
            continue
        size = validated(_Size, item, f"{path}: {where}: result {place}")
        width, height = size.original_width, size.original_height
        sizes.add((width, height))
        with error_context(f"{path}: {where}: result {place}"):
            shape = shape_of(item, width, height)
            labels = _labels(item)
            if not labels:
                raise AnnotationError("it has no label; give it one in the tool")
            marks += [recorder.mark(label, shape) for label in labels]
    if len(sizes) > 1:
        raise AnnotationError(f"{path}: {where}: its regions name different sizes of the photograph; export it again")
    known = next(iter(sizes), None) or recorder.options.size_of(name)
    if known is None:
        recorder.leave_out(path, where, "nothing was drawn, and its size is not known; give the folder of the images")
        return None
    return name, *known, tuple(marks)


def _labels(item: dict[str, Any]) -> list[str]:
    """The labels of a region: ``ellipselabels``, ``brushlabels``, ``labels``, …."""
    lists = [value for field, value in item.items() if field.endswith("labels") and isinstance(value, list)]
    return [label for labels in lists[:1] for label in labels if isinstance(label, str)]


def _ellipse(item: dict[str, Any], width: int, height: int) -> Shape:
    v = validated(_EllipseValue, item, "value")
    rx, ry = v.radiusX * width / 100, v.radiusY * height / 100
    return Ellipse(v.x * width / 100, v.y * height / 100, rx, ry, v.rotation)


def _rectangle(item: dict[str, Any], width: int, height: int) -> Shape:
    v = validated(_RectangleValue, item, "value")
    x, y, w, h = v.x * width / 100, v.y * height / 100, v.width * width / 100, v.height * height / 100
    return Polygon((rotated(((0, 0), (w, 0), (w, h), (0, h)), v.rotation, (x, y)),))


def _polygon(item: dict[str, Any], width: int, height: int) -> Shape:
    points = validated(_PolygonValue, item, "value").points
    return Polygon((tuple((x * width / 100, y * height / 100) for x, y in points),))


def _brush(item: dict[str, Any], width: int, height: int) -> Shape:
    packed = bytes(validated(_BrushValue, item, "value").rle)
    return Raster(0, 0, unpack(packed, 4 * width * height).reshape(height, width, 4)[..., 3] > 0)


_SHAPES = {"radiusX": _ellipse, "rle": _brush, "points": _polygon, "height": _rectangle}
"""By a field that only this kind of region has; key points have a width but no height."""


def _result(annotation: Annotation, mark: Mark, key: str) -> dict[str, Any]:
    width, height, shape = annotation.width, annotation.height, mark.shape
    value: dict[str, Any]
    if isinstance(shape, Ellipse):
        tag = "ellipse"
        value = {"x": shape.cx / width * 100, "y": shape.cy / height * 100, "rotation": shape.angle % 360}
        value |= {"radiusX": shape.rx / width * 100, "radiusY": shape.ry / height * 100}
    elif isinstance(shape, Polygon):
        tag, value = "polygon", {"points": [[x / width * 100, y / height * 100] for x, y in shape.rings[0]]}
        value["closed"] = True
    else:
        tag, whole = "brush", 255 * draw([shape], (height, width)).astype(np.uint8)
        value = {"format": "rle", "rle": list(pack(np.repeat(whole.ravel(), 4)))}
    head = {"id": key, "type": f"{tag}labels", "from_name": tag, "to_name": "image"}
    size = {"original_width": width, "original_height": height, "image_rotation": 0}
    return {**head, **size, "value": {**value, f"{tag}labels": [mark.lesion]}}
