"""Training pairs from exported patches: drawn once, and augmented differently in every epoch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset, IterableDataset

from coarsekit.export.schema import pair_of
from coarsekit.types import Image, Pair, Window
from coarsekit.windows import cut_image, cut_mask
from zoo.training.data.augmentation import MARGIN
from zoo.training.data.camera_augmentation import cut_by_another_camera
from zoo.training.data.pair_transform import Item, PairTransform
from zoo.training.data.sampling import choose
from zoo.training.exported_source import followed

BUFFER = 1024
"""Rows of a stream that are shuffled together."""


@final
@dataclass(frozen=True, slots=True)
class RowTransform:
    """How a row becomes a pair, by the same `PairTransform` as a simulated one.

    ``lesions``: names of the classes in the rows. A patch has no margin around it: where turning, shrinking or shifting
    it would bring in more than was exported, image and masks go on mirrored at the patch's edge.
    """

    lesions: tuple[str, ...]
    pair_transform: PairTransform

    def __call__(self, row: Mapping[str, Any], epoch: int, index: int) -> Item:
        pair, size = pair_of(row, self.lesions), self.pair_transform.size
        whole = Window(0, 0, len(pair.image))
        return self.pair_transform(
            lambda: cut_image(pair.image, whole, size),
            lambda rng: _by_another_camera(pair, size, rng),
            (cut_mask(pair.coarse, whole, size), cut_mask(pair.fine, whole, size)),
            pair.lesion,
            self.pair_transform.generator(epoch, index),
            epoch,
            index,
            margin=ceil(size * (MARGIN - 1) / 2),
        )


def resized(pair: Pair, size: int) -> tuple[Image, NDArray[np.bool_], NDArray[np.bool_]]:
    """The image (size, size, 3), the coarse and the fine mask (size, size) of a pair, whatever its own size."""
    whole = Window(0, 0, len(pair.image))
    return cut_image(pair.image, whole, size), cut_mask(pair.coarse, whole, size), cut_mask(pair.fine, whole, size)


@final
class FixedPairs(Dataset[Item]):
    """The rows at ``places`` of a `datasets.Dataset` as pairs; see `SimulatedPairs` for ``samples`` and ``balance``."""

    def __init__(
        self, rows: Any, places: Sequence[int], transform: RowTransform, samples: int | None, balance: float
    ) -> None:
        self._rows, self._places, self._transform = rows, places, transform
        self._samples, self._balance = samples, balance
        lesions = list(rows["lesion"])
        self._classes = [transform.lesions[lesions[place]] for place in places]
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Choose the epoch's pairs and shuffle them."""
        self._epoch = epoch
        rng = np.random.default_rng([self._transform.pair_transform.seed, epoch])
        self._chosen = choose(self._classes, self._samples, self._balance, rng)

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: int) -> Item:
        return self._transform(self._rows[self._places[int(self._chosen[index])]], self._epoch, index)


@final
class StreamedPairs(IterableDataset[Item]):
    """A process's share of the full batches of a stream, shuffled by files and within a buffer.

    ``origin``: the Hub's repository. ``total``: its rows. ``samples``: pairs per epoch, at most those. Process
    ``place`` of ``count`` decodes only its own rows; see `SharedBatches`.
    """

    def __init__(
        self,
        stream: Any,
        origin: str,
        total: int,
        transform: RowTransform,
        samples: int | None,
        batch: int,
        place: int,
        count: int,
    ) -> None:
        self._origin = origin
        self._shuffled = stream.shuffle(seed=transform.pair_transform.seed, buffer_size=BUFFER)
        self._total, self._transform = min(total, samples or total), transform
        self._batch, self._place, self._count = batch, place, count
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for the epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[Item]:
        self._shuffled.set_epoch(self._epoch)
        full = self._total // self._batch * self._batch
        # Batches of one: in a worker process, iterating over the rows themselves would shuffle with another seed.
        rows = followed(self._shuffled.iter(batch_size=1), self._origin)
        for index, row in enumerate(islice(rows, full)):
            if index % self._count == self._place:
                yield self._transform({name: value[0] for name, value in row.items()}, self._epoch, index)


def _by_another_camera(pair: Pair, size: int, rng: np.random.Generator) -> Image:
    """The patch as another camera would have shown it, from as many pixels as it had on its photograph."""
    side = pair.window.side
    seen = cut_image(pair.image, Window(0, 0, len(pair.image)), side)
    return cut_by_another_camera(seen, Window(0, 0, side), size, rng)
