"""DDR: Dataset for Diabetic Retinopathy, lesion segmentation part.

757 photographs of many cameras and sizes with pixel masks: 383 for training, 149 for validation, 225 for testing.

Layout: ``lesion_segmentation/{train,valid,test}/image/NAME.jpg`` and ``…/label/{EX,HE,MA,SE}/NAME.tif``. In the archive
as published the validation masks lie in ``segmentation label`` instead; copies say ``label`` there too, or ``val`` for
``valid``. The copy on the Hub has ``image/{train,valid,test}/NAME.jpg`` (or ``images``, or all in one folder) and
``annotations/{train,valid,test}/{EX,HE,MA,SE}/NAME.tif``. All of these are read.

Licence: for research only, and it may not be passed on. Known defects: every photograph has a file of every class, so
most masks are all zero; masks hold 0 and 255; the sizes of photographs differ, so lengths must scale with the width.
"""

from collections.abc import Iterator
from pathlib import Path

from coarsekit.datasets.base import FileDataset, Licence, SampleFiles
from coarsekit.datasets.layout import by_name, fitting_file, list_images, root_with, split_keys
from coarsekit.errors import SourceError
from coarsekit.types import LESIONS

_SPLITS = {"train": ("train",), "valid": ("valid", "val"), "test": ("test",)}
_IMAGES = ("image", "images")
_LABELS = ("segmentation label", "segmentation_label", "label", "labels")
_HUB_LABELS = "annotations"
_MASKS = (".tif", ".tiff", ".png")


class Reader(FileDataset):
    """Reads DDR from ``root``: the folder ``lesion_segmentation``, or one higher or lower.

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
        layouts = [f"{split}/{images}" for split in ("train", "valid", "val", "test") for images in _IMAGES]
        lesions = root_with(root, "lesion_segmentation") / "lesion_segmentation"
        self._root = lesions if lesions.is_dir() else root_with(root, *layouts, _HUB_LABELS)
        self._photographs = by_name(
            (split, path)
            for split, spellings in _SPLITS.items()
            for spelling in spellings
            for path in self._images(spelling)
        )
        if not self._photographs:
            raise SourceError(
                f"{root}: no DDR photographs found; expected 'train/image/NAME.jpg' in it or in its folder "
                "'lesion_segmentation', as the release unpacks, or 'image/train/NAME.jpg' beside 'annotations'"
            )

    def splits(self) -> dict[str, tuple[str, ...]]:
        return split_keys(self._photographs)

    def files(self, key: str) -> SampleFiles:
        if key not in self._photographs:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        split, photograph = self._photographs[key]
        masks: dict[str, Path] = {}
        for lesion in self.lesions:
            places = (self._label(split, photograph, lesion) / f"{key}{suffix}" for suffix in _MASKS)
            path = next(filter(None, map(fitting_file, places)), None)
            if path:
                masks[lesion] = path
        return SampleFiles(key, split, photograph, masks, self.lesions)

    def mask_files(self) -> Iterator[Path]:
        folders = {(split, path.parent): path for split, path in self._photographs.values()}
        for (split, _), photograph in folders.items():
            for lesion in self.lesions:
                yield from list_images(self._label(split, photograph, lesion))

    def _images(self, split: str) -> list[Path]:
        found = []
        for folder in _IMAGES:
            found += list_images(self._root / split / folder) + list_images(self._root / folder / split)
            if (self._root / _HUB_LABELS / split).is_dir():  # all splits in one folder: a mask says which is meant
                masked = {path.stem for path in (self._root / _HUB_LABELS / split).glob("*/*")}
                found += [path for path in list_images(self._root / folder) if path.stem in masked]
        return found

    def _label(self, split: str, photograph: Path, lesion: str) -> Path:
        """The folder of one class's masks, in the first spelling that has it."""
        places = [photograph.parents[1] / label / lesion for label in _LABELS]
        places += [self._root / _HUB_LABELS / spelling / lesion for spelling in _SPLITS[split]]
        return next((place for place in places if place.is_dir()), places[2])
