"""Opening image files by their content, and one sentence for every file that is none."""

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from coarsekit.errors import CoarsekitError, ImageError
from coarsekit.images.depths import deep_colours, float_colours, float_tiff_tags, has_deep_colours

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "JPEG2000")
"""What is opened, by content. Of others Pillow would start programs: Ghostscript for EPS, under any file name."""


_MOST_CLASSES = 16
"""Values that a label map may have; a photograph has more."""
_MOST_PAGES = 64
"""Pages of a TIFF that are looked at: a hostile file may chain them without end."""


class Opened(NamedTuple):
    """A decoded image: Pillow's picture, its colours where they have 16 bits, and how both are to be turned."""

    picture: Pillow.Image
    deep: NDArray | None
    orientation: int


def opened(file: str | os.PathLike[str] | BytesIO, name: str | os.PathLike[str]) -> Opened:
    """Open and decode an image.

    Raises `ImageError` when it is missing, cut short or not an image, or has pixels that are no numbers.
    """
    with explained(name, file):
        if _float_tags(file):
            return Opened(Pillow.new("RGB", (1, 1)), float_colours(_content(file), name), 1)
    with explained(name, file), _picture(file) as picture:
        return _decoded(picture, file if has_deep_colours(picture) else None, name)


def opened_picture(picture: Pillow.Image, name: str) -> Opened:
    """A picture that a caller opened or made, decoded; of several pages it is the one that the caller turned to.

    Raises `ImageError` when it is closed, its file is cut short, or it has pixels that are no numbers, or of more bits
    than Pillow gives and the file is not there to read them.
    """
    with explained(name, BytesIO()), warnings.catch_warnings(action="ignore"):
        return _decoded(picture, _deep_file(picture, name), name)


def _deep_file(picture: Pillow.Image, name: str) -> BytesIO | None:
    """The file of a picture whose colours have 16 bits, of which Pillow gives the upper 8; None of any other."""
    is_deep, stream = has_deep_colours(picture), getattr(picture, "fp", None)
    if is_deep and stream is not None and not stream.closed:
        place = stream.tell()
        stream.seek(0)
        content = stream.read()
        stream.seek(place)
        return BytesIO(content)
    # Of a picture that is loaded already, its file alone may say so.
    path = getattr(picture, "filename", "")
    if path and Path(os.fsdecode(path)).is_file() and (is_deep or _has_deep_colours(os.fsdecode(path))):
        return BytesIO(Path(os.fsdecode(path)).read_bytes())
    if is_deep:
        raise ImageError(f"{name}: its colours have 16 bits, of which Pillow gives 8; give the path of its file")
    return None


def _has_deep_colours(path: str) -> bool:
    try:
        with explained(path, path), _picture(path) as picture:
            return has_deep_colours(picture)
    except ImageError:
        return False


def _decoded(
    picture: Pillow.Image, deep_file: str | os.PathLike[str] | BytesIO | None, name: str | os.PathLike[str]
) -> Opened:
    """A picture, decoded; ``deep_file``: its file, where its colours have 16 bits."""
    picture.load()
    if picture.mode == "F" and not np.isfinite(np.asarray(picture)).all():
        raise ValueError("some of its pixels are no numbers")
    if isinstance(picture, TiffImageFile) and picture.mode.startswith("I;16") and picture.tag_v2.get(262) == 0:
        # White is 0 there, which Pillow minds for fewer bits alone.
        return Opened(Pillow.fromarray(65535 - np.asarray(picture)), None, _orientation(picture))
    deep = None if deep_file is None else deep_colours(_content(deep_file), picture, name)
    return Opened(picture, deep, _orientation(picture))


def is_deep(path: str | os.PathLike[str]) -> bool:
    """Whether an image has greys or colours of 16 bits, from its header alone.

    Raises `ImageError` when the file is missing or not an image.
    """
    with explained(path, path):
        if _float_tags(path):
            return False
    with explained(path, path), _picture(path) as picture:
        return picture.mode.startswith("I") or has_deep_colours(picture)


def header_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(w, h) of the upright image in px, from its header alone.

    Raises `ImageError` when the file is missing or not an image.
    """
    with explained(path, path):
        if tags := _float_tags(path):
            return (tags[257], tags[256]) if tags.get(274, 1) >= 5 else (tags[256], tags[257])
    with explained(path, path), _picture(path) as picture:
        # Pillow turns the size of a TIFF itself.
        width, height = (
            (picture.tag_v2[256], picture.tag_v2[257]) if isinstance(picture, TiffImageFile) else picture.size
        )
        return (height, width) if _orientation(picture) >= 5 else (width, height)


def turned(pixels: NDArray, orientation: int) -> NDArray:
    """Pixels (h, w, …) as they are upright, under an EXIF orientation of 1–8."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    rows, columns = -1 if orientation in (3, 4, 7, 8) else 1, -1 if orientation in (2, 3, 6, 7) else 1
    return pixels[::rows, ::columns]


