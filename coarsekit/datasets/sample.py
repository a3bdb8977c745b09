"""The bundled sample: two photographs of IDRiD at half their width, so that every command has something to run on.

They are IDRiD training photographs that the bundled network was not trained on (they are held out for validation).
The photographs are JPEGs of 2144 × 1424 px, the masks PNGs; see ``coarsekit/samples/README.md``.
"""

from pathlib import Path

from coarsekit.datasets.base import CC_BY_4, FileDataset, SampleFiles
from coarsekit.datasets.layout import list_images
from coarsekit.errors import SourceError
from coarsekit.types import LESIONS

_FOLDER = Path(__file__).parents[1] / "samples"


class Reader(FileDataset):
    """Reads the sample; it takes no path."""

    name = "sample"
    title = "Bundled sample: two photographs of IDRiD at half width"
    lesions = LESIONS
    licence = CC_BY_4
    citation = (
        "Porwal et al., Indian Diabetic Retinopathy Image Dataset (IDRiD): A Database for Diabetic Retinopathy "
        "Screening Research, Data 3(3):25, 2018, https://doi.org/10.3390/data3030025"
    )
    all_zero_allowed = False

    def splits(self) -> dict[str, tuple[str, ...]]:
        return {"validation": tuple(path.stem for path in list_images(_FOLDER, [".jpg"]))}

    def files(self, key: str) -> SampleFiles:
        if key not in self.keys():
            raise SourceError(f"the sample has no photograph {key!r}; it has {', '.join(self.keys())}")
        masks = {lesion: _FOLDER / f"{key}_{lesion}.png" for lesion in self.lesions}
        return SampleFiles(key, "validation", _FOLDER / f"{key}.jpg", masks, self.lesions)

    def mask_files(self) -> list[Path]:
        return list_images(_FOLDER, [".png"])
