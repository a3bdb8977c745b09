"""The tasks of a Label Studio export: their photographs, who annotated them, and the results on each photograph."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from coarsekit.annotations.details import within
from coarsekit.annotations.documents import Document, LenientModel
from coarsekit.annotations.labels import label_of
from coarsekit.annotations.labelstudio_answers import answer_in, is_answer
from coarsekit.annotations.photographs import photograph_name
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError
from coarsekit.images import PHOTOGRAPHS
from coarsekit.validation import validated

_DRAWN = ("imageDataURL", "radiusX", "rle", "points", "height", "x", "vertices")
"""Fields of what is drawn; answers about it repeat them."""
_GEOMETRY = (*_DRAWN, "y", "width", "radiusY", "rotation", "closed")


class _Answer(LenientModel):
    result: list[Any]
    was_cancelled: bool | None = False
    completed_by: Any = None
    model_version: Any = None


class Picture(NamedTuple):
    """A photograph's name, and the path in its address, which tells it from others of that name."""

    name: str
    path: str


class Given(NamedTuple):
    """The flat results of one annotator, and who that is: a person, or the model of a prediction."""

    results: list[dict[str, Any]]
    annotator: Any = None
    is_prediction: bool = False


def tasks_of(document: Document) -> list[Any]:
    """The tasks of a file, which may be one alone; empty for what is no list."""
    content = [document.content] if isinstance(document.content, dict) else document.content
    return content if isinstance(content, list) else []


def pictures_of(task: Any) -> dict[str, Picture]:
    """The photographs of a task by the fields of its data, the one called ``image`` first.

    Raises `AnnotationError` when it is no task, or has none.
    """
    if not isinstance(task, dict):
        raise AnnotationError(f"expected a task, got {str(task)[:40]!r}")
    data = task["data"] if isinstance(task.get("data"), dict) else task
    addresses = {"image": data["image"]} if isinstance(data.get("image"), str) else {}
    addresses |= {field: value for field, value in data.items() if isinstance(value, str) and _is_picture(value)}
    if not addresses:
        raise AnnotationError("the address of its image is missing; expected data.image")
    return {field: _picture(address) for field, address in addresses.items()}


def answers_of(task: dict[str, Any], where: str, recorder: Recorder) -> list[Given]:
    """The results of each annotation of a task, and of predictions that are asked for, or alone there."""
    if "annotations" not in task and "predictions" not in task:  # MIN exports have them flat
        lists = ((field, value) for field, value in task.items() if isinstance(value, list))
        results = [_result(field, item) for field, items in lists for item in items if isinstance(item, dict)]
        return [Given(_labelled(results), task.get("annotator"))]
    answers, predictions = (_parsed(task, field, where, recorder) for field in ("annotations", "predictions"))
    for _ in (answer for answer in answers if answer.was_cancelled):
        recorder.note(where, "an annotation that was skipped in the tool is not read")
    given = [Given(_labelled(one.result), one.completed_by) for one in answers if not one.was_cancelled]
    wanted = recorder.options.annotator
    models = [one for one in predictions if wanted is not None and wanted == str(one.model_version)]
    if not models and not given:
        models = predictions
        for one in models:
            recorder.note(where, f"nobody annotated it, so the prediction of {str(one.model_version)!r} is read")
    if not models and not given:
        recorder.leave_out(where, "nobody annotated it")
    return [*given, *(Given(_labelled(one.result), str(one.model_version or "prediction"), True) for one in models)]


def by_picture(
    results: list[dict[str, Any]], pictures: Mapping[str, Picture], where: str, recorder: Recorder
) -> dict[str, list[dict[str, Any]]]:
    """The results by the field of the photograph that they are on, as their ``to_name`` says."""
    if len(pictures) == 1:
        return {next(iter(pictures)): results}
    fields = {field.casefold(): field for field in pictures}
    aims = {str(item.get("to_name", "")).casefold() for item in results if is_drawn(item)}
    if len(aims) <= 1 and not aims & fields.keys():
        field = next(iter(pictures))
        recorder.note(where, f"of its images {', '.join(pictures)} the first, {field}, is taken for what was drawn on")
        return {field: results}
    found: dict[str, list[dict[str, Any]]] = {field: [] for aim, field in fields.items() if aim in aims}
    for place, item in enumerate(results):
        aim = str(item.get("to_name", "")).casefold()
        if aim in fields:
            found.setdefault(fields[aim], []).append(item)
        elif is_drawn(item):
            recorder.leave_out(
                f"{where}: result {place}",
                f"its to_name {item.get('to_name')!r} is none of its images {', '.join(pictures)}",
            )
    return found


def is_drawn(item: Mapping[str, Any]) -> bool:
    """Whether a result is something drawn, and no answer to a question."""
    return any(field in item for field in _DRAWN) and not is_answer(item)


def region_of(item: Mapping[str, Any]) -> str:
    """What tells the region of a result from others: its id, or its geometry where it has none, as in MIN exports."""
    if item.get("id") is not None:
        return str(item["id"])
    geometry = {field: item[field] for field in _GEOMETRY if field in item}
    return json.dumps([item.get("to_name"), geometry], sort_keys=True)


def labels_in(item: Mapping[str, Any]) -> list[str]:
    """The labels of a region: ``ellipselabels``, ``brushlabels``, ``labels``, …."""
    lists = [value for field, value in item.items() if field.endswith("labels") and isinstance(value, list)]
    return [label for labels in lists[:1] for value in labels if (label := label_of(value))]


def _parsed(task: dict[str, Any], field: str, where: str, recorder: Recorder) -> list[_Answer]:
    """The annotations or predictions of a task, without those that are malformed."""
    contents = task.get(field) or []
    found = []
    for place, content in enumerate(contents if isinstance(contents, list) else [contents]):
        with recorder.forgiving(f"{where}: {field}.{place}"):
            found.append(validated(_Answer, content, "", strict=None, within=f"{where}: {field}.{place}"))
    return found


def _result(field: str, value: dict[str, Any]) -> dict[str, Any]:
    """A value of a MIN export as a result of a full one."""
    answer = answer_in(value)
    return {"from_name": field, **within("type", answer and answer.type), "value": value}


def _labelled(results: list[Any]) -> list[dict[str, Any]]:
    """The results, flat; with a tag for shapes and one for labels a region comes twice, and counts once."""
    flat = [
        {**item, **item["value"]} if isinstance(item.get("value"), dict) else item for item in map(_object, results)
    ]
    labelled = {region_of(item) for item in flat if is_drawn(item) and labels_in(item)}
    return [item for item in flat if labels_in(item) or not is_drawn(item) or region_of(item) not in labelled]


def _object(item: Any) -> dict[str, Any]:
    """The result itself; one of no known type where it is no object."""
    return item if isinstance(item, dict) else {"type": f"{str(item)[:40]!r}"}


def _picture(address: str) -> Picture:
    """Uploads get eight characters and a hyphen in front of their names."""
    path = _path_of(address)
    if "/upload/" in address:
        return Picture(re.sub(r"^[0-9a-f]{8}-(?=.)", "", photograph_name(path)), path)
    return Picture(photograph_name(path.lstrip("/") if "://" in address else path), path)


def _is_picture(text: str) -> bool:
    return PurePosixPath(_path_of(text)).suffix.lower() in PHOTOGRAPHS


def _path_of(text: str) -> str:
    """The path in an address of Label Studio's, a bucket's or the web's; brackets would make it malformed."""
    parts = urlsplit(text.translate({ord("["): "%5B", ord("]"): "%5D"}))
    inner = parse_qs(parts.query).get("d")
    return inner[0] if inner else unquote(parts.path) or text
