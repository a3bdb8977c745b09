"""A photograph as a caller has it: a file, Pillow's image, or an array of any depth."""

import os
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from coarsekit.errors import ImageError
from coarsekit.images import read_image, read_picture
from coarsekit.images.depths import eight_bits
from coarsekit.types import Image

ImageLike: TypeAlias = str | os.PathLike[str] | Pillow.Image | NDArray[Any]
"""What `as_image` takes."""
_GREY, _COLOUR, _ALPHA = 1, 3, 4


def as_image(image: ImageLike | object) -> Image:
    """The photograph as (h, w, 3) uint8 RGB, read and converted as `coarsekit.images.read_image` does.

    Args:
        image: The path of an image file; Pillow's image, as it was opened, since a copy of one does not say that its
            file has more than 8 bits; or an array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), whose fourth channel,
            alpha, is left out. Whole numbers of more than 8 bits, and floating-point numbers, are of
            the least range that holds them all: 0–1 (floating-point only), 8, 10, 12, 14 or 16 bits.

    Returns:
        (h, w, 3) uint8, RGB; the array itself where it is one already.

    Raises:
        ImageError: When a file or a picture cannot be read, an array has another shape or no pixel, or its values are
            in no known range.
        TypeError: When it is none of these, such as a tensor.
    """
    if isinstance(image, np.ndarray):
        return _of_array(image)
    if isinstance(image, Pillow.Image):
        return read_picture(image)
    if isinstance(image, (str, os.PathLike)):
        return read_image(image)
    hint = "; give tensor.permute(1, 2, 0).cpu().numpy()" if type(image).__module__.partition(".")[0] == "torch" else ""
    raise TypeError(f"a photograph is a path, an image of Pillow, or an array (h, w, 3), got {_kind(image)}{hint}")


def _of_array(array: NDArray[Any]) -> Image:
    shape = f"an array of shape {array.shape}"
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (_GREY, _COLOUR, _ALPHA):
        first = array.ndim == 3 and array.shape[0] in (_GREY, _COLOUR, _ALPHA)
        hint = "; give array.transpose(1, 2, 0)" if first else ""
        raise ImageError(f"a photograph is (h, w, 3), or (h, w) if it is grey, got {shape}{hint}")
    if not array.size:
        raise ImageError(f"a photograph has one pixel or more, got {shape}")
    if array.dtype.kind not in "uif":
        raise ImageError(f"a photograph's pixels are numbers, got an array of {array.dtype}; give uint8, 0–255")
    array = array[..., :_COLOUR]
    if array.dtype != np.uint8:
        array = eight_bits(array, "the photograph")
    return np.repeat(array, _COLOUR, axis=2) if array.shape[2] == _GREY else array


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}".removeprefix("builtins.")
