"""CVAT for images 1.1: XML with any number of photographs, each with ellipses, polygons, boxes and masks.

``rotation`` is in degrees clockwise, of boxes about their middle. A mask's ``rle`` are run lengths row by row within
its box, beginning with the pixels outside. CVAT itself writes two decimals; this writes all of them. Lines and points
have no area and are left out; the tracks of CVAT for video are refused.
"""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from xml.etree import ElementTree as Tree

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.documents import Document, error_context, load
from coarsekit.annotations.reading import ReadOptions, ReadResult, Recorder, file_name
from coarsekit.annotations.rle import from_run_lengths, run_lengths
from coarsekit.errors import AnnotationError
from coarsekit.geometry import rotated
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Ellipse, Mark, Polygon, Raster, Shape

TITLE = "CVAT for images 1.1 (XML)"
ONE_FILE_EACH = False
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
    document, recorder = load(source), Recorder(options)
    path, root = document.path, document.content
    if not recognise(document):
        raise AnnotationError(f"{path}: not an export of CVAT; expected XML with the root 'annotations'")
    if root.find("track") is not None:
        raise AnnotationError(f"{path}: has tracks of 'CVAT for video'; export it as 'CVAT for images 1.1'")
    annotations = []
    for place, image in enumerate(root.findall("image")):
        with error_context(f"{path}: image {place}"):
            name = file_name(_text(image, "name"))
            width, height = (_whole(image, field, 1) for field in ("width", "height"))
            marks: list[Mark] = []
            for element in image:
                with error_context(f"{name}, {element.tag} {len(marks)}"):
                    if element.tag in _SHAPES:
                        marks.append(recorder.mark(_text(element, "label"), _SHAPES[element.tag](element)))
                    else:
                        label = element.get("label", "")
                        recorder.leave_out(path, name, f"the {element.tag} {label!r} has no area")
            annotations.append(Annotation(name, width, height, tuple(marks), {"made_by": "CVAT"}))
    return recorder.result(annotations)


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
    for lesion in dict.fromkeys(lesion for annotation in annotations for lesion in annotation.lesions):
        Tree.SubElement(Tree.SubElement(labels, "label"), "name").text = lesion
    notes: list[str] = []
    for place, annotation in enumerate(annotations):
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        size = {"width": str(annotation.width), "height": str(annotation.height)}
        image = Tree.SubElement(root, "image", {"id": str(place), "name": file_name(annotation.image), **size})
        for mark in marks:
            _add(image, mark)
    Tree.indent(root)
    write_text(path, '<?xml version="1.0" encoding="utf-8"?>\n' + Tree.tostring(root, encoding="unicode") + "\n")
    return notes


def _add(image: Tree.Element, mark: Mark) -> None:
    shape = mark.shape
    head = {"label": mark.lesion, "source": "manual", "occluded": "0"}
    if isinstance(shape, Ellipse):
        tag, fields = "ellipse", {name: repr(float(getattr(shape, name))) for name in ("cx", "cy", "rx", "ry")}
        if shape.angle % 360:
            fields["rotation"] = repr(float(shape.angle % 360))
    elif isinstance(shape, Polygon):
        tag, fields = "polygon", {"points": ";".join(f"{x!r},{y!r}" for x, y in shape.rings[0])}
    else:
        height, width = shape.crop.shape
        tag, fields = "mask", {"rle": ", ".join(str(run) for run in run_lengths(shape.crop.ravel()))}
        fields |= {"left": str(shape.left), "top": str(shape.top), "width": str(width), "height": str(height)}
    Tree.SubElement(image, tag, {**head, **fields, "z_order": "0"})


def _ellipse(element: Tree.Element) -> Shape:
    cx, cy, rx, ry = (_number(element, name) for name in ("cx", "cy", "rx", "ry"))
    return Ellipse(cx, cy, rx, ry, _number(element, "rotation", "0"))


def _polygon(element: Tree.Element) -> Shape:
    text = _text(element, "points")
    try:
        ring = tuple((float(x), float(y)) for x, y in (corner.split(",") for corner in text.split(";")))
    except ValueError:
        raise AnnotationError(f"points must be 'x,y;x,y;…', got {text[:40]!r}") from None
    return Polygon((ring,))


def _box(element: Tree.Element) -> Shape:
    x0, y0, x1, y1 = (_number(element, name) for name in ("xtl", "ytl", "xbr", "ybr"))
    turn = _number(element, "rotation", "0")
    if not turn:
        return Polygon((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),))
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    corners = ((x0 - cx, y0 - cy), (x1 - cx, y0 - cy), (x1 - cx, y1 - cy), (x0 - cx, y1 - cy))
    return Polygon((rotated(corners, turn, (cx, cy)),))


def _mask(element: Tree.Element) -> Shape:
    left, top = (_whole(element, name) for name in ("left", "top"))
    width, height = (_whole(element, name, 1) for name in ("width", "height"))
    text = _text(element, "rle")
    try:
        runs = [int(run) for run in text.split(",")]
    except ValueError:
        raise AnnotationError(f"rle must be whole numbers with commas between, got {text[:40]!r}") from None
    return Raster(left, top, from_run_lengths(runs, width * height).reshape(height, width))


_SHAPES = {"ellipse": _ellipse, "polygon": _polygon, "box": _box, "mask": _mask}


def _text(element: Tree.Element, field: str, default: str | None = None) -> str:
    value = element.get(field, default)
    if value is None:
        raise AnnotationError(f"{field} is missing; export the annotation again")
    return value


def _number(element: Tree.Element, field: str, default: str | None = None) -> float:
    text = _text(element, field, default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise AnnotationError(f"{field} must be a finite number, got {text[:40]!r}")
    return value


def _whole(element: Tree.Element, field: str, least: int | None = None) -> int:
    value = _number(element, field)
    if value != int(value) or (least is not None and value < least):
        raise AnnotationError(f"{field} must be a whole number{'' if least is None else ' above 0'}, got {value:g}")
    return int(value)
