"""Where a refiner's folder is: inside the package, on the disk, or on the Hub; and its config. No torch here."""

import json
import os
from dataclasses import replace
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from coarsekit.errors import CoarsekitError, RefinerError, did_you_mean
from coarsekit.hub.download import MAIN, Access, fetch, repository_of
from coarsekit.storage.digests import file_sha256
from coarsekit.validation import validated
from zoo.variants import variant_named

CONFIG = "config.json"
RECORD = "training.json"
WEIGHTS = "model.safetensors"
METRICS = "metrics.json"
DOUBT = "doubt.json"
"""What tells how far to trust an answer, see `zoo.marks.doubt`."""
GRAPH = "model.onnx"
"""The network as a graph without weights, which ONNX Runtime fills in from `WEIGHTS`, see `zoo.onnx`."""
NOTES = "notes.md"
"""What people add to the card in their own words."""
CARD = "README.md"
CACHE = "cache"
"""The folder in it where a training keeps decoded photographs, and an evaluation in its own the scores."""
STATE = "state.pt"
"""What an interrupted training goes on from."""
PUBLISHED = (WEIGHTS, GRAPH, RECORD, METRICS, DOUBT, NOTES, CARD, CONFIG)
"""All that is pushed and fetched of a checkpoint folder, the config last: a folder with one is whole."""
CHECKPOINT_FORMAT = 1
"""Version of the checkpoint layout that this code reads and writes."""
BUNDLED, HUB = "bundled:", "hub:"
"""How a name begins that shall be no path: ``bundled:lite``, ``hub:ORG/NAME``."""
DEFAULT = "lite"
"""The refiner that commands use where none is named."""

_BUNDLED = Path(__file__).parents[1] / "weights"


def list_refiners() -> tuple[str, ...]:
    """List the bundled refiners, which need no network.

    Returns:
        Their names, as `zoo.from_pretrained` takes them, sorted.

    Examples:
        >>> "lite" in zoo.list_refiners()
        True
    """
    return tuple(sorted(path.parent.name for path in _BUNDLED.glob(f"*/{CONFIG}")))


def locate(name: str | os.PathLike[str], access: Access | None = MAIN) -> Path:
    """The folder of a refiner.

    A text is a bundled name, else the path of a folder, else ``ORG/NAME[@REVISION]`` on the Hub; ``bundled:NAME`` and
    ``hub:ORG/NAME`` are nothing else, and a `Path` is a path. A folder that is there never touches the network. Of a
    repository the files named above are fetched into the Hub's cache, and nothing else.

    Args:
        name: What the user named.
        access: How to reach the Hub; None never does.

    Returns:
        The folder, with a config in it.

    Raises:
        RefinerError: When it is none of them, or is a bundled name and a checkpoint folder here, too.
        HubError: When a repository cannot be fetched.
    """
    text, plain = refiner_text(name), isinstance(name, str)
    folder = Path(text)
    place = repository_of(text.removeprefix(HUB)) if plain and access is not None else None
    revision = access.revision if access is not None else None
    if plain and text.removeprefix(BUNDLED) in list_refiners():
        if not text.startswith(BUNDLED) and _is_file(folder / CONFIG):
            raise RefinerError(
                f"two refiners are called {text}: a bundled one and the folder {text} here; write ./{text} for the "
                f"folder, or {BUNDLED}{text}"
            )
        folder, place = _BUNDLED / text.removeprefix(BUNDLED), None
    if _is_file(folder / CONFIG) and not (place and text.startswith(HUB)):
        if revision is not None:
            online = f", or write {HUB}{text} for the repository on the Hub" if place else ""
            raise RefinerError(
                f"{text} is on this disk and has no revision {revision!r}; leave the revision out{online}"
            )
        return folder
    if _exists(folder):
        asked = f"; write {HUB}{text} for the repository on the Hub, which was not asked" if place else ""
        raise RefinerError(f"{text}: not a checkpoint folder; expected {CONFIG} in it, as 'zoo train' writes{asked}")
    if place is not None and access is not None:
        return from_hub(place[0], replace(access, revision=revision or place[1]))
    if not plain:
        named = text.removeprefix(BUNDLED) in list_refiners()
        advice = f"; a Path is never a name, so give {text!r} as a text for the bundled refiner" if named else ""
        raise RefinerError(f"no refiner {_short(text)}; there is no checkpoint folder at this path{advice}")
    hub = ", ORG/NAME on the Hub," if access is not None else ""
    raise RefinerError(
        f"no refiner {_short(text)}; expected a checkpoint folder{hub} or one of {', '.join(list_refiners())}"
        f"{did_you_mean(text, list_refiners())}"
    )


