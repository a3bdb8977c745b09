"""The only opener and writer of image files."""

import os
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from coarsekit.errors import ImageError
from coarsekit.images import dicom
from coarsekit.images.depths import depth_told_by, eight_bits
from coarsekit.images.names import PHOTOGRAPHS as PHOTOGRAPHS
from coarsekit.images.opening import FORMATS, Opened, explained, header_size, is_deep, opened, opened_picture, turned
from coarsekit.storage.files import atomic_write
from coarsekit.types import Image, Mask


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read a photograph as upright RGB.

    Grey, 16-bit, palette, CMYK and alpha images are converted, and an EXIF orientation is applied. Deep greys and
    colours are of the least range that holds them all, as cameras of 8, 10, 12, 14 and 16 bits fill it, and, where they
    are floating-point numbers, 0–1 first. Such may go beyond it by a twentieth of their greatest value, as after
    resampling, and are clipped. White text that is burnt in does not count. A DICOM file says its range itself, unless
    it says 16 bits, which any camera's values fit. Of the pages of a TIFF it is the largest, the first of several.

    Args:
        path: An image file of any format that Pillow reads, or, with pydicom, a DICOM file of one frame.

    Returns:
        (h, w, 3) uint8, RGB, 0–255.

    Raises:
        ImageError: When the file is missing, cut short or not an image, or has pixels that are no numbers or in none of
            these ranges.
        TypeError: When it is no path.

    Examples:
        >>> coarsekit.read_image("image.png").shape
        (120, 160, 3)
    """
    if dicom.is_dicom(path):
        return dicom.read_photograph(path)
    return _photograph(opened(path, path), path)


def depth_guessed(path: str | os.PathLike[str]) -> int | None:
    """The bits that the values of a photograph of 16 bits are taken to have, where only the values tell.

    It decodes such a file once more.

    Args:
        path: As `read_image`.

    Returns:
        8, 10, 12 or 14; None for files of 8 bits, of floating-point numbers, that fill 16 bits, or that say their bits.

    Raises:
        ImageError: As `read_image`.
    """
    if dicom.is_dicom(path):
        return dicom.depth_guessed(path)
    if not is_deep(path):
        return None
    image = opened(path, path)
    return depth_told_by(np.asarray(image.picture) if image.deep is None else image.deep)


def read_picture(picture: Pillow.Image, name: str = "the photograph") -> Image:
    """Read a photograph that Pillow opened as `read_image` does its file.

    Args:
        picture: A picture of any mode, opened or made by a caller. An EXIF orientation that it still has is applied.
        name: What an error calls it.

    Returns:
        (h, w, 3) uint8, RGB, 0–255.

    Raises:
        ImageError: When it is closed, its file is cut short, or as for `read_image`.
    """
    return _photograph(opened_picture(picture, name), name)


def _photograph(image: Opened, name: str | os.PathLike[str]) -> Image:
    picture, deep, orientation = image
    if deep is not None:
        colours = eight_bits(deep, name)
    elif picture.mode.startswith(("I", "F")):
        colours = np.repeat(eight_bits(np.asarray(picture), name)[..., None], 3, axis=2)
    else:
        has_clear_colour = picture.mode == "P" and "transparency" in picture.info
        colours = np.asarray((picture.convert("RGBA") if has_clear_colour else picture).convert("RGB"))
    return turned(colours, orientation).copy()


def read_mask(path: str | os.PathLike[str]) -> Mask:
    """Read a fine mask: the pixels at which any channel but alpha is not 0.

    A palette image counts by its indices, because published masks have 0 and 1 under palettes of any colours.

    Args:
        path: An image file of any format that Pillow reads.

    Returns:
        (h, w) boolean; all False for an image of zeros.

    Raises:
        ImageError: When the file is missing, cut short or not an image.

    Examples:
        >>> coarsekit.read_mask("image_MA.png").dtype
        dtype('bool')
    """
    return np.asarray(read_values(path) != 0, dtype=bool)


def read_values(path: str | os.PathLike[str]) -> NDArray:
    """The raw values of a mask or label map, (h, w): palette indices, grey values, or the greatest colour channel.

    Raises `ImageError` when the file is missing, cut short or not an image.
    """
    return _greatest(read_channels(path)[0])


def read_channels(path: str | os.PathLike[str]) -> tuple[NDArray, NDArray | None]:
    """The raw pixels of a mask or label map, and its alpha (h, w), where it has one.

    The pixels are (h, w) palette indices or grey values, or (h, w, 3) colours, where the channels differ anywhere.

    Raises `ImageError` when the file is missing, cut short or not an image.
    """
    pixels, alpha = (dicom.read_channels(path), None) if dicom.is_dicom(path) else _channels(opened(path, path))
    is_grey = pixels.ndim == 3 and all(
        np.array_equal(pixels[..., 0], pixels[..., n]) for n in range(1, pixels.shape[2])
    )
    return np.ascontiguousarray(pixels[..., 0] if is_grey else pixels), alpha


def jpeg_round_trip(image: Image, quality: int) -> Image:
    """The image as it is after saving it as JPEG at a quality of 1–100."""
    coded = BytesIO()
    Pillow.fromarray(image).save(coded, "JPEG", quality=quality)
    return np.asarray(Pillow.open(coded, formats=("JPEG",))).copy()


def decode_mask(data: bytes, name: str) -> Mask:
    """The mask (h, w) in the bytes of an image file; ``name`` is what errors call it. See `read_mask`."""
    return np.asarray(_greatest(_channels(opened(BytesIO(data), name))[0]) != 0, dtype=bool)


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(w, h) of an upright image in px, from its header alone.

    Raises `ImageError` when the file is missing or not an image.
    """
    return dicom.read_size(path) if dicom.is_dicom(path) else header_size(path)


