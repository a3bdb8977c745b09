"""The native format, ``ellipses.json``: one photograph, what was drawn on it, and where it came from.

::

    {
      "format": "coarsekit-ellipses", "version": 1,
      "image": {"name": "IDRiD_01.jpg", "width": 4288, "height": 2848},
      "ellipses": [
        {"lesion": "MA", "cx": 812.5, "cy": 1033.0, "rx": 31.2, "ry": 28.9, "angle": 12.0},
        {"lesion": "HE", "cx": 2400, "cy": 900, "r": 60}
      ],
      "polygons": [{"lesion": "EX", "rings": [[[10, 10], [40, 12], [25.5, 30]]]}],
      "masks": [{"lesion": "SE", "left": 100, "top": 80, "width": 3, "height": 2, "counts": [1, 3, 1, 1]}],
      "points": [{"lesion": "MA", "x": 700.5, "y": 310, "radius": 12}],
      "lines": [{"lesion": "HE", "places": [[50, 60], [80, 75], [95, 120]], "width": 6}],
      "provenance": {"made_by": "coarsekit simulate", "style": "human", "reduction": 1.5, "seed": 0}
    }

Positions and semi-axes are px from the top left corner, ``angle`` is in degrees clockwise on the screen and 0 where it
is left out, ``r`` is short for a circle. A polygon is the union of its rings. A mask is a crop of ``width × height``
pixels at ``left, top``; ``counts`` are COCO's run lengths, column by column, beginning with the pixels outside.
A point's ``radius`` and a line's ``width`` are null or left out where the tool gives none.
``format``, ``version``, ``provenance`` and every list but ``ellipses`` may be left out. In a file that says its
``format``, as those written here do, ``lesion`` is a class that was chosen, whatever it is called; in any other, as
people write them, it is a label as in the files of tools: what is no lesion is left out. Any shape may have
``details``, as `coarsekit.types.Mark` does: what else the annotator's tool says of it. Marks are read in the order of
the lists, so a file that mixes them returns the ellipses first.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from coarsekit.annotations.documents import Document, Pixels, load
from coarsekit.annotations.photograph_names import climbs
from coarsekit.annotations.reading import ReadOptions, ReadResult, one_file_each
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.rle import from_run_lengths, run_lengths
from coarsekit.errors import AnnotationError
from coarsekit.storage.files import write_texts
from coarsekit.types import KINDS, Annotation, Ellipse, Line, Mark, Point, Polygon, Raster, Shape
from coarsekit.validation import validated

TITLE = "coarsekit JSON"
ONE_FILE_EACH = True
HOLDS = frozenset({"label", "labels", "id", "group", "attributes", "radius", "width"})

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Place = Annotated[list[_Finite], Field(min_length=2, max_length=2)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Drawn(_Strict):
    lesion: str
    details: dict[str, Any] = {}


class _Image(_Strict):
    name: str
    width: Pixels
    height: Pixels


class _Ellipse(_Drawn):
    cx: _Finite
    cy: _Finite
    rx: _Positive | None = None
    ry: _Positive | None = None
    r: _Positive | None = None
    angle: _Finite = 0.0

    @model_validator(mode="after")
    def _axes(self) -> "_Ellipse":
        given = (self.rx is not None, self.ry is not None, self.r is not None)
        if given not in ((True, True, False), (False, False, True)):
            raise ValueError("expected rx and ry, or r alone for a circle")
        return self

    def shape(self) -> Shape:
        return Ellipse(self.cx, self.cy, self.rx or self.r or 0.0, self.ry or self.r or 0.0, self.angle)


class _Polygon(_Drawn):
    rings: list[list[_Place]]

    def shape(self) -> Shape:
        return Polygon(tuple(tuple((x, y) for x, y in ring) for ring in self.rings))


class _Mask(_Drawn):
    left: int
    top: int
    width: Pixels
    height: Pixels
    counts: list[int]

    def shape(self) -> Shape:
        pixels = from_run_lengths(self.counts, self.width * self.height)
        return Raster(self.left, self.top, pixels.reshape(self.width, self.height).T)


class _Point(_Drawn):
    x: _Finite
    y: _Finite
    radius: _Positive | None = None

    def shape(self) -> Shape:
        return Point(self.x, self.y, self.radius)


class _Line(_Drawn):
    places: list[_Place]
    width: _Positive | None = None

    def shape(self) -> Shape:
        return Line(tuple((x, y) for x, y in self.places), self.width)


class _File(_Strict):
    format: Literal["coarsekit-ellipses"] = "coarsekit-ellipses"
    version: Literal[1] = 1
    image: _Image
    ellipses: list[Any]
    polygons: list[Any] = []
    masks: list[Any] = []
    points: list[Any] = []
    lines: list[Any] = []
    provenance: dict[str, Any] = {}


_Model: TypeAlias = type[_Ellipse] | type[_Polygon] | type[_Mask] | type[_Point] | type[_Line]
_MODELS: dict[str, _Model]
_MODELS = {"ellipses": _Ellipse, "polygons": _Polygon, "masks": _Mask, "points": _Point, "lines": _Line}


def shape_document(shape: Shape) -> dict[str, Any]:
    """A shape as JSON: the fields of this format, and under ``kind`` the list that it would stand in."""
    kind, fields = _fields(shape)
    document: dict[str, Any] = json.loads(json.dumps({"kind": kind, **fields}))  # lists for tuples, as it is read
    return document


def shape_of(document: Mapping[str, Any]) -> Shape:
    """The shape that `shape_document` wrote.

    Raises `AnnotationError` when it is none.
    """
    fields = {"lesion": "", **document}
    model = _MODELS.get(str(fields.pop("kind", "")))
    if model is None:
        raise AnnotationError(f"kind: expected one of {', '.join(_MODELS)}, got {document.get('kind')!r}")
    return validated(model, fields, "a shape").shape()


def recognise(document: Document) -> bool:
    """A JSON object that says so, or has ellipses or an image with fields."""
    if not isinstance(document.content, dict):
        return False
    named = document.content.get("format") == "coarsekit-ellipses"
    return named or "ellipses" in document.content or isinstance(document.content.get("image"), dict)


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read an ``ellipses.json``: one annotation, without marks if nothing was drawn.

    Raises `AnnotationError` when the file is missing, not JSON, or mis-typed; the sentence names the field.
    """
    document = load(source)
    path, recorder = document.path, Recorder(document.path, options)
    file = validated(_File, document.content, str(path))
    marks: list[Mark] = []
    chosen = "format" in file.model_fields_set
    for kind, model in _MODELS.items():
        for place, content in enumerate(getattr(file, kind)):
            where = f"{kind}.{place}"
            with recorder.forgiving(where):
                item = validated(model, content, "", within=where)
                if chosen:
                    marks += recorder.marked(Mark(item.lesion, item.shape(), item.details), where)
                else:
                    marks += recorder.marks(item.lesion, item.shape(), where, item.details)
    name = file.image.name
    if climbs(name) or re.match(r"[/\\]|[A-Za-z]:", name):
        raise AnnotationError(
            f"{path}: image.name: expected the file name of a photograph, got {name[:80]!r}; rename it"
        )
    return recorder.result([Annotation(name, file.image.width, file.image.height, tuple(marks), file.provenance)])


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write an ``ellipses.json``, or a folder of them named after their photographs; see `Format.write`."""
    write_texts({place: dumps(annotation) for place, annotation in one_file_each(path, annotations, ".json").items()})
    return []


def dumps(annotation: Annotation) -> str:
    """The text of an ``ellipses.json``: one line for each shape, numbers as they are."""
    image = {"name": annotation.image, "width": annotation.width, "height": annotation.height}
    rows: dict[str, list[str]] = {kind: [] for kind in KINDS.values()}
    for mark in annotation.marks:
        kind, fields = _fields(mark.shape)
        details = {"details": dict(mark.details)} if mark.details else {}
        rows[kind].append(json.dumps({"lesion": mark.lesion, **fields, **details}, ensure_ascii=False))
    parts = ['"format": "coarsekit-ellipses"', '"version": 1', f'"image": {json.dumps(image, ensure_ascii=False)}']
    for kind, lines in rows.items():
        if lines:
            parts.append(f'"{kind}": [\n    ' + ",\n    ".join(lines) + "\n  ]")
        elif kind == "ellipses":
            parts.append('"ellipses": []')
    parts.append(f'"provenance": {json.dumps(dict(annotation.provenance), ensure_ascii=False)}')
    return "{\n  " + ",\n  ".join(parts) + "\n}\n"


def _fields(shape: Shape) -> tuple[str, dict[str, Any]]:
    if isinstance(shape, Ellipse):
        return "ellipses", {"cx": shape.cx, "cy": shape.cy, "rx": shape.rx, "ry": shape.ry, "angle": shape.angle}
    if isinstance(shape, Polygon):
        return "polygons", {"rings": shape.rings}
    if isinstance(shape, Point):
        return "points", {"x": shape.x, "y": shape.y, "radius": shape.radius}
    if isinstance(shape, Line):
        return "lines", {"places": shape.places, "width": shape.width}
    height, width = shape.crop.shape
    counts = run_lengths(shape.crop.T.ravel())
    return "masks", {"left": shape.left, "top": shape.top, "width": width, "height": height, "counts": counts}
