"""Shards: whole photographs, one Parquet file a configuration, written whole or not at all, counted in the footer."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure, readable
from coarsekit.export.config import ExportConfig, Shard
from coarsekit.export.footer import PhotographDigests, content_of, digests_of, footer, read_footer, whole_shard
from coarsekit.export.pairs import pairs_of
from coarsekit.export.schema import arrow_schema, pair_of, row_of
from coarsekit.metrics import count, iou
from coarsekit.simulation.simulate import annotate_sweep
from coarsekit.storage.files import atomic_write
from coarsekit.types import Fundus, Pair

_REPEATED = ["style", "photograph", "source_image", "split", "dataset", "licence"]  # few values, many rows


@dataclass(slots=True)
class LesionCounts:
    """Counts of one lesion class that can be added: photographs, pairs, and the sum of the pairs' floors, IoU 0–1.

    ``compared``: pairs for which that is defined, because either mask has a pixel.
    """

    photographs: int = 0
    pairs: int = 0
    floor: float = 0.0
    compared: int = 0

    def add(self, other: "LesionCounts") -> None:
        """Add the counts of other photographs."""
        self.photographs += other.photographs
        self.pairs += other.pairs
        self.floor += other.floor
        self.compared += other.compared


@dataclass(slots=True)
class ShardContents:
    """What one file, or several of one configuration and split, hold: counts by lesion class, rows and bytes."""

    lesions: dict[str, LesionCounts] = field(default_factory=dict)
    rows: int = 0
    unpacked: int = 0
    packed: int = 0

    def add(self, other: "ShardContents") -> None:
        """Add the contents of another file."""
        for lesion, counts in other.lesions.items():
            self.lesions.setdefault(lesion, LesionCounts()).add(counts)
        self.rows += other.rows
        self.unpacked += other.unpacked
        self.packed += other.packed


def changed_reductions(
    dataset: Dataset, config: ExportConfig, shard: Shard, folder: Path, on_failure: OnFailure | None = None
) -> tuple[tuple[float, ...], list[PhotographDigests]]:
    """The reduction factors whose file of the shard is missing or of other content than the dataset has now.

    Also gives what the photographs are, but for those that cannot be read, see `readable`; nothing where no file is
    there to compare, as then none is read.

    Raises `OutputError` for a file that is damaged.
    """
    paths = {reduction: folder / shard.path(reduction) for reduction in config.reductions}
    footers = {reduction: read_footer(path) for reduction, path in paths.items() if path.exists()}
    told = {reduction: footer["content"] for reduction, footer in footers.items() if "content" in footer}
    if not told:
        return config.reductions, []
    photographs = list(map(digests_of, readable(dataset, shard.keys, on_failure, some=False)))
    present = {reduction: content_of(dataset, config, shard, reduction, photographs) for reduction in config.reductions}
    return tuple(reduction for reduction, content in present.items() if told.get(reduction) != content), photographs


def write_shard(
    dataset: Dataset,
    config: ExportConfig,
    shard: Shard,
    folder: Path,
    reductions: Sequence[float],
    on_failure: OnFailure | None = None,
) -> list[PhotographDigests]:
    """Write the files of a shard at some reduction factors, and give what its photographs are.

    Each photograph is decoded once and its rows are kept no longer. Those that cannot be read are left out, see
    `readable`.
    """
    schema = arrow_schema(dataset.lesions)
    counts_by_reduction: dict[float, dict[str, LesionCounts]] = {reduction: {} for reduction in reductions}
    photographs: list[PhotographDigests] = []
    with ExitStack() as stack:
        writers = {}
        for reduction in reductions:
            # Left in reverse: the writer is closed before its temporary file gets its name.
            temporary = stack.enter_context(atomic_write(folder / shard.path(reduction)))
            writers[reduction] = stack.enter_context(pq.ParquetWriter(temporary, schema, use_dictionary=_REPEATED))
        for fundus in readable(dataset, shard.keys, on_failure, some=False):
            photographs.append(digests_of(fundus))
            _write_photograph(fundus, dataset, config, writers, counts_by_reduction)
        for reduction, writer in writers.items():
            content = content_of(dataset, config, shard, reduction, photographs)
            lesions = {lesion: asdict(counts) for lesion, counts in counts_by_reduction[reduction].items()}
            writer.add_key_value_metadata(footer(content, lesions))
    return photographs


def read_shard_contents(path: Path) -> ShardContents:
    """What a shard's file says in its footer that it has; its rows are not read.

    Raises `OutputError` when the file is not one that `write_shard` wrote.
    """
    with whole_shard(path):
        lesions = {name: LesionCounts(**counts) for name, counts in read_footer(path)["lesions"].items()}
        metadata = pq.read_metadata(path)
        unpacked = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
        return ShardContents(lesions, metadata.num_rows, unpacked, path.stat().st_size)


def some_pairs(path: Path, lesions: tuple[str, ...], each: int = 2) -> list[Pair]:
    """``each`` pairs of every lesion class in a shard's file, spread over it; fewer where it has fewer.

    Raises `OutputError` when the file is damaged.
    """
    with whole_shard(path), pq.ParquetFile(path) as file:
        labels = file.read(columns=["lesion"]).column("lesion").to_pylist()
        wanted: list[int] = []
        for label in range(len(lesions)):
            own = [place for place, value in enumerate(labels) if value == label]
            chosen = {(len(own) * (2 * turn + 1)) // (2 * each) for turn in range(each)} if own else set()
            wanted += [own[place] for place in sorted(chosen)]
        rows = _rows_at(file, wanted)
    return [pair_of(rows[place], lesions) for place in wanted]


def _write_photograph(
    fundus: Fundus,
    dataset: Dataset,
    config: ExportConfig,
    writers: Mapping[float, pq.ParquetWriter],
    counts_by_reduction: Mapping[float, dict[str, LesionCounts]],
) -> None:
    """Write the pairs of one photograph at every reduction factor, a row group each, and add to the counts."""
    annotations = annotate_sweep(fundus, list(writers), config.style, config.seed, dataset.name)
    for (reduction, writer), annotation in zip(writers.items(), annotations, strict=True):
        rows: list[dict[str, Any]] = []
        counted: dict[str, LesionCounts] = {}
        for pair in pairs_of(fundus, annotation, config.size):
            rows.append(row_of(pair, fundus, reduction, config, dataset))
            _count(pair, counted.setdefault(pair.lesion, LesionCounts(photographs=1)))
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, writer.schema))
        for lesion, counts in counted.items():
            counts_by_reduction[reduction].setdefault(lesion, LesionCounts()).add(counts)


def _rows_at(file: pq.ParquetFile, places: Iterable[int]) -> dict[int, dict[str, Any]]:
    rows, start, left = {}, 0, set(places)
    for batch in file.iter_batches(batch_size=64, columns=["image", "coarse", "fine", "lesion", "ellipse", "window"]):
        for place in sorted(left.intersection(range(start, start + len(batch)))):
            rows[place] = batch.slice(place - start, 1).to_pylist()[0]
        start += len(batch)
    return rows


def _count(pair: Pair, counts: LesionCounts) -> None:
    floor = iou(count(pair.coarse, pair.fine))
    counts.pairs += 1
    if not isnan(floor):
        counts.floor += floor
        counts.compared += 1
