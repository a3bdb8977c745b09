"""IDRiD: Indian Diabetic Retinopathy Image Dataset, segmentation part.

81 photographs of 4288 × 2848 px with pixel masks: 54 for training, 27 for testing.

Layout, as published: ``A. Segmentation/1. Original Images/{a. Training Set,b. Testing Set}/IDRiD_NN.jpg`` and
``A. Segmentation/2. All Segmentation Groundtruths/{a. …,b. …}/{1. Microaneurysms,…}/IDRiD_NN_MA.tif``.

Known defects: most masks are palette TIFFs holding 0 and 1, ``IDRiD_81_EX.tif`` is RGBA, a class that a photograph does
not show has no file in the official release and an all-zero file in other copies, and ``IDRiD_61_HE.tif`` marks the 17
rightmost columns, which lie outside the field of view.
"""

from collections.abc import Iterator
from pathlib import Path

from coarsekit.datasets.base import CC_BY_4, FileDataset, SampleFiles
from coarsekit.datasets.layout import by_name, fitting_file, list_images, root_with, split_keys
from coarsekit.errors import SourceError
from coarsekit.types import EX, HE, MA, SE

_SPLITS = {"train": "a. Training Set", "test": "b. Testing Set"}
_FOLDERS = {MA: "1. Microaneurysms", HE: "2. Haemorrhages", EX: "3. Hard Exudates", SE: "4. Soft Exudates"}
_WITHOUT_HE = {43}
# fmt: off
_WITH_SE = {
    3, 8, 13, 14, 17, 18, 19, 22, 23, 25, 30, 31, 32, 33, 35, 38, 39, 46, 47, 48, 49, 50, 51, 52, 53, 54,
    55, 56, 59, 60, 61, 64, 67, 68, 70, 71, 72, 73, 74, 75,
}
# fmt: on


class Reader(FileDataset):
    """Reads IDRiD from ``root``: the folder ``A. Segmentation``, or one higher or lower.

    Raises `SourceError` when the photographs are not where the official release has them, or two have the same name.
    """

    name = "idrid"
    title = "Indian Diabetic Retinopathy Image Dataset (IDRiD), segmentation"
    lesions = tuple(_FOLDERS)
    licence = CC_BY_4
    citation = (
        "Porwal et al., Indian Diabetic Retinopathy Image Dataset (IDRiD): A Database for Diabetic Retinopathy "
        "Screening Research, Data 3(3):25, 2018, https://doi.org/10.3390/data3030025"
    )
    all_zero_allowed = False
    known_defects = frozenset({("outside_field", "IDRiD_61", HE)})

    def __init__(self, root: Path) -> None:
        self._root = root_with(root, "1. Original Images")
        self._photographs = by_name(
            (split, path)
            for split, folder in _SPLITS.items()
            for path in list_images(self._root / "1. Original Images" / folder, [".jpg"])
        )
        if not self._photographs:
            raise SourceError(
                f"{root}: no IDRiD photographs found; expected '1. Original Images/a. Training Set/IDRiD_01.jpg' in it "
                "or in its folder 'A. Segmentation', as the official release unpacks"
            )

    def splits(self) -> dict[str, tuple[str, ...]]:
        return split_keys(self._photographs)

    def files(self, key: str) -> SampleFiles:
        if key not in self._photographs:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        split, photograph = self._photographs[key]
        places = {lesion: self._masks(split, lesion) / f"{key}_{lesion}.tif" for lesion in _FOLDERS}
        masks = {lesion: path for lesion, place in places.items() if (path := fitting_file(place))}
        return SampleFiles(key, split, photograph, masks, _expected(key))

    def mask_files(self) -> Iterator[Path]:
        for split in _SPLITS:
            for lesion in _FOLDERS:
                yield from list_images(self._masks(split, lesion))

    def _masks(self, split: str, lesion: str) -> Path:
        return self._root / "2. All Segmentation Groundtruths" / _SPLITS[split] / _FOLDERS[lesion]


def _expected(key: str) -> tuple[str, ...] | None:
    """Classes of which the official release has a mask of this photograph; None for a photograph it does not have."""
    number = key.removeprefix("IDRiD_")
    if not number.isdecimal() or not 1 <= int(number) <= 81:
        return None
    absent = {HE} if int(number) in _WITHOUT_HE else set()
    absent |= set() if int(number) in _WITH_SE else {SE}
    return tuple(lesion for lesion in _FOLDERS if lesion not in absent)
