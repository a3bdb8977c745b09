"""The records of a folder of results, read again: what was drawn on each photograph, and what was found."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from coarsekit.annotations.native import shape_document, shape_of
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.types import Annotation, Mark

ACCEPT, REJECT, DRAWING = "accept", "reject", "drawing"
"""What a reviewer can decide of a mark: its refined mask is right; it is no lesion; what was drawn is better."""

SUPERSEDED_BY = "superseded_by"
"""The field of a record in whose place another one stands: where that is, from the folder of this one on."""


class _Mark(BaseModel):
    model_config = ConfigDict(extra="allow")

    mark: int
    lesion: str
    drawing: dict[str, Any]
    details: dict[str, Any] = {}


class _Record(BaseModel):
    model_config = ConfigDict(extra="allow")

    image: str
    width: int
    height: int
    provenance: dict[str, Any]
    masks: list[dict[str, Any]]
    marks: list[_Mark]


def mark_document(mark: Mark) -> dict[str, Any]:
    """What was drawn, as a record has it."""
    return {"drawing": shape_document(mark.shape), "details": dict(mark.details)}


def drawn_in(record: Mapping[str, Any]) -> Annotation:
    """What was drawn on a photograph, by its record.

    Raises `AnnotationError` when the record is of an older version, or was changed.
    """
    try:
        found = _Record.model_validate(record)
        marks = [Mark(one.lesion, shape_of(one.drawing), one.details) for one in found.marks]
    except (ValidationError, AnnotationError) as error:
        raise AnnotationError(
            f"the record of {record.get('image')} does not say what was drawn ({str(error).splitlines()[0]}); refine "
            "the photograph again"
        ) from None
    return Annotation(found.image, found.width, found.height, tuple(marks), found.provenance)


def path_from(file: Path, folder: Path) -> str:
    """How a record in a folder says where a file is: from the folder on, so that both may be moved together."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return file.absolute().as_posix()


def photograph_file(path: Path, record: Mapping[str, Any]) -> Path | None:
    """The file of the photograph that the record at ``path`` is of; None where it does not say."""
    said = record.get("photograph")
    return Path(os.path.normpath(path.parent / said)) if isinstance(said, str) else None


def record_in(path: Path) -> dict[str, Any] | None:
    """The record of a photograph that was refined; None for any other file, such as what was written after a review."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("finished") is not True or "reviewed" in record:
        return None
    return record if {"masks", "marks", "files"} <= record.keys() else None


def superseded_by(path: Path, record: Mapping[str, Any]) -> Path | None:
    """The record that stands in the place of the one at ``path``; None where that still counts itself."""
    said = record.get(SUPERSEDED_BY)
    if not isinstance(said, str):
        return None
    later = Path(os.path.normpath(path.parent / said))
    own = record_in(later)
    return None if own is None or SUPERSEDED_BY in own else later


def finished_records(
    folder: Path, on_superseded: Callable[[Path, Path], None] = lambda *_: None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The files and records of all photographs that were refined into a folder, in the order of their paths.

    What was written after a review of such results is none of them, nor is a result that a later run put elsewhere.

    Args:
        folder: The folder that refining wrote.
        on_superseded: Called with the file of each record that no longer counts, and of the one in its place.

    Raises:
        ParameterError: When there is none.
    """
    none = True
    for path in sorted(folder.rglob("*.json")):
        if (record := record_in(path)) is None:
            continue
        if later := superseded_by(path, record):
            on_superseded(path, later)
            continue
        none = False
        yield path, record
    if none:
        raise ParameterError(f"{folder}: no photograph was refined into it; expected the folder that refining wrote")