def refiner_text(name: str | os.PathLike[str]) -> str:
    """A refiner's name or path as a text.

    Raises `RefinerError` for an empty text, and for what is neither.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise RefinerError(
            "a refiner is named by a text, such as 'lite' or ORG/NAME on the Hub, or by the path of its folder, got "
            f"{type(name).__module__}.{type(name).__qualname__}".replace("builtins.", "")
        )
    if name == "":
        raise RefinerError(
            f"an empty text names no refiner; give a checkpoint folder or one of {', '.join(list_refiners())}"
        )
    return os.fspath(name)


def _is_file(path: Path) -> bool:
    return _exists(path) and path.is_file()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except ValueError:
        return False
    except OSError as error:
        if error.errno != ENAMETOOLONG:
            raise
        return False


def _short(text: str) -> str:
    return repr(text) if len(text) <= 120 else f"{text[:80]!r}… ({len(text)} characters)"


def from_hub(repository: str, access: Access = MAIN) -> Path:
    """The folder, in the Hub's cache, of the refiner in a repository.

    Raises `HubError` when it cannot be fetched, and `RefinerError` when it is none of this zoo, or newer.
    """
    # The config first: what is no refiner of this zoo, or of a newer format, is said before the weights are fetched.
    folder = fetch(repository, [CONFIG], access=access)
    weights = [WEIGHTS] if variant_named(read_config(folder)["variant"]).is_network else []
    same = replace(access, revision=folder.name)
    others = [name for name in PUBLISHED if name not in (CONFIG, WEIGHTS)]
    return fetch(repository, [CONFIG, *weights], others, same)


class StoredConfig(BaseModel):
    """What is read of config.json: a variant, and the fields that it is built from."""

    variant: str
    trained_on: str = ""
    config: dict[str, Any]


class SourceRecord(BaseModel):
    """A dataset as `coarsekit.datasets.base.Dataset.describe` gives it."""

    name: str
    reader: str
    title: str
    licence: dict[str, Any]
    citation: str


class TrainingRecord(BaseModel):
    """What is read of training.json.

    ``parent``: the record of the training that it started from. ``source``: the dataset that it was trained on.
    ``photograph_sha256``: the digest of its pixels by the key of each photograph, trained on or held out; a key that is
    in neither list is of a held-out one in another size. ``training_lesions``: the classes that those trained on show;
    None of older versions, which do not say.
    """

    data: str = ""
    source: SourceRecord | None = None
    photograph_sha256: dict[str, str] = {}
    parent: "TrainingRecord | None" = None
    recipe: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    training_images: list[str] = []
    training_lesions: list[str] | None = None
    validation_images: list[str] = []
    best_validation_iou: float | None = None


def read_json(path: Path, kind: Any, advice: str, error: type[CoarsekitError] = RefinerError) -> dict[str, Any]:
    """The object in a JSON file, checked against a pydantic type; ``advice``: what to do about a damaged file.

    Raises ``error`` when the file cannot be read, or is of another type.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError) as cause:
        raise error(f"{path}: cannot be read ({cause}); {advice}") from None
    validated(kind, content, str(path), error=error)
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def read_config(folder: Path) -> dict[str, Any]:
    """The config of a checkpoint folder.

    Raises `RefinerError` when it is malformed or of a newer format.
    """
    path = folder / CONFIG
    config = read_json(path, dict[str, Any], "copy the folder again")
    if "variant" in config and config.get("format") != CHECKPOINT_FORMAT:
        raise RefinerError(
            f"{path}: format {config.get('format')!r} is not {CHECKPOINT_FORMAT}, which this version reads; "
            "update coarsekit"
        )
    validated(StoredConfig, config, f"{path}: no refiner of this zoo", error=RefinerError)
    return config


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder has a checkpoint of this zoo."""
    try:
        return "variant" in read_config(folder)
    except RefinerError:
        return False


def read_record(folder: Path) -> dict[str, Any]:
    """The training record of a checkpoint folder; empty where there is none.

    Raises `RefinerError` when it is malformed.
    """
    path = folder / RECORD
    return read_json(path, TrainingRecord, "copy the folder again") if path.exists() else {}


def weights_sha256(folder: Path) -> str:
    """Which weights a checkpoint folder has: the one answer for scores, the cache of scores, cards and records.

    Args:
        folder: A checkpoint folder.

    Returns:
        The SHA-256, in hexadecimal, of config.json and of the weights, of which a baseline has none.
    """
    return file_sha256(*(folder / name for name in (CONFIG, WEIGHTS) if (folder / name).is_file()))
