"""The table of all marks: a row of CSV for each."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

from coarsekit.annotations.annotators import annotator_of
from coarsekit.types import Annotation

_FOUND = ("found", "drawn_pixels", "refined_pixels", "outside_pixels", "overlap_pixels")
_TRUST = ("mean_probability", "expected_iou")
_COLUMNS = ("image", "annotator", "mark", "id", "label", "lesion", "drawn_as", "refined_as", *_FOUND, *_TRUST)


def row_of(annotation: Annotation, found: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table: what was found for a mark, and what the annotation says of it now."""
    details = annotation.marks[found["mark"]].details
    told = {name: details.get(name, "") for name in ("id", "label")}
    return {**found, **told, "image": annotation.image, "annotator": annotator_of(annotation)}


def table_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """The text of the table; it has a column ``decision`` where somebody reviewed the marks."""
    text = StringIO(newline="")
    every = list(rows)
    decided = ("decision",) if any("decision" in row for row in every) else ()
    table = csv.DictWriter(text, (*_COLUMNS, *decided), extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(every)
    return text.getvalue()
