"""LabelMe: one JSON file for each photograph, with circles, polygons, rectangles, masks, points and lines.

A circle is its centre and a point on its rim. A rectangle is two opposite corners, or, as some relatives of LabelMe
write it, all four. A mask is a PNG in base64, placed by the corners of its box. A ``line`` and a ``linestrip`` are
lines, and each place of ``points`` is a point. LabelMe has no ellipses: a circle is written as one, any other ellipse
is approximated or an error.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from math import hypot
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.details import BESIDE, own_details, own_provenance, tool_label, within
from coarsekit.annotations.documents import Document, LenientModel, SaidPixels, error_context, load
from coarsekit.annotations.labels import label_of
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.reading import ReadOptions, ReadResult, one_file_each
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.images import decode_mask, decode_png, encode_png
from coarsekit.storage.files import write_texts
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Raster, Shape
from coarsekit.validation import validated

TITLE = "LabelMe (JSON)"
ONE_FILE_EACH = True
HOLDS = frozenset({"label", "group"})
_CAPABILITIES = Capabilities("LabelMe", circles=True, rasters=True)


class _Shape(LenientModel):
    model_config = ConfigDict(extra="allow")

    label: Any = None
    points: list[Annotated[list[float], Field(min_length=2, max_length=2)]]
    shape_type: str | None = None
    mask: str | None = None
    group_id: Any = None

    @property
    def kind(self) -> str:
        return self.shape_type or "polygon"

    def shapes(self) -> list[Shape]:
        """What it covers: several for ``points``, none for what is not known."""
        places = [(x, y) for x, y in self.points]
        if self.kind in ("point", "points"):
            return [Point(x, y) for x, y in places]
        if self.kind in ("line", "linestrip"):
            return [Line(tuple(places))]
        shape = self._region()
        return [] if shape is None else [shape]

    def _region(self) -> Shape | None:
        corners = [(x, y) for x, y in self.points]
        if self.kind == "polygon" or (
            self.kind in ("rectangle", "rotation", "oriented_rectangle") and len(corners) == 4
        ):
            return Polygon((tuple(corners),))
        if self.kind not in ("circle", "rectangle", "mask"):
            return None
        if len(corners) != 2:
            raise AnnotationError(f"a {self.kind} must have 2 points, got {len(corners)}")
        (x0, y0), (x1, y1) = corners
        if self.kind == "circle":
            radius = hypot(x1 - x0, y1 - y0)
            return Ellipse(x0, y0, radius, radius)
        if self.kind == "rectangle":
            return Polygon((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),))
        try:
            pixels = decode_mask(b64decode(self.mask or "", validate=True), "its mask")
        except (Error, ValueError, ImageError) as cause:
            raise AnnotationError(f"mask must be a PNG in base64 ({cause}); export it again") from None
        return Raster(round(min(x0, x1)), round(min(y0, y1)), pixels)


class _File(LenientModel):
    model_config = ConfigDict(extra="allow")

    shapes: list[Any]
    imagePath: str  # noqa: N815 — their name
    imageData: str | None = None  # noqa: N815
    imageHeight: SaidPixels = None  # noqa: N815
    imageWidth: SaidPixels = None  # noqa: N815


def recognise(document: Document) -> bool:
    """A JSON object with shapes and the path of an image."""
    return document.has("shapes", "imagePath")


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read the one photograph of a file; see `Format.read`."""
    document = load(source)
    path, recorder = document.path, Recorder(document.path, options)
    file = validated(_File, document.content, str(path), strict=None)
    with error_context(f"{path}: imagePath"):
        name = photograph_name(file.imagePath)
    if document.folder and "/" not in name and ".." not in file.imagePath:
        name = f"{document.folder}/{name}"  # LabelMe's paths begin at the JSON file
    known = _size_of(file.imageData) or recorder.options.size_of(name)
    if file.imageWidth and file.imageHeight:
        known = file.imageWidth, file.imageHeight
    if known is None:
        raise AnnotationError(
            f"{path}: imageWidth and imageHeight are missing; give the folder with {name} as images=…"
        )
    marks: list[Mark] = []
    for place, content in enumerate(file.shapes):
        with recorder.forgiving(f"shapes.{place}"):
            item = validated(_Shape, content, "", strict=None, within=f"shapes.{place}")
            shapes, label = item.shapes(), label_of(item.label)
            if not shapes:
                recorder.leave_out(f"shapes.{place}", f"the {item.kind} {label!r} is not read; draw another shape")
            else:
                extra = {field: value for field, value in (item.model_extra or {}).items() if value}
                details = {"group": item.group_id, "labelme": extra}
                told = recorder.attribute(item.model_extra or {})
                if told is not None:
                    details[BESIDE] = within("labelme", label)
                for shape in shapes:
                    marks += recorder.marks(label if told is None else told, shape, f"shapes.{place}", details)
    own = {field: value for field, value in (file.model_extra or {}).items() if value} | {"imagePath": file.imagePath}
    return recorder.result([Annotation(name, *known, tuple(marks), {"made_by": "LabelMe", "labelme": own})])


def _size_of(data: str | None) -> tuple[int, int] | None:
    """(w, h) of the photograph that files of old versions hold whole, in base64."""
    if not data:
        return None
    try:
        height, width = decode_png(b64decode(data, validate=True)).shape[:2]
    except (Error, ValueError, ImageError):
        return None
    return width, height


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write a JSON file, or a folder of them named after their photographs; see `Format.write`."""
    notes, texts = [], {}
    for place, annotation in one_file_each(path, annotations, ".json").items():
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        head = {"version": "5.5.0", "flags": {}, **own_provenance(annotation, "labelme")}
        head["shapes"] = [_fields(mark) for mark in marks]
        size = {"imageHeight": annotation.height, "imageWidth": annotation.width}
        texts[place] = {**head, "imagePath": _relative(annotation, path), "imageData": None, **size}
    write_texts({path: json.dumps(text, ensure_ascii=False, indent=2) + "\n" for path, text in texts.items()})
    return notes


def _relative(annotation: Annotation, path: Path) -> str:
    """A photograph's name in a file: below it, or, where the files mirror the photographs' folders, beside it.

    What LabelMe called it stays, since the file takes the place of the one that it came from.
    """
    name, own = photograph_name(annotation.image), own_provenance(annotation, "labelme").get("imagePath")
    if isinstance(own, str) and f"/{name}".endswith(f"/{photograph_name(own)}"):
        return own
    return name if path.suffix.lower() == ".json" else name.rpartition("/")[2]


def _fields(mark: Mark) -> dict[str, Any]:
    shape, mask = mark.shape, None
    points: list[list[float]]
    if isinstance(shape, Ellipse):
        kind, points = "circle", [[shape.cx, shape.cy], [shape.cx + shape.rx, shape.cy]]
    elif isinstance(shape, Polygon):
        kind, points = "polygon", [[x, y] for x, y in shape.rings[0]]
    elif isinstance(shape, Point):
        kind, points = "point", [[shape.x, shape.y]]
    elif isinstance(shape, Line):
        kind, points = "line" if len(shape.places) == 2 else "linestrip", [[x, y] for x, y in shape.places]
    else:
        height, width = shape.crop.shape
        kind, mask = "mask", b64encode(encode_png(shape.crop)).decode()
        points = [[shape.left, shape.top], [shape.left + width - 1, shape.top + height - 1]]
    head = {
        "label": tool_label(mark, "labelme"),
        "points": points,
        "group_id": mark.details.get("group"),
        "description": "",
    }
    return {**head, "flags": {}, **own_details(mark, "labelme"), "shape_type": kind, "mask": mask}
