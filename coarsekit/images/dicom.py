"""DICOM photographs, through pydicom, which is imported only when there is one."""

import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from coarsekit.errors import ImageError
from coarsekit.images.depths import DEPTHS, top_of
from coarsekit.images.opening import explained
from coarsekit.types import Image

if TYPE_CHECKING:
    from pydicom import Dataset

_GREYS, _PALETTE = ("MONOCHROME1", "MONOCHROME2"), "PALETTE COLOR"
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_GROUPS, _LAST_ELEMENT = (0x0002, 0x0008), 0x0018
"""Of the element that a data set begins with: its group, and its greatest number."""
_REPRESENTATIONS = (b"CS", b"DA", b"OB", b"TM", b"UI", b"UL")
"""Kinds of values of such elements; where none is written, the length stands there."""
_LONGEST = 64
"""Bytes of such a value: an identifier has the most."""


def is_dicom(path: str | os.PathLike[str]) -> bool:
    """Whether a file is DICOM, by its content, with the preamble or, as some devices write it, a data set alone.

    Raises `ImageError` when it cannot be read.
    """
    with explained(path, path), Path(path).open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (len(head) == 132 and _begins_data_set(head))


def _begins_data_set(head: bytes) -> bool:
    """Whether bytes are those of one of the first elements of a data set (DICOM PS3.5, 7.1), little-endian."""
    group, element, length = (int.from_bytes(head[at : at + size], "little") for at, size in ((0, 2), (2, 2), (4, 4)))
    return group in _GROUPS and element <= _LAST_ELEMENT and (head[4:6] in _REPRESENTATIONS or length <= _LONGEST)


def read_photograph(path: str | os.PathLike[str]) -> Image:
    """The one frame of a DICOM file as RGB (h, w, 3) uint8, of the range that the file says its values have.

    One that says 16 bits may have fewer: then the values tell, as in `coarsekit.images.read_image`.

    Raises `ImageError` when it cannot be decoded, has no pixels or several frames, or pydicom is not installed.
    """
    with explained(path, path), warnings.catch_warnings(action="ignore"):
        dataset, pixels, top = _decoded(path)
        if dataset.PhotometricInterpretation == _PALETTE:
            from pydicom.pixels.processing import apply_color_lut

            pixels = apply_color_lut(pixels, dataset)
            top = 255 if pixels.dtype == np.uint8 else top_of(pixels)
        shown = pixels if top == 255 else np.clip(pixels * (255 / top), 0, 255).round()
        image = shown.astype(np.uint8)
        return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def depth_guessed(path: str | os.PathLike[str]) -> int | None:
    """See `coarsekit.images.depth_guessed`."""
    with explained(path, path), warnings.catch_warnings(action="ignore"):
        header = _header(path)
        if int(header.get("BitsStored") or 0) != 16 or header.get("PixelRepresentation") == 1:
            return None
        dataset, _, top = _decoded(path)
        if dataset.PhotometricInterpretation == _PALETTE:
            return None
        return dict(zip((2**depth - 1 for depth in DEPTHS), DEPTHS[:-1], strict=False)).get(top)


def read_channels(path: str | os.PathLike[str]) -> NDArray:
    """The raw pixels (h, w) or (h, w, 3) of a mask as DICOM, see `coarsekit.images.read_channels`."""
    with explained(path, path), warnings.catch_warnings(action="ignore"):
        return _decoded(path)[1]


def read_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(w, h) of the one frame of a DICOM file in px, from its header alone."""
    with explained(path, path), warnings.catch_warnings(action="ignore"):
        dataset = _header(path)
        return int(dataset.Columns), int(dataset.Rows)


def _header(path: str | os.PathLike[str]) -> "Dataset":
    """All but the pixels; raises `ImageError` when there are none, or those of several frames."""
    dataset = _data_set(path, header_alone=True)
    frames = int(dataset.get("NumberOfFrames") or 1)
    if "Rows" not in dataset or "Columns" not in dataset:
        raise ImageError(f"{path}: a DICOM file without pixels; give the photograph's own file")
    if frames > 1:
        raise ImageError(f"{path}: a DICOM file of {frames} frames; expected one; export the photograph as PNG")
    if dataset.Rows * dataset.Columns > 2 * (Pillow.MAX_IMAGE_PIXELS or np.inf):
        raise Pillow.DecompressionBombError
    return dataset


def _data_set(path: str | os.PathLike[str], header_alone: bool = False) -> "Dataset":
    """All that a file has; without a preamble its numbers are encoded as what was read of it was."""
    try:
        from pydicom import dcmread
        from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
    except ImportError:
        raise ImageError(
            f"{path}: a DICOM file, which needs pydicom; run pip install 'coarsekit[dicom]', or export it as PNG"
        ) from None
    dataset = dcmread(path, force=True, stop_before_pixels=header_alone)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return dataset


def _top_of(dataset: "Dataset", pixels: NDArray) -> int:
    """The greatest value of a range that is said to have 16 bits, as files say that do not know the camera's.

    It is that of the window in which the file is to be shown, or else of the depth that holds the pixels.
    """
    least, shown = top_of(pixels), 0.0
    with suppress(TypeError, ValueError, KeyError):
        centre, width = (np.atleast_1d(dataset[name].value)[0] for name in ("WindowCenter", "WindowWidth"))
        shown = float(centre) + float(width) / 2 - 1
    return next((2**depth - 1 for depth in DEPTHS if max(shown, least) <= 2**depth - 1), 2**16 - 1)


def _decoded(path: str | os.PathLike[str]) -> "tuple[Dataset, NDArray, int]":
    """The header, the pixels (h, w) or (h, w, 3), 0 for black but in a palette, and their greatest possible value."""
    header = _header(path)
    from pydicom.pixels.utils import pixel_array

    kind, bits = header.get("PhotometricInterpretation"), int(header.get("BitsStored") or 0)
    if kind not in (*_GREYS, *_COLOURS, _PALETTE) or not 1 <= bits <= 16:
        raise ImageError(
            f"{path}: a DICOM file of {bits} bits and the photometric interpretation {kind}; expected 8 to 16 bits of "
            "RGB, YBR_FULL, PALETTE COLOR or MONOCHROME; export the photograph as PNG"
        )
    dataset = _data_set(path)
    if "PixelData" not in dataset:
        raise ImageError(f"{path}: a DICOM file without pixels; give the photograph's own file")
    try:
        pixels = pixel_array(dataset)
    except (RuntimeError, NotImplementedError):  # what pydicom raises without a decoder for the file
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise ImageError(
            f"{path}: its pixels are compressed as {syntax}, which no decoder that is installed opens, or are damaged; "
            "run pip install pylibjpeg pylibjpeg-libjpeg, or export the photograph as PNG"
        ) from None
    top = 2**bits - 1
    if dataset.PixelRepresentation == 1:
        pixels = pixels.astype(np.int32) + 2 ** (bits - 1)
    elif bits == 16 and kind != _PALETTE:
        top = _top_of(dataset, pixels)
        pixels = np.minimum(pixels, top)
    return dataset, top - pixels if kind == "MONOCHROME1" else pixels, top
