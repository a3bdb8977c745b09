"""e-ophtha: photographs of a tele-ophthalmology network, with masks of microaneurysms and of exudates.

Two parts without any split: e-ophtha MA, 148 photographs with microaneurysms and 233 healthy ones, and e-ophtha EX, 47
with exudates and 35 healthy ones, of four sizes from 1440 × 960 to 2544 × 1696 px.

Layout: ``e_optha_MA/{MA,healthy}/PATIENT/NAME.jpg`` with ``e_optha_MA/Annotation_MA/PATIENT/NAME.png``, and likewise
``e_optha_EX`` with ``…/NAME_EX.png``; either part may be missing, or lie one folder deeper, in ``e_ophtha_MA``.

Licence: for research and education; it may not be passed on. Known defects: the folders are spelt ``optha``, suffixes
differ in case, masks are of all pixel types, and a photograph of one part has no masks of the other's class. Where both
parts have a photograph of one name it is read once, with the masks of both.
"""

from collections.abc import Iterator
from pathlib import Path

from coarsekit.datasets.base import FileDataset, Licence, SampleFiles
from coarsekit.datasets.layout import list_images, root_with
from coarsekit.errors import SourceError
from coarsekit.types import EX, MA

_PARTS = {MA: ("e_optha_MA", "MA", "Annotation_MA"), EX: ("e_optha_EX", "EX", "Annotation_EX")}
_PHOTOGRAPHS, _MASKS = (".jpg", ".jpeg"), (".png",)


class Reader(FileDataset):
    """Reads e-ophtha from ``root``: the folder that has ``e_optha_MA`` or ``e_optha_EX``, or one higher or lower.

    Raises `SourceError` when neither is there, or one part has two photographs of a name.
    """

    name = "eophtha"
    title = "e-ophtha, microaneurysms and exudates"
    lesions = tuple(_PARTS)
    licence = Licence("research and education", "https://www.adcis.net/en/third-party/e-ophtha/", redistribution=False)
    citation = (
        "Decencière et al., TeleOphta: Machine learning and image processing methods for teleophthalmology, "
        "IRBM 34(2):196-203, 2013, https://doi.org/10.1016/j.irbm.2013.01.010"
    )

    optional_lesions = lesions

    def __init__(self, root: Path) -> None:
        self._root = root_with(
            root, *(place for lesion, (part, _, _) in _PARTS.items() for place in (part, f"e_ophtha_{lesion}"))
        )
        self._photographs: dict[str, Path] = {}
        self._shown: dict[str, tuple[str, ...]] = {}
        self._masks: dict[str, dict[str, Path]] = {}
        for lesion, (_, ill, annotation) in _PARTS.items():
            part = self._part(lesion)
            own: dict[str, Path] = {}
            for kind in (ill, "healthy"):
                for path in _below(part / kind, _PHOTOGRAPHS):
                    if path.stem in own:
                        raise SourceError(
                            f"{path}: a second photograph of that name (the first is {own[path.stem]}); keep one"
                        )
                    own[path.stem] = path
                    self._shown[path.stem] = self._shown.get(path.stem, ()) + ((lesion,) if kind == ill else ())
            self._photographs = own | self._photographs
            for path in _below(part / annotation, _MASKS):
                self._masks.setdefault(path.stem.removesuffix(f"_{lesion}"), {})[lesion] = path
        if not self._photographs:
            raise SourceError(
                f"{root}: no e-ophtha photographs found; expected 'e_optha_MA/MA/PATIENT/NAME.jpg' or "
                "'e_optha_EX/EX/PATIENT/NAME.jpg' in it, as the release unpacks"
            )

    def splits(self) -> dict[str, tuple[str, ...]]:
        return {"all": tuple(sorted(self._photographs))}

    def files(self, key: str) -> SampleFiles:
        if key not in self._photographs:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        return SampleFiles(key, "all", self._photographs[key], self._masks.get(key, {}), self._shown[key])

    def mask_files(self) -> Iterator[Path]:
        for lesion, (_, _, annotation) in _PARTS.items():
            yield from _below(self._part(lesion) / annotation, _MASKS)

    def _part(self, lesion: str) -> Path:
        part = self._root / _PARTS[lesion][0]
        deeper = self._root / f"e_ophtha_{lesion}" / part.name
        return deeper if deeper.is_dir() else part


def _below(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of the patients' folders in ``folder``."""
    patients = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for patient in patients for path in list_images(patient, suffixes)]
