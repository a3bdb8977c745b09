"""VIA 2, the VGG Image Annotator: its project and annotation JSON, and its CSV, with any number of photographs.

``theta`` of an ellipse is in radians, clockwise on the screen; older files have none. A region's label is the first
value in its attributes lesion, label, class, type and name, of which those count that tell known lesions anywhere in
the file; else of the only other that does, or of its only one; unless ``label_attribute`` says which. Of an
option it is the key, or the description where that says more, and it is written back as it was. A region with several
options ticked is a mark of each. VIA does not write the photographs' sizes: they are read from the folder of the
images, or given. Points and polylines are read and written, too.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from math import degrees, radians
from pathlib import Path
from typing import Any

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.details import own_provenance, within
from coarsekit.annotations.documents import Document, LenientModel, load
from coarsekit.annotations.labels import Labels
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.reading import ReadOptions, ReadResult
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.via_attributes import Attribute, Attributes, attributes_in, labels_in, region_attributes
from coarsekit.annotations.via_photographs import ViaPhotographs, bytes_of
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Ellipse, Line, Mark, Places, Point, Polygon, Shape
from coarsekit.validation import validated

TITLE = "VIA 2 (JSON or CSV)"
ONE_FILE_EACH = False
_CAPABILITIES = Capabilities("VIA", ellipses=True, circles=True)
HOLDS = frozenset({"label", "attributes"})
_COLUMNS = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"


class _Region(LenientModel):
    shape_attributes: dict[str, Any]
    region_attributes: dict[str, Any] = {}


class _Attributes(LenientModel):
    region: dict[str, Any] = {}


class _File(LenientModel):
    filename: str
    size: Any = None
    regions: list[Any] | dict[str, Any] = []
    file_attributes: Any = None


class _EllipseFields(LenientModel):
    cx: float
    cy: float
    rx: float
    ry: float
    theta: float = 0.0


class _CircleFields(LenientModel):
    cx: float
    cy: float
    r: float


class _RectangleFields(LenientModel):
    x: float
    y: float
    width: float
    height: float


class _PlaceFields(LenientModel):
    cx: float
    cy: float


class _PlacesFields(LenientModel):
    all_points_x: list[float]
    all_points_y: list[float]


def recognise(document: Document) -> bool:
    """A project, an object of files with regions, or a table with VIA's columns."""
    content = document.content
    if document.kind == "text":
        return "region_shape_attributes" in content.partition("\n")[0]
    if document.has("_via_img_metadata"):
        return True
    files = list(content.values()) if isinstance(content, dict) else []
    return any(isinstance(file, dict) and "filename" in file and "regions" in file for file in files)


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every photograph of a file; see `Format.read`.

    Raises `AnnotationError` also when the size of a photograph is not known.
    """
    document = load(source)
    path, recorder = document.path, Recorder(document.path, options)
    if not recognise(document):
        raise AnnotationError(f"{path}: not a file of VIA 2; expected a project, annotations in JSON, or its CSV")
    annotations, unknown = [], []
    files, photographs = _files(document, recorder), ViaPhotographs(recorder)
    known = attributes_in(_attributes_of_regions(files), _labels_of_options(document, recorder), recorder)
    for key, content in files.items():
        with recorder.forgiving(key, key):
            file = validated(_File, content, "", strict=None, within=key)
            name, size, why = photographs.look_up(file.filename, file.size)
            if size is None:
                unknown.append((name, key, why))
                continue
            regions = file.regions.values() if isinstance(file.regions, dict) else file.regions
            marks = [mark for place, one in enumerate(regions) for mark in _marks(one, place, name, known, recorder)]
            attributes = file.file_attributes if isinstance(file.file_attributes, dict) else {}
            own = {"filename": file.filename, **within("size", _said(file.size))}
            provenance = {"made_by": "VIA", "via": {**own, **within("file_attributes", attributes)}}
            annotations.append(Annotation(name, *size, tuple(marks), provenance))
    for name, key, why in unknown:
        if not annotations:
            raise AnnotationError(f"{path}: {key}: {why}")
        recorder.leave_out_photograph(name, key, why)
    return recorder.result(annotations)


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write a CSV table if ``path`` ends in .csv, else JSON to import; see `Format.write`.

    VIA knows a photograph by its name and bytes. They are those that the file had where it was read from one of VIA's,
    the -1 of a web address too, else the bytes are looked up in ``images``, and -1 without it.
    """
    notes, files = [], {}
    photographs = None if images is None else PhotographFolder(images)
    for annotation in annotations:
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        own = own_provenance(annotation, "via")
        name, said = str(own.get("filename") or photograph_name(annotation.image)), _said(own.get("size"))
        size = said or -1
        if not said and photographs is not None:
            try:
                size = photographs.find(photograph_name(annotation.image)).stat().st_size
            except ImageError:
                notes.append(f"{annotation.image}: 1 × -1 for the bytes of a photograph that is not found")
        regions = [
            {"shape_attributes": _attributes(mark.shape), "region_attributes": region_attributes(mark)}
            for mark in marks
        ]
        if f"{name}{size}" in files:
            raise AnnotationError(f"{path}: VIA has one annotation of a photograph, and {name} comes twice")
        files[f"{name}{size}"] = {"filename": name, "size": size, "regions": regions}
        files[f"{name}{size}"]["file_attributes"] = own.get("file_attributes", {})
    text = _table(files.values()) if path.suffix.lower() == ".csv" else json.dumps(files, ensure_ascii=False) + "\n"
    write_text(path, text)
    return notes


