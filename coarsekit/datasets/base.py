"""What every reader is: a dataset whose photographs are decoded when they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from coarsekit.errors import ParameterError, SourceError
from coarsekit.images import PHOTOGRAPHS, read_image, read_values
from coarsekit.types import Fundus, Mask

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


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where one photograph and its masks lie; nothing is decoded.

    ``masks``: the mask file by lesion class, of those that exist; classes may share one file. ``expected``: lesion
    classes that must have a mask file, or the copy is damaged; None when the dataset does not say.
    """

    key: str
    split: str
    photograph: Path
    masks: Mapping[str, Path]
    expected: tuple[str, ...] | None = None

    def lesions_of(self, path: Path) -> tuple[str, ...]:
        """Lesion classes whose mask is in the file ``path``."""
        return tuple(lesion for lesion, own in self.masks.items() if own == path)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One mask file: (h, w) masks by lesion class, and the raw values in it that no mask of its kind should hold."""

    masks: Mapping[str, Mask]
    odd: tuple[float, ...] = ()
    in_between: bool = False
    """Whether the odd values are greys between those of a binary mask, rather than classes that a table lacks."""

    @property
    def oddity(self) -> str:
        """The odd values in words, and what to do."""
        shown = ", ".join(f"{value:g}" for value in self.odd[:5]) + (", …" if len(self.odd) > 5 else "")
        if not self.in_between:
            return f"has the values {shown}; expected 0 and those of the table of classes; add them there"
        half = max(self.odd) / 2
        threshold = f"{half:.0f}" if half >= 100 else f"{half:.3g}"
        return (
            f"has the values {shown}, as after JPEG, of soft edges or of several people's votes; expected 0 and one "
            f"other; say above which value a lesion begins, such as threshold={threshold}, or save it anew"
        )


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


class FileDataset(Dataset):
    """A dataset of image files: a reader says where they lie, and reading follows from that."""

    threshold: float = 0
    """A mask has the pixels whose raw value is above it; 0 for binary masks, more for masks with soft edges."""
    all_zero_allowed: bool = True
    """Whether a class that a photograph does not show may have an all-zero mask, where a mask is expected."""
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

    def input_files(self, key: str) -> list[Path]:
        files = self.files(key)
        return [files.photograph, *files.masks.values()]

    def orphans(self) -> list[str]:
        """Masks that belong to no photograph, named as a person would look for them."""
        matched = {path for key in self.keys() for path in self.files(key).masks.values()}
        return [str(path) for path in self.mask_files() if path not in matched]

    def decode(self, files: SampleFiles, path: Path) -> Decoded:
        """Decode ``path``, one of the mask files of ``files``.

        Raises `ImageError` when it is missing, cut short or not an image.
        """
        values = read_values(path)
        held = np.unique(values[values != 0]) if self.threshold == 0 else ()
        # A mask of 1 bit has no edges that could be soft.
        mask = values > self.threshold if self.threshold and values.dtype != bool else values != 0
        odd = tuple(float(value) for value in held) if len(held) > 1 else ()
        return Decoded(dict.fromkeys(files.lesions_of(path), mask), odd, in_between=True)

    def read(self, key: str) -> Fundus:
        """Decode one photograph and its masks; a class without any pixel is left out.

        Raises `ImageError` for a file that cannot be decoded, and `SourceError` for a mask of another size than its
        photograph.
        """
        files = self.files(key)
        image = read_image(files.photograph)
        fine = {}
        for path in dict.fromkeys(files.masks.values()):
            decoded = self.decode(files, path)
            if decoded.odd and decoded.in_between:
                raise SourceError(f"{path}: the mask {decoded.oddity}")
            for lesion, mask in decoded.masks.items():
                if mask.shape != image.shape[:2]:
                    raise SourceError(f"{path}: the mask has (h, w) {mask.shape}, its photograph {image.shape[:2]}")
                if mask.any():
                    fine[lesion] = mask
        ordered = {lesion: fine[lesion] for lesion in files.masks if lesion in fine}
        return Fundus(key, files.photograph.name, files.split, image, ordered)


def root_with(root: Path, *inside: str) -> Path:
    """The folder that has one of the paths ``inside``: the root, one in it, one in those, or the one above it.

    So an archive is read as it was unpacked, one folder higher or lower. The root itself where none has it.
    """
    if not root.is_dir():
        return root
    lower = sorted(path for path in root.iterdir() if path.is_dir())
    deeper = (path for folder in lower for path in sorted(folder.iterdir()) if path.is_dir())
    places = (place for places in ([root], lower, deeper, [root.parent]) for place in places)
    return next((place for place in places if any((place / path).is_dir() for path in inside)), root)


def list_images(folder: Path, suffixes: Iterable[str] = PHOTOGRAPHS) -> list[Path]:
    """The files of ``folder`` with one of ``suffixes`` in any case, sorted; none when it is missing.

    Hidden files, such as the ``._NAME.jpg`` that some systems leave beside a file, are passed over.
    """
    if not folder.is_dir():
        return []
    kinds = {suffix.lower() for suffix in suffixes}
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in kinds and not path.name.startswith("."))
