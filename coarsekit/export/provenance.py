"""The record beside the pairs: the choices that they were made by, and the content that they were made of.

It is written twice. Before the work it has the choices alone, by which a broken-off export is known; at the end it has
the digests of all photographs and masks, too.
"""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from coarsekit.datasets.base import Dataset
from coarsekit.errors import OutputError
from coarsekit.export.config import ExportConfig
from coarsekit.export.footer import is_foreign, shard_files
from coarsekit.export.pairs import PAIRS_VERSION
from coarsekit.storage.digests import sha256_of
from coarsekit.storage.files import PARTIAL
from coarsekit.storage.outputs import claim_outputs

PROVENANCE = "provenance.json"
_MADE_BY = "coarsekit export"
_CHOICES = ("reader", "dataset", "split", "style", "parameters", "reductions", "seed", "size", "photographs_per_shard")

PhotographsBySplit = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By split and key: ``photograph_sha256`` and ``masks_sha256``."""


def provenance_text(dataset: Dataset, config: ExportConfig, photographs: PhotographsBySplit | None = None) -> str:
    """Everything that the rows of an export follow from, as the text of a JSON file.

    ``photographs``: None before the work, when the choices alone are known.
    """
    record: dict[str, Any] = {
        "made_by": _MADE_BY,
        "version": version("coarsekit"),
        "pairs_version": PAIRS_VERSION,
        "reader": dataset.reader,
        "dataset": dataset.name,
        "title": dataset.title,
        "licence": dataset.licence.name,
        "licence_url": dataset.licence.url,
        "redistribution": dataset.licence.redistribution,
        "citation": dataset.citation,
        "split": config.split,
        "style": config.style.name,
        "style_sha256": sha256_of(config.style.parameters()),
        "parameters": config.style.parameters(),
        "reductions": list(config.reductions),
        "seed": config.seed,
        "size": config.size or "native",
        "photographs_per_shard": config.per_shard,
    }
    if photographs is not None:
        record["photographs"] = photographs
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def same_choices(found: str, text: str) -> bool:
    """Whether two records are of the same choices, whatever the photographs are; a field that one lacks is the same."""
    return bool(_record(found)) and not _other_choices(found, text)


def _other_choices(found: str, text: str) -> list[str]:
    """The names of the choices in which two records differ."""
    one, other = _record(found), _record(text)
    return [name for name in _CHOICES if one.get(name, other.get(name)) != other.get(name, one.get(name))]


def same_contents(found: str, text: str) -> bool:
    """Whether two records are of the same choices and content; which version of coarsekit wrote them does not count."""
    one, other = ({k: v for k, v in _record(each).items() if k != "version"} for each in (found, text))
    return bool(one) and one == other


def claim_folder(dataset: Dataset, config: ExportConfig, folder: Path, files: list[str], force: bool) -> None:
    """Check before the work that ``files`` may be written into the folder; see `coarsekit.export.export.export`."""
    path = folder / PROVENANCE
    found = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    ours = _record(found).get("made_by") == _MADE_BY
    others = folder.is_dir() and any(not path.match(PARTIAL) for path in folder.iterdir())
    if others and not ours and not force:
        raise OutputError(f"{folder} has other files; give force=True to write among them, or another out=…")
    keys = [key for own in config.photographs(dataset).values() for key in own]
    other = _other_choices(found, provenance_text(dataset, config)) or ["photographs"] * _disjoint(found, keys)
    if ours and not force and other:
        raise OutputError(
            f"{folder} has another export (other {', '.join(other)}; its {PROVENANCE} says of what and how); give "
            "force=True to write over it, or another out=…"
        )
    for shard in shard_files(folder):
        if is_foreign(shard):
            raise OutputError(f"{shard} is there, and no export wrote it; move it, or give another out=…")
    inputs = [file for key in keys for file in dataset.input_files(key)]
    claim_outputs((folder / name for name in files), force=True, inputs=inputs)


def _disjoint(found: str, keys: Iterable[str]) -> bool:
    """Whether a finished export is of none of these photographs: of another dataset that has the same name."""
    held = _record(found).get("photographs")
    named = [own for own in held.values() if isinstance(own, (dict, list))] if isinstance(held, dict) else []
    return bool(named) and not any(key in own for own in named for key in keys)


def _record(text: str) -> dict[str, Any]:
    """The fields of a record; none where the text is no record."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
