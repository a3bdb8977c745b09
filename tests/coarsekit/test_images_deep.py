"""Colours of 16 bits, by Pillow only half read: all of them, as bright as greys of the same values."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from coarsekit.errors import ImageError
from coarsekit.images import depth_guessed, image_size, read_image, read_mask, read_values

RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
RGB[0, 0] = 0, 128, 255
MASK = RGB[..., 0] > 128


def scaled(top: int) -> np.ndarray:
    return (RGB / 255 * top).round().astype(np.uint16)


def png(path: Path, pixels: np.ndarray, *chunks: bytes) -> Path:
    """A PNG of 16 bits, of any number of channels, with further chunks."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2]]
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, kind, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    content = (chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(content))
    return path


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def tiff(path: Path, pixels: np.ndarray, **options: object) -> Path:
    tifffile.imwrite(path, pixels, photometric="rgb", **options)
    return path


WRITERS = {
    "png": png,
    "tiff": tiff,
    "tiff of the other byte order": lambda path, pixels: tiff(path, pixels, byteorder=">"),
    "deflated tiff": lambda path, pixels: tiff(path, pixels, compression="zlib", predictor=True),
    "tiff in tiles": lambda path, pixels: tiff(path, pixels, tile=(16, 16)),
    "png with alpha": lambda path, pixels: png(path, np.dstack([pixels, pixels[..., 0]])),
    "tiff with alpha": lambda path, pixels: tiff(
        path, np.dstack([pixels, pixels[..., 0]]), extrasamples=["unassalpha"]
    ),
    "png under the suffix of tiff": lambda path, pixels: png(path.with_suffix(".tif"), pixels),
}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path: Path):
    return lambda pixels: WRITERS[request.param](tmp_path / "a", pixels)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_deep_colours_are_of_the_range_that_holds_them(write, bits: int) -> None:
    image = read_image(write(scaled(2**bits - 1)))
    assert image.dtype == np.uint8
    assert (image == RGB).all()


@pytest.mark.parametrize(("bits", "guessed"), [(8, 8), (10, 10), (12, 12), (14, 14), (16, None)])
def test_a_depth_that_only_the_values_tell_is_a_guess(write, tmp_path: Path, bits: int, guessed: int | None) -> None:
    assert depth_guessed(write(scaled(2**bits - 1))) == guessed
    Image.fromarray(scaled(2**bits - 1)[..., 0]).save(tmp_path / "grey.png")
    assert depth_guessed(tmp_path / "grey.png") == guessed


def test_what_a_file_says_or_has_in_8_bits_or_fractions_is_no_guess(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    assert depth_guessed(tmp_path / "a.png") is None
    tifffile.imwrite(tmp_path / "a.tif", (RGB / 255).astype(np.float32), photometric="rgb")
    assert depth_guessed(tmp_path / "a.tif") is None
    tifffile.imwrite(tmp_path / "b.tif", (RGB[..., 0] / 255).astype(np.float32))
    assert depth_guessed(tmp_path / "b.tif") is None


def camera(top: int) -> np.ndarray:
    """Colours (40, 50, 3) of which most are of a retina."""
    return (np.random.default_rng(1).uniform(0.1, 1, (40, 50, 3)) * top).round().astype(np.uint16)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("soft", [False, True])
def test_burnt_in_text_says_nothing_of_the_depth(tmp_path: Path, bits: int, soft: bool) -> None:
    plain = camera(2**bits - 1)
    text = plain.copy()
    text[3:5, 10:30] = 65535
    text[5, 10:14] = 40000 if soft else text[5, 10:14]
    expected = read_image(png(tmp_path / "plain.png", plain))
    expected[3:5, 10:30] = 255
    expected[5, 10:14] = 255 if soft else expected[5, 10:14]
    assert (read_image(png(tmp_path / "a.png", text)) == expected).all()
    Image.fromarray(text[..., 0]).save(tmp_path / "grey.png")
    assert (read_image(tmp_path / "grey.png")[..., 0] == expected[..., 0]).all()


@pytest.mark.parametrize("dark", [300, 3000, 15000])
def test_a_dark_photograph_of_16_bits_with_bright_spots_stays_dark(tmp_path: Path, dark: int) -> None:
    pixels = camera(dark)
    pixels[3, :36] = np.linspace(dark, 65535, 36)[:, None]
    pixels[4:6, :9] = 65535
    assert (read_image(png(tmp_path / "a.png", pixels))[10:] == (pixels[10:] / 257).round()).all()


def test_few_values_that_compression_leaves_beyond_a_depth_are_cut(tmp_path: Path) -> None:
    pixels = camera(4095)
    pixels[4, :9] = 4300
    assert read_image(png(tmp_path / "a.png", pixels))[4, :9].min() == 255


def test_black_with_text_stays_black(tmp_path: Path) -> None:
    pixels = camera(20)
    pixels[4:6, :9] = 65535
    assert read_image(png(tmp_path / "a.png", pixels))[10:].max() == 0


def test_jpeg_2000_is_read_by_all_its_bits(tmp_path: Path) -> None:
    retina = np.linspace(0, 240, 50)[:, None, None] + np.array([0, 5, 10]) + np.zeros((1, 40, 1))
    for bits in (10, 12, 14, 16):
        pixels = (retina / 255 * (2**bits - 1)).round().astype(np.uint16)
        assert cv2.imwrite(str(tmp_path / "a.jp2"), pixels[..., ::-1])
        assert np.abs(read_image(tmp_path / "a.jp2") - retina).max() < 3
    Image.fromarray(RGB).save(tmp_path / "8.jp2")
    assert (read_image(tmp_path / "8.jp2") == RGB).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=str)
