"""The photograph as the annotator's tool has it: its name, its id and its size there, which may be others than here.

They are kept in `Annotation.provenance`: name and id under the format's name, as the format reads and writes them, and
the size of a copy whose drawing was scaled. So they come through results, records and native files, and what is written
for the same tool is turned back.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from math import floor
from pathlib import Path
from typing import Any

import numpy as np

from coarsekit.annotations.approximate import on_photograph
from coarsekit.annotations.details import own_provenance
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.geometry import extent, moved
from coarsekit.types import Annotation, Raster, Shape

_SCALED = "scaled"
"""The field of `Annotation.provenance` that has the size ``from`` which a drawing was scaled, and that ``to`` which."""
_FILE = "file"
"""The field that has the annotation file, where several were read."""
_NAMES = {"cvat": "name", "coco": "file_name"}
"""Where a format keeps the photograph's name by which its file is told apart.

Label Studio and VIA write theirs beside it, and LabelMe has a file each, which lies in the photograph's own folder.
"""
_KNOWN_BY = {"cvat": (("name",), ("id",)), "coco": (("file_name",),), "via": (("filename", "size"),)}
"""What a tool knows a photograph by. CVAT takes the id for the frame's number where it does not know the name."""
_TOOLS = ("cvat", "coco", "via", "labelme", "labelstudio")
"""Formats that keep something of their own."""


def scaled_to(annotation: Annotation, width: int, height: int) -> Annotation:
    """The annotation in the pixels of a photograph of other size, which remembers the size that its tool has."""
    scale = width / annotation.width
    marks = tuple(replace(mark, shape=moved(mark.shape, 0, 0, scale)) for mark in annotation.marks)
    first = _tool_size(annotation) or (annotation.width, annotation.height)
    provenance = {**annotation.provenance, _SCALED: {"from": list(first), "to": [width, height]}}
    return replace(annotation, width=width, height=height, marks=marks, provenance=provenance)


def in_tool_frame(annotation: Annotation, format_name: str) -> Annotation:
    """What goes back to the tool that it came from: in the tool's pixels, under the tool's name.

    Args:
        annotation: What was drawn or found, in the pixels of the photograph here.
        format_name: The format that is written.

    Returns:
        The annotation itself where it came from another tool. A mask that had pixels keeps at least one.
    """
    own = own_provenance(annotation, format_name)
    name = own.get(_NAMES.get(format_name, ""))
    if isinstance(name, str):
        annotation = replace(annotation, image=photograph_name(name))
    size = _tool_size(annotation) if own else None
    if size is None:
        return annotation
    width, height = size
    scale = width / annotation.width
    marks = tuple(replace(mark, shape=_scaled(mark.shape, scale, (height, width))) for mark in annotation.marks)
    return replace(annotation, width=width, height=height, marks=marks)


def own_text(annotation: Annotation, format_name: str, field: str) -> str:
    """What the tool's own file calls the photograph, word by word; its name where that is another by now."""
    own, name = own_provenance(annotation, format_name).get(field), photograph_name(annotation.image)
    return own if isinstance(own, str) and photograph_name(own) == name else name


def own_ids(annotations: Sequence[Annotation], format_name: str, first: int) -> list[Any]:
    """The id of each photograph of a file: its tool's if no other has that, else a free number from ``first`` on."""
    given = [own_provenance(one, format_name).get("id") for one in annotations]
    counts = Counter(str(each) for each in given if each is not None)
    free = (number for number in count(first) if str(number) not in counts)
    return [next(free) if each is None or counts[str(each)] > 1 else each for each in given]


def with_files(found: Sequence[tuple[Path, Annotation]]) -> list[tuple[Path, Annotation]]:
    """Annotations with their files; those of tools remember in which of several they were, unless they know it."""
    paths = {path for path, _ in found}
    if len(paths) < 2:
        return list(found)
    base = Path(os.path.commonpath([path.parent for path in paths]))
    return [(path, _of_file(one, path.relative_to(base).as_posix())) for path, one in found]


def file_of_export(annotation: Annotation) -> str:
    """The annotation file that has it, where several were read; empty for none."""
    return str(annotation.provenance.get(_FILE) or "")


def _of_file(annotation: Annotation, file: str) -> Annotation:
    if not any(own_provenance(annotation, name) for name in _TOOLS):
        return annotation
    return replace(annotation, provenance={_FILE: file, **annotation.provenance})


def by_file(annotations: Sequence[Annotation], format_name: str) -> dict[str, list[Annotation]]:
    """Annotations for one tool, apart by the file that they came from where the tool could not tell them apart.

    Returns:
        All under the empty text, unless photographs of several files have one name or one id in the tool; then those of
        each file by its path, and those that came from another tool under the empty text.
    """
    files, owners = [], dict[tuple[object, ...], set[str]]()
    for one in annotations:
        own = own_provenance(one, format_name)
        file = one.provenance.get(_FILE) if own else None
        # Below a folder, whatever a record says.
        files.append(photograph_name(file) if isinstance(file, str) and file else "")
        for fields in _KNOWN_BY.get(format_name, ()):
            if all(field in own for field in fields):
                owners.setdefault((fields, *(str(own[field]) for field in fields)), set()).add(files[-1])
    if all(len(several) == 1 for several in owners.values()):
        return {"": list(annotations)}
    found: dict[str, list[Annotation]] = {}
    for one, file in zip(annotations, files, strict=True):
        found.setdefault(file, []).append(one)
    return found


def _tool_size(annotation: Annotation) -> tuple[int, int] | None:
    """(w, h) of the copy that the tool has; None where the annotation was not scaled from it to its size of now."""
    said = annotation.provenance.get(_SCALED)
    first, last = (_size(said.get(field)) if isinstance(said, Mapping) else None for field in ("from", "to"))
    return first if last == (annotation.width, annotation.height) else None


def _size(said: object) -> tuple[int, int] | None:
    """The two sides, px, as JSON has them; None for anything else."""
    sides = [side for side in said if type(side) is int and side > 0] if isinstance(said, list) else []
    return (sides[0], sides[1]) if len(sides) == 2 else None


def _scaled(shape: Shape, scale: float, size: tuple[int, int]) -> Shape:
    """The shape on a copy of ``size`` (h, w); of a mask that would fall beyond its edge the nearest pixel."""
    found = moved(shape, 0, 0, scale)
    if not isinstance(shape, Raster) or on_photograph(found, size) is not None:
        return found
    x0, y0, *_ = extent(found)
    left, top = (floor(min(max(place, 0), side - 1)) for place, side in zip((x0, y0), size[::-1], strict=True))
    return Raster(left, top, np.ones((1, 1), dtype=bool))