def _files(document: Document, recorder: Recorder) -> dict[str, Any]:
    """What the file says of each photograph."""
    path = str(document.path)
    if document.kind == "json":
        return validated(dict[str, Any], document.content.get("_via_img_metadata", document.content), path)
    files: dict[str, dict[str, Any]] = {}
    text = document.content.removeprefix("#")
    try:
        for row in csv.DictReader(StringIO(text, newline=""), delimiter=_delimiter(text)):
            name, size = row["filename"] or "", row.get("file_size") or ""
            if (key := f"{name}{size}") not in files:
                files[key] = {"filename": name, "size": size, "regions": []}
                with recorder.forgiving(f"file_attributes of {name}"):
                    files[key]["file_attributes"] = _json_of(row.get("file_attributes"))
            file = files[key]
            with recorder.forgiving(f"row {len(file['regions'])} of {name}"):
                shape = _json_of(row["region_shape_attributes"])
                if shape:
                    attributes = _json_of(row.get("region_attributes"))
                    file["regions"].append({"shape_attributes": shape, "region_attributes": attributes})
    except (csv.Error, KeyError) as cause:
        raise AnnotationError(f"{path}: not a table as VIA writes it ({cause}); export it again") from None
    return files


def _said(size: Any) -> int | None:
    """What a file says of a photograph's bytes: -1 where it knows it by its address alone; None for nothing."""
    return -1 if str(size) == "-1" else bytes_of(size)


def _delimiter(text: str) -> str:
    """What stands between the columns: spreadsheets put others in the place of the comma."""
    head = text.partition("\n")[0]
    return next((sign for sign in ("\t", ";") if f"filename{sign}" in head), ",")


def _json_of(text: str | None) -> Any:
    """JSON as VIA writes it: a choice that was never made is ``undefined``."""
    try:
        return json.loads(re.sub(r"(?<=:)\s*undefined\b", "null", text or "{}"))
    except (ValueError, RecursionError) as cause:
        raise AnnotationError(f"not JSON ({cause}), got {(text or '')[:40]!r}") from None


