"""IDRiD: Indian Diabetic Retinopathy Image Dataset, segmentation part.

81 photographs of 4288 × 2848 px with pixel masks: 54 for training, 27 for testing.

Layout, as published: ``A. Segmentation/1. Original Images/{a. Training Set,b. Testing Set}/IDRiD_NN.jpg`` and
``A. Segmentation/2. All Segmentation Groundtruths/{a. …,b. …}/{1. Microaneurysms,…}/IDRiD_NN_MA.tif``.

Known defects: most masks are palette TIFFs holding 0 and 1, ``IDRiD_81_EX.tif`` is RGBA, a class that a photograph does
not show has no file in the official release and an all-zero file in other copies.
"""

from pathlib import Path

from coarsekit.dataset import CC_BY_4, Dataset
from coarsekit.errors import SourceError
from coarsekit.images import read_image, read_mask
from coarsekit.types import EX, HE, MA, SE, Fundus

_SPLITS = {"train": "a. Training Set", "test": "b. Testing Set"}
_FOLDERS = {MA: "1. Microaneurysms", HE: "2. Haemorrhages", EX: "3. Hard Exudates", SE: "4. Soft Exudates"}


class Reader(Dataset):
    """Reads IDRiD from ``root``: the folder ``A. Segmentation`` or the one that holds it.

    Raises `SourceError` when the photographs are not where the official release has them.
    """

    name = "idrid"
    title = "Indian Diabetic Retinopathy Image Dataset (IDRiD), segmentation"
    lesions = tuple(_FOLDERS)
    licence = CC_BY_4
    citation = (
        "Porwal et al., Indian Diabetic Retinopathy Image Dataset (IDRiD): A Database for Diabetic Retinopathy "
        "Screening Research, Data 3(3):25, 2018, https://doi.org/10.3390/data3030025"
    )

    def __init__(self, root: Path) -> None:
        inside = root / "A. Segmentation"
        self._root = inside if inside.is_dir() else root
        self._photographs = {
            split: {path.stem: path for path in sorted((self._root / "1. Original Images" / folder).glob("*.jpg"))}
            for split, folder in _SPLITS.items()
        }
        if not any(self._photographs.values()):
            raise SourceError(
                f"{root}: no IDRiD photographs found; expected '1. Original Images/a. Training Set/IDRiD_01.jpg' in it "
                "or in its folder 'A. Segmentation', as the official release unpacks"
            )

    def splits(self) -> dict[str, tuple[str, ...]]:
        return {split: tuple(photographs) for split, photographs in self._photographs.items() if photographs}

    def read(self, key: str) -> Fundus:
        split = next((name for name, photographs in self._photographs.items() if key in photographs), None)
        if split is None:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        path = self._photographs[split][key]
        image = read_image(path)
        masks = self._root / "2. All Segmentation Groundtruths" / _SPLITS[split]
        fine = {}
        for lesion, folder in _FOLDERS.items():
            file = masks / folder / f"{key}_{lesion}.tif"
            if not file.exists():
                continue
            mask = read_mask(file)
            if mask.shape != image.shape[:2]:
                raise SourceError(f"{file}: the mask has (h, w) {mask.shape}, its photograph {image.shape[:2]}")
            if mask.any():
                fine[lesion] = mask
        return Fundus(key, path.name, split, image, fine)
