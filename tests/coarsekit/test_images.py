"""Every mode that photographs and masks come in, and one sentence for every file that is neither."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from coarsekit.errors import ImageError
from coarsekit.images import (
    decode_mask,
    decode_png,
    encode_png,
    image_size,
    read_image,
    read_mask,
    read_values,
    write_image,
)

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
MASK = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 1]], bool)
CMYK = (0, 51, 102, 51)
BRIGHT = [90, 200, 90, 255, 0, 0]
"""A palette without any black."""


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def mode(path: Path) -> str:
    with Image.open(path) as picture:
        return picture.mode


def paletted(mask: np.ndarray) -> Image.Image:
    picture = Image.new("P", mask.shape[::-1])
    picture.putdata(mask.astype(int).ravel().tolist())
    picture.putpalette(BRIGHT)
    return picture


# ---------------------------------------------------------------------------------------------- photographs


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_colours_are_read_as_they_are(tmp_path: Path, suffix: str) -> None:
    image = read_image(saved(tmp_path / f"a{suffix}", Image.fromarray(RGB)))
    assert (image == RGB).all()
    assert image.dtype == np.uint8
    assert image.flags.writeable


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_becomes_colour(tmp_path: Path, mode: str) -> None:
    image = read_image(saved(tmp_path / "a.png", Image.fromarray(GREY).convert(mode)))
    assert (image == GREY[..., None]).all()
    assert image.shape == (3, 4, 3)


def test_black_and_white_becomes_colour(tmp_path: Path) -> None:
    image = read_image(saved(tmp_path / "a.png", Image.fromarray(MASK)))
    assert mode(tmp_path / "a.png") == "1"
    assert (image == MASK[..., None] * 255).all()


@pytest.mark.parametrize("options", [{}, {"transparency": 0}])
def test_a_palette_gives_its_colours_with_or_without_transparency(tmp_path: Path, options: dict[str, int]) -> None:
    image = read_image(saved(tmp_path / "a.png", paletted(MASK), **options))
    assert (image == np.where(MASK[..., None], BRIGHT[3:], BRIGHT[:3])).all()


def test_alpha_is_left_out(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, np.full((6, 5), 128, np.uint8)])
    assert (read_image(saved(tmp_path / "a.png", Image.fromarray(rgba))) == RGB).all()


def test_cmyk_becomes_colour(tmp_path: Path) -> None:
    image = read_image(saved(tmp_path / "a.tif", Image.new("CMYK", (4, 3), CMYK)))
    assert image.shape == (3, 4, 3)
    assert np.allclose(image[0, 0], [255 * 0.8, 255 * 0.8 * 0.8, 255 * 0.6 * 0.8], atol=1)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_grey_is_scaled_to_8(tmp_path: Path, suffix: str) -> None:
    image = read_image(saved(tmp_path / f"a{suffix}", Image.fromarray(GREY.astype(np.uint16) * 257)))
    assert mode(tmp_path / f"a{suffix}") == "I;16"
    assert (image == GREY[..., None]).all()


def test_32_bit_grey_that_holds_8_bit_values_keeps_them(tmp_path: Path) -> None:
    assert (read_image(saved(tmp_path / "a.tif", Image.fromarray(GREY.astype(np.int32)))) == GREY[..., None]).all()
    assert (read_image(saved(tmp_path / "b.tif", Image.fromarray(GREY.astype(np.float32)))) == GREY[..., None]).all()


@pytest.mark.parametrize("dtype", ["float32", "int32", ">u2", "uint16"])
@pytest.mark.parametrize("top", [1, 255, 1023, 4095, 16383, 65535])
def test_deep_grey_is_of_the_range_that_holds_it(tmp_path: Path, top: int, dtype: str) -> None:
    values = (GREY / 255 * top).astype(dtype)
    image = read_image(saved(tmp_path / "a.tif", Image.fromarray(values)))
    # Whole numbers 0 and 1 are two dark greys of 8 bits.
    expected = values if top == 1 and dtype != "float32" else GREY
    assert (image == expected[..., None]).all()


def test_twelve_bits_in_a_file_of_sixteen_are_as_bright_as_they_were(tmp_path: Path) -> None:
    values = np.array([[0, 2048, 3900]], np.uint16)
    assert read_image(saved(tmp_path / "a.png", Image.fromarray(values)))[0, :, 0].tolist() == [0, 128, 243]


def test_a_photograph_that_is_too_large_is_told_how_large_one_may_be(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("1", (19000, 10000)))
    with pytest.raises(ImageError, match=r"a\.png: .* more than 179 million pixels, the most that is read; shrink"):
        read_image(path)


@pytest.mark.parametrize("top", [1, 255, 65535])
def test_what_resampling_throws_beyond_the_range_is_clipped(tmp_path: Path, top: int) -> None:
    values = np.array([[-0.04, 0.0, 0.2, 1.0, 1.04]], np.float32) * top
    assert read_image(saved(tmp_path / "a.tif", Image.fromarray(values)))[0, :, 0].tolist() == [0, 0, 51, 255, 255]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(-1, "float32"), (-1, "int32"), (70_000, "int32"), (2**31 - 1, "int32"), (70_000, "float32"), (1e30, "float32")],
)
def test_greys_of_no_range_are_refused(tmp_path: Path, value: float, dtype: str) -> None:
    values = np.array([[0, value]]).astype(dtype)
    with pytest.raises(ImageError, match=r"a\.tif: its values go from .* to .*; expected 0–255"):
        read_image(saved(tmp_path / "a.tif", Image.fromarray(values)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("read", [read_image, read_mask])
def test_pixels_that_are_no_numbers_are_refused(tmp_path: Path, read, value: float) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.array([[0, value]], np.float32)))
    with pytest.raises(ImageError, match=r"a\.tif: .*pixels are no numbers"):
        read(path)


# ---------------------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(Image.fromarray(MASK), id="1 bit"),
        pytest.param(Image.fromarray(MASK.astype(np.uint8) * 255), id="0 and 255"),
        pytest.param(Image.fromarray(MASK.astype(np.uint8)), id="0 and 1"),
        pytest.param(Image.fromarray(MASK.astype(np.uint16)), id="16 bit"),
        pytest.param(paletted(MASK), id="a palette without black"),
        pytest.param(Image.fromarray(np.dstack([MASK * np.uint8(255)] * 3)), id="white on black"),
        pytest.param(
            Image.fromarray(np.dstack([MASK * 0, MASK * 0, MASK]).astype(np.uint8)), id="a single dark channel"
        ),
        pytest.param(
            Image.fromarray(np.dstack([MASK * 255, *[MASK * 0] * 2, MASK * 0 + 255]).astype(np.uint8)), id="RGBA"
        ),
        pytest.param(Image.fromarray(np.dstack([MASK * 255, MASK * 0 + 255]).astype(np.uint8)), id="grey with alpha"),
    ],
)
def test_a_mask_is_what_is_not_0_in_any_channel_but_alpha(tmp_path: Path, suffix: str, picture: Image.Image) -> None:
    mask = read_mask(saved(tmp_path / f"a{suffix}", picture))
    assert mask.dtype == bool
    assert (mask == MASK).all()


@pytest.mark.parametrize("dtype", ["int32", "float32", ">u2", "<u2"])
def test_deep_values_are_read_as_they_are(tmp_path: Path, dtype: str) -> None:
    values = GREY.astype(dtype) * 200
    assert (read_values(saved(tmp_path / "a.tif", Image.fromarray(values))) == values).all()


def test_values_between_0_and_1_are_read_as_they_are(tmp_path: Path) -> None:
    values = np.array([[0, 0.25, 1]], np.float32)
    assert (read_values(saved(tmp_path / "a.tif", Image.fromarray(values))) == values).all()


@pytest.mark.parametrize("values", [MASK, MASK.astype(np.uint8) * 255, MASK.astype(np.uint16) * 65535])
def test_a_tiff_is_read_in_either_polarity(tmp_path: Path, values: np.ndarray) -> None:
    path = tmp_path / "a.tif"
    for photometric, stored in (("minisblack", values), ("miniswhite", ~values)):
        tifffile.imwrite(path, stored, photometric=photometric, byteorder="<")
        assert (read_mask(path) == MASK).all()
        assert (read_image(path) == MASK[..., None] * 255).all()


def test_a_palette_with_alpha_counts_by_its_indices(tmp_path: Path) -> None:
    path, colours = tmp_path / "a.tif", [65535] * 768
    pixels = np.dstack([MASK, ~MASK]).astype(np.uint8)
    tifffile.imwrite(
        path, pixels, photometric="minisblack", extrasamples=[2], extratags=[(320, "H", 768, colours, True)]
    )
    path.write_bytes(path.read_bytes().replace(struct.pack("<HHII", 262, 3, 1, 1), struct.pack("<HHII", 262, 3, 1, 3)))
    assert mode(path) == "PA"
    assert (read_mask(path) == MASK).all()


def test_a_cmyk_mask_is_white_on_black(tmp_path: Path) -> None:
    ink = np.zeros((3, 4, 4), np.uint8)
    ink[~MASK, 3] = 255
    assert (read_mask(saved(tmp_path / "a.tif", Image.fromarray(ink, "CMYK"))) == MASK).all()


@pytest.mark.parametrize("dtype", ["int32", "float32", ">u2"])
def test_a_mask_of_deep_numbers_is_what_is_not_0(tmp_path: Path, dtype: str) -> None:
    assert (read_mask(saved(tmp_path / "a.tif", Image.fromarray(MASK.astype(dtype)))) == MASK).all()


@pytest.mark.parametrize("transparency", [0, 1])
def test_the_transparency_of_a_palette_does_not_count(tmp_path: Path, transparency: int) -> None:
    assert (read_mask(saved(tmp_path / "a.png", paletted(MASK), transparency=transparency)) == MASK).all()


def test_a_black_mask_is_empty_whatever_its_alpha(tmp_path: Path) -> None:
    assert not read_mask(saved(tmp_path / "a.png", Image.new("RGBA", (4, 3), (0, 0, 0, 255)))).any()


# ---------------------------------------------------------------------------------------------- what is no image


@pytest.mark.parametrize("read", [read_image, read_mask])
class TestEverySentenceNamesThePath:
    def test_missing(self, tmp_path: Path, read) -> None:
        path = tmp_path / "missing.png"
        with pytest.raises(ImageError, match=f"^{re.escape(str(path))}: no such file"):
            read(path)

    def test_a_folder(self, tmp_path: Path, read) -> None:
        with pytest.raises(ImageError, match=f"^{re.escape(str(tmp_path))}: expected an image file, got a folder"):
            read(tmp_path)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", ", because it is empty; copy or download it again"),
            (b"no image", ", because it is text; expected JPEG, PNG, TIFF or the like"),
            ("Größe;Läsion\n".encode("latin-1"), ", because it is text; expected JPEG, PNG, TIFF or the like"),
            (b'\xef\xbb\xbf<?xml version="1.0"?><a/>', ", because it is text; expected JPEG, PNG, TIFF or the like"),
            (b"\n<!-- 1 --><!DOCTYPE html><title>Log in", ", because it is a web page, .*; download the image again"),
            (b"<HTML><BODY>404", ", because it is a web page, .*; download the image again"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
                ", because it is a Git LFS pointer to the image; fetch the image with 'git lfs pull'",
            ),
            (b"\x00\xff" * 400, "; expected JPEG, PNG, TIFF or the like"),
        ],
    )
    def test_not_an_image(self, tmp_path: Path, read, content: bytes, sentence: str) -> None:
        path = tmp_path / "text.jpg"
        path.write_bytes(content)
        whole = f"^{re.escape(str(path))}: not an image that can be read{sentence}$"
        for each in (read, image_size):
            with pytest.raises(ImageError, match=whole):
                each(path)

    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
    def test_cut_in_the_middle(self, tmp_path: Path, read, name: str) -> None:
        path = saved(tmp_path / name, Image.fromarray(np.tile(RGB, (20, 20, 1))))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(ImageError, match=f"^{re.escape(str(path))}: "):
            read(path)

    def test_a_path_below_a_file(self, tmp_path: Path, read) -> None:
        path = saved(tmp_path / "a.png", Image.fromarray(RGB)) / "b.png"
        with pytest.raises(ImageError, match=re.escape(str(path))):
            read(path)


@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.tif", {}), ("b.tif", {"compression": "tiff_lzw"})])
def test_a_file_cut_anywhere_is_an_error_or_whole(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    """Never half a mask."""
    path = saved(tmp_path / name, paletted(np.tile(MASK, (4, 4))), **options)
    content = path.read_bytes()
    failed = 0
    for end in range(0, len(content), 11):
        path.write_bytes(content[:end])
        try:
            assert (read_mask(path) == np.tile(MASK, (4, 4))).all()
        except ImageError:
            failed += 1
    assert failed > len(content) / 11 / 2


# ---------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "folder/a.tif"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, RGB)
    assert (read_image(tmp_path / name) == RGB).all()
    write_image(tmp_path / f"mask_{Path(name).name}", MASK)
    assert (read_mask(tmp_path / f"mask_{Path(name).name}") == MASK).all()


def test_masks_are_written_as_0_and_255(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", MASK)
    with Image.open(tmp_path / "a.png") as picture:
        assert (np.asarray(picture) == MASK * np.uint8(255)).all()


def test_no_program_is_started_on_postscript_under_the_name_of_an_image(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "p.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    monkeypatch.setattr("subprocess.Popen", None)
    for read in (read_image, image_size, read_mask):
        with pytest.raises(ImageError, match="not an image that can be read"):
            read(tmp_path / "p.png")
    for decode in (decode_png, lambda data: decode_mask(data, "a mask")):
        with pytest.raises(ImageError, match="not an image that can be read"):
            decode((tmp_path / "p.png").read_bytes())


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "LA", "L", "RGB"])
def test_an_encoded_image_is_grey_or_rgb_of_8_bits(tmp_path: Path, mode: str) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB).convert(mode))
    pixels = decode_png(path.read_bytes())
    assert pixels.dtype == np.uint8
    assert pixels.shape == ((6, 5) if mode in ("1", "L") else (6, 5, 3))


def test_a_bomb_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode_png(RGB)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)
    for decode in (decode_png, lambda data: decode_mask(data, "a mask")):
        with pytest.raises(ImageError, match="cannot be decoded"):
            decode(data)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_of_the_pages_of_a_tiff_the_largest_is_read(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Programs keep small pictures of a photograph in its file, before or behind it."""
    pages = [Image.fromarray(RGB), Image.fromarray(RGB[:3, :2]), Image.fromarray(255 - RGB)]
    first, *others = (pages[place] for place in order)
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    expected = RGB if order.index(0) < order.index(2) else 255 - RGB
    assert np.array_equal(read_image(tmp_path / "a.tif"), expected)
    assert image_size(tmp_path / "a.tif") == (5, 6)


def test_a_damaged_page_behind_the_photograph_costs_nothing(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.tif", save_all=True, append_images=[Image.fromarray(255 - RGB)])
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "b.tif").write_bytes(content[:-40])
    assert np.array_equal(read_image(tmp_path / "b.tif"), RGB)
