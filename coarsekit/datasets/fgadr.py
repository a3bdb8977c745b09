"""FGADR: Fine-Grained Annotated Diabetic Retinopathy, Seg-set.

1842 photographs of 1280 × 1280 px with pixel masks, without any split.

Layout: ``Seg-set/Original_Images/NAME.png`` and ``Seg-set/{Microaneurysms_Masks,Hemohedge_Masks,HardExudate_Masks,
SoftExudate_Masks,IRMA_Masks,Neovascularization_Masks}/NAME.png``, inside ``FGADR-Seg-set_Release`` or not.

Licence: for research under an agreement; neither the data nor what is derived from it may be passed on. Known defects:
masks are grey or RGB with soft edges of all values, so a pixel counts from 128 on; the folder of haemorrhages is
misspelt; few photographs have a mask of IRMA (intraretinal microvascular abnormalities) or NV (neovascularisation).
"""

from collections.abc import Iterator
from pathlib import Path

from coarsekit.datasets.base import FileDataset, Licence, SampleFiles
from coarsekit.datasets.layout import by_name, fitting_file, list_images, root_with, split_keys
from coarsekit.errors import SourceError
from coarsekit.types import EX, HE, LESIONS, MA, SE

_FOLDERS = {
    MA: "Microaneurysms_Masks",
    HE: "Hemohedge_Masks",
    EX: "HardExudate_Masks",
    SE: "SoftExudate_Masks",
    "IRMA": "IRMA_Masks",
    "NV": "Neovascularization_Masks",
}


class Reader(FileDataset):
    """Reads FGADR from ``root``: the folder ``Seg-set``, or one higher or lower.

    Raises `SourceError` when the photographs are not where the release has them, or two have the same name.
    """

    name = "fgadr"
    title = "Fine-Grained Annotated Diabetic Retinopathy (FGADR), Seg-set"
    lesions = tuple(_FOLDERS)
    licence = Licence("research only", "https://csyizhou.github.io/FGADR/", redistribution=False)
    citation = (
        "Zhou et al., A Benchmark for Studying Diabetic Retinopathy: Segmentation, Grading, and Transferability, "
        "IEEE Transactions on Medical Imaging 40(3):818-828, 2021, https://doi.org/10.1109/TMI.2020.3037771"
    )
    threshold = 127
    optional_lesions = ("IRMA", "NV")

    def __init__(self, root: Path) -> None:
        self._root = root_with(root, "Original_Images")
        self._photographs = by_name(("all", path) for path in list_images(self._root / "Original_Images", [".png"]))
        if not self._photographs:
            raise SourceError(
                f"{root}: no FGADR photographs found; expected 'Original_Images/NAME.png' in it or in its folder "
                "'Seg-set', as the release unpacks"
            )

    def splits(self) -> dict[str, tuple[str, ...]]:
        return split_keys(self._photographs)

    def files(self, key: str) -> SampleFiles:
        if key not in self._photographs:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        places = {lesion: self._root / folder / f"{key}.png" for lesion, folder in _FOLDERS.items()}
        masks = {lesion: path for lesion, place in places.items() if (path := fitting_file(place))}
        return SampleFiles(key, *self._photographs[key], masks, LESIONS)

    def mask_files(self) -> Iterator[Path]:
        for folder in _FOLDERS.values():
            yield from list_images(self._root / folder)
