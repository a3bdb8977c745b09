"""What every reader is: a dataset whose photographs are decoded when they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from coarsekit.errors import ParameterError
from coarsekit.types import Fundus


@dataclass(frozen=True, slots=True)
class Licence:
    """What a dataset's licence allows: its SPDX or common name, its address, and whether data may be passed on."""

    name: str
    url: str
    redistribution: bool


CC_BY_4 = Licence("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/", redistribution=True)


class Dataset(ABC):
    """Photographs with fine masks. A reader is a final subclass called ``Reader``, one file of ``readers/`` each."""

    name: str
    """As in ``READER:PATH``."""
    title: str
    lesions: tuple[str, ...]
    """Lesion classes that it holds fine masks of."""
    licence: Licence
    citation: str

    @abstractmethod
    def splits(self) -> dict[str, tuple[str, ...]]:
        """Keys of the photographs in reading order, by split."""

    @abstractmethod
    def read(self, key: str) -> Fundus:
        """Decode one photograph and its masks."""

    def keys(self, split: str | None = None) -> tuple[str, ...]:
        """Keys of one split, or of all.

        Raises `ParameterError` for a split that the dataset does not have.
        """
        splits = self.splits()
        if split is None:
            return tuple(key for keys in splits.values() for key in keys)
        if split not in splits:
            raise ParameterError(f"{self.name} has no split {split!r}; choose one of {', '.join(splits)}")
        return splits[split]

    def photographs(self, split: str | None = None) -> Iterator[Fundus]:
        """Decode the photographs of a split, or of all, one at a time."""
        return map(self.read, self.keys(split))
