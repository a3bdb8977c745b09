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
from zoo.checkpoints.folder import METRICS, read_config, read_json, weights_sha256

ScoreRow = Mapping[str, Any]
"""One lesion class as ``zoo evaluate`` or ``zoo robustness`` prints it as JSON; scores are percent."""

_CONDITIONS = ("dataset", "split", "style", "reduction", "seed")


class _Printed(BaseModel):
    rows: list[dict[str, Any]]
    robustness: list[dict[str, Any]] = []


class _Row(BaseModel):
    refiner: str
    dataset: str
    split: str
    style: str
    lesion: str
    iou: float | None


class _EvaluationRow(_Row):
    reduction: float
    seed: int = 0
    floor_iou: float | None


class _RobustnessRow(_Row):
    corruption: str
    false_positive_area: float | None


class Metrics(NamedTuple):
    """Rows of ``zoo evaluate``, and those of one run of ``zoo robustness``."""

    rows: Sequence[ScoreRow] = ()
    robustness: Sequence[ScoreRow] = ()


def read_metrics(folder: Path) -> Metrics:
    """What was measured of a checkpoint folder; empty where nothing was.

    Raises `RefinerError` when they are malformed, or were measured of other weights.
    """
    path = folder / METRICS
    if not path.exists():
        return Metrics()
    metrics, weights = _read(path), weights_sha256(folder)
    if any(row.get("weights_sha256") != weights for row in (*metrics.rows, *metrics.robustness)):
        raise RefinerError(
            f"{path}: measured of other weights, or another config, than those beside it; measure these with "
            "'zoo evaluate', and give what it prints as JSON to 'zoo card'"
        )
    return metrics


def adopt(folder: Path, name: str, files: Sequence[Path]) -> None:
    """Take what ``zoo evaluate`` and ``zoo robustness`` printed of a checkpoint into its metrics.json.

    A row of the same data, style, reduction, seed and lesion class is replaced, and so is all of an earlier ``zoo
    robustness``; what was measured of other weights before is dropped.

    Args:
        folder: The checkpoint folder.
        name: What the checkpoint was called when it was measured.
        files: What the commands printed as JSON.

    Raises:
        RefinerError: When a file cannot be read, has no row of this checkpoint, or one of other weights.
    """
    try:
        kept = read_metrics(folder)
    except RefinerError:
        kept = Metrics()
    rows, robustness = {(*conditions(row), row["lesion"]): row for row in kept.rows}, kept.robustness
    for path in files:
        own = _own(path, folder, name)
        rows |= {(*conditions(row), row["lesion"]): row for row in own.rows}
        robustness = own.robustness or robustness
    measured = {"rows": [*rows.values()], "robustness": [*robustness]}
    write_text(folder / METRICS, json.dumps(measured, indent=2) + "\n")


def conditions(row: ScoreRow) -> tuple[Any, ...]:
    """What rows of one table have in common: dataset, split, style, reduction factor and seed."""
    return tuple(row.get(name) for name in _CONDITIONS)


def rows_by_conditions(rows: Sequence[ScoreRow]) -> dict[tuple[Any, ...], list[ScoreRow]]:
    """Rows by their `conditions`, in the order in which they came; a class whose score is undefined is left out."""
    found: dict[tuple[Any, ...], list[ScoreRow]] = {}
    for row in rows:
        if row["iou"] is not None:
            found.setdefault(conditions(row), []).append(row)
    return found


def human_iou(rows: Sequence[ScoreRow]) -> float | None:
    """IoU in percent, mean over the lesion classes, of the first test split measured with the style ``human``.

    At the smallest reduction factor; None where there is none.
    """
    found = [
        (reduction, mean(row["iou"] for row in table))
        for (_, split, style, reduction, _), table in rows_by_conditions(rows).items()
        if (split, style) == ("test", "human")
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def _own(path: Path, folder: Path, name: str) -> Metrics:
    metrics = _read(path)
    own = Metrics(*([row for row in rows if _same(row["refiner"], folder, name)] for rows in metrics))
    if not any(own):
        others = ", ".join(sorted({row["refiner"] for rows in metrics for row in rows})) or "nothing"
        raise RefinerError(
            f"{path}: measures {others}, not {name}; run 'zoo evaluate … --refiner {name} --json > {path}'"
        )
    data, weights = read_config(folder).get("trained_on", ""), weights_sha256(folder)
    for row in (*own.rows, *own.robustness):
        if row.get("trained_on", data) != data or row.get("weights_sha256") != weights:
            raise RefinerError(
                f"{path}: measured of another {name} than the one in {folder}, whose weights_sha256 is "
                f"{weights[:12]}…, not {str(row.get('weights_sha256'))[:12]}; measure it again"
            )
    return own


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
