"""The masks that the bundled refiners make of the sample, kept in ``tests/golden``.

``python -m tests.golden_masks`` writes them again: after `zoo.variants.REFINING_VERSION` has been raised, since answers
have changed.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import coarsekit
import zoo
from coarsekit.types import LESIONS

FOLDER = Path(__file__).parent / "golden"
VERSION = FOLDER / "version.json"
PHOTOGRAPHS = coarsekit.open_source("sample").keys()


def masks_of(name: str, key: str) -> NDArray[np.uint8]:
    """What a refiner makes of one photograph, drawn as by a person: bit i of a pixel is the mask of lesion class i."""
    fundus = coarsekit.open_source("sample").read(key)
    refined = zoo.from_pretrained(name).refine(fundus.image, coarsekit.annotate(fundus, 1.0, coarsekit.HUMAN, 0))
    packed = np.zeros(fundus.shape, np.uint8)
    for lesion, mask in refined.items():
        packed |= mask.astype(np.uint8) << LESIONS.index(lesion)
    return packed


def file_of(name: str, key: str) -> Path:
    """Where the masks of a refiner and a photograph are kept."""
    return FOLDER / f"{name}-{key}.png"


def main() -> None:
    """Write the masks of every bundled refiner, and the version that made them."""
    from zoo.variants import REFINING_VERSION

    for name in zoo.list_refiners():
        for key in PHOTOGRAPHS:
            Image.fromarray(masks_of(name, key)).save(file_of(name, key), optimize=True)
    VERSION.write_text(json.dumps({"refining_version": REFINING_VERSION}) + "\n")


if __name__ == "__main__":
    main()
