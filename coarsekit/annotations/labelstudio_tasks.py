"""The tasks of a Label Studio export: who annotated them, and what each drew and answered."""

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from coarsekit.annotations.details import within
from coarsekit.annotations.documents import Document, LenientModel
from coarsekit.annotations.labels import LEFT_OUT, label_of
from coarsekit.annotations.labelstudio_answers import answer_in, as_answer, is_answer
from coarsekit.annotations.recorder import Recorder
from coarsekit.validation import validated

_DRAWN = ("imageDataURL", "radiusX", "rle", "points", "height", "x", "vertices")
"""Fields of what is drawn; answers about it repeat them."""
_GEOMETRY = (*_DRAWN, "y", "width", "radiusY", "rotation", "closed")


class _Answer(LenientModel):
    result: list[Any]
    was_cancelled: bool | None = False
    completed_by: Any = None
    model_version: Any = None
    updated_at: Any = None
    created_at: Any = None

    @property
    def updated(self) -> Any:
        """When it was saved last."""
        return self.updated_at or self.created_at


class Given(NamedTuple):
    """The flat results of one annotator, who that is (a person, or the model of a prediction), and their date."""

    results: list[dict[str, Any]]
    annotator: Any = None
    is_prediction: bool = False
    updated: Any = None


def tasks_of(document: Document) -> list[Any]:
    """The tasks of a file, which may be one alone; empty for what is no list."""
    content = [document.content] if isinstance(document.content, dict) else document.content
    return content if isinstance(content, list) else []


def answers_of(task: dict[str, Any], where: str, recorder: Recorder) -> list[Given]:
    """The results of each annotation of a task, and of predictions that are asked for, or alone there.

    None for a task that nobody annotated.
    """
    # MIN exports have them flat; a task that nobody annotated may have neither.
    if not (isinstance(task.get("data"), dict) or "annotations" in task or "predictions" in task):
        lists = ((field, value) for field, value in task.items() if isinstance(value, list))
        results = [_result(field, item) for field, items in lists for item in items if isinstance(item, dict)]
        return [Given(_labelled(results, where, recorder), task.get("annotator"), updated=task.get("updated_at"))]
    answers, predictions = (_parsed(task, field, where, recorder) for field in ("annotations", "predictions"))
    for _ in (answer for answer in answers if answer.was_cancelled):
        recorder.note(where, "an annotation that was skipped in the tool is not read")
    taken = [one for one in answers if not one.was_cancelled]
    given = [Given(_labelled(one.result, where, recorder), one.completed_by, updated=one.updated) for one in taken]
    wanted = recorder.options.annotator
    recorder.models.update(str(one.model_version) for one in predictions if one.model_version is not None)
    models = [one for one in predictions if wanted is not None and _same(wanted, str(one.model_version))]
    if not models and not given:
        models = predictions
        for one in models:
            recorder.note(where, f"nobody annotated it, so the prediction of {str(one.model_version)!r} is read")
    return [
        *given,
        *(
            Given(_labelled(one.result, where, recorder), str(one.model_version or "prediction"), True)
            for one in models
        ),
    ]


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


def _same(name: str, other: str) -> bool:
    return name.strip().casefold() == other.strip().casefold()


def drafts_of(task: Mapping[str, Any]) -> str:
    """What a sentence adds where somebody drew, but did not submit it."""
    drafts = task.get("drafts")
    drafts = [each for each in drafts if isinstance(each, dict)] if isinstance(drafts, list) else []
    if not any(each.get("result") for each in drafts):
        return ""
    return "; there is a draft of it that was not submitted: submit it in the tool, and export again"


def _labelled(results: list[Any], where: str, recorder: Recorder) -> list[dict[str, Any]]:
    """The results, flat; with a tag for shapes and one for labels a region comes twice, and counts once.

    With several tags for labels that which tells its lesion makes the region, and the others are answers about it.
    """
    flat = [
        {**item, **item["value"]} if isinstance(item.get("value"), dict) else item for item in map(_object, results)
    ]
    tagged: dict[str, list[dict[str, Any]]] = {}
    for item in flat:
        if is_drawn(item) and labels_in(item):
            tagged.setdefault(region_of(item), []).append(item)
    flat = [item for item in flat if labels_in(item) or not is_drawn(item) or region_of(item) not in tagged]
    told = recorder.table.says_lesion
    telling = {_tag_of(item) for items in tagged.values() for item in items if any(map(told, labels_in(item)))}
    beside = {
        id(item)
        for items in tagged.values()
        if len({_tag_of(item) for item in items}) > 1
        for item in _beside(items, telling, recorder)
    }
    for name in dict.fromkeys(_tag_of(item) for item in flat if id(item) in beside):
        recorder.note(where, f"the labels of {name!r} stand beside those of another tag, and are kept as an attribute")
    return [as_answer(item, labels_in(item)) if id(item) in beside else item for item in flat]


def _tag_of(item: Mapping[str, Any]) -> str:
    return str(item.get("from_name", ""))


def _beside(items: list[dict[str, Any]], telling: Collection[str], recorder: Recorder) -> list[dict[str, Any]]:
    """Of the results that give labels to one region those that are about it, and do not tell its lesion.

    The user says which tag does; else it is each with a known lesion among its labels anywhere, else the one with the
    shape in its type, or the first. Labels that the user leaves out stay.
    """
    asked = [item for item in items if recorder.asks_for(_tag_of(item))]
    own = asked or [item for item in items if _tag_of(item) in telling]
    own = own or [item for item in items if item.get("type") != "labels"][:1] or items[:1]
    out = [item for item in items if all(recorder.table.told(label) == LEFT_OUT for label in labels_in(item))]
    return [item for item in items if not any(item is each for each in (*own, *out))]


def _object(item: Any) -> dict[str, Any]:
    """The result itself; one of no known type where it is no object."""
    return item if isinstance(item, dict) else {"type": f"{str(item)[:40]!r}"}
