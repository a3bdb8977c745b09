"""The only opener and writer of image files."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from coarsekit.errors import ImageError
from coarsekit.storage.files import atomic_write
from coarsekit.types import Image, Mask

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "JPEG2000")
"""What is opened, by content. Of others Pillow would start programs: Ghostscript for EPS, under any file name."""

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras give a deep grey value; files of 16 bits hold any of them, and only the values tell which."""


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read a photograph as upright RGB.

    Grey, 16-bit, palette, CMYK and alpha images are converted, and an EXIF orientation is applied. Deep grey values are
    of the least range that holds them all, as cameras of 8, 10, 12, 14 and 16 bits fill it (`DEPTHS`), and, where they
    are floating-point numbers, 0–1 first. Such may go beyond it by a twentieth of their greatest value, as after
    resampling, and are clipped. Of colours of 16 bits only the upper 8 can be read.

    Args:
        path: An image file of any format that Pillow reads.

    Returns:
        (h, w, 3) uint8, RGB, 0–255.

    Raises:
        ImageError: When the file is missing, cut short or not an image, or has pixels that are no numbers or in none of
            these ranges, and for colours of 16 bits that fill 14 bits or fewer.
    """
    picture = _open(path, path)
    if picture.mode.startswith(("I", "F")):
        return np.repeat(_eight_bits(np.asarray(picture), path)[..., None], 3, axis=2)
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    image = np.asarray(picture.convert("RGB")).copy()
    if image.size and image.max() < 64 and _has_deep_colours(path):
        raise ImageError(
            f"{path}: its colours have 16 bits and reach {image.max() / 255:.0%} of their range, so that a camera of "
            "fewer bits must have made them; export the photograph with 8 bits"
        )
    return image


def read_mask(path: str | os.PathLike[str]) -> Mask:
    """Read a fine mask: the pixels at which any channel but alpha is not 0.

    A palette image counts by its indices, because published masks have 0 and 1 under palettes of any colours.

    Args:
        path: An image file of any format that Pillow reads.

    Returns:
        (h, w) boolean; all False for an image of zeros.

    Raises:
        ImageError: When the file is missing, cut short or not an image.
    """
    return np.asarray(read_values(path) != 0, dtype=bool)


def read_values(path: str | os.PathLike[str]) -> NDArray:
    """The raw values of a mask or label map, (h, w): palette indices, grey values, or the greatest colour channel.

    Raises `ImageError` when the file is missing, cut short or not an image.
    """
    return _values(_open(path, path))


def jpeg_round_trip(image: Image, quality: int) -> Image:
    """The image as it is after saving it as JPEG at a quality of 1–100."""
    coded = BytesIO()
    Pillow.fromarray(image).save(coded, "JPEG", quality=quality)
    return np.asarray(Pillow.open(coded, formats=("JPEG",))).copy()


def decode_mask(data: bytes, name: str) -> Mask:
    """The mask (h, w) in the bytes of an image file; ``name`` is what errors call it. See `read_mask`."""
    return np.asarray(_values(_open(BytesIO(data), name)) != 0, dtype=bool)


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(w, h) of an upright image in px, from its header alone.

    Raises `ImageError` when the file is missing or not an image.
    """
    with _explained(path), warnings.catch_warnings(action="ignore"), Pillow.open(path, formats=FORMATS) as picture:
        width, height = picture.size
        sideways = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # the EXIF orientations that swap rows and columns
        return (height, width) if sideways else (width, height)


def write_image(path: str | os.PathLike[str], image: Image | Mask) -> None:
    """Write RGB (h, w, 3) uint8, or a mask (h, w) as 0 and 255; the format follows the suffix; whole or not at all."""
    pixels = image.astype(np.uint8) * 255 if image.dtype == bool else image
    path = Path(path)
    with atomic_write(path) as temporary:
        Pillow.fromarray(pixels).save(temporary, format=Pillow.registered_extensions()[path.suffix.lower()])


def encode_png(image: Image | Mask) -> bytes:
    """RGB (h, w, 3) uint8 as the bytes of a PNG, or a mask (h, w) as those of one of 0 and 255; nothing is lost."""
    values = image.astype(np.uint8)
    pixels = np.ascontiguousarray(values[..., ::-1]) if values.ndim == 3 else values * 255
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ImageError(f"an image of shape {image.shape} cannot be encoded as PNG; give at least one pixel")
    return data.tobytes()


def decode_png(data: bytes) -> NDArray[np.uint8]:
    """The pixels of an encoded image: (h, w, 3) RGB, or (h, w) if it is grey; `encode_png` undone, a mask as 0 and 255.

    Raises `ImageError` when the bytes are not an image.
    """
    with _explained(f"an image of {len(data)} bytes"), warnings.catch_warnings(action="ignore"):
        picture: Pillow.Image = Pillow.open(BytesIO(data), formats=FORMATS)
        if picture.mode not in ("L", "RGB"):
            picture = picture.convert("L" if picture.mode == "1" else "RGB")
        return np.asarray(picture)


def _eight_bits(deep: NDArray, name: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Deep grey values as 0–255, see `read_image`."""
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


def _has_deep_colours(path: str | os.PathLike[str]) -> bool:
    """Whether an image has colours of 16 bits, of which Pillow keeps the upper 8."""
    with _explained(path), warnings.catch_warnings(action="ignore"), Pillow.open(path, formats=FORMATS) as picture:
        return picture.mode in ("RGB", "RGBA") and any(";16" in str(tile[3]) for tile in picture.tile)


def _values(picture: Pillow.Image) -> NDArray:
    if picture.mode not in ("1", "L", "P", "I", "F", "I;16", "RGB"):
        picture = picture.convert("LA" if picture.mode == "LA" else "RGBA")
    values = np.asarray(picture)
    if picture.mode in ("LA", "RGBA"):
        values = values[..., :-1]
    return values.max(axis=2) if values.ndim == 3 else values


def _open(file: str | os.PathLike[str] | BytesIO, name: str | os.PathLike[str]) -> Pillow.Image:
    # What Pillow warns of is either harmless or followed by an error.
    with _explained(name), warnings.catch_warnings(action="ignore"), Pillow.open(file, formats=FORMATS) as picture:
        picture.load()
        if picture.mode == "F" and not np.isfinite(np.asarray(picture)).all():
            raise ValueError("some of its pixels are no numbers")
        return ImageOps.exif_transpose(picture)


@contextmanager
def _explained(name: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file; check the path of the image") from None
    except IsADirectoryError:
        raise ImageError(f"{name}: expected an image file, got a folder") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not an image that can be read; expected JPEG, PNG, TIFF or the like") from None
    except Pillow.DecompressionBombError:
        most = 2 * (Pillow.MAX_IMAGE_PIXELS or 0) / 1e6
        raise ImageError(
            f"{name}: the image cannot be decoded, since it has more than {most:.0f} million pixels, the most that is "
            "read; shrink or cut it"
        ) from None
    except Exception as cause:  # Pillow's parsers stumble over hostile files with errors of many kinds
        raise ImageError(f"{name}: the image cannot be decoded ({cause}); export or copy it again") from None
