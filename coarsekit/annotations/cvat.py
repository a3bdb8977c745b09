"""CVAT for images 1.1: XML with any number of photographs and ellipses, polygons, boxes, masks, points and lines.

``rotation`` is in degrees clockwise, of boxes about their middle. A mask's ``rle`` are run lengths row by row within
its box, beginning with the pixels outside. CVAT itself writes two decimals; this writes all of them. Each
place of ``points`` is a point, and so is each element of a skeleton that is not marked as outside; the tracks of CVAT
for video are refused. What a machine made (``source="auto"``) is read where nobody drew on the photograph.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.cvat_shapes import SHAPES, text, whole
from coarsekit.annotations.details import (
    BESIDE,
    LABELS,
    attributes_of,
    definitions_of,
    own_details,
    own_provenance,
    tool_label,
    tool_labels,
    within,
)
from coarsekit.annotations.documents import Document, is_unsaid, load
from coarsekit.annotations.exports_over_time import ORIGIN, UPDATED
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.rle import run_lengths
from coarsekit.annotations.tool_frame import own_ids, own_text
from coarsekit.errors import AnnotationError
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon

TITLE = "CVAT for images 1.1 (XML)"
ONE_FILE_EACH = False
HOLDS = frozenset({"label", "labels", "group", "attributes"})
MACHINE, WITH_A_MACHINE = "auto", "semi-auto"
"""The source of what a machine made, and of what a person made with its help: changed, or accepted."""
_OWN = ("source", "occluded", "z_order")
_CAPABILITIES = Capabilities("CVAT", ellipses=True, circles=True, rasters=True)


def recognise(document: Document) -> bool:
    """XML whose root is ``annotations`` with photographs, tracks or CVAT's version in it."""
    root = document.content
    return (
        document.kind == "xml"
        and root.tag == "annotations"
        and any(root.find(tag) is not None for tag in ("version", "image", "track"))
    )


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every photograph of a file; see `Format.read`."""
    document = load(source)
    path, root, recorder = document.path, document.content, Recorder(document.path, options)
    if not recognise(document):
        raise AnnotationError(f"{path}: not an export of CVAT; expected XML with the root 'annotations'")
    if root.find("track") is not None:
        sentence = "has tracks of 'CVAT for video'; export it as 'CVAT for images 1.1'"
        if root.find("image") is None:
            raise AnnotationError(f"{path}: {sentence}")
        recorder.leave_out("track", sentence)
    definitions, tasks = _definitions(root), _tasks(root)
    annotations = []
    for place, image in enumerate(root.findall("image")):
        with recorder.forgiving(f"image {place}", image.get("name", "")):
            own = {"name": text(image, "name"), **within("id", image.get("id"))}
            name = recorder.photograph(own["name"])
            size = _size(image, name, recorder)
            if size is None:
                continue
            marks: list[Mark] = []
            tags: list[dict[str, Any]] = []
            numbers: Counter[str] = Counter()
            passed_over = _machines_beside_a_persons(image, name, recorder)
            for element in image:
                where = f"image {place}: {name}, {element.tag} {numbers[element.tag]}"
                if element not in passed_over:
                    marks += _read_element(element, where, name, tags, recorder)
                numbers[element.tag] += 1
            task = tasks.get(image.get("task_id"), tasks.get(None, {}))
            provenance = {
                "made_by": "CVAT",
                **task,
                **within(LABELS, definitions),
                "cvat": {**own, **within("tags", tags)},
            }
            annotations.append(Annotation(name, *size, tuple(marks), provenance))
    return recorder.result(annotations)


def _size(image: Tree.Element, photograph: str, recorder: Recorder) -> tuple[int, int] | None:
    """(w, h) px as the file says, else as the photograph has it; None leaves it out, which is recorded."""
    if any(is_unsaid(image.get(field)) for field in ("width", "height")):
        return recorder.size_of(photograph)
    return whole(image, "width", 1), whole(image, "height", 1)


def _machines_beside_a_persons(image: Tree.Element, photograph: str, recorder: Recorder) -> set[Tree.Element]:
    """The shapes that a machine made and nobody changed, where there are a person's, too: they are no drawings."""
    shapes = [element for element in image if element.tag in SHAPES]
    machines = [element for element in shapes if element.get("source") == MACHINE]
    if len(machines) == len(shapes):
        if machines:
            recorder.note(photograph, f"nobody drew on it, so what a machine made (source {MACHINE}) is read")
        return set()
    what = f"a shape that a machine made (source {MACHINE}) is not read, since a person drew there"
    for _ in machines:
        recorder.note(photograph, what)
    return set(machines)


def _read_element(
    element: Tree.Element, place: str, photograph: str, tags: list[dict[str, Any]], recorder: Recorder
) -> tuple[Mark, ...]:
    """The marks of one shape, or none for what is left out; tags are collected."""
    label, tag = element.get("label", ""), element.tag
    attributes = {each.get("name", ""): each.text or "" for each in element.findall("attribute")}
    if tag == "tag":
        recorder.note(photograph, f"the tag {label!r} is of the whole photograph, and is kept in the provenance")
        tags.append({"label": label, **within("attributes", attributes)})
    elif tag not in SHAPES:
        recorder.leave_out(photograph, f"the {tag} {label!r} is not read; draw an ellipse or a polygon")
    else:
        with recorder.forgiving(place):
            told = recorder.attribute(attributes)
            own = {name: value for name in _OWN if (value := element.get(name)) is not None}
            details = {"group": element.get("group_id"), "attributes": attributes, "cvat": own}
            if told is not None:
                details[BESIDE] = within("cvat", label)
            own_label = label if told is None else told
            return tuple(
                mark for shape in SHAPES[tag](element) for mark in recorder.marks(own_label, shape, place, details)
            )
    return ()


