"""VIA 3's projects: JSON with files, views and metadata; read only.

A region's ``xy`` begins with the number of its shape: 1 point, 2 rectangle, 3 circle, 4 ellipse, 5 line, 6 polyline, 7
polygon, 8 extreme rectangle, 9 extreme circle. Its attributes ``av`` are by the attribute's number, and their values,
of those with options, by the option's number, of several that are ticked with commas between them. A region's label is
found as in VIA 2. The file has no sizes: they are read from the folder of the images, or given.
"""

import re
from collections.abc import Mapping, Sequence
from math import hypot
from pathlib import Path
from typing import Any

from coarsekit.annotations.documents import Document, LenientModel, load
from coarsekit.annotations.labels import Labels
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.via_attributes import Attribute, Attributes, attributes_in, labels_in
from coarsekit.annotations.via_photographs import ViaPhotographs
from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Shape
from coarsekit.validation import validated

TITLE = "VIA 3 (JSON, read only)"
ONE_FILE_EACH = False
HOLDS: frozenset[str] = frozenset()


class _Picture(LenientModel):
    fname: str


class _View(LenientModel):
    fid_list: list[str] = []


class _Attribute(Attribute):
    aname: str


class _Metadata(LenientModel):
    vid: str
    xy: list[float] = []
    av: dict[str, Any] = {}


class _Project(LenientModel):
    file: dict[str, Any]
    view: dict[str, Any]
    metadata: dict[str, Any]
    attribute: dict[str, Any] = {}


def recognise(document: Document) -> bool:
    """A JSON object with files, views and metadata.

    Tables of VIA 3's are recognised, too, so that they can be refused by name.
    """
    return _is_table(document) or document.has("file", "view", "metadata")


def _is_table(document: Document) -> bool:
    """Whether it is a CSV export, whose columns stand in a comment; spreadsheets put other signs for the comma."""
    return document.kind == "text" and re.search(r"metadata_id\W+file_list\b", document.content) is not None


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every photograph of a project; see `Format.read`."""
    document = load(source)
    path, recorder = document.path, Recorder(document.path, options)
    if _is_table(document):
        raise AnnotationError(f"{path}: a table of VIA 3, of which only JSON is read; save the project as JSON")
    if not recognise(document):
        raise AnnotationError(f"{path}: not a project of VIA 3; expected file, view and metadata")
    project = validated(_Project, document.content, str(path), strict=None)
    attributes, table, photographs = {}, Labels(recorder.options.labels), ViaPhotographs(recorder)
    for key, content in project.attribute.items():
        with recorder.forgiving(f"attribute.{key}"):
            attribute = validated(_Attribute, content, "", strict=None, within=f"attribute.{key}")
            attributes[key] = attribute.aname, attribute.labels(table)
    regions = [region for region in project.metadata.values() if isinstance(region, dict) and region.get("xy")]
    known = attributes_in((_values(region.get("av"), attributes) for region in regions), {}, recorder)
    annotations = []
    for view_id, content in project.view.items():
        with recorder.forgiving(f"view.{view_id}"):
            view = validated(_View, content, "", strict=None, within=f"view.{view_id}")
            if len(view.fid_list) != 1 or view.fid_list[0] not in project.file:
                raise AnnotationError(f"expected one file that the project has, got {view.fid_list}")
            file = validated(_Picture, project.file[view.fid_list[0]], "", strict=None, within=f"file.{view_id}")
            name, size, why = photographs.look_up(file.fname)
            if size is None:
                recorder.leave_out_photograph(name, name, why)
                continue
            marks: list[Mark] = []
            for key, region in project.metadata.items():
                if isinstance(region, dict) and str(region.get("vid")) == view_id:
                    marks += _marks(region, f"{name}: metadata.{key}", attributes, known, recorder)
            annotations.append(Annotation(name, *size, tuple(marks), {"made_by": "VIA"}))
    return recorder.result(annotations)


def _marks(
    content: dict[str, Any],
    where: str,
    attributes: Mapping[str, tuple[str, Mapping[str, str]]],
    known: Attributes,
    recorder: Recorder,
) -> tuple[Mark, ...]:
    marks: tuple[Mark, ...] = ()
    with recorder.forgiving(where):
        metadata = validated(_Metadata, content, "", strict=None, within=where)
        if not metadata.xy:  # about the photograph as a whole
            return marks
        for label, details in labels_in(_values(metadata.av, attributes), known, recorder):
            marks += recorder.marks(label, _shape(metadata.xy), where, details)
    return marks


def _values(given: Any, attributes: Mapping[str, tuple[str, Mapping[str, str]]]) -> dict[str, Any]:
    """The values of a region's attributes by their names, of those that the project describes."""
    given = given if isinstance(given, Mapping) else {}
    known = [(*attributes[key], value) for key, value in given.items() if key in attributes]
    return {name: _value(value, options) for name, options, value in known}


def _value(value: Any, options: Mapping[str, str]) -> Any:
    """The value of an attribute: in the place of an option's key its label, of several keys check boxes as in VIA 2."""
    keys = str(value).split(",")
    if not all(key in options for key in keys):
        return value
    return options[keys[0]] if len(keys) == 1 else {options[key]: True for key in keys}


def _shape(xy: Sequence[float]) -> Shape:
    number, places = int(xy[0]), list(xy[1:])
    if number == 1 and len(places) == 2:
        return Point(*places)
    if number == 2 and len(places) == 4:
        x, y, w, h = places
        return Polygon((((x, y), (x + w, y), (x + w, y + h), (x, y + h)),))
    if (number, len(places)) in ((3, 3), (4, 4), (4, 5)):
        return Ellipse(places[0], places[1], places[2], places[2 if number == 3 else 3])
    if number in (5, 6, 7) and len(places) % 2 == 0:
        pairs = tuple(zip(places[::2], places[1::2], strict=True))
        return Polygon((pairs,)) if number == 7 else Line(pairs)
    if number == 8 and len(places) == 8:
        xs, ys = places[::2], places[1::2]
        x0, y0, x1, y1 = min(xs), min(ys), max(xs), max(ys)
        return Polygon((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),))
    if number == 9 and len(places) == 6:
        return _circle_through(places)
    raise AnnotationError(f"xy is no shape of VIA 3 ({list(xy)[:8]}); export it again")


def _circle_through(places: Sequence[float]) -> Ellipse:
    """The circle through three points x, y."""
    ax, ay, bx, by, cx, cy = places
    d = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    if not d:
        raise AnnotationError("the three points of its circle lie on one line")
    a, b, c = (x * x + y * y for x, y in ((ax, ay), (bx, by), (cx, cy)))
    x = (a * (by - cy) + b * (cy - ay) + c * (ay - by)) / d
    y = (a * (cx - bx) + b * (ax - cx) + c * (bx - ax)) / d
    radius = hypot(ax - x, ay - y)
    return Ellipse(x, y, radius, radius)
