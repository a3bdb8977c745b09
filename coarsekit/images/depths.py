"""Pixels of more than 8 bits: how bright they are, and colours of which Pillow keeps only the upper 8 bits."""

import os

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.TiffImagePlugin import TiffImageFile

from coarsekit.errors import ImageError

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras give a deep value; files of 16 bits hold any of them, and only the values tell which."""


def eight_bits(deep: NDArray, name: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Deep values as 0–255, see `coarsekit.images.read_image`.

    Raises `ImageError` when they are of no known range.
    """
    floating = deep.dtype.kind == "f"
    least, most = float(deep.min(initial=0)), float(deep.max(initial=0))
    tops = [2**depth - 1 for depth in DEPTHS]
    for top in [1, *tops] if floating else tops:
        beyond = 0.05 if floating else 0
        if -beyond * most <= least and most <= (1 + beyond) * top:
            return np.clip(deep.astype(np.float64) / (top / 255), 0, 255).round().astype(np.uint8)
    raise ImageError(
        f"{name}: its values go from {least:.4g} to {most:.4g}; expected 0–255, 0–65,535, or numbers in 0–1; export "
        "the photograph with 8 or 16 bits"
    )


def has_deep_colours(picture: Pillow.Image) -> bool:
    """Whether a picture that is not loaded yet has colours, or grey with alpha, of 16 bits."""
    if picture.mode not in ("RGB", "RGBA", "LA"):
        return False
    if isinstance(picture, TiffImageFile):
        return max(picture.tag_v2.get(258, (8,))) > 8  # BitsPerSample
    return any(";16" in str(tile[3]) or "65535" in str(tile[3]) for tile in getattr(picture, "tile", ()))


def deep_colours(data: bytes, picture: Pillow.Image, name: str | os.PathLike[str]) -> NDArray:
    """The colours (h, w, 3), RGB, of an image file of 16 bits, of which ``picture`` has the upper 8.

    Raises `ImageError` when OpenCV cannot read them, or sees others than Pillow.
    """
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is not None and read.dtype == np.uint16 and read.ndim == 3 and read.shape[2] >= 3:
        colours, seen = read[..., 2::-1], np.asarray(picture.convert("RGB"))
        # Pillow drops the lower 8 bits of some formats and rounds others.
        if colours.shape == seen.shape and (np.abs(colours / np.float32(257) - seen) <= 1).all():
            return colours
    raise ImageError(
        f"{name}: its colours have 16 bits in an arrangement that cannot be read; export the photograph with 8 bits"
    )
