"""What an export is made of: every choice in one place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coarsekit.datasets.base import Dataset
from coarsekit.errors import ParameterError
from coarsekit.export.pairs import LEAST_SIZE, MOST_SIZE
from coarsekit.simulation.simulate import check_reduction, check_seed
from coarsekit.simulation.styles import PAPER, Style


@dataclass(frozen=True, slots=True)
class Shard:
    """Some whole photographs of one split, whose pairs make one file of each configuration."""

    split: str
    index: int
    keys: tuple[str, ...]

    def path(self, reduction: float) -> str:
        """Its file for one reduction factor, relative to the export's folder."""
        return f"{configuration(reduction)}/{published(self.split)}-{self.index:05d}.parquet"


@dataclass(frozen=True, slots=True)
class ExportConfig:
    """The choices of an export.

    ``split``: None for all. ``size``: side of the patches, px, or None for each window's native size. ``per_shard``:
    photographs in a shard.

    Raises `ParameterError` for a reduction factor below 1, none at all, a negative seed or a size out of its range.
    """

    split: str | None = None
    reductions: tuple[float, ...] = (1.0,)
    style: Style = PAPER
    seed: int = 0
    size: int | None = 256
    per_shard: int = 8

    def __post_init__(self) -> None:
        if not self.reductions:
            raise ParameterError("an export needs at least one reduction factor")
        if len(set(self.reductions)) < len(self.reductions):
            raise ParameterError(f"each reduction factor can be named once only, got {self.reductions}")
        for reduction in self.reductions:
            check_reduction(reduction)
        check_seed(self.seed)
        if self.size is not None and not (isinstance(self.size, (int, np.integer)) and self.size >= LEAST_SIZE):
            raise ParameterError(f"the size of a patch must be {LEAST_SIZE} px or more, got {self.size!r}")
        if self.size is not None and self.size > MOST_SIZE:
            raise ParameterError(f"the size of a patch must be {MOST_SIZE} px or less, got {self.size}")
        if self.per_shard < 1:
            raise ParameterError(f"a shard has 1 photograph or more, got {self.per_shard}")

    def photographs(self, dataset: Dataset) -> dict[str, tuple[str, ...]]:
        """Keys of the photographs to export by split.

        Raises `ParameterError` for a split that the dataset does not have.
        """
        return dataset.splits() if self.split is None else {self.split: dataset.keys(self.split)}

    def shards(self, dataset: Dataset) -> list[Shard]:
        """All shards, in the dataset's order of photographs.

        Raises `ParameterError` when two splits would be published under one name.
        """
        photographs = self.photographs(dataset)
        if len({published(split) for split in photographs}) < len(photographs):
            raise ParameterError(
                f"the splits {', '.join(photographs)} cannot be told apart by letters, digits and '_', as a dataset on "
                "the Hub must; rename one, or export them one by one with split=…"
            )
        return [shard for split, keys in photographs.items() for shard in shards_of(split, keys, self.per_shard)]


def shards_of(split: str, keys: Sequence[str], per_shard: int) -> list[Shard]:
    """The shards of one split, in the order of its photographs."""
    return [
        Shard(split, start // per_shard, tuple(keys[start : start + per_shard]))
        for start in range(0, len(keys), per_shard)
    ]


def configuration(reduction: float) -> str:
    """Name of the configuration that has the pairs at one reduction factor."""
    return f"reduction-{float(reduction)}"


def published(split: str) -> str:
    """Name of a split as `datasets` takes it: letters, digits and ``_``, and ``train`` where there is but one part."""
    return "train" if split == "all" else re.sub(r"\W", "_", split)
