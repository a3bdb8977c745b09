"""A small tree in the layout of each dataset, for the contract test of readers: one function per reader.

Each is given an empty folder, fills it as the dataset's publisher would have, and returns the SOURCE that opens it.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests import reader_trees
from tests.pictures import photograph, six_lesions

IDRID_FOLDERS = {"MA": "1. Microaneurysms", "HE": "2. Haemorrhages", "EX": "3. Hard Exudates", "SE": "4. Soft Exudates"}
IDRID_SPLITS = {"a. Training Set": ("IDRiD_01", "IDRiD_02"), "b. Testing Set": ("IDRiD_55",)}


def palette(mask: np.ndarray) -> Image.Image:
    """Indices 0 and 1 under a palette without any black, as most of IDRiD's masks are published."""
    picture = Image.fromarray(mask).convert("P")
    picture.putdata(mask.ravel().tolist())
    picture.putpalette([255, 255, 255, 255, 0, 0])
    return picture


def idrid(folder: Path) -> str:
    """Two training and one testing photograph: palette masks, an RGBA one, an all-zero one, and missing ones."""
    root = folder / "A. Segmentation"
    for split, keys in IDRID_SPLITS.items():
        pictures = root / "1. Original Images" / split
        pictures.mkdir(parents=True)
        for number, key in enumerate(keys):
            photograph(number).save(pictures / f"{key}.jpg")
            for seed, (lesion, name) in enumerate(IDRID_FOLDERS.items()):
                masks = root / "2. All Segmentation Groundtruths" / split / name
                masks.mkdir(parents=True, exist_ok=True)
                mask = six_lesions(seed)
                if (key, lesion) == ("IDRiD_02", "SE"):
                    continue
                if (key, lesion) == ("IDRiD_01", "SE"):
                    mask = np.zeros_like(mask)
                picture = palette(mask)
                if (key, lesion) == ("IDRiD_55", "EX"):
                    picture = Image.fromarray(np.dstack([mask * 255, mask * 0, mask * 0, mask * 0 + 255]))
                picture.save(masks / f"{key}_{lesion}.tif")
    return f"idrid:{folder}"


def sample(folder: Path) -> str:
    """The sample is bundled: nothing to write."""
    return "sample"


_OTHERS = vars(reader_trees)
TREES: dict[str, Callable[[Path], str]] = {"idrid": idrid, "sample": sample} | {
    name: _OTHERS[f"write_{name}"] for name in ("ddr", "eophtha", "fgadr", "folder")
}
