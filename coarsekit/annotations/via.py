"""VIA 2, the VGG Image Annotator: its project and annotation JSON, and its CSV, with any number of photographs.

``theta`` of an ellipse is in radians, clockwise on the screen; older files have none. A region's label is the value of
its only attribute, or of the one called lesion, label, class, type or name. VIA does not write the photographs' sizes:
they are read from the folder of the images, or given. Lines and points have no area and are left out.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from math import degrees, radians
from pathlib import Path
from typing import Any

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.documents import Document, LenientModel, error_context, load
from coarsekit.annotations.reading import ReadOptions, ReadResult, Recorder, file_name
from coarsekit.errors import AnnotationError
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Ellipse, Mark, Polygon, Shape
from coarsekit.validation import validated

TITLE = "VIA 2 (JSON or CSV)"
ONE_FILE_EACH = False
_CAPABILITIES = Capabilities("VIA", ellipses=True, circles=True)
_LABEL = "lesion"
_COLUMNS = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"


class _Region(LenientModel):
    shape_attributes: dict[str, Any]
    region_attributes: dict[str, Any] = {}


class _File(LenientModel):
    filename: str
    regions: list[_Region] | dict[str, _Region] = []


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


class _PolygonFields(LenientModel):
    all_points_x: list[float]
    all_points_y: list[float]


def recognise(document: Document) -> bool:
    """A project, an object of files with regions, or a table with VIA's columns."""
    content = document.content
    if document.kind == "text":
        return "region_shape_attributes" in content.partition("\n")[0]
    if document.has("_via_img_metadata"):
        return True
    files = list(content.values())[:1] if isinstance(content, dict) else []
    return any(isinstance(file, dict) and "filename" in file and "regions" in file for file in files)


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every photograph of a file; see `Format.read`.

    Raises `AnnotationError` also when the size of a photograph is not known.
    """
    document, recorder = load(source), Recorder(options)
    path = document.path
    if not recognise(document):
        raise AnnotationError(f"{path}: not a file of VIA 2; expected a project, annotations in JSON, or its CSV")
    annotations = []
    for key, file in _files(document).items():
        where = f"{path}: {key}"
        with error_context(where):
            name = file_name(file.filename)
        size = recorder.options.size_of(name)
        if size is None:
            raise AnnotationError(
                f"{where}: VIA files do not hold the sizes of photographs; give the folder with {name} as images=…"
            )
        regions = file.regions.values() if isinstance(file.regions, dict) else file.regions
        marks = tuple(_marks(regions, path, name, recorder))
        annotations.append(Annotation(name, *size, marks, {"made_by": "VIA"}))
    return recorder.result(annotations)


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write a CSV table if ``path`` ends in .csv, else JSON to import; see `Format.write`.

    VIA knows a photograph by its name and bytes; they are looked up in ``images``, and -1 without it.
    """
    notes, files = [], {}
    for annotation in annotations:
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        name = file_name(annotation.image)
        photograph = None if images is None else images / name
        size = photograph.stat().st_size if photograph is not None and photograph.is_file() else -1
        regions = [
            {"shape_attributes": _attributes(mark.shape), "region_attributes": {_LABEL: mark.lesion}} for mark in marks
        ]
        if f"{name}{size}" in files:
            raise AnnotationError(f"{path}: VIA has one annotation of a photograph, and {name} comes twice")
        files[f"{name}{size}"] = {"filename": name, "size": size, "regions": regions, "file_attributes": {}}
    text = _table(files.values()) if path.suffix.lower() == ".csv" else json.dumps(files, ensure_ascii=False) + "\n"
    write_text(path, text)
    return notes


