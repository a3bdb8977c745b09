"""Photographs, masks and their sizes upright, by the EXIF of any format, and in spite of a broken one."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from coarsekit.annotations import native, read_drawn
from coarsekit.errors import AnnotationError
from coarsekit.images import decode_mask, image_size, read_image, read_mask
from coarsekit.types import Annotation, Ellipse, Mark

LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a.swapaxes(0, 1), 2),
    8: np.rot90,
}
"""How the pixels of a file are shown, as the EXIF standard has it."""


def exif(orientation: int) -> Image.Exif:
    content = Image.Exif()
    content[0x0112] = orientation
    return content


def pixels(height: int, width: int) -> np.ndarray:
    return np.random.default_rng([height, width]).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("turned") / "image"


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["JPEG", *LOSSLESS]), st.sampled_from(range(1, 9)), st.integers(1, 40), st.integers(1, 40))
def test_photograph_mask_and_size_are_turned_alike(path: Path, kind: str, way: int, height: int, width: int) -> None:
    stored = pixels(height, width)
    Image.fromarray(stored).save(path, kind, exif=exif(way), **LOSSLESS.get(kind, {}))
    if kind == "JPEG":
        plain = BytesIO()
        Image.fromarray(stored).save(plain, kind)
        stored = np.asarray(Image.open(plain))
    upright = UPRIGHT[way](stored)
    image, mask = read_image(path), read_mask(path)
    assert (image == upright).all()
    assert (mask == upright.any(axis=2)).all()
    assert image_size(path) == image.shape[1::-1] == mask.shape[::-1]
    assert (decode_mask(path.read_bytes(), "a mask") == mask).all()
    assert image.flags.c_contiguous
    assert mask.flags.c_contiguous


@pytest.mark.parametrize("way", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_palettes_and_deep_values_are_turned_too(path: Path, kind: str, way: int) -> None:
    grey = pixels(6, 5)[..., 0]
    for stored in (Image.fromarray(grey), Image.fromarray(grey.astype(np.uint16) * 257)):
        stored.save(path, kind, exif=exif(way))
        assert (read_image(path)[..., 0] == UPRIGHT[way](grey)).all()
    mask = Image.fromarray((grey > 99).astype(np.uint8), "L").convert("P")
    mask.save(path, kind, exif=exif(way))
    assert (read_mask(path) == UPRIGHT[way](grey > 99)).all()


@pytest.mark.parametrize("orientation", [0, 9, 99, 65535])
def test_an_orientation_that_does_not_exist_is_upright(path: Path, orientation: int) -> None:
    Image.fromarray(pixels(6, 5)).save(path, "PNG", exif=exif(orientation))
    assert (read_image(path) == pixels(6, 5)).all()
    assert image_size(path) == (5, 6)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.data())
def test_broken_exif_refuses_no_photograph(path: Path, kind: str, data: st.DataObject) -> None:
    whole = exif(6)
    whole[0x010F], whole[0x8769] = "Camera", {0x9000: b"0230", 0xA002: 5}
    content = bytearray(whole.tobytes())
    for place in data.draw(st.lists(st.integers(6, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(7, len(content)))]
    Image.fromarray(pixels(6, 5)).save(path, kind, exif=bytes(content))
    image = read_image(path)
    assert sorted(image.shape) == [3, 5, 6]
    assert image_size(path) == image.shape[1::-1] == read_mask(path).shape[::-1]


def test_a_drawing_in_the_frame_before_the_turn_is_refused_with_the_reason(tmp_path: Path) -> None:
    place = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.full((60, 90, 3), 90, np.uint8)).save(place, exif=exif)
    native.write(tmp_path / "drawn.json", [Annotation("turned.jpg", 90, 60, (Mark("MA", Ellipse(40, 30, 9, 6)),))])
    with pytest.raises(AnnotationError, match=r"drawn on 90 × 60 px, but .* has 60 × 90 px; turned by 90° they are"):
        read_drawn(place, tmp_path / "drawn.json")
