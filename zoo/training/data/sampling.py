"""Which pairs an epoch and a process see; all of it follows from the seed, and from nothing else."""

from collections.abc import Iterator, Sequence, Sized
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset, Sampler

from coarsekit.errors import CoarsekitError, ParameterError


def choose(classes: Sequence[str], samples: int | None, balance: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of an epoch's pairs among all whose lesion ``classes`` are given, in random order.

    ``samples``: how many, None for as many as there are. ``balance``: from 0, classes as often as they occur, to 1, all
    equally often; then, or where more are asked for than there are, a pair may come several times.
    """
    wanted = samples or len(classes)
    if balance == 0 and wanted <= len(classes):
        return rng.permutation(len(classes))[:wanted]
    _, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    weights = counts[inverse] ** -float(balance)
    return rng.choice(len(classes), wanted, p=weights / weights.sum())


@final
class SharedBatches(Sampler[list[int]]):
    """One process's share of every global batch: of its ``batch`` samples those at ``place``, ``place + count``, ….

    So the global batches are the same however many processes share them. A last one that is not full is left out.
    """

    def __init__(self, pairs: Sized, batch: int, place: int = 0, count: int = 1) -> None:
        self._pairs, self._batch, self._place, self._count = pairs, batch, place, count

    def __len__(self) -> int:
        return len(self._pairs) // self._batch

    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self) * self._batch, self._batch):
            yield list(range(start + self._place, start + self._batch, self._count))


def loader(pairs: Any, batch: int, place: int, count: int, workers: int, pin: bool) -> DataLoader[Any]:
    """Process ``place`` of ``count`` reads its share of the batches of ``pairs`` with this.

    A stream, which shares itself out, is read in one worker process at most.

    Raises `ParameterError` for a batch that cannot be shared out evenly.
    """
    if batch % count:
        raise ParameterError(f"a batch of {batch} cannot be shared by {count} processes; choose a multiple of {count}")
    if isinstance(pairs, IterableDataset):
        return DataLoader(pairs, batch // count, num_workers=min(workers, 1), pin_memory=pin)
    shares = SharedBatches(pairs, batch, place, count)
    return DataLoader(pairs, batch_sampler=shares, num_workers=workers, pin_memory=pin)


def batches(loader: DataLoader[Any]) -> Iterator[Any]:
    """The batches of an epoch; what goes wrong in a worker process is the sentence that it would be in this one."""
    try:
        yield from loader
    except CoarsekitError as error:
        if not loader.num_workers:
            raise
        # torch puts the worker's traceback before it
        sentence = str(error).strip().rpartition("\n")[2].partition(": ")[2]
        raise type(error)(sentence) from None


def example(size: int, batch: int) -> tuple[torch.Tensor, ...]:
    """A batch of nothing, at a network's ``size``: images, coarse masks, classes and signatures."""
    images, masks = torch.zeros(batch, 3, size, size), torch.zeros(batch, 1, size, size)
    return images, masks, torch.zeros(batch, dtype=torch.long), torch.zeros(batch, 3)
