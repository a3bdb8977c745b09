"""The tasks of a Label Studio export: their photographs, who annotated them, and the results on each photograph."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from coarsekit.annotations.details import within
from coarsekit.annotations.documents import Document, LenientModel
from coarsekit.annotations.eyes import eye_of
from coarsekit.annotations.labels import LEFT_OUT, label_of
from coarsekit.annotations.labelstudio_addresses import Picture, is_picture, picture_at
from coarsekit.annotations.labelstudio_answers import answer_in, as_answer, is_answer
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError
from coarsekit.validation import validated

_DRAWN = ("imageDataURL", "radiusX", "rle", "points", "height", "x", "vertices")
"""Fields of what is drawn; answers about it repeat them."""
_GEOMETRY = (*_DRAWN, "y", "width", "radiusY", "rotation", "closed")
_SAME_WORDS = {"img": "image"}
"""Words in the names of images that mean the same."""


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


def pictures_of(task: Any, lists: bool = False) -> dict[str, Picture]:
    """The photographs of a task by the fields of its data, the one called ``image`` first.

    A text that names another photograph than the addresses do, such as a comment, is none.

    ``lists``: whether those of a field with a list count, too; they are called ``FIELD.0``, ``FIELD.1``, ….

    Raises `AnnotationError` when it is no task, or has none.
    """
    if not isinstance(task, dict):
        raise AnnotationError(f"expected a task, got {str(task)[:40]!r}")
    data = task["data"] if isinstance(task.get("data"), dict) else task
    found = {}
    for field in sorted(data, key=lambda field: field != "image"):
        value = data[field]
        addresses = (
            {f"{field}.{place}": (each, place) for place, each in enumerate(value)}
            if lists and isinstance(value, list)
            else {field: (value, None)}
        )
        for key, (address, place) in addresses.items():
            if isinstance(address, str) and (field == "image" or is_picture(address)):
                found[key] = picture_at(address, field, place)
    if not found:
        raise AnnotationError("the address of its image is missing; expected data.image")
    return {key: picture for key, picture in found.items() if not _is_mentioned(picture, found.values())}


def data_of(task: Mapping[str, Any], pictures: Mapping[str, Picture], key: str) -> dict[str, Any]:
    """The data of a task of one photograph alone: its own, or of several photographs the address of that one."""
    data, picture = task.get("data"), pictures[key]
    if len(pictures) == 1 and picture.place is None and isinstance(data, dict):
        return data
    address = (data if isinstance(data, dict) else task)[picture.field]
    return {"image": address if picture.place is None else address[picture.place]}


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


def by_picture(
    results: list[dict[str, Any]], pictures: Mapping[str, Picture], where: str, recorder: Recorder
) -> dict[str, list[dict[str, Any]]]:
    """The results by the photograph that they are on: as their ``to_name`` says, and in a list their ``item_index``.

    A labelling configuration says which field a ``to_name`` shows, and an export does not have it: names that differ
    are told by their words. A region that is on none for certain is left out, since it may be of the other eye.
    """
    first = next(iter(pictures))
    if len(pictures) == 1:
        return {first: results}
    drawn = [item for item in results if is_drawn(item)]
    if not drawn or (_is_one(pictures.values()) and not _are_named(drawn, pictures.values())):
        named = ", ".join(pictures)
        recorder.note(where, f"of its images {named} the first, {first}, is taken for what was drawn on")
        return {first: results}
    names = dict.fromkeys(str(item["to_name"]) for item in results if item.get("to_name"))
    fields = list(dict.fromkeys(picture.field for picture in pictures.values()))
    meant = fields_meant(names, fields) if len(fields) > 1 else {}
    guessed = [f"{name} for {field}" for name, field in meant.items() if name.casefold() != field.casefold()]
    if guessed:
        recorder.note(where, f"what its to_name stands for is guessed from the names: {', '.join(guessed)}")
    keys: list[str | None] = []
    for place, item in enumerate(results):
        field = meant.get(str(item.get("to_name"))) if len(fields) > 1 else fields[0]
        own = (None, item.get("item_index"))
        on = [key for key, picture in pictures.items() if picture.field == field and picture.place in own]
        keys.append(on[0] if on else None)
        if is_drawn(item) and not on:
            recorder.leave_out(f"{where}: result {place}", _why_nowhere(item, field, pictures))
    # An answer is about its region, whatever else it says.
    regions = {region_of(item): key for item, key in zip(results, keys, strict=True) if is_drawn(item)}
    keys = [regions.get(region_of(item), key) for item, key in zip(results, keys, strict=True)]
    found = {key: [item for item, own in zip(results, keys, strict=True) if own == key] for key in pictures}
    return {key: items for key, items in found.items() if items}


def fields_meant(names: Iterable[str], fields: Sequence[str]) -> dict[str, str]:
    """The field of a task's data that each ``to_name`` stands for, of those of which that is clear.

    It is the field of that name, else the only one of the same words, else the only one that shares a word with it
    that no other field has. Where all names but one are told, and all fields but one are taken, these belong together,
    unless a word of the name is of another field. No two names that are told by words have one field.
    """
    candidates = {name: _candidates(name, fields) for name in dict.fromkeys(names)}
    exact = {name: own[0] for name, own in candidates.items() if own and own[0].casefold() == name.casefold()}
    guesses = {name: own[0] for name, own in candidates.items() if len(own) == 1 and name not in exact}
    counts = Counter([*exact.values(), *guesses.values()])
    found = exact | {name: field for name, field in guesses.items() if counts[field] == 1}
    rest = [name for name in candidates if name not in found]
    free = [field for field in fields if field not in found.values()]
    if len(rest) == len(free) == 1 and not candidates[rest[0]]:
        found[rest[0]] = free[0]
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


def _candidates(name: str, fields: Sequence[str]) -> list[str]:
    """The fields that a ``to_name`` may stand for by its words."""
    same = [field for field in fields if field.casefold() == name.casefold()]
    if same:
        return same
    words, of = _words(name), {field: _words(field) for field in fields}
    same = [field for field in fields if words and of[field] == words]
    if same:
        return same
    counts = Counter(word for each in of.values() for word in each)
    return [field for field in fields if any(counts[word] == 1 for word in words & of[field])]


def _words(name: str) -> set[str]:
    """The words of a name such as ``left_image``, ``leftImage`` or ``OS image 2``, and its numbers."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+|\d+", apart.casefold())
    return {_SAME_WORDS.get(word) or eye_of(word) for word in words}


