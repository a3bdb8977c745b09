"""What ``zoo evaluate`` and ``zoo robustness`` measured of a checkpoint, kept beside it in metrics.json. No torch."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from pydantic import BaseModel

from coarsekit.errors import RefinerError
from coarsekit.storage.files import write_text
from coarsekit.validation import validated
from zoo.checkpoints.folder import METRICS, read_json, weights_sha256
from zoo.variants import RECOGNISING_VERSION, REFINING_VERSION

ScoreRow = Mapping[str, Any]
"""One lesion class as ``zoo evaluate`` or ``zoo robustness`` prints it as JSON; scores are percent."""


class _Printed(BaseModel):
    rows: list[dict[str, Any]]
    robustness: list[dict[str, Any]] = []


class _Row(BaseModel):
    refiner: str
    weights_sha256: str
    refining_version: int | str
    dataset: str
    reader: str
    dataset_sha256: str
    split: str
    style: str
    style_sha256: str
    lesion: str
    iou: float | None


class _EvaluationRow(_Row):
    reduction: float
    seed: int = 0
    floor_iou: float | None


AVERAGE = "average"
"""What a row of ``zoo robustness`` over all lesion classes has in the place of one."""


class _RobustnessRow(_Row):
    corruption: str
    whole_iou: float | None = None
    false_positive_area: float | None
    iou_low: float | None = None
    iou_high: float | None = None
    lost_low: float | None = None
    lost_high: float | None = None


class Conditions(NamedTuple):
    """What rows of one table have in common: the data, by name and by content, and how they were drawn."""

    dataset: str
    split: str
    style: str
    reduction: float | None
    seed: int
    reader: str
    dataset_sha256: str
    style_sha256: str


class Metrics(NamedTuple):
    """Rows of ``zoo evaluate``, and those of ``zoo robustness`` under the same `Conditions`."""

    rows: Sequence[ScoreRow] = ()
    robustness: Sequence[ScoreRow] = ()


def read_metrics(folder: Path) -> Metrics:
    """What was measured of a checkpoint folder; empty where nothing was.

    Raises `RefinerError` when they are malformed, or were measured of other weights or by another version.
    """
    path = folder / METRICS
    if not path.exists():
        return Metrics()
    metrics, weights = _read(path), weights_sha256(folder)
    advice = "measure these with 'zoo evaluate', and give what it prints as JSON to 'zoo card'"
    for row in (*metrics.rows, *metrics.robustness):
        if row["weights_sha256"] != weights:
            raise RefinerError(f"{path}: measured of other weights, or another config, than those beside it; {advice}")
        _check_version(row, path, advice)
    return metrics


def adopt(folder: Path, name: str, files: Sequence[Path]) -> int:
    """Take what ``zoo evaluate`` and ``zoo robustness`` printed of a checkpoint into its metrics.json.

    A row of the same dataset, split, style, reduction, seed and lesion class is replaced; of ``zoo robustness`` one of
    the same change, and rows that were measured under other conditions than the latest are dropped. What was measured
    before of other weights or by another version, or of other photographs and masks than the dataset and split of this
    name have now, or of another style of this name, is dropped.

    Args:
        folder: The checkpoint folder.
        name: What the checkpoint was called when it was measured.
        files: What the commands printed as JSON.

    Returns:
        The number of rows that were there before and were dropped, those that were replaced not among them.

    Raises:
        RefinerError: When a file cannot be read, has no row of this checkpoint, or one of other weights or another
            version, and when two files have rows of different data under the same names.
    """
    read = [_own(path, folder, name) for path in files]
    fresh = [row for own in read for row in (*own.rows, *own.robustness)]
    contents = {name: content for row in fresh for name, content in _contents(row).items()}

    def agrees(row: ScoreRow) -> bool:
        return all(contents.get(name, content) == content for name, content in _contents(row).items())

    for row in fresh:
        if not agrees(row):
            raise RefinerError(
                f"two different sets of photographs, masks or styles were measured as {row['dataset']}, split "
                f"{row['split']}, style {row['style']}; give one of two datasets another name (name = … in its "
                "coarsekit.toml), or leave the older file out"
            )
    earlier, weights = _read(folder / METRICS) if (folder / METRICS).exists() else Metrics(), weights_sha256(folder)
    before = Metrics(
        *(
            [row for row in rows if row["weights_sha256"] == weights and _is_of_now(row) and agrees(row)]
            for rows in earlier
        )
    )
    rows = {(conditions(row), row["lesion"]): row for row in [*before.rows, *(row for own in read for row in own.rows)]}
    robustness = [*before.robustness, *(row for own in read for row in own.robustness)]
    latest = {
        (row["corruption"], row["lesion"]): row for row in robustness if conditions(row) == conditions(robustness[-1])
    }
    measured = {"rows": [*rows.values()], "robustness": [*latest.values()]}
    write_text(folder / METRICS, json.dumps(measured, indent=2) + "\n")
    return sum(len(own) - len(kept) for own, kept in zip(earlier, before, strict=True))


def note_on_dropped(count: int, folder: Path) -> str:
    """The sentence on the rows that `adopt` dropped."""
    return f"{count} rows of other data, styles, weights or versions were dropped from {folder / METRICS}"


def conditions(row: ScoreRow) -> Conditions:
    """What rows of one table have in common."""
    return Conditions(*(row.get(name) for name in Conditions._fields))  # type: ignore[arg-type] # `_read` checked them


def _contents(row: ScoreRow) -> dict[tuple[str, ...], Any]:
    """Of what content the data and the style of a row are, by their names."""
    return {
        ("data", row["dataset"], row["split"]): (row["reader"], row["dataset_sha256"]),
        ("style", row["style"]): row["style_sha256"],
    }


def rows_by_conditions(rows: Sequence[ScoreRow]) -> dict[Conditions, list[ScoreRow]]:
    """Rows by their `conditions`, in the order in which they came; a class whose score is undefined is left out."""
    found: dict[Conditions, list[ScoreRow]] = {}
    for row in rows:
        if row["iou"] is not None:
            found.setdefault(conditions(row), []).append(row)
    return found


def human_iou(rows: Sequence[ScoreRow]) -> float | None:
    """IoU in percent, mean over the lesion classes, of the first test split measured with the style ``human``.

    At the smallest reduction factor; None where there is none.
    """
    found = [
        (found.reduction or 1.0, mean(row["iou"] for row in table))
        for found, table in rows_by_conditions(rows).items()
        if (found.split, found.style) == ("test", "human")
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def _own(path: Path, folder: Path, name: str) -> Metrics:
    """The rows in a file that are of the weights in the folder, whatever the refiner was called then."""
    metrics, weights = _read(path), weights_sha256(folder)
    own = Metrics(*([row for row in rows if row["weights_sha256"] == weights] for rows in metrics))
    for row in (row for rows in metrics for row in rows):
        if row["weights_sha256"] != weights and _same(row["refiner"], folder, name):
            raise RefinerError(
                f"{path}: measured of another {name} than the one in {folder}, whose weights_sha256 is "
                f"{weights[:12]}…, not {row['weights_sha256'][:12]}…; measure it again"
            )
    if not any(own):
        others = ", ".join(sorted({row["refiner"] for rows in metrics for row in rows})) or "nothing"
        raise RefinerError(
            f"{path}: measures {others}, not {name}; run 'zoo evaluate … --refiner {name} --json > {path}'"
        )
    for row in (*own.rows, *own.robustness):
        _check_version(row, path, "measure it again")
    return own


def _is_of_now(row: ScoreRow) -> bool:
    """Whether it was measured by the present version of what refines."""
    return str(row["refining_version"]) in (str(REFINING_VERSION), f"{REFINING_VERSION}.{RECOGNISING_VERSION}")


def _check_version(row: ScoreRow, path: Path, advice: str) -> None:
    if not _is_of_now(row):
        raise RefinerError(
            f"{path}: measured by version {row['refining_version']} of what refines, and this is version "
            f"{REFINING_VERSION}; {advice}"
        )


def _same(refiner: str, folder: Path, name: str) -> bool:
    return refiner == name or Path(refiner).resolve() == folder.resolve()


def _read(path: Path) -> Metrics:
    content = read_json(path, _Printed, "run 'zoo evaluate' again")
    split: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for row in [*content["rows"], *content.get("robustness", ())]:
        split["corruption" in row].append(row)
    where = f"{path}: not what 'zoo evaluate' prints as JSON"
    validated(list[_EvaluationRow], split[False], f"{where}: rows", error=RefinerError)
    validated(list[_RobustnessRow], split[True], f"{where}: robustness", error=RefinerError)
    return Metrics(split[False], split[True])
