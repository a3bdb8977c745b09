"""The labelling configuration that Label Studio needs to show what `coarsekit.annotations.labelstudio` writes."""

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as Tree

from coarsekit.annotations.details import definitions_of, own_provenance, tool_labels
from coarsekit.annotations.labelstudio_answers import answers_about
from coarsekit.annotations.labelstudio_pictures import pictures_of
from coarsekit.types import Annotation, Ellipse, Line, Point, Polygon, Raster

_TAGS = {Ellipse: "ellipse", Polygon: "polygon", Raster: "brush", Point: "keypoint", Line: "vector"}
_CONTROLS = {tag: f"{tag.capitalize()}Labels" for tag in _TAGS.values()} | {"keypoint": "KeyPointLabels"}
_QUESTIONS = {"choices": "Choices", "textarea": "TextArea", "rating": "Rating", "number": "Number"}
_QUESTIONS |= {"datetime": "DateTime", "taxonomy": "Taxonomy"}


def labelling_config(annotations: Sequence[Annotation]) -> str:
    """The configuration as XML, to be pasted into the settings of a project.

    Args:
        annotations: What is written; it says which controls, labels, colours and questions there are.

    Returns:
        A view with the image ``image``, for each kind of shape a control of the names that the tasks use, with all
        labels, and for each attribute a question about a region.
    """
    data = next((own_provenance(one, "labelstudio").get("data") for one in annotations), None)
    field = next(iter(pictures_of({"data": data}))) if data else "image"
    view = Tree.Element("View")
    Tree.SubElement(view, "Image", {"name": "image", "value": f"${field}", "zoom": "true"})
    definitions, marks = definitions_of(annotations), [mark for one in annotations for mark in one.marks]
    for tag in dict.fromkeys(_TAGS[type(mark.shape)] for mark in marks):
        control = Tree.SubElement(view, _CONTROLS[tag], {"name": tag, "toName": "image"})
        for label in tool_labels(annotations, "labelstudio"):
            colour = definitions.get(label, {}).get("color")
            Tree.SubElement(control, "Label", {"value": label} | ({"background": colour} if colour else {}))
    answers: dict[str, dict[str, list[Any]]] = {}
    for mark in marks:
        for name, answer in answers_about(mark).items():
            answers.setdefault(name, {}).setdefault(answer.type, []).append(answer.content)
    for name, by_type in answers.items():
        # A question is asked in one way: attributes of another tool that are numbers here and texts there are choices.
        kind = next(iter(by_type)) if len(by_type) == 1 else "choices"
        _ask(view, name, kind, [content for contents in by_type.values() for content in contents])
    Tree.indent(view)
    return Tree.tostring(view, encoding="unicode") + "\n"


def _ask(view: Tree.Element, name: str, kind: str, contents: Sequence[Any]) -> None:
    """Add the question that has been answered by ``contents``."""
    question = Tree.SubElement(view, _QUESTIONS[kind], {"name": name, "toName": "image", "perRegion": "true"})
    if kind == "rating":
        question.set("maxRating", str(max([5, *(content for content in contents if isinstance(content, int))])))
    if kind == "choices":
        question.set("choice", "multiple")
    if kind not in ("choices", "taxonomy"):
        return
    for content in contents:
        for path in content if isinstance(content, list) else [content]:
            _offer(question, path if isinstance(path, list) else [path])


def _offer(question: Tree.Element, path: Sequence[Any]) -> None:
    """Add a choice below those that lead to it, unless it is there."""
    for value in map(str, path):
        there = next((choice for choice in question if choice.get("value") == value), None)
        question = Tree.SubElement(question, "Choice", {"value": value}) if there is None else there
