"""The refiners inside the package, and what their folders say of themselves. No torch here."""

import json
from pathlib import Path
from typing import Any

from coarsekit.errors import RefinerError
from coarsekit.nearest import suggestion

CONFIG = "config.json"
RECORD = "training.json"
FORMAT = 1
"""Version of the checkpoint layout that this code reads and writes."""
DEFAULT = "lite"
"""The refiner that commands use where none is named."""

_SHELF = Path(__file__).parent / "weights"


def names() -> tuple[str, ...]:
    """Names of the bundled refiners."""
    return tuple(sorted(path.parent.name for path in _SHELF.glob(f"*/{CONFIG}")))


def locate(name: str) -> Path:
    """The folder of a refiner: a bundled name, or the path of a checkpoint folder. Never touches the network.

    Raises `RefinerError` when it is neither.
    """
    if name in names():
        return _SHELF / name
    folder = Path(name)
    if (folder / CONFIG).is_file():
        return folder
    if folder.is_dir():
        raise RefinerError(f"{name}: not a checkpoint folder; expected {CONFIG} in it, as 'zoo train' writes")
    raise RefinerError(
        f"no refiner {name!r}; expected a checkpoint folder or one of {', '.join(names())}{suggestion(name, names())}"
    )


def read_config(folder: Path) -> dict[str, Any]:
    """The config of a checkpoint folder.

    Raises `RefinerError` when it is malformed or of a newer format.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise RefinerError(f"{path}: not a readable config ({cause}); copy the folder again") from None
    if not isinstance(config, dict) or not isinstance(config.get("variant"), str):
        raise RefinerError(f"{path}: expected an object with the name of a variant; copy the folder again")
    if config.get("format") != FORMAT:
        raise RefinerError(f"{path}: format {config.get('format')!r} is not {FORMAT}, which this version reads; update")
    if not isinstance(config.get("config"), dict):
        raise RefinerError(f"{path}: config must be an object of the variant's fields; copy the folder again")
    return config


def classes_seen(folder: Path) -> tuple[str, ...] | None:
    """The lesion classes that a network was trained on, by its record and that of the training it started from.

    Where the record names none it was trained on all that the data have, which are those that it was validated on.
    None where the record is missing or does not say.
    """
    try:
        record: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    seen: dict[str, None] = {}
    while isinstance(record, dict):
        named = (record.get("recipe") or {}).get("lesions")
        validated = [style for line in record.get("history", [])[-1:] for style in line["validation"].values()]
        seen |= dict.fromkeys(named or [lesion for style in validated for lesion in style])
        record = record.get("before")
    return tuple(seen) or None


def describe(name: str) -> dict[str, Any]:
    """What `zoo list` says of a bundled refiner: variant, size in MB, training data, validation IoU in percent.

    The IoU is the mean over both styles and the lesion classes on photographs held out of training; None where the
    training record has none.
    """
    folder = _SHELF / name
    config, record = read_config(folder), json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return {
        "refiner": name,
        "variant": config["variant"],
        "megabytes": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1),
        "trained_on": config["trained_on"],
        "validation_iou": record.get("best_validation_iou"),
    }
