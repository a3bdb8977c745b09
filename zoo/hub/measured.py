"""What was measured of a checkpoint: rows of ``zoo evaluate``, kept beside it in metrics.json. No torch here."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import mean
from typing import Any

from coarsekit.errors import RefinerError
from coarsekit.files import write_text
from zoo.bundled import CONFIG, METRICS, WEIGHTS, read_config

Row = Mapping[str, Any]
"""One lesion class as ``zoo evaluate --json`` prints it; scores are percent."""

_CONDITIONS = ("dataset", "split", "style", "reduction", "seed")
_TEXTS, _NUMBERS = ("dataset", "split", "style", "lesion"), ("reduction", "floor_iou", "iou")


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The measured rows of a checkpoint folder; empty where nothing was measured.

    Raises `RefinerError` when they are malformed, or were measured of other weights.
    """
    path = folder / METRICS
    if not path.exists():
        return []
    rows, weights = _rows_of(path)
    if weights not in (None, fingerprint(folder)):
        raise RefinerError(
            f"{path}: measured of other weights, or another config, than those beside it; measure these with "
            "'zoo evaluate … --json', and give what it prints to --metrics"
        )
    return rows


def adopt(folder: Path, name: str, files: Sequence[Path]) -> None:
    """Take what ``zoo evaluate … --json`` printed of a checkpoint into its metrics.json, beside what is there.

    ``name``: what the checkpoint was called there. A row of the same data, style, reduction, seed and lesion class is
    replaced; all are dropped that were measured of other weights.

    Raises `RefinerError` when a file cannot be read, or has no row of this checkpoint.
    """
    try:
        kept = read_metrics(folder)
    except RefinerError:
        kept = []
    rows = {(*conditions(row), row["lesion"]): row for row in kept}
    for path in files:
        own = _own(path, folder, name)
        rows |= {(*conditions(row), row["lesion"]): row for row in own}
    measured = {"weights_sha256": fingerprint(folder), "rows": list(rows.values())}
    write_text(folder / METRICS, json.dumps(measured, indent=2) + "\n")


def fingerprint(folder: Path) -> str:
    """SHA-256 of what a checkpoint's answers follow from: its config and its weights, of which a rule has none."""
    digest = sha256((folder / CONFIG).read_bytes())
    if (folder / WEIGHTS).exists():
        digest.update((folder / WEIGHTS).read_bytes())
    return digest.hexdigest()


def conditions(row: Row) -> tuple[Any, ...]:
    """What rows of one table have in common: dataset, split, style, reduction factor and seed."""
    return tuple(row.get(name) for name in _CONDITIONS)


def tables(rows: Sequence[Row]) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by their `conditions`, in the order in which they came; a class whose score is undefined is left out."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["iou"] is not None:
            found.setdefault(conditions(row), []).append(row)
    return found


def human_iou(rows: Sequence[Row]) -> float | None:
    """IoU in percent, mean over the lesion classes, of the first test split measured with the style ``human``.

    At the smallest reduction factor; None where there is none.
    """
    found = [
        (reduction, mean(row["iou"] for row in table))
        for (_, split, style, reduction, _), table in tables(rows).items()
        if (split, style) == ("test", "human")
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def _own(path: Path, folder: Path, name: str) -> list[dict[str, Any]]:
    rows, _ = _rows_of(path)
    own = [row for row in rows if _same(str(row.get("refiner")), folder, name)]
    if not own:
        others = ", ".join(sorted({str(row.get("refiner")) for row in rows})) or "nothing"
        raise RefinerError(
            f"{path}: measures {others}, not {name}; run 'zoo evaluate … --refiner {name} --json > {path}'"
        )
    data, weights = read_config(folder).get("trained_on", ""), fingerprint(folder)
    for row in own:
        if row.get("trained_on") not in (None, data) or row.get("weights_sha256") not in (None, weights):
            raise RefinerError(f"{path}: measured of another {name} than the one in {folder}; measure it again")
    return own


def _same(refiner: str, folder: Path, name: str) -> bool:
    return refiner == name or Path(refiner).resolve() == folder.resolve()


def _rows_of(path: Path) -> tuple[list[dict[str, Any]], str | None]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows, weights = content["rows"], content.get("weights_sha256")
        if not all(isinstance(row[name], str) for row in rows for name in _TEXTS):
            raise TypeError(f"{', '.join(_TEXTS)} must be texts")
        if not all(isinstance(row[name], (int, float, type(None))) for row in rows for name in _NUMBERS):
            raise TypeError(f"{', '.join(_NUMBERS)} must be numbers")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as cause:
        raise RefinerError(f"{path}: not what 'zoo evaluate … --json' prints ({cause!s}); run it again") from None
    return rows, weights
