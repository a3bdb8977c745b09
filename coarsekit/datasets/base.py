"""What every reader is: a dataset whose photographs are decoded when they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from coarsekit.datasets.mask_values import Decoded, decode_binary
from coarsekit.errors import ImageError, ParameterError, SourceError
from coarsekit.images import depth_guessed, read_channels, read_image
from coarsekit.images.depths import depth_note
from coarsekit.types import Fundus

_ON_THE_HUB = {"cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc0-1.0", "apache-2.0", "mit"}


@dataclass(frozen=True, slots=True)
class Licence:
    """What a dataset's licence allows: its SPDX or common name, its address, and whether data may be passed on."""

    name: str
    url: str
    redistribution: bool

    def fields(self) -> dict[str, str]:
        """As the header of a card on the Hub has it: a licence that the Hub knows, or "other" with name and address."""
        name = self.name.lower()
        if name in _ON_THE_HUB:
            return {"license": name}
        return {"license": "other", "license_name": name.replace(" ", "-"), "license_link": self.url}


CC_BY_4 = Licence("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/", redistribution=True)
UNKNOWN_LICENCE = Licence("unknown", "https://choosealicense.com/no-permission/", redistribution=False)
"""Of data whose terms nobody stated: it may not be passed on."""
_SHOWN = 5
"""Photographs that a sentence names."""


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where one photograph and its masks lie; nothing is decoded.

    ``masks``: the mask file by lesion class, of those that exist; classes may share one file. ``expected``: lesion
    classes that must have a mask file, or the copy is damaged; None when the dataset does not say. ``doubt``: why it
    cannot be told which masks are its own, a sentence, for which the photograph cannot be used; empty of most.
    """

    key: str
    split: str
    photograph: Path
    masks: Mapping[str, Path]
    expected: tuple[str, ...] | None = None
    doubt: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Lesion classes that must have a mask file, and have none."""
        return tuple(lesion for lesion in self.expected or () if lesion not in self.masks)

    def lesions_of(self, path: Path) -> tuple[str, ...]:
        """Lesion classes whose mask is in the file ``path``."""
        return tuple(lesion for lesion, own in self.masks.items() if own == path)


class Dataset(ABC):
    """Photographs with fine masks. A reader is a final subclass called ``Reader``, one file of ``readers/`` each."""

    name: str
    """What tables, cards, records and repositories call it: letters, digits, and single ``-``, ``_``, ``.`` between."""
    title: str
    lesions: tuple[str, ...]
    """Lesion classes that it has fine masks of."""
    licence: Licence
    citation: str

    @property
    def reader(self) -> str:
        """The name of its reader, as in ``READER:PATH``; that of a public dataset is its own name."""
        return type(self).name

    def describe(self) -> dict[str, Any]:
        """What records and cards keep of it: its names, its title, the licence and the citation of these data."""
        return {
            "name": self.name,
            "reader": self.reader,
            "title": self.title,
            "licence": asdict(self.licence),
            "citation": self.citation,
        }

    @abstractmethod
    def splits(self) -> dict[str, tuple[str, ...]]:
        """Keys of the photographs in reading order, by split."""

    @abstractmethod
    def read(self, key: str) -> Fundus:
        """Decode one photograph and its masks."""

    def input_files(self, key: str) -> list[Path]:
        """The files that a photograph is read from, which no result may be written over; none where it has none."""
        return []

    def notes(self, keys: Iterable[str]) -> list[str]:
        """What is worth saying before these photographs are used, in sentences; nothing of most."""
        return []

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


@final
class Subset(Dataset):
    """Some photographs of a dataset, as its only split.

    Raises `ParameterError` when there are none, or the dataset does not have one of them.
    """

    def __init__(self, whole: Dataset, split: str, keys: Iterable[str]) -> None:
        self._whole, self._splits = whole, {split: tuple(keys)}
        self.name, self.title, self.lesions = whole.name, whole.title, whole.lesions
        self.licence, self.citation = whole.licence, whole.citation
        self._reader = whole.reader
        if not self._splits[split]:
            raise ParameterError(f"{whole.name}: no photograph is left for the split {split!r}; choose another")
        strange = set(self._splits[split]) - set(whole.keys())
        if strange:
            raise ParameterError(f"{whole.name} has no photograph {min(strange)!r}; it belongs to another dataset")

    @property
    def reader(self) -> str:
        return self._reader

    def splits(self) -> dict[str, tuple[str, ...]]:
        return self._splits

    def read(self, key: str) -> Fundus:
        return self._whole.read(key)

    def input_files(self, key: str) -> list[Path]:
        return self._whole.input_files(key)

    def notes(self, keys: Iterable[str]) -> list[str]:
        return self._whole.notes(keys)


