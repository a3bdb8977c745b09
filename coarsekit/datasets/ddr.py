"""DDR: Dataset for Diabetic Retinopathy, lesion segmentation part.

757 photographs of many cameras and sizes with pixel masks: 383 for training, 149 for validation, 225 for testing.

Layout: ``lesion_segmentation/{train,valid,test}/image/NAME.jpg`` and ``…/label/{EX,HE,MA,SE}/NAME.tif``. In the archive
as published the validation masks lie in ``segmentation label`` instead; copies say ``label`` there too, or ``val`` for
``valid``. All of these are read.

Licence: for research only, and it may not be passed on. Known defects: every photograph has a file of every class, so
most masks are all zero; masks hold 0 and 255; the sizes of photographs differ, so lengths must scale with the width.
"""

from collections.abc import Iterator
from pathlib import Path

from coarsekit.datasets.base import FileDataset, Licence, SampleFiles, list_images
from coarsekit.errors import SourceError
from coarsekit.types import LESIONS

_ROOTS = ("lesion_segmentation", "DDR-dataset/lesion_segmentation")
_SPLITS = {"train": ("train",), "valid": ("valid", "val"), "test": ("test",)}
_IMAGES = ("image", "images")
_LABELS = ("segmentation label", "segmentation_label", "label", "labels")
_MASKS = (".tif", ".tiff", ".png")


class Reader(FileDataset):
    """Reads DDR from ``root``: the folder ``lesion_segmentation``, the one that has it, or the whole ``DDR-dataset``.

    Raises `SourceError` when the photographs are not where a release has them, or two have the same name.
    """

    name = "ddr"
    title = "Dataset for Diabetic Retinopathy (DDR), lesion segmentation"
    lesions = LESIONS
    licence = Licence("research only", "https://github.com/nkicsl/DDR-dataset", redistribution=False)
    citation = (
        "Li et al., Diagnostic assessment of deep learning algorithms for diabetic retinopathy screening, "
        "Information Sciences 501:511-522, 2019, https://doi.org/10.1016/j.ins.2019.06.011"
    )

    def __init__(self, root: Path) -> None:
        self._root = next((root / inside for inside in _ROOTS if (root / inside).is_dir()), root)
        self._photographs: dict[str, tuple[str, Path]] = {}
        for split, spellings in _SPLITS.items():
            for path in (path for spelling in spellings for path in self._images(spelling)):
                if path.stem in self._photographs:
                    raise SourceError(
                        f"{path}: a second photograph of that name (the first is {self._photographs[path.stem][1]}); "
                        "keep one of them"
                    )
                self._photographs[path.stem] = split, path
        if not self._photographs:
            raise SourceError(
                f"{root}: no DDR photographs found; expected 'train/image/NAME.jpg' in it or in its folder "
                "'lesion_segmentation', as the release unpacks"
            )

    def splits(self) -> dict[str, tuple[str, ...]]:
        by_split = {
            split: tuple(key for key, (own, _) in self._photographs.items() if own == split) for split in _SPLITS
        }
        return {split: keys for split, keys in by_split.items() if keys}

    def files(self, key: str) -> SampleFiles:
        if key not in self._photographs:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        split, photograph = self._photographs[key]
        masks: dict[str, Path] = {}
        for lesion in self.lesions:
            places = (self._label(photograph.parents[1], lesion) / f"{key}{suffix}" for suffix in _MASKS)
            path = next((place for place in places if place.exists()), None)
            if path:
                masks[lesion] = path
        return SampleFiles(key, split, photograph, masks, self.lesions)

    def mask_files(self) -> Iterator[Path]:
        for folder in dict.fromkeys(photograph.parents[1] for _, photograph in self._photographs.values()):
            for lesion in self.lesions:
                yield from list_images(self._label(folder, lesion))

    def _images(self, split: str) -> list[Path]:
        return [path for folder in _IMAGES for path in list_images(self._root / split / folder)]

    @staticmethod
    def _label(folder: Path, lesion: str) -> Path:
        """The folder of one class's masks, in the first spelling that has it."""
        places = [folder / label / lesion for label in _LABELS]
        return next((place for place in places if place.is_dir()), places[2])
