"""What annotators say besides shapes and classes: labels as the tool has them, attributes, groups, definitions.

It is kept in `Mark.details` and `Annotation.provenance`, and written by formats that can hold it; the rest is named.
Where an attribute holds the class, the label beside it is kept by the name of the format (`BESIDE`): the same tool gets
it back with the attribute as it was, and any other tool the class.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coarsekit.types import Annotation, Line, Mark, Point

LABELS = "labels"
"""The field of `Annotation.provenance` that has the definitions of labels: name, colour, attributes, as in the tool."""
BESIDE = "label_in"
"""The field of `Mark.details` that has, by the name of a format, the label beside the attribute that holds a class."""
_KINDS = {"id": "ids", "group": "groups", "attributes": "attributes", LABELS: "definitions of labels"}
_KINDS |= {"radius": "radii", "width": "widths"}


def tool_label(mark: Mark, format_name: str = "") -> str:
    """The label of a mark in a tool: its own, unless the user gave it another class.

    Args:
        mark: The mark.
        format_name: The format that is written; it has its own label back where an attribute holds the class. Empty
            for none.

    Returns:
        The label.
    """
    own = own_details(mark, BESIDE).get(format_name)
    return str(mark.details.get("label", mark.lesion) if own is None else own)


def tool_labels(annotations: Iterable[Annotation], format_name: str = "") -> list[str]:
    """The labels of all marks, as `tool_label` gives them, in order of first appearance."""
    return list(dict.fromkeys(tool_label(mark, format_name) for one in annotations for mark in one.marks))


def attributes_of(mark: Mark) -> dict[str, Any]:
    """The attributes that the annotator gave a mark, by name."""
    found = mark.details.get("attributes", {})
    return dict(found) if isinstance(found, Mapping) else {}


def own_details(mark: Mark, format_name: str) -> dict[str, Any]:
    """What only that format says of a mark; empty if it came from another."""
    found = mark.details.get(format_name, {})
    return dict(found) if isinstance(found, Mapping) else {}


def own_provenance(annotation: Annotation, format_name: str) -> dict[str, Any]:
    """What only that format says of a photograph; empty if it came from another."""
    found = annotation.provenance.get(format_name, {})
    return dict(found) if isinstance(found, Mapping) else {}


def within(field: str, content: Any) -> dict[str, Any]:
    """``content`` under ``field``; nothing where there is none."""
    return {field: content} if content else {}


def definitions_of(annotations: Iterable[Annotation]) -> dict[str, dict[str, Any]]:
    """The definitions of labels by name, those of the first annotation that has one."""
    found: dict[str, dict[str, Any]] = {}
    for annotation in annotations:
        for definition in annotation.provenance.get(LABELS, ()):
            if isinstance(definition, Mapping) and isinstance(definition.get("name"), str):
                found.setdefault(definition["name"], dict(definition))
    return found


def not_held(annotations: Sequence[Annotation], title: str, held: frozenset[str]) -> list[str]:
    """A sentence for each kind of detail that a format cannot hold.

    Args:
        annotations: What is written.
        title: The format as people call it.
        held: The fields of `Mark.details` and `Annotation.provenance` that it holds, ``radius`` of points and ``width``
            of lines.
    """
    regions = Counter(name for one in annotations for mark in one.marks for name in (*mark.details, *_sizes(mark)))
    photographs = Counter(name for one in annotations for name in (LABELS,) if one.provenance.get(name))
    return [
        f"{title} cannot hold the {_KINDS[name]} of {count} {what}{'s'[: count != 1]}"
        for counts, what in ((regions, "region"), (photographs, "photograph"))
        for name, count in counts.items()
        if name in _KINDS and name not in held
    ]


def _sizes(mark: Mark) -> tuple[str, ...]:
    """Names of the sizes that a point or a line has."""
    if isinstance(mark.shape, Point) and mark.shape.radius is not None:
        return ("radius",)
    return ("width",) if isinstance(mark.shape, Line) and mark.shape.width is not None else ()
