"""The footer of a shard's file: of what content its rows are, by which it is known whether they still hold."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from coarsekit.datasets.base import Dataset
from coarsekit.errors import OutputError
from coarsekit.export.config import ExportConfig, Shard
from coarsekit.export.pairs import PAIRS_VERSION
from coarsekit.storage.digests import masks_sha256, photograph_sha256, sha256_of
from coarsekit.types import Fundus

_KEY = b"coarsekit"
_NAME = re.compile(r"\w+-\d{5,}\.parquet")

PhotographDigests = dict[str, str]
"""What a photograph is: ``key``, ``source_image``, ``photograph_sha256`` and ``masks_sha256``."""


def digests_of(fundus: Fundus) -> PhotographDigests:
    """What a photograph is."""
    return {
        "key": fundus.key,
        "source_image": fundus.name,
        "photograph_sha256": photograph_sha256(fundus.image),
        "masks_sha256": masks_sha256(fundus.fine),
    }


def content_of(
    dataset: Dataset, config: ExportConfig, shard: Shard, reduction: float, photographs: Sequence[PhotographDigests]
) -> dict[str, Any]:
    """Everything that the rows of a shard's file follow from."""
    return {
        "pairs_version": PAIRS_VERSION,
        "dataset": dataset.name,
        "licence": dataset.licence.name,
        "lesions": list(dataset.lesions),
        "split": shard.split,
        "style": config.style.name,
        "style_sha256": sha256_of(config.style.parameters()),
        "reduction": float(reduction),
        "seed": config.seed,
        "size": config.size or "native",
        "photographs": list(photographs),
    }


def footer(content: Mapping[str, Any], lesions: Mapping[str, Any]) -> dict[bytes, bytes]:
    """A footer: the ``content`` of the rows, and their counts by lesion class."""
    return {_KEY: json.dumps({"content": content, "lesions": lesions}).encode()}


def read_footer(path: Path) -> dict[str, Any]:
    """The ``content`` and the ``lesions`` of a shard's footer; those of older exports have no content.

    Raises `OutputError` when the file is damaged, or no shard.
    """
    with whole_shard(path):
        told: dict[str, Any] = json.loads(pq.read_metadata(path).metadata[_KEY])
        return {"content": told.get("content", {}), "lesions": told.get("lesions", {})}


def shard_files(folder: Path) -> list[Path]:
    """The files in an export's folder that have names of shards."""
    return sorted(path for path in folder.glob("reduction-*/*.parquet") if _NAME.fullmatch(path.name))


def is_foreign(path: Path) -> bool:
    """Whether a Parquet file is whole, and yet no shard."""
    try:
        return _KEY not in (pq.read_metadata(path).metadata or {})
    except Exception:  # damaged; see `whole_shard`
        return False


@contextmanager
def whole_shard(path: Path) -> Iterator[None]:
    """Turn the errors of reading a shard into one sentence.

    Raises `OutputError`.
    """
    try:
        yield
    except OutputError:
        raise
    except Exception as cause:  # damaged files make pyarrow raise errors of many kinds
        first = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise OutputError(f"{path} is not a whole shard of pairs ({first}); remove it and export again") from None