def _definitions(root: Tree.Element) -> list[dict[str, Any]]:
    """The labels that the task or project defines, if it says more of them than their names."""
    definitions = []
    for label in root.findall("meta//labels/label"):
        fields: dict[str, Any] = {child.tag: child.text or "" for child in label if child.tag != "attributes"}
        attributes = [
            {child.tag: child.text or "" for child in attribute} for attribute in label.findall("attributes/attribute")
        ]
        definitions.append(fields | within("attributes", attributes))
    return definitions if any(definition.keys() - {"name"} for definition in definitions) else []


def _tasks(root: Tree.Element) -> dict[str | None, dict[str, str]]:
    """For each task by its id what tells its annotations from others': its name, who it is assigned to, and its date.

    The only task, or job, is that of photographs that name none.
    """
    dumped = root.findtext("meta/dumped")
    found: dict[str | None, dict[str, str]] = {}
    elements = [*root.findall("meta/project/tasks/task"), *root.findall("meta/task"), *root.findall("meta/job")]
    for element in elements:
        name, assignee = element.findtext("name") or "", element.findtext("assignee/username") or ""
        key = element.findtext("id")
        found[key] = {
            **within("task", name),
            **within("annotator", assignee or name * (len(elements) > 1)),
            **within(UPDATED, dumped or element.findtext("updated")),
            **within(ORIGIN, f"{element.tag} {key} {name}" * bool(key)),
        }
    if len(elements) == 1:
        found[None] = next(iter(found.values()))
    return found


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write one XML file, to be uploaded to a task that has labels of these names; see `Format.write`."""
    root = Tree.Element("annotations")
    Tree.SubElement(root, "version").text = "1.1"
    task = Tree.SubElement(Tree.SubElement(root, "meta"), "task")
    Tree.SubElement(task, "size").text = str(len(annotations))
    Tree.SubElement(task, "mode").text = "annotation"
    labels = Tree.SubElement(task, "labels")
    definitions = definitions_of(annotations)
    for name in dict.fromkeys([*definitions, *tool_labels(annotations, "cvat")]):
        _define(Tree.SubElement(labels, "label"), {"name": name, **definitions.get(name, {})})
    notes: list[str] = []
    for key, annotation in zip(own_ids(annotations, "cvat", first=0), annotations, strict=True):
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        size = {"width": str(annotation.width), "height": str(annotation.height)}
        head = {"id": str(key), "name": own_text(annotation, "cvat", "name"), **size}
        image = Tree.SubElement(root, "image", head)
        for mark in marks:
            _add(image, mark)
        for tag in own_provenance(annotation, "cvat").get("tags", ()):
            _add_attributes(Tree.SubElement(image, "tag", {"label": tag["label"], "source": "manual"}), tag)
    Tree.indent(root)
    write_text(path, '<?xml version="1.0" encoding="utf-8"?>\n' + Tree.tostring(root, encoding="unicode") + "\n")
    return notes


def _define(label: Tree.Element, definition: Mapping[str, Any]) -> None:
    """Write the definition of a label as CVAT has it."""
    for field, value in definition.items():
        if isinstance(value, str) and field.isidentifier():
            Tree.SubElement(label, field).text = value
    attributes = Tree.SubElement(label, "attributes")
    for fields in definition.get("attributes", ()):
        attribute = Tree.SubElement(attributes, "attribute")
        for field, value in fields.items():
            Tree.SubElement(attribute, field).text = value


def _add_attributes(element: Tree.Element, content: Mapping[str, Any]) -> None:
    for name, value in content.get("attributes", {}).items():
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        Tree.SubElement(element, "attribute", {"name": name}).text = said


def _add(image: Tree.Element, mark: Mark) -> None:
    shape = mark.shape
    head = {"label": tool_label(mark, "cvat"), "source": "manual", "occluded": "0", "z_order": "0"}
    head |= own_details(mark, "cvat")
    if "group" in mark.details:
        head["group_id"] = str(mark.details["group"])
    if isinstance(shape, Ellipse):
        tag, fields = "ellipse", {name: repr(float(getattr(shape, name))) for name in ("cx", "cy", "rx", "ry")}
        if shape.angle % 360:
            fields["rotation"] = repr(float(shape.angle % 360))
    elif isinstance(shape, Polygon):
        tag, fields = "polygon", {"points": _joined(shape.rings[0])}
    elif isinstance(shape, Point):
        tag, fields = "points", {"points": _joined([(shape.x, shape.y)])}
    elif isinstance(shape, Line):
        tag, fields = "polyline", {"points": _joined(shape.places)}
    else:
        height, width = shape.crop.shape
        tag, fields = "mask", {"rle": ", ".join(str(run) for run in run_lengths(shape.crop.ravel()))}
        fields |= {"left": str(shape.left), "top": str(shape.top), "width": str(width), "height": str(height)}
    _add_attributes(Tree.SubElement(image, tag, {**head, **fields}), {"attributes": attributes_of(mark)})


def _joined(places: Iterable[tuple[float, float]]) -> str:
    return ";".join(f"{float(x)!r},{float(y)!r}" for x, y in places)