class FileDataset(Dataset):
    """A dataset of image files: a reader says where they lie, and reading follows from that."""

    threshold: float = 0
    """A mask has the pixels whose raw value is above it; 0 for binary masks, more for masks with soft edges.

    It does not count for masks of 0 and 1, where it is one of brightness; see `decode_binary`.
    """
    all_zero_allowed: bool = True
    """Whether a class that a photograph does not show may have an all-zero mask, where a mask is expected."""
    optional_lesions: Collection[str] = ()
    """Classes that a lawful copy of the release may lack in every photograph."""
    known_defects: Collection[tuple[str, str, str]] = ()
    """Defects of the release itself: (kind of `coarsekit.datasets.findings`, key of the photograph, lesion class)."""

    @abstractmethod
    def files(self, key: str) -> SampleFiles:
        """Where the photograph ``key`` and its masks lie.

        Raises `SourceError` for a key that the dataset does not have.
        """

    @abstractmethod
    def mask_files(self) -> Iterable[Path]:
        """Every file that lies where masks lie, whether it belongs to a photograph or not."""

    def unread(self) -> list[str]:
        """Photographs that lie where the reader does not look, named as a person would look for them."""
        return []

    def input_files(self, key: str) -> list[Path]:
        files = self.files(key)
        return [files.photograph, *files.masks.values()]

    def notes(self, keys: Iterable[str]) -> list[str]:
        files = {key: own for key in keys if not (own := self.files(key)).doubt}
        bare = [key for key, own in files.items() if not own.masks]
        healthy = [key for key in bare if files[key].expected != ()]
        partial = [f"{key} ({', '.join(own.missing)})" for key, own in files.items() if own.masks and own.missing]
        orphans = self.orphans() if bare else []  # of which one may be theirs
        found = (
            ("photograph", "has no mask of any class and counts as healthy", healthy),
            ("mask", "belongs to no photograph", orphans),
            ("photograph", "lacks masks that must be there", partial),
            ("photograph", "lies deeper than those that are read", self.unread()),
        )
        sentences = [_sentence(noun, what, named) for noun, what, named in found if named]
        return sentences + _on_depths({key: own.photograph for key, own in files.items()})

    def orphans(self) -> list[str]:
        """Masks that belong to no photograph, named as a person would look for them."""
        matched = {path for key in self.keys() for path in self.files(key).masks.values()}
        return [str(path) for path in self.mask_files() if path not in matched]

    def decode(self, files: SampleFiles, path: Path) -> Decoded:
        """Decode ``path``, one of the mask files of ``files``.

        Raises `ImageError` when it is missing, cut short or not an image.
        """
        return decode_binary(*read_channels(path), self.threshold, files.lesions_of(path))

    def read(self, key: str) -> Fundus:
        """Decode one photograph and its masks; a class without any pixel is left out.

        Raises `ImageError` for a file that cannot be decoded, and `SourceError` for a mask of another size than its
        photograph, and where it cannot be told which masks are its own.
        """
        files = self.files(key)
        if files.doubt:
            raise SourceError(files.doubt)
        image = read_image(files.photograph)
        fine = {}
        for path in dict.fromkeys(files.masks.values()):
            decoded = self.decode(files, path)
            if not decoded.usable:
                raise SourceError(f"{path}: the mask {decoded.oddity}")
            for lesion, mask in decoded.masks.items():
                if mask.shape != image.shape[:2]:
                    raise SourceError(f"{path}: the mask has (h, w) {mask.shape}, its photograph {image.shape[:2]}")
                if mask.any():
                    fine[lesion] = mask
        ordered = {lesion: fine[lesion] for lesion in files.masks if lesion in fine}
        return Fundus(key, files.photograph.name, files.split, image, ordered)


def _on_depths(photographs: Mapping[str, Path]) -> list[str]:
    """A sentence on those of 16 bits whose values alone tell that the camera gave fewer."""
    guessed: dict[int, list[str]] = {}
    for key, path in photographs.items():
        with suppress(ImageError):  # it is named where it is read
            if depth := depth_guessed(path):
                guessed.setdefault(depth, []).append(key)
    return [depth_note(depth, named) for depth, named in sorted(guessed.items())]


_OF_MANY = {"has": "have", "counts": "count", "belongs": "belong", "lacks": "lack", "lies": "lie"}


def _sentence(noun: str, what: str, named: list[str]) -> str:
    if len(named) > 1:
        noun, what = f"{noun}s", " ".join(_OF_MANY.get(word, word) for word in what.split())
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return f"{len(named)} {noun} {what}: {', '.join(named[:_SHOWN])}{more}"
