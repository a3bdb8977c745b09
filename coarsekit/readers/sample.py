"""The bundled sample: two photographs of IDRiD at half their width, so that every command has something to run on.

They are IDRiD training photographs that the bundled refiners were not trained on (they are held out for validation).
The photographs are JPEGs of 2144 × 1424 px, the masks PNGs; see ``coarsekit/samples/README.md``.
"""

from pathlib import Path

from coarsekit.dataset import CC_BY_4, Dataset
from coarsekit.errors import SourceError
from coarsekit.images import read_image, read_mask
from coarsekit.types import LESIONS, Fundus

_FOLDER = Path(__file__).parents[1] / "samples"


class Reader(Dataset):
    """Reads the sample; it takes no path."""

    name = "sample"
    title = "Bundled sample: two photographs of IDRiD at half width"
    lesions = LESIONS
    licence = CC_BY_4
    citation = (
        "Porwal et al., Indian Diabetic Retinopathy Image Dataset (IDRiD): A Database for Diabetic Retinopathy "
        "Screening Research, Data 3(3):25, 2018, https://doi.org/10.3390/data3030025"
    )

    def splits(self) -> dict[str, tuple[str, ...]]:
        return {"validation": tuple(sorted(path.stem for path in _FOLDER.glob("*.jpg")))}

    def read(self, key: str) -> Fundus:
        if key not in self.keys():
            raise SourceError(f"the sample has no photograph {key!r}; it has {', '.join(self.keys())}")
        image = read_image(_FOLDER / f"{key}.jpg")
        paths = {lesion: _FOLDER / f"{key}_{lesion}.png" for lesion in self.lesions}
        fine = {lesion: read_mask(path) for lesion, path in paths.items() if path.exists()}
        return Fundus(key, f"{key}.jpg", "validation", image, fine)
