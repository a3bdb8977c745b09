"""The bundled sample with few of its lesions: real pixels for what would take long with all of them."""

from pathlib import Path

import cv2
import numpy as np

import coarsekit
from coarsekit.images import write_image
from coarsekit.types import Mask
from tests.own_datasets import LICENCE

COUNT = 2
"""Lesions of each class that are kept on a photograph, the largest."""


def write_few_lesions(folder: Path, *keys: str) -> str:
    """Photographs of the sample, all or those of ``keys``, with masks of few lesions; gives the SOURCE."""
    sample = coarsekit.open_source("sample")
    for key in keys or sample.keys():
        fundus = sample.read(key)
        write_image(folder / f"images/{key}.png", fundus.image)
        for lesion, mask in fundus.fine.items():
            write_image(folder / f"masks/{key}_{lesion}.png", _largest(mask))
    masks = "\n".join(f'{lesion} = "masks/{{stem}}_{lesion}.png"' for lesion in sample.lesions)
    (folder / "coarsekit.toml").write_text(f"licence = {LICENCE}\n[masks]\n{masks}\n")
    return f"folder:{folder}"


def _largest(mask: Mask) -> Mask:
    """The largest lesions of a mask."""
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.isin(labels, 1 + np.argsort(sizes[1:, cv2.CC_STAT_AREA])[::-1][:COUNT])
