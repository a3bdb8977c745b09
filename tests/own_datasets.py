"""Small folders of photographs with fine masks, as people who come with their own data have them."""

from pathlib import Path

import numpy as np
from PIL import Image

LICENCE = '{name = "CC-BY-4.0", url = "https://creativecommons.org/licenses/by/4.0/", redistribution = true}'
TRAINING = (
    *("--split", "all", "--set", "variant=unet", "--set", "width=2", "--set", "size=32", "--set", "epochs=1"),
    *("--set", "samples=8", "--set", "batch=4", "--device", "cpu", "--threads", "1", "-q"),
)
"""Arguments of ``zoo train`` that train a tiny network within a second."""


def write_own(folder: Path, seed: int = 0, photographs: int = 3, head: str = f"licence = {LICENCE}\n") -> str:
    """Photographs p0, p1, … of 96 × 64 px with masks MA and SE; gives the SOURCE. Another seed, other pixels."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for number in range(photographs):
        rng = np.random.default_rng([seed, number])
        image = rng.integers(80, 120, (64, 96, 3), dtype=np.uint8)
        for lesion, value in (("MA", 30), ("SE", 220)):
            mask = np.zeros((64, 96), bool)
            for x, y in rng.integers(8, 56, (4, 2)):
                mask[y : y + 5, x + 16 : x + 21] = True
            image[mask] = value
            Image.fromarray(mask).save(folder / "masks" / f"p{number}_{lesion}.png")
        Image.fromarray(image).save(folder / "images" / f"p{number}.png")
    masks = '[masks]\nMA = "masks/{stem}_MA.png"\nSE = "masks/{stem}_SE.png"\n'
    (folder / "coarsekit.toml").write_text(head + masks)
    return f"folder:{folder}"