def is_mask(path: str | os.PathLike[str], coloured: bool = True) -> bool:
    """Whether a file plainly holds classes and no photograph: it has few values, 0 among them.

    Of one channel or under a palette, or, where ``coloured``, in three channels and a format that loses nothing. False
    for what cannot be opened.
    """
    try:
        with explained(path, path), _picture(path) as picture:
            if picture.mode in ("1", "L", "P"):
                counts = picture.histogram()
                return counts[0] > 0 and sum(count > 0 for count in counts) <= _MOST_CLASSES
            if not coloured or picture.mode not in ("RGB", "RGBA") or picture.format in ("JPEG", "WEBP", "JPEG2000"):
                return False
            counted = picture.getcolors(_MOST_CLASSES) or ()
            colours = {colour[:3] for _, colour in counted if isinstance(colour, tuple)}
            return len(colours) > 1 and (0, 0, 0) in colours
    except ImageError:
        return False


@contextmanager
def _picture(file: str | os.PathLike[str] | BytesIO) -> Iterator[Pillow.Image]:
    # Of a path, Pillow would map the file into memory, and garble a TIFF that is to be turned.
    # What Pillow warns of is either harmless or followed by an error.
    with (
        nullcontext(file) if isinstance(file, BytesIO) else Path(file).open("rb") as stream,
        warnings.catch_warnings(action="ignore"),
        Pillow.open(stream, formats=FORMATS) as picture,
    ):
        if isinstance(picture, TiffImageFile):
            _seek_largest_page(picture)
        yield picture


def _float_tags(file: str | os.PathLike[str] | BytesIO) -> ImageFileDirectory_v2 | None:
    """The tags of a TIFF with colours of floating-point numbers; None for any other file."""
    with nullcontext(file) if isinstance(file, BytesIO) else Path(file).open("rb") as stream:
        tags = float_tiff_tags(stream)
        stream.seek(0)
    if tags and tags[256] * tags[257] > 2 * (Pillow.MAX_IMAGE_PIXELS or np.inf):
        raise Pillow.DecompressionBombError
    return tags


def _seek_largest_page(picture: TiffImageFile) -> None:
    """Turn to the largest page of a TIFF, the first of several: others are small pictures of the same photograph."""
    areas = []
    for page in range(_MOST_PAGES):
        try:
            picture.seek(page)
            areas.append(picture.tag_v2[256] * picture.tag_v2[257])
        except Exception:  # the end, or a page that is damaged in one of many ways: those before it count
            break
    picture.seek(areas.index(max(areas)) if areas else 0)


@contextmanager
def explained(name: str | os.PathLike[str], file: str | os.PathLike[str] | BytesIO | object) -> Iterator[None]:
    """Every error of opening ``file`` as an `ImageError` of one sentence, in which it is called ``name``.

    Raises `TypeError` for a file that is no path.
    """
    if not isinstance(file, (str, os.PathLike, BytesIO)):
        hint = "; put the bytes of a file in a file" if isinstance(file, (bytes, bytearray)) else ""
        raise TypeError(f"the path of an image is a text or a Path, got {type(file).__name__}{hint}")
    if file == "":
        raise ImageError("an empty text is no path of an image; give the path of an image file")
    try:
        yield
    except CoarsekitError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file; check the path of the image") from None
    except IsADirectoryError:
        raise ImageError(f"{name}: expected an image file, got a folder") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not an image that can be read{_instead(_content(file, 1024))}") from None
    except Pillow.DecompressionBombError:
        most = 2 * (Pillow.MAX_IMAGE_PIXELS or 0) / 1e6
        raise ImageError(
            f"{name}: the image cannot be decoded, since it has more than {most:.0f} million pixels, the most that is "
            "read; shrink or cut it"
        ) from None
    except Exception as cause:  # Pillow's parsers stumble over hostile files with errors of many kinds
        said = " ".join(str(cause).split())
        raise ImageError(f"{name}: the image cannot be decoded ({said}); export or copy it again") from None


def _content(file: str | os.PathLike[str] | BytesIO, most: int | None = None) -> bytes:
    """The first bytes of a file, or all."""
    if isinstance(file, BytesIO):
        return file.getvalue()[:most]
    with Path(file).open("rb") as stream:
        return stream.read(most)


def _instead(head: bytes) -> str:
    """What a file is that is no image, by its first bytes, and what to do: the end of a sentence."""
    if not head:
        return ", because it is empty; copy or download it again"
    if head.startswith(b"version https://git-lfs"):
        return ", because it is a Git LFS pointer to the image; fetch the image with 'git lfs pull'"
    if re.search(rb"<(!doctype )?html", head, re.IGNORECASE):
        return ", because it is a web page, perhaps one that asks for a login; download the image again"
    if not re.search(rb"[\x00-\x08\x0e-\x1f]", head):
        return ", because it is text; expected JPEG, PNG, TIFF or the like"
    return "; expected JPEG, PNG, TIFF or the like"


def _orientation(picture: Pillow.Image) -> int:
    """The EXIF orientation, 1–8; 1, which is upright, where there is none or the EXIF is broken."""
    try:
        orientation = picture.getexif().get(0x0112, 1)
    except Exception:  # no photograph is lost for its EXIF, whose parser fails in many ways
        return 1
    return int(orientation) if orientation in range(1, 9) else 1
