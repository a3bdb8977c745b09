"""Pixels of more than 8 bits: how bright they are, and colours of which Pillow keeps only the upper 8 bits."""

import os
from collections.abc import Sequence
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from coarsekit.errors import ImageError

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras give a deep value; files of 16 bits hold any of them, and only the values tell which."""
_TOPS = [2**depth - 1 for depth in DEPTHS]
_TEXT, _ALIKE = 0.03, 0.8
"""The greatest share of a photograph's values that burnt-in text has, and the least share of these that are one."""
_OVERSHOOT = 1.1
_HEAD = 2**16
"""Bytes of a JPEG 2000 in which its sizes lie: a colour profile may lie before them."""


def eight_bits(deep: NDArray, name: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Deep values as 0–255, see `coarsekit.images.read_image`.

    Raises `ImageError` when they are of no known range.
    """
    floating = deep.dtype.kind == "f"
    least, most = float(deep.min(initial=0)), float(deep.max(initial=0))
    if not floating and least >= 0 and most <= _TOPS[-1]:
        return (np.minimum(deep, top := top_of(deep)) / (top / 255)).round().astype(np.uint8)
    for top in [1, *_TOPS] if floating else ():
        beyond = 0.05
        if -beyond * most <= least and most <= (1 + beyond) * top:
            return np.clip(deep.astype(np.float64) / (top / 255), 0, 255).round().astype(np.uint8)
    raise ImageError(
        f"{name}: its values go from {least:.4g} to {most:.4g}; expected 0–255, 0–65,535, or numbers in 0–1; export "
        "the photograph with 8 or 16 bits"
    )


def top_of(deep: NDArray) -> int:
    """The greatest value of the least depth that holds all of these whole numbers, 0–65,535.

    Burnt-in text does not count: few values, most of them one and the same that lies far beyond all others. In a dark
    photograph with bright spots there are many between. Nor do few values that are a little beyond, as compression
    leaves them beside edges.
    """
    most = int(deep.max(initial=0))
    for top in _TOPS:
        if most <= top:
            return top
        beyond = np.count_nonzero(deep > top)
        if beyond > _TEXT * deep.size:
            continue
        is_text = most >= 4 * top and np.count_nonzero(deep == most) >= _ALIKE * beyond
        if most <= _OVERSHOOT * top or (is_text and np.percentile(deep, 100 * (1 - _TEXT) - 1) > top / 8):
            return top
    return most


def depth_told_by(deep: NDArray) -> int | None:
    """The bits, of fewer than 16, that `top_of` takes whole numbers to have; None where they fill 16, or are others."""
    if deep.dtype.kind == "f" or int(deep.min(initial=0)) < 0 or int(deep.max(initial=0)) > _TOPS[-1]:
        return None
    return dict(zip(_TOPS, DEPTHS[:-1], strict=False)).get(top_of(deep))


def depth_note(depth: int, named: Sequence[str]) -> str:
    """The sentence that says of which photographs only the values tell that they have ``depth`` bits."""
    where = named[0] if len(named) == 1 else f"{len(named)} photographs such as {named[0]}"
    return (
        f"The values in the 16 bits of {where} are taken as of {depth} bits, since hardly any is greater; where such a "
        "photograph is dark by intent, export it with 8 bits."
    )


def has_deep_colours(picture: Pillow.Image) -> bool:
    """Whether a picture that is not loaded yet has colours, or grey with alpha, of 16 bits."""
    if picture.mode not in ("RGB", "RGBA", "LA"):
        return False
    if isinstance(picture, Jpeg2KImageFile):
        return _has_sixteen_bits(picture)
    if isinstance(picture, TiffImageFile):
        return max(picture.tag_v2.get(258, (8,))) > 8  # BitsPerSample
    return any(";16" in str(tile[3]) or "65535" in str(tile[3]) for tile in getattr(picture, "tile", ()))


def _has_sixteen_bits(picture: Jpeg2KImageFile) -> bool:
    """Whether a JPEG 2000 says that its components have 16 bits; one that says fewer, Pillow scales as it should."""
    if picture.fp is None:
        return False
    place = picture.fp.tell()
    picture.fp.seek(0)
    head = picture.fp.read(_HEAD)
    picture.fp.seek(place)
    sizes = head[start + 42 :] if (start := head.find(b"\xff\x4f\xff\x51")) >= 0 else b""
    return len(sizes) > 0 and sizes[0] == 15


def float_tiff_tags(stream: IO[bytes]) -> ImageFileDirectory_v2 | None:
    """The tags of a TIFF with colours of floating-point numbers, which Pillow does not open; None for other files."""
    stream.seek(0)
    head = stream.read(8)
    if head[:4] not in (b"II*\0", b"MM\0*"):
        return None
    try:
        tags = ImageFileDirectory_v2(head)
        stream.seek(tags.next)
        tags.load(stream)
        is_floating = set(tags.get(339, ())) == {3} and tags.get(277, 1) >= 3  # SampleFormat, SamplesPerPixel
    except Exception:  # a damaged file fails in many ways, and is named as no image
        return None
    return tags if is_floating and 256 in tags and 257 in tags else None


def float_colours(data: bytes, name: str | os.PathLike[str]) -> NDArray:
    """The colours (h, w, 3), RGB, of a TIFF of floating-point numbers, which OpenCV turns upright.

    Raises `ImageError` when OpenCV cannot read it, or some of its pixels are no numbers.
    """
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or read.dtype.kind != "f" or read.ndim != 3 or read.shape[2] < 3:
        raise ImageError(
            f"{name}: its colours are floating-point numbers in an arrangement that cannot be read; export the "
            "photograph with 8 or 16 bits"
        )
    if not np.isfinite(read).all():
        raise ImageError(f"{name}: some of its pixels are no numbers; export it again")
    return read[..., 2::-1]


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
    if isinstance(picture, Jpeg2KImageFile):  # in another arrangement of colours, of which the upper 8 bits do
        return np.asarray(picture.convert("RGB"), np.uint16) * np.uint16(257)
    raise ImageError(
        f"{name}: its colours have 16 bits in an arrangement that cannot be read; export the photograph with 8 bits"
    )