def _is_mentioned(picture: Picture, pictures: Iterable[Picture]) -> bool:
    """Whether a text only mentions a photograph, and is none of the task's."""
    if picture.field == "image" or not picture.bare:
        return False
    addresses = [one for one in pictures if not one.bare]
    if addresses:
        return not any(_is_end(picture.name, one.path) or _is_end(picture.name, one.name) for one in addresses)
    return " " in picture.name and not all(" " in one.name for one in pictures)


def _is_one(pictures: Iterable[Picture]) -> bool:
    """Whether all are the same photograph, as where its file name stands in the data beside its address.

    What two addresses have may be two photographs of one name.
    """
    several = list(pictures)
    names = sorted({picture.name for picture in several}, key=len)
    one_address = len({picture.path for picture in several if not picture.bare}) < 2
    return one_address and all(_is_end(name, names[-1]) for name in names)


def _are_named(drawn: Iterable[Mapping[str, Any]], pictures: Iterable[Picture]) -> bool:
    """Whether paths without an address may be of several photographs, and each ``to_name`` says which."""
    several = list(pictures)
    fields = list(dict.fromkeys(picture.field for picture in several))
    apart = all(picture.bare for picture in several) and len({picture.path for picture in several}) > 1
    return apart and all(len(_candidates(str(item.get("to_name")), fields)) == 1 for item in drawn)


def _is_end(name: str, path: str) -> bool:
    return f"/{path}".endswith(f"/{name}")


def _why_nowhere(item: Mapping[str, Any], field: str | None, pictures: Mapping[str, Picture]) -> str:
    """Why what was drawn is on none of several photographs; ``field``: what its ``to_name`` stands for."""
    name, named = item.get("to_name"), ", ".join(pictures)
    if field is not None:
        return f"its item_index {item.get('item_index')!r} is of none of its images {named}; correct it in the file"
    if not name:
        return f"it does not say on which of its images {named} it is; export as JSON, and not as JSON-MIN"
    return f"its to_name {name!r} is none of its images {named}; put the name of its image there in the file"
