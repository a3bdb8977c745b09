"""The native format, ``ellipses.json``: one photograph, its ellipses, and where they came from.

::

    {
      "format": "coarsekit-ellipses", "version": 1,
      "image": {"name": "IDRiD_01.jpg", "width": 4288, "height": 2848},
      "ellipses": [
        {"lesion": "MA", "cx": 812.5, "cy": 1033.0, "rx": 31.2, "ry": 28.9, "angle": 12.0},
        {"lesion": "HE", "cx": 2400, "cy": 900, "r": 60}
      ],
      "provenance": {"made_by": "coarsekit simulate", "style": "human", "reduction": 1.5, "seed": 0}
    }

Positions and semi-axes are px from the top left corner, ``angle`` is in degrees clockwise on the screen and 0 where it
is left out, ``r`` is short for a circle. ``format``, ``version`` and ``provenance`` may be left out by hand-made files.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coarsekit.errors import AnnotationError
from coarsekit.files import write_text
from coarsekit.types import Annotation, Ellipse, Mark

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Pixels = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Image(_Strict):
    name: str
    width: _Pixels
    height: _Pixels


class _Ellipse(_Strict):
    lesion: str
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

    def mark(self) -> Mark:
        rx, ry = (self.rx, self.ry) if self.rx is not None and self.ry is not None else (self.r, self.r)
        if rx is None or ry is None:
            raise AnnotationError("an ellipse needs rx and ry, or r alone for a circle")
        return Mark(self.lesion, Ellipse(self.cx, self.cy, rx, ry, self.angle))


class _File(_Strict):
    format: Literal["coarsekit-ellipses"] = "coarsekit-ellipses"
    version: Literal[1] = 1
    image: _Image
    ellipses: list[_Ellipse]
    provenance: dict[str, Any] = {}


def read(path: Path) -> Annotation:
    """Read an ``ellipses.json``; a file without ellipses gives an annotation without marks.

    Raises `AnnotationError` when the file is missing, not JSON, or mis-typed; the sentence names the field.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; check the path of the annotation") from None
    except (OSError, UnicodeDecodeError) as cause:
        raise AnnotationError(f"{path}: cannot be read ({cause}); expected a JSON file") from None
    except (ValueError, RecursionError) as cause:
        raise AnnotationError(f"{path}: not JSON ({cause}); expected an object with image and ellipses") from None
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise AnnotationError(f"{path}: {_sentence(error)}") from None
    marks = []
    for place, ellipse in enumerate(file.ellipses):
        try:
            marks.append(ellipse.mark())
        except AnnotationError as error:
            raise AnnotationError(f"{path}: ellipses.{place}: {error}") from None
    return Annotation(file.image.name, file.image.width, file.image.height, tuple(marks), file.provenance)


def write(path: Path, annotation: Annotation) -> None:
    """Write an ``ellipses.json``, whole or not at all."""
    write_text(path, dumps(annotation))


def dumps(annotation: Annotation) -> str:
    """The text of an ``ellipses.json``: one line for each ellipse, numbers as they are."""
    head = {
        "format": "coarsekit-ellipses",
        "version": 1,
        "image": {"name": annotation.image, "width": annotation.width, "height": annotation.height},
    }
    rows = [
        json.dumps(
            {
                "lesion": mark.lesion,
                "cx": mark.ellipse.cx,
                "cy": mark.ellipse.cy,
                "rx": mark.ellipse.rx,
                "ry": mark.ellipse.ry,
                "angle": mark.ellipse.angle,
            },
            ensure_ascii=False,
        )
        for mark in annotation.marks
    ]
    ellipses = "[\n    " + ",\n    ".join(rows) + "\n  ]" if rows else "[]"
    fields = [f'"{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in head.items()]
    fields.append(f'"ellipses": {ellipses}')
    fields.append(f'"provenance": {json.dumps(dict(annotation.provenance), ensure_ascii=False)}')
    return "{\n  " + ",\n  ".join(fields) + "\n}\n"


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "missing":
        return f"{where} is missing; add it{more}"
    if first["type"] == "extra_forbidden":
        return f"{where} is not a field of this format; check its spelling{more}"
    got = json.dumps(first["input"], default=str)
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ").removeprefix("expected ")
    return f"{where}: expected {expected}, got {got if len(got) < 60 else got[:57] + '...'}{more}"
