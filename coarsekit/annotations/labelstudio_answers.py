"""Answers to the questions about a region, as Label Studio has them; see `coarsekit.annotations.labelstudio`.

The tool repeats the geometry of the region in each answer about it, so that geometry alone makes no drawing.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from coarsekit.annotations.details import attributes_of, own_details
from coarsekit.types import Mark

_FIELDS = {"choices": "choices", "textarea": "text", "rating": "rating", "number": "number"}
_FIELDS |= {"datetime": "datetime", "taxonomy": "taxonomy"}
"""By the type of an answer, the field of its value that holds it."""
_TAG = "label tag"
"""The type of what a second tag of labels says of a region, and the field of its value."""
_FIELDS |= {_TAG: _TAG}
_OF_PHOTOGRAPHS = ("pairwise", "ranker")
"""Types of answers that are never about a region."""
_SHAPES = ("ellipse", "rectangle", "polygon", "brush", "bitmask", "keypoint", "vector")
TYPES = "answers"
"""The field of `own_details` that has the types of a region's answers by the name of the question."""


class Answer(NamedTuple):
    """The type of an answer, such as ``textarea``, and its content as the tool has it."""

    type: str
    content: Any

    @property
    def as_attribute(self) -> Any:
        """The content as an attribute: a text where it is one alone."""
        one = isinstance(self.content, list) and len(self.content) == 1 and isinstance(self.content[0], str)
        return self.content[0] if one else self.content

    @property
    def label(self) -> Any:
        """The content as the label of its region: the attribute, or of a taxonomy the end of its only path."""
        one = isinstance(self.content, list) and len(self.content) == 1 and isinstance(self.content[0], list)
        return self.content[0][-1] if one and self.content[0] else self.as_attribute


def is_answer(item: Mapping[str, Any]) -> bool:
    """Whether a flat result answers a question, whatever else its value holds."""
    return _type_of(item) in (*_FIELDS, *_OF_PHOTOGRAPHS)


def as_answer(item: Mapping[str, Any], labels: list[str]) -> dict[str, Any]:
    """The flat result of a tag of labels as an answer about its region, beside the tag that tells the lesion."""
    kept = ("id", "from_name", "to_name", "item_index")
    return {**{field: item[field] for field in kept if field in item}, "type": _TAG, _TAG: labels}


def answer_in(item: Mapping[str, Any]) -> Answer | None:
    """The answer in a flat result to a question that can be about a region; None where it answers none."""
    kind = _type_of(item)
    return Answer(kind, item.get(_FIELDS[kind])) if kind in _FIELDS else None


def answers_about(mark: Mark) -> dict[str, Answer]:
    """The attributes of a mark as answers, by the name of the question.

    They have the type that they had in the tool. Those of another tool are numbers, lists of paths in a taxonomy, or
    else choices; check boxes are the choices that are ticked. What holds nothing is no answer.
    """
    types = own_details(mark, "labelstudio").get(TYPES)
    types = types if isinstance(types, Mapping) else {}
    given = {name: value for name, value in attributes_of(mark).items() if value is not None}
    found = {name: _as_answer(value, str(types.get(name))) for name, value in given.items()}
    return {name: answer for name, answer in found.items() if answer.content != []}


def result_of(answer: Answer) -> dict[str, Any]:
    """The type and the value of the result that gives an answer."""
    if answer.type == _TAG:
        return {"type": "labels", "value": {"labels": answer.content}}
    return {"type": answer.type, "value": {_FIELDS[answer.type]: answer.content}}


def _type_of(item: Mapping[str, Any]) -> str:
    """The type of a result; MIN exports do not tell it, but of answers the field of the content does."""
    kind = str(item.get("type", "")).casefold()
    if kind in (*_FIELDS, *_OF_PHOTOGRAPHS, *_SHAPES) or any(field.endswith("labels") for field in item):
        return kind
    return next((name for name, field in _FIELDS.items() if field in item), kind)


def _as_answer(value: Any, kind: str) -> Answer:
    """A value as an answer of that type, or, where there is no such type, of the one that it looks like."""
    if isinstance(value, Mapping):
        value = [option for option, ticked in value.items() if ticked]
    if kind not in _FIELDS:
        kind = _guessed(value)
    if kind in ("choices", "textarea", _TAG):
        value = [str(each) for each in (value if isinstance(value, list) else [value])]
    return Answer(kind, value)


def _guessed(value: Any) -> str:
    """The type of answer that a value looks like."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    paths = isinstance(value, list) and value and all(isinstance(each, list) for each in value)
    return "taxonomy" if paths else "choices"