def test_colours_of_floating_point_numbers(tmp_path: Path, dtype: str, options: dict) -> None:
    path = tiff(tmp_path / "a.tif", (RGB / 255).astype(dtype), **options)
    assert (read_image(path) == RGB).all()
    assert image_size(path) == (5, 6)
    alpha = np.dstack([RGB / 255, RGB[..., :1] / 255]).astype(dtype)
    assert (read_image(tiff(tmp_path / "b.tif", alpha, extrasamples=["unassalpha"], **options)) == RGB).all()
    tag = [(0x0112, "H", 1, 6, True)]
    turned = tiff(tmp_path / "c.tif", (RGB / 255).astype(dtype), extratags=tag, **options)
    assert (read_image(turned) == np.rot90(RGB, -1)).all()
    assert image_size(turned) == (6, 5)
    assert (read_mask(tiff(tmp_path / "m.tif", np.dstack([MASK] * 3).astype(dtype), **options)) == MASK).all()


def test_colours_of_floating_point_numbers_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    colours = RGB / 255
    with pytest.raises(ImageError, match=r"a\.tif: its colours are floating-point numbers in an arrangement"):
        read_image(tiff(tmp_path / "a.tif", colours.astype("float16")))
    colours[0, 0] = np.nan
    with pytest.raises(ImageError, match=r"a\.tif: some of its pixels are no numbers"):
        read_image(tiff(tmp_path / "a.tif", colours.astype("float32")))
    with pytest.raises(ImageError, match=r"a\.tif: its values go from 0 to 1e\+06"):
        read_image(tiff(tmp_path / "a.tif", (RGB / 255 * 1e6).astype("float32")))


def test_every_bit_of_a_mask_counts(write) -> None:
    pixels = np.zeros((6, 5, 3), np.uint16)
    pixels[..., 1] = MASK
    path = write(pixels)
    assert (read_mask(path) == MASK).all()
    assert (read_values(path) == MASK).all()


def test_grey_with_alpha_is_read_by_all_its_bits(tmp_path: Path) -> None:
    grey = scaled(4095)[..., 0]
    path = png(tmp_path / "a.png", np.dstack([grey, grey * 0 + 65535]))
    assert (read_image(path) == RGB[..., :1]).all()
    assert (read_values(path) == grey).all()


def test_pnm_is_read_by_all_its_bits(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.ppm"), scaled(4095)[..., ::-1])
    assert (read_image(tmp_path / "a.ppm") == RGB).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_colours_are_turned_as_those_of_8_bits(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RGB).save(tmp_path / "8.png", exif=exif)
    deep = png(tmp_path / "16.png", scaled(4095), chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")))
    assert (read_image(deep) == read_image(tmp_path / "8.png")).all()
    tag = [(0x0112, "H", 1, orientation, True)]
    assert (read_image(tiff(tmp_path / "16.tif", scaled(4095), extratags=tag)) == read_image(deep)).all()


def test_colours_in_an_arrangement_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    planes = np.moveaxis(scaled(4095), 2, 0).copy()
    path = tiff(tmp_path / "a.tif", planes, planarconfig="separate")
    for read in (read_image, read_mask):
        with pytest.raises(ImageError, match=r"a\.tif: its colours have 16 bits in an arrangement .*export"):
            read(path)
