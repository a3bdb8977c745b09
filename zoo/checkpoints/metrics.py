"""What ``zoo evaluate`` and ``zoo robustness`` measured of a checkpoint, kept beside it in metrics.json. No torch."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from coarsekit.errors import RefinerError
from coarsekit.files import write_text
from zoo.checkpoints.folder import CONFIG, METRICS, WEIGHTS, read_config

Row = Mapping[str, Any]
"""One lesion class as ``zoo evaluate --json`` or ``zoo robustness --json`` prints it; scores are percent."""

_CONDITIONS = ("dataset", "split", "style", "reduction", "seed")
_TEXTS = ("dataset", "split", "style", "lesion")
_NUMBERS = {"rows": ("reduction", "floor_iou", "iou"), "robustness": ("iou", "false_positive_area")}


class Metrics(NamedTuple):
    """Rows of ``zoo evaluate``, and those of one run of ``zoo robustness``."""

    rows: Sequence[dict[str, Any]] = ()
    robustness: Sequence[dict[str, Any]] = ()


def read_metrics(folder: Path) -> Metrics:
    """What was measured of a checkpoint folder; empty where nothing was.

    Raises `RefinerError` when they are malformed, or were measured of other weights.
    """
    path = folder / METRICS
    if not path.exists():
        return Metrics()
    metrics, weights = _content(path)
    if weights not in (None, fingerprint(folder)):
        raise RefinerError(
            f"{path}: measured of other weights, or another config, than those beside it; measure these with "
            "'zoo evaluate … --json', and give what it prints to --metrics"
        )
    return metrics


def adopt(folder: Path, name: str, files: Sequence[Path]) -> None:
    """Take what ``zoo evaluate`` and ``zoo robustness`` printed of a checkpoint into its metrics.json.

    ``files``: what they printed with ``--json``. ``name``: what the checkpoint was called there. A row of the same
    data, style, reduction, seed and lesion class is replaced, and so is all of an earlier ``zoo robustness``; whatever
    was measured of other weights is dropped.

    Raises `RefinerError` when a file cannot be read, or has no row of this checkpoint.
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
    measured = {"weights_sha256": fingerprint(folder), "rows": [*rows.values()], "robustness": [*robustness]}
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


def _own(path: Path, folder: Path, name: str) -> Metrics:
    metrics, _ = _content(path)
    own = Metrics(*([row for row in rows if _same(str(row.get("refiner")), folder, name)] for rows in metrics))
    if not any(own):
        others = ", ".join(sorted({str(row.get("refiner")) for rows in metrics for row in rows})) or "nothing"
        raise RefinerError(
            f"{path}: measures {others}, not {name}; run 'zoo evaluate … --refiner {name} --json > {path}'"
        )
    data, weights = read_config(folder).get("trained_on", ""), fingerprint(folder)
    for row in (*own.rows, *own.robustness):
        if row.get("trained_on") not in (None, data) or row.get("weights_sha256") not in (None, weights):
            raise RefinerError(f"{path}: measured of another {name} than the one in {folder}; measure it again")
    return own


def _same(refiner: str, folder: Path, name: str) -> bool:
    return refiner == name or Path(refiner).resolve() == folder.resolve()


def _content(path: Path) -> tuple[Metrics, str | None]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        weights = content.get("weights_sha256")
        split: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
        for row in [*content["rows"], *content.get("robustness", ())]:
            split["corruption" in row].append(row)
        found = Metrics(split[False], split[True])
        for kind, rows in found._asdict().items():
            if not all(isinstance(row[name], str) for row in rows for name in _TEXTS):
                raise TypeError(f"{', '.join(_TEXTS)} must be texts")
            if not all(isinstance(row[name], (int, float, type(None))) for row in rows for name in _NUMBERS[kind]):
                raise TypeError(f"{', '.join(_NUMBERS[kind])} must be numbers")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as cause:
        raise RefinerError(f"{path}: not what 'zoo evaluate … --json' prints ({cause!s}); run it again") from None
    return found, weights
