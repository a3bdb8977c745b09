"""The photographs of a Label Studio task, and which of them each result is on."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coarsekit.annotations.eyes import eye_of
from coarsekit.annotations.labelstudio_addresses import Picture, is_picture, picture_at
from coarsekit.annotations.labelstudio_tasks import is_drawn, region_of
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError

_SAME_WORDS = {"img": "image"}
"""Words in the names of images that mean the same."""


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