def _files(document: Document) -> dict[str, _File]:
    path = str(document.path)
    if document.kind == "json":
        content = document.content.get("_via_img_metadata", document.content)
        return validated(dict[str, _File], content, path)
    files: dict[str, dict[str, Any]] = {}
    try:
        for row in csv.DictReader(StringIO(document.content.removeprefix("#"), newline="")):
            name = row["filename"] or ""
            file = files.setdefault(f"{name}{row.get('file_size') or ''}", {"filename": name, "regions": []})
            shape = json.loads(row["region_shape_attributes"] or "{}")
            if shape:
                label = json.loads(row.get("region_attributes") or "{}")
                file["regions"].append({"shape_attributes": shape, "region_attributes": label})
    except (csv.Error, ValueError, KeyError, RecursionError) as cause:
        raise AnnotationError(f"{path}: not a table as VIA writes it ({cause}); export it again") from None
    return validated(dict[str, _File], files, path)


def _marks(regions: Iterable[_Region], path: Path, photograph: str, recorder: Recorder) -> Iterable[Mark]:
    for place, region in enumerate(regions):
        name = region.shape_attributes.get("name")
        if name in ("polyline", "point"):
            recorder.leave_out(path, f"{photograph}: regions.{place}", f"a {name} has no area")
            continue
        with error_context(f"{path}: {photograph}: regions.{place}"):
            yield recorder.mark(_label(region.region_attributes), _shape(name, region.shape_attributes))


def _label(attributes: Mapping[str, Any]) -> str:
    named = [field for field in attributes if field.lower() in ("lesion", "label", "class", "type", "name")]
    fields = list(attributes) if len(attributes) == 1 else named[:1]
    if not fields:
        raise AnnotationError(
            f"region_attributes must have one attribute, or one called {_LABEL}, got {', '.join(attributes) or 'none'}"
        )
    value = attributes[fields[0]]
    if isinstance(value, dict):  # check boxes
        ticked = [option for option, on in value.items() if on]
        value = ticked[0] if len(ticked) == 1 else None
    if not isinstance(value, str) or not value.strip():
        raise AnnotationError(f"region_attributes.{fields[0]} must be one label, got {json.dumps(value)[:40]}")
    return value.strip()


def _shape(name: object, attributes: dict[str, Any]) -> Shape:
    where = "shape_attributes"
    if name == "ellipse":
        e = validated(_EllipseFields, attributes, where)
        return Ellipse(e.cx, e.cy, e.rx, e.ry, degrees(e.theta))
    if name == "circle":
        c = validated(_CircleFields, attributes, where)
        return Ellipse(c.cx, c.cy, c.r, c.r)
    if name == "rect":
        r = validated(_RectangleFields, attributes, where)
        x, y, right, bottom = r.x, r.y, r.x + r.width, r.y + r.height
        return Polygon((((x, y), (right, y), (right, bottom), (x, bottom)),))
    if name == "polygon":
        p = validated(_PolygonFields, attributes, where)
        if len(p.all_points_x) != len(p.all_points_y):
            raise AnnotationError(f"{where}: all_points_x and all_points_y must be equally many")
        return Polygon((tuple(zip(p.all_points_x, p.all_points_y, strict=True)),))
    raise AnnotationError(f"{where}.name must be ellipse, circle, rect or polygon, got {json.dumps(name)[:40]}")


def _attributes(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Ellipse):
        place = {"cx": shape.cx, "cy": shape.cy, "rx": shape.rx, "ry": shape.ry}
        return {"name": "ellipse", **place, "theta": radians(shape.angle % 360)}
    if not isinstance(shape, Polygon):
        raise TypeError(f"VIA has ellipses and polygons, got {type(shape).__name__}")
    xs, ys = zip(*shape.rings[0], strict=True)
    return {"name": "polygon", "all_points_x": xs, "all_points_y": ys}


def _table(files: Iterable[Mapping[str, Any]]) -> str:
    text = StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS.split(","))
    for file in files:
        regions = file["regions"] or [{"shape_attributes": {}, "region_attributes": {}}]
        for place, region in enumerate(regions):
            shape, label = (json.dumps(region[field]) for field in ("shape_attributes", "region_attributes"))
            table.writerow([file["filename"], file["size"], "{}", len(file["regions"]), place, shape, label])
    return text.getvalue()