def write_image(path: str | os.PathLike[str], image: Image | Mask) -> None:
    """Write RGB (h, w, 3) uint8, or a mask (h, w) as 0 and 255; the format follows the suffix; whole or not at all."""
    pixels = image.astype(np.uint8) * 255 if image.dtype == bool else image
    path = Path(path)
    with atomic_write(path) as temporary:
        Pillow.fromarray(pixels).save(temporary, format=Pillow.registered_extensions()[path.suffix.lower()])


def write_label_map(
    path: str | os.PathLike[str], values: NDArray[np.uint8], palette: Mapping[int, tuple[int, int, int]]
) -> None:
    """Write a label map (h, w) uint8 as a PNG whose values are indices of a palette; whole or not at all.

    ``palette``: red, green and blue, 0–255, by value; others are black. `read_values` reads the values back.
    """
    picture = Pillow.fromarray(values)
    picture = picture.convert("P") if picture.mode != "P" else picture
    colours = [part for value in range(256) for part in palette.get(value, (0, 0, 0))]
    picture.putpalette(colours)
    with atomic_write(Path(path)) as temporary:
        picture.save(temporary, format="PNG")


def write_jpeg(path: str | os.PathLike[str], image: Image, quality: int) -> None:
    """Write RGB (h, w, 3) uint8 as a JPEG of a quality of 1–100 whose colours have the resolution of its brightness.

    Small red lesions differ in colour alone. The file is written whole or not at all.

    Raises `ImageError` for an image without a pixel.
    """
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling]
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), options) if image.size else (False, None)
    if not done or data is None:
        raise ImageError(f"an image of shape {image.shape} cannot be encoded as JPEG; give at least one pixel")
    with atomic_write(Path(path)) as temporary:
        temporary.write_bytes(data.tobytes())


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
    coded = BytesIO(data)
    with explained(f"an image of {len(data)} bytes", coded), warnings.catch_warnings(action="ignore"):
        picture: Pillow.Image = Pillow.open(coded, formats=FORMATS)
        if picture.mode not in ("L", "RGB"):
            picture = picture.convert("L" if picture.mode == "1" else "RGB")
        return np.asarray(picture)


def _channels(image: Opened) -> tuple[NDArray, NDArray | None]:
    """Upright raw pixels (h, w) or (h, w, c), and alpha (h, w), if any."""
    picture, values, orientation = image
    alpha = None
    if values is None and (picture.mode.startswith(("I", "F")) or picture.mode in ("1", "L", "P", "RGB")):
        values = np.asarray(picture)
    elif values is None:
        every = np.asarray(picture if picture.mode in ("LA", "PA") else picture.convert("RGBA"))
        values, alpha = every[..., :-1], turned(every[..., -1], orientation)
    return turned(values, orientation), alpha


def _greatest(pixels: NDArray) -> NDArray:
    return np.ascontiguousarray(pixels.max(axis=2) if pixels.ndim == 3 else pixels)
