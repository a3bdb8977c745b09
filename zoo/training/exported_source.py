"""An exported dataset as a source of training: a folder that `coarsekit export` wrote, or the Hub's copy of one."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, final

from pydantic import BaseModel, PositiveInt

from coarsekit.datasets.base import Licence
from coarsekit.errors import OutputError, ParameterError, SourceError
from coarsekit.storage.digests import file_sha256, sha256_of
from coarsekit.validation import validated

Row = TypeVar("Row")

FOLDER, HUB = "pairs:", "hub:"
"""How such a SOURCE begins: ``pairs:FOLDER``, ``hub:ORG/NAME``."""
_RECORD = "provenance.json"
_PICTURES = ("image", "coarse", "fine")


def is_export(source: str) -> bool:
    """Whether a SOURCE names an exported dataset."""
    return isinstance(source, str) and source.startswith((FOLDER, HUB))


class _Photograph(BaseModel):
    photograph_sha256: str
    masks_sha256: str


class _Provenance(BaseModel):
    dataset: str
    reader: str
    title: str
    licence: str
    licence_url: str
    redistribution: bool
    citation: str
    style: str
    reductions: list[float]
    photographs_per_shard: PositiveInt
    photographs: dict[str, dict[str, _Photograph]]


@final
class Export:
    """An exported dataset, by its SOURCE; of its files only the provenance is read at once.

    ``streamed``: whether its rows come from the Hub as they are needed, and are not stored. A split goes by the name
    that `datasets.load_dataset` has for it, or by the dataset's own. The rows are those of the commit that the Hub had
    as its newest when this was made.

    Raises `SourceError` when the folder is no export, an unfinished one or one of an older version, `HubError` when the
    Hub has none or is not reached.
    """

    def __init__(self, source: str) -> None:
        self.streamed = source.startswith(HUB)
        self.place = source.removeprefix(HUB if self.streamed else FOLDER)
        record = _fetched(self.place) if self.streamed else Path(self.place) / _RECORD
        self._revision = record.parent.name
        self._provenance, content = _provenance(source, record)
        self._sha256 = sha256_of(content)
        told = self._provenance
        self.name, self.reader, self.title, self.style = f"{told.dataset}-coarse", told.reader, told.title, told.style
        self.licence = Licence(told.licence, told.licence_url, told.redistribution)
        self.citation = told.citation

    def describe(self) -> dict[str, Any]:
        """What records and cards keep of the dataset that the pairs are of; see `Dataset.describe`."""
        return {
            "name": self._provenance.dataset,
            "reader": self.reader,
            "title": self.title,
            "licence": asdict(self.licence),
            "citation": self.citation,
        }

    def keys(self, split: str) -> tuple[str, ...]:
        """Keys of the photographs of a split.

        Raises `ParameterError` for a split that it does not have.
        """
        return tuple(self.photographs(split))

    def photographs(self, split: str) -> dict[str, str]:
        """The digest of each photograph's pixels by key, see `coarsekit.storage.digests`.

        Raises `ParameterError` for a split that it does not have.
        """
        own = self._provenance.photographs[self._own_name(split)]
        return {key: photograph.photograph_sha256 for key, photograph in own.items()}

    def content_sha256(self, split: str, reductions: Sequence[float]) -> str:
        """The digest of the pairs: of a folder the bytes of the files that are used, of the Hub's copy its record.

        Raises `ParameterError` for a split or a reduction factor that it does not have, `SourceError` when files are
        missing.
        """
        if self.streamed:
            return sha256_of((self._sha256, self._own_name(split), reductions))
        return file_sha256(*self._files(split, reductions))

    def rows(self, split: str, reductions: Sequence[float], cache: Path, columns: Sequence[str] | None = None) -> Any:
        """The rows of a split at some reduction factors, their images still encoded: a `datasets.Dataset` or a stream.

        ``cache``: where a folder's rows are unpacked to, below the digest of their files. ``columns``: only these, or
        None for those of a pair.

        Raises `ParameterError` for a reduction factor that was not exported and a split without pairs, `SourceError`
        when files are missing or damaged.
        """
        import datasets
        from datasets.data_files import DataFilesList

        from coarsekit.export.footer import read_footer
        from coarsekit.hub.errors import foreign, hub_errors

        paths = self._files(split, reductions)
        if not self.streamed and not any(read_footer(Path(path))["lesions"] for path in paths):
            raise ParameterError(f"{self.place}: no photograph of the split {split} shows a lesion; choose another")
        datasets.disable_progress_bars()
        datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # what it says of damage is said below
        with hub_errors(self.place, file="pairs", kind="dataset") if self.streamed else nullcontext():
            try:
                rows = datasets.load_dataset(
                    "parquet",
                    # A list of its own kind is taken as it is: a folder's name is no pattern.
                    data_files={"train": DataFilesList(paths, [])},
                    split="train",
                    streaming=self.streamed,
                    cache_dir=str(cache if self.streamed else cache / file_sha256(*paths)),
                    columns=list(columns or (*_PICTURES, "lesion", "ellipse", "window", "photograph")),
                )
            except (FileNotFoundError, datasets.exceptions.DatasetGenerationError) as cause:
                why = foreign(str(cause))
                raise SourceError(f"{self.place}: the pairs cannot be read ({why}); export them again") from None
        for name in _PICTURES if columns is None else ():
            rows = rows.cast_column(name, datasets.Image(decode=False))
        return rows

    def _files(self, split: str, reductions: Sequence[float]) -> list[str]:
        """Where the shards of a split lie: absolute paths, or addresses in a commit of the Hub."""
        from coarsekit.export.config import shards_of

        there = self._provenance.reductions
        for reduction in reductions:
            if reduction not in there:
                raise ParameterError(
                    f"{self.place} was not exported at the reduction factor {reduction}, but at "
                    f"{', '.join(map(str, there))}"
                )
        own = self._own_name(split)
        shards = shards_of(own, self.keys(split), self._provenance.photographs_per_shard)
        if self.streamed:
            root = f"hf://datasets/{self.place}@{self._revision}"
            return [f"{root}/{shard.path(reduction)}" for reduction in reductions for shard in shards]
        paths = {Path(self.place, shard.path(reduction)): shard for reduction in reductions for shard in shards}
        for path, shard in paths.items():
            self._check(path, {key: self._provenance.photographs[own][key] for key in shard.keys})
        return [str(path.absolute()) for path in paths]

    def _check(self, path: Path, photographs: Mapping[str, _Photograph]) -> None:
        """Raise `SourceError` unless a shard is whole and of the photographs that the record has."""
        from coarsekit.export.footer import read_footer

        if not path.exists():
            raise SourceError(f"{self.place}: the pairs cannot be read ({path} is missing); export them again")
        try:
            told = read_footer(path)["content"].get("photographs", [])
        except OutputError as error:
            raise SourceError(str(error)) from None
        found = {one["key"]: (one["photograph_sha256"], one["masks_sha256"]) for one in told}
        if found != {key: (one.photograph_sha256, one.masks_sha256) for key, one in photographs.items()}:
            raise SourceError(f"{path} is of other photographs or masks than {_RECORD} says; export the pairs again")

    def _own_name(self, split: str) -> str:
        """The dataset's own name of a split."""
        from coarsekit.export.config import published

        own = {name: name for name in self._provenance.photographs}
        names = {published(name): name for name in own}
        if split not in own | names:
            raise ParameterError(f"{self.place} has no split {split!r}; choose one of {', '.join(names)}")
        return (own | names)[split]


def followed(rows: Iterable[Row], place: str) -> Iterator[Row]:
    """The rows of a stream from the Hub's repository ``place``; what goes wrong on the way is a `HubError`."""
    from coarsekit.hub.errors import hub_errors

    with hub_errors(place, file="pairs", kind="dataset"):
        yield from rows


def _fetched(place: str) -> Path:
    from coarsekit.hub.download import fetch_file

    return fetch_file(place, _RECORD, kind="dataset")


def _provenance(source: str, record: Path) -> tuple[_Provenance, Any]:
    """The record of an export, checked and as it is."""
    try:
        content = json.loads(record.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(
            f"{source}: no exported pairs there; expected {_RECORD} in it, as 'coarsekit export' writes"
        ) from None
    except (ValueError, RecursionError):
        raise SourceError(f"{source}: its {_RECORD} is damaged; export it again with force=True") from None
    if isinstance(content, dict) and "dataset" in content:
        if "pairs_version" not in content:
            raise SourceError(f"{source} was exported by an older version; export it again")
        if "photographs" not in content:
            raise SourceError(f"{source} is an unfinished export; run the same export again to go on")
    return validated(_Provenance, content, f"{source}: {_RECORD}", error=SourceError), content