def _labels_of_options(document: Document, recorder: Recorder) -> dict[str, dict[str, str]]:
    """The labels of the options of a project's attributes, by the attribute's name; see `Attribute.labels`."""
    found: dict[str, dict[str, str]] = {}
    if not document.has("_via_attributes"):
        return found
    table, where = Labels(recorder.options.labels), "_via_attributes"
    with recorder.forgiving(where):
        described = validated(_Attributes, document.content[where], "", strict=None, within=where).region
        for name, content in described.items():
            with recorder.forgiving(f"{where}.region.{name}"):
                attribute = validated(Attribute, content, "", strict=None, within=f"{where}.region.{name}")
                found[name] = attribute.labels(table)
    return found


def _attributes_of_regions(files: Mapping[str, Any]) -> Iterator[Any]:
    """The attributes of every region, as the file has them."""
    for file in files.values():
        regions = file.get("regions") if isinstance(file, dict) else None
        for region in regions.values() if isinstance(regions, dict) else regions if isinstance(regions, list) else ():
            yield region.get("region_attributes") if isinstance(region, dict) else None


def _marks(content: Any, place: int, photograph: str, known: Attributes, recorder: Recorder) -> tuple[Mark, ...]:
    where = f"{photograph}: regions.{place}"
    marks: tuple[Mark, ...] = ()
    with recorder.forgiving(where):
        region = validated(_Region, content, "", strict=None, within=where)
        name = region.shape_attributes.get("name")
        for label, details in labels_in(region.region_attributes, known, recorder):
            marks += recorder.marks(label, _shape(name, region.shape_attributes), where, details)
    return marks


def _shape(name: object, attributes: dict[str, Any]) -> Shape:
    where = "shape_attributes"
    if name == "ellipse":
        e = validated(_EllipseFields, attributes, where, strict=None)
        return Ellipse(e.cx, e.cy, e.rx, e.ry, degrees(e.theta))
    if name == "circle":
        c = validated(_CircleFields, attributes, where, strict=None)
        return Ellipse(c.cx, c.cy, c.r, c.r)
    if name == "rect":
        r = validated(_RectangleFields, attributes, where, strict=None)
        x, y, right, bottom = r.x, r.y, r.x + r.width, r.y + r.height
        return Polygon((((x, y), (right, y), (right, bottom), (x, bottom)),))
    if name == "point":
        place = validated(_PlaceFields, attributes, where, strict=None)
        return Point(place.cx, place.cy)
    if name in ("polygon", "polyline"):
        places = _places(attributes, where)
        return Line(places) if name == "polyline" else Polygon((places,))
    raise AnnotationError(
        f"{where}.name must be ellipse, circle, rect, polygon, point or polyline, got {json.dumps(name)[:40]}"
    )


def _places(attributes: dict[str, Any], where: str) -> Places:
    p = validated(_PlacesFields, attributes, where, strict=None)
    if len(p.all_points_x) != len(p.all_points_y):
        raise AnnotationError(f"{where}: all_points_x and all_points_y must be equally many")
    return tuple(zip(p.all_points_x, p.all_points_y, strict=True))


def _attributes(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Ellipse):
        place = {"cx": shape.cx, "cy": shape.cy, "rx": shape.rx, "ry": shape.ry}
        return {"name": "ellipse", **place, "theta": radians(shape.angle % 360)}
    if isinstance(shape, Point):
        return {"name": "point", "cx": shape.x, "cy": shape.y}
    if not isinstance(shape, (Polygon, Line)):
        raise TypeError(f"VIA has no masks, got {type(shape).__name__}")
    name, places = ("polyline", shape.places) if isinstance(shape, Line) else ("polygon", shape.rings[0])
    xs, ys = zip(*places, strict=True)
    return {"name": name, "all_points_x": xs, "all_points_y": ys}


def _table(files: Iterable[Mapping[str, Any]]) -> str:
    text = StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS.split(","))
    for file in files:
        regions = file["regions"] or [{"shape_attributes": {}, "region_attributes": {}}]
        for place, region in enumerate(regions):
            shape, label = (json.dumps(region[field]) for field in ("shape_attributes", "region_attributes"))
            head = [file["filename"], file["size"], json.dumps(file["file_attributes"])]
            table.writerow([*head, len(file["regions"]), place, shape, label])
    return text.getvalue()
