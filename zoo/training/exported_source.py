"""An exported dataset as a source of training: a folder that `coarsekit export` wrote, or the Hub's copy of one."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar, final

from pydantic import BaseModel

from coarsekit.errors import ParameterError, SourceError
from coarsekit.validation import validated

Row = TypeVar("Row")

FOLDER, HUB = "pairs:", "hub:"
"""How such a SOURCE begins: ``pairs:FOLDER``, ``hub:ORG/NAME``."""
_RECORD = "provenance.json"
_PICTURES = ("image", "coarse", "fine")


def is_export(source: str) -> bool:
    """Whether a SOURCE names an exported dataset."""
    return source.startswith((FOLDER, HUB))


class _Provenance(BaseModel):
    dataset: str
    style: str
    reductions: list[float]
    photographs: dict[str, list[str]]


@final
class Export:
    """An exported dataset, by its SOURCE; of its files only the provenance is read at once.

    ``streamed``: whether its rows come from the Hub as they are needed, and are not stored.

    Raises `SourceError` when the folder is no export, `HubError` when the Hub has none or is not reached.
    """

    def __init__(self, source: str) -> None:
        self.streamed = source.startswith(HUB)
        self.place = source.removeprefix(HUB if self.streamed else FOLDER)
        self._provenance = _provenance(source, self.place, self.streamed)
        self.name = f"{self._provenance.dataset}-coarse"
        self.style: str = self._provenance.style

    def keys(self, split: str) -> tuple[str, ...]:
        """Keys of the photographs of a split.

        Raises `ParameterError` for a split that it does not have.
        """
        photographs = self._provenance.photographs
        if split not in photographs:
            raise ParameterError(f"{self.place} has no split {split!r}; choose one of {', '.join(photographs)}")
        return tuple(photographs[split])

    def rows(self, split: str, reductions: Sequence[float], cache: Path, columns: Sequence[str] | None = None) -> Any:
        """The rows of a split at some reduction factors, their images still encoded: a `datasets.Dataset` or a stream.

        ``cache``: where a folder's rows are unpacked to. ``columns``: only these, or None for those of a pair.

        Raises `ParameterError` for a reduction factor that was not exported, `SourceError` when files are missing.
        """
        import datasets

        from coarsekit.export.config import configuration, published
        from coarsekit.hub.errors import foreign, hub_errors

        for reduction in reductions:
            if reduction not in self._provenance.reductions:
                there = ", ".join(map(str, self._provenance.reductions))
                raise ParameterError(
                    f"{self.place} was not exported at the reduction factor {reduction}, but at {there}"
                )
        files = [f"{configuration(reduction)}/{published(split)}-*.parquet" for reduction in reductions]
        datasets.disable_progress_bars()
        with hub_errors(self.place, file="pairs", kind="dataset") if self.streamed else nullcontext():
            try:
                rows = datasets.load_dataset(
                    self.place,
                    data_files={"train": files},
                    split="train",
                    streaming=self.streamed,
                    cache_dir=str(cache),
                    columns=list(columns or (*_PICTURES, "lesion", "ellipse", "window", "photograph")),
                )
            except (FileNotFoundError, datasets.exceptions.DatasetGenerationError) as cause:
                why = foreign(str(cause))
                raise SourceError(f"{self.place}: the pairs cannot be read ({why}); export them again") from None
        for name in _PICTURES if columns is None else ():
            rows = rows.cast_column(name, datasets.Image(decode=False))
        return rows


def followed(rows: Iterable[Row], place: str) -> Iterator[Row]:
    """The rows of a stream from the Hub's repository ``place``; what goes wrong on the way is a `HubError`."""
    from coarsekit.hub.errors import hub_errors

    with hub_errors(place, file="pairs", kind="dataset"):
        yield from rows


def _provenance(source: str, place: str, streamed: bool) -> _Provenance:
    from coarsekit.hub.upload import fetch_text

    try:
        text = fetch_text(place, "dataset", _RECORD) if streamed else (Path(place) / _RECORD).read_text("utf-8")
        content = json.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(
            f"{source}: no exported pairs there; expected {_RECORD} in it, as 'coarsekit export' writes"
        ) from None
    except ValueError:
        raise SourceError(f"{source}: its {_RECORD} is damaged; export it again with force=True") from None
    return validated(_Provenance, content, f"{source}: {_RECORD}", error=SourceError)
