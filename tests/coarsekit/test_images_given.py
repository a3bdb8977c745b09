"""Pictures that a caller opened by Pillow are read as their files are; what is no image is refused in one sentence."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from coarsekit.errors import ImageError
from coarsekit.images import read_image, read_mask
from coarsekit.images.given import as_image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
TWELVE_BITS = PIXELS.astype(np.uint16) * 16


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A PNG of 16 bits with the values of a camera of 12."""
    cv2.imwrite(str(tmp_path / "deep.png"), TWELVE_BITS)
    return tmp_path / "deep.png"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_file_is(tmp_path: Path, orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "a", kind, exif=exif)
    expected = read_image(tmp_path / "a")
    picture = Image.open(tmp_path / "a")
    assert np.array_equal(as_image(picture), expected)
    assert np.array_equal(as_image(picture), expected)  # and again, once it is loaded


def test_deep_colours_of_a_picture_have_the_range_of_its_file(deep: Path) -> None:
    expected = read_image(deep)
    assert expected.max() > 200
    picture = Image.open(deep)
    for _ in range(2):  # the second time it is loaded
        assert np.array_equal(as_image(picture), expected)
    assert np.array_equal(as_image(Image.open(BytesIO(deep.read_bytes()))), expected)


def test_deep_grey_of_a_picture_has_the_range_of_its_file(tmp_path: Path) -> None:
    Image.fromarray(TWELVE_BITS[..., 0].copy()).save(tmp_path / "grey.png")
    assert np.array_equal(as_image(Image.open(tmp_path / "grey.png")), read_image(tmp_path / "grey.png"))


def test_deep_colours_that_are_not_the_file_s_are_refused(deep: Path) -> None:
    picture = Image.open(deep)
    picture.paste((255, 0, 0), (0, 0, 3, 3))
    with pytest.raises(ImageError, match="16 bits"):
        as_image(picture)


def test_a_picture_that_is_cut_short_or_closed_is_one_sentence(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    with pytest.raises(ImageError, match="the photograph: the image cannot be decoded"):
        as_image(Image.open(BytesIO(content[: len(content) // 2])))
    picture = Image.open(tmp_path / "whole.png")
    picture.close()
    with pytest.raises(ImageError, match="the photograph: the image cannot be decoded"):
        as_image(picture)


@pytest.mark.parametrize("read", [read_image, read_mask, as_image])
def test_an_empty_path_is_not_the_present_folder(read) -> None:
    with pytest.raises(ImageError, match="an empty text is no path of an image"):
        read("")


@pytest.mark.parametrize("wrong", [None, b"\x89PNG" * 10_000, 3])
@pytest.mark.parametrize("read", [read_image, read_mask, as_image])
def test_what_is_no_path_is_refused_in_a_short_sentence(read, wrong: object) -> None:
    with pytest.raises(TypeError, match="path") as caught:
        read(wrong)
    assert len(str(caught.value)) < 200
