"""The labelling configuration that Label Studio needs to show what `coarsekit.annotations.labelstudio` writes."""

from collections.abc import Sequence
from xml.etree import ElementTree as Tree

from coarsekit.annotations.details import attributes_of, definitions_of, own_provenance, tool_labels
from coarsekit.annotations.labelstudio_tasks import pictures_of
from coarsekit.types import Annotation, Ellipse, Line, Point, Polygon, Raster

_TAGS = {Ellipse: "ellipse", Polygon: "polygon", Raster: "brush", Point: "keypoint", Line: "vector"}
_CONTROLS = {tag: f"{tag.capitalize()}Labels" for tag in _TAGS.values()} | {"keypoint": "KeyPointLabels"}


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
        for label in tool_labels(annotations):
            colour = definitions.get(label, {}).get("color")
            Tree.SubElement(control, "Label", {"value": label} | ({"background": colour} if colour else {}))
    answers: dict[str, list[object]] = {}
    for mark in marks:
        for name, answer in attributes_of(mark).items():
            answers.setdefault(name, []).extend(answer if isinstance(answer, list) else [answer])
    for name, given in answers.items():
        about = {"name": name, "toName": "image", "perRegion": "true"}
        if all(isinstance(answer, (int, float)) and not isinstance(answer, bool) for answer in given):
            Tree.SubElement(view, "Number", about)
        else:
            choices = Tree.SubElement(view, "Choices", {**about, "choice": "multiple"})
            for answer in dict.fromkeys(map(str, given)):
                Tree.SubElement(choices, "Choice", {"value": answer})
    Tree.indent(view)
    return Tree.tostring(view, encoding="unicode") + "\n"
