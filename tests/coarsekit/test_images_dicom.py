"""DICOM photographs, by the small files that pydicom ships and by files written here."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from coarsekit.datasets.layout import list_images
from coarsekit.errors import ImageError
from coarsekit.images import depth_guessed, image_size, read_image, read_mask, read_values

GREY = np.arange(12, dtype=np.uint16).reshape(3, 4) * 20
RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
BANDS = [
    *([255, 0, 0], [255, 128, 128], [0, 255, 0], [128, 255, 128], [0, 0, 255]),
    *([128, 128, 255], [0, 0, 0], [64, 64, 64], [192, 192, 192], [255, 255, 255]),
]
"""The colours of the ten bands, 10 px each, of the files SC_rgb… and SC_ybr…."""


def shipped(name: str) -> Path:
    path = get_testdata_file(name, download=False)
    assert path is not None
    return Path(path)


def written(path: Path, pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **fields: object) -> Path:
    """A DICOM file of an array (h, w) or (h, w, 3), uint8 or uint16."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3.4"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.PixelRepresentation = 0
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    for name, value in fields.items():
        setattr(dataset, name, value)
    dataset.HighBit = dataset.BitsStored - 1
    big = syntax == ExplicitVRBigEndian
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<")).tobytes()
    if len(dataset.PixelData) % 2:
        dataset.PixelData += b"\0"
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    if syntax == RLELossless:
        dataset.compress(RLELossless)
    dataset.save_as(path, enforce_file_format=True)
    return path


# ---------------------------------------------------------------------------------------------- without a preamble


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("pixels", [RGB, GREY])
@pytest.mark.parametrize("keep_meta", [True, False])
def test_a_data_set_alone_is_read_as_with_its_preamble(
    syntax: str, pixels: np.ndarray, keep_meta: bool, tmp_path: Path
) -> None:
    whole = written(tmp_path / "whole.dcm", pixels, syntax, ImageType=["DERIVED", "SECONDARY"])
    alone = tmp_path / "alone.dcm"
    if keep_meta:
        alone.write_bytes(whole.read_bytes()[132:])
    else:
        dataset = dcmread(whole)
        del dataset.file_meta, dataset.preamble
        dataset.save_as(alone, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
        assert alone.read_bytes()[:2] == b"\x08\x00"
    assert (read_image(alone) == read_image(whole)).all()
    assert image_size(alone) == pixels.shape[1::-1]
    assert (read_values(alone) == read_values(whole)).all()


def test_what_only_begins_like_a_data_set_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(b"\x08\x00\x05\x00CS\x0a\x00" + bytes(200))
    with pytest.raises(ImageError, match=r"a\.dcm"):
        read_image(path)


# ---------------------------------------------------------------------------------------------- what pydicom ships


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("SC_rgb_rle.dcm", 0),
        ("SC_rgb_rle_16bit.dcm", 0),
        ("SC_rgb_gdcm_KY.dcm", 0),
        ("ExplVR_BigEnd.dcm", None),
        ("SC_ybr_full_422_uncompressed.dcm", 5),
        ("SC_rgb_dcmtk_+eb+cr.dcm", 5),
        ("SC_rgb_dcmtk_+eb+cy+n1.dcm", 5),
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", 5),
        ("SC_rgb_dcmtk_+eb+cy+s4.dcm", 5),
        ("SC_rgb_jpeg_dcmtk.dcm", 5),
    ],
)
def test_bands_of_known_colours_are_those(name: str, off: int | None) -> None:
    image = read_image(shipped(name))
    assert image.dtype == np.uint8
    assert image_size(shipped(name)) == image.shape[1::-1]
    if off is not None:
        assert image.shape == (100, 100, 3)
        assert np.abs(image[5::10, 50].astype(int) - BANDS).max() <= off


def test_rgb_is_read_as_it_is() -> None:
    dataset = dcmread(shipped("examples_rgb_color.dcm"))
    raw = np.frombuffer(dataset.PixelData, np.uint8).reshape(240, 320, 3)
    assert (read_image(shipped("examples_rgb_color.dcm")) == raw).all()


def test_planes_are_put_together() -> None:
    dataset = dcmread(shipped("ExplVR_BigEnd.dcm"))
    assert dataset.PlanarConfiguration == 1
    planes = np.frombuffer(dataset.PixelData, np.uint8).reshape(3, 60, 80)
    assert (read_image(shipped("ExplVR_BigEnd.dcm")) == np.moveaxis(planes, 0, 2)).all()


def test_a_palette_gives_its_colours_and_a_mask_its_indices() -> None:
    dataset = dcmread(shipped("examples_palette.dcm"))
    indices = np.frombuffer(dataset.PixelData, np.uint8).reshape(350, 800)
    colours = apply_color_lut(indices, dataset) / 257
    assert (read_image(shipped("examples_palette.dcm")) == colours.round()).all()
    assert (read_values(shipped("examples_palette.dcm")) == indices).all()


def test_lossless_jpeg_2000_is_that_of_pillow() -> None:
    path = shipped("examples_jpeg2k.dcm")
    (frame,) = generate_frames(dcmread(path).PixelData, number_of_frames=1)
    assert (read_image(path) == np.asarray(Image.open(BytesIO(frame)))).all()


def test_twelve_bits_are_of_their_own_range() -> None:
    dataset = dcmread(shipped("examples_overlay.dcm"))
    assert (dataset.BitsAllocated, dataset.BitsStored) == (16, 12)
    raw = np.frombuffer(dataset.PixelData, "<u2").reshape(300, 484)
    assert (read_image(shipped("examples_overlay.dcm"))[..., 0] == (raw / 4095 * 255).round()).all()


@pytest.mark.parametrize(
    "name", ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_jp2klossless.dcm"]
)
def test_signed_values_are_of_their_own_range_in_any_transfer_syntax(name: str) -> None:
    raw = np.frombuffer(dcmread(shipped("MR_small.dcm")).PixelData, "<i2").reshape(64, 64).astype(int)
    assert (read_image(shipped(name)) == ((raw + 2**15) / 257).round()[..., None]).all()


# ---------------------------------------------------------------------------------------------- what is written here


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_greys_are_of_the_bits_that_are_stored(tmp_path: Path, bits: int, syntax: str) -> None:
    # pydicom writes no RLE of 8 bits in 16.
    dtype = np.uint8 if bits == 8 and syntax == RLELossless else np.uint16
    values = (GREY / 255 * (2**bits - 1)).round().astype(dtype)
    path = written(tmp_path / "a", values, syntax, BitsStored=bits)
    assert (read_image(path) == GREY[..., None]).all()
    assert depth_guessed(path) is None
    dark = written(tmp_path / "b", values // 4, syntax, BitsStored=bits, WindowCenter=2**bits // 2, WindowWidth=2**bits)
    assert read_image(dark).max() == 55


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_sixteen_bits_may_hold_the_values_of_fewer(tmp_path: Path, bits: int, kind: str) -> None:
    grey = GREY if kind == "MONOCHROME2" else 255 - GREY
    values = (grey / 255 * (2**bits - 1)).round().astype(np.uint16)
    path = written(tmp_path / "a", values, PhotometricInterpretation=kind)
    assert depth_guessed(path) == (None if bits == 16 else bits)
    if kind == "MONOCHROME1":
        assert read_image(path).max() == 255 - grey.min() == 220
    else:
        assert (read_image(path) == GREY[..., None]).all()
    colours = written(tmp_path / "b", (RGB / 255 * (2**bits - 1)).round().astype(np.uint16))
    assert (read_image(colours) == RGB).all()


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_palette_of_sixteen_bits_may_hold_the_values_of_fewer(tmp_path: Path, bits: int) -> None:
    path = written(
        tmp_path / "a", np.arange(12, dtype=np.uint8).reshape(3, 4), PhotometricInterpretation="PALETTE COLOR"
    )
    dataset = dcmread(path)
    for number in (1, 2, 3):
        dataset.add_new((0x0028, 0x1100 + number), "US", [12, 0, 16])
        values = (GREY.ravel() / 255 * (2**bits - 1)).round().astype("<u2")
        dataset.add_new((0x0028, 0x1200 + number), "OW", values.tobytes())
    dataset.save_as(path)
    assert (read_image(path) == GREY[..., None]).all()


@pytest.mark.parametrize(("centre", "width", "most"), [(2048, 4096, 55), ([2048, 40], [4096, 400], 55), (20, 40, 220)])
def test_sixteen_bits_are_those_of_the_window_that_the_file_is_shown_in(
    tmp_path: Path, centre: object, width: object, most: int
) -> None:
    values = (GREY / 255 * 1023).round().astype(np.uint16)  # dark for 12 bits
    path = written(tmp_path / "a", values, WindowCenter=centre, WindowWidth=width)
    assert read_image(path).max() == most


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    for bits, dtype in ((8, np.uint8), (12, np.uint16)):
        values = ((255 - GREY) / 255 * (2**bits - 1)).round().astype(dtype)
        path = written(tmp_path / "a", values, PhotometricInterpretation="MONOCHROME1", BitsStored=bits)
        assert (read_image(path) == GREY[..., None]).all()
        assert (read_mask(path) == (GREY != 0)).all()


@pytest.mark.parametrize("bits", [12, 16])
def test_deep_colours_are_of_the_bits_that_are_stored(tmp_path: Path, bits: int) -> None:
    values = (RGB / 255 * (2**bits - 1)).round().astype(np.uint16)
    assert (read_image(written(tmp_path / "a", values, BitsStored=bits)) == RGB).all()


@pytest.mark.parametrize("planes", [0, 1])
def test_ybr_full_becomes_rgb(tmp_path: Path, planes: int) -> None:
    ybr = convert_color_space(RGB, "RGB", "YBR_FULL")
    expected = convert_color_space(ybr, "YBR_FULL", "RGB")
    pixels = np.moveaxis(ybr, 2, 0).reshape(6, 5, 3) if planes else ybr
    path = written(tmp_path / "a", pixels, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=planes)
    assert (read_image(path) == expected).all()
    assert np.abs(expected.astype(int) - RGB).max() <= 2


def test_the_bits_beyond_those_that_are_stored_do_not_count(tmp_path: Path) -> None:
    values = (GREY / 255 * 4095).round().astype(np.uint16)
    assert (read_image(written(tmp_path / "a", values | 0x5000, BitsStored=12)) == GREY[..., None]).all()


@pytest.mark.parametrize("value", [1, 255])
def test_a_mask_is_what_is_not_0(tmp_path: Path, value: int) -> None:
    mask = GREY > 100
    path = written(tmp_path / "a", mask.astype(np.uint8) * np.uint8(value))
    assert (read_mask(path) == mask).all()
    assert np.unique(read_values(path)).tolist() == [0, value]


def test_dicom_files_are_listed_and_need_no_suffix(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.DICOM", "c.dicom", "d", "e.png"):
        assert (read_image(written(tmp_path / name, RGB)) == RGB).all()
        assert image_size(tmp_path / name) == (5, 6)
    assert [path.name for path in list_images(tmp_path)] == ["a.dcm", "b.DICOM", "c.dicom", "e.png"]


# ---------------------------------------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize("read", [read_image, read_mask])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("examples_ybr_color.dcm", "a DICOM file of 30 frames; expected one"),
        ("SC_rgb_rle_2frame.dcm", "a DICOM file of 2 frames; expected one"),
        ("test-SR.dcm", "a DICOM file without pixels"),
        ("rtplan.dcm", "a DICOM file without pixels"),
        ("rtdose_1frame.dcm", "a DICOM file of 32 bits and the photometric interpretation MONOCHROME2"),
        ("JPGExtended.dcm", "its pixels are compressed as JPEG Extended"),
        (
            "MR_small_jpeg_ls_lossless.dcm",
            "its pixels are compressed as JPEG-LS Lossless Image Compression, .*pylibjpeg",
        ),
        ("MR_truncated.dcm", "the image cannot be decoded .*less than expected"),
        ("badVR.dcm", "the image cannot be decoded"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(name: str, sentence: str, read) -> None:
    with pytest.raises(ImageError, match=f"{name}: .*{sentence}") as caught:
        read(shipped(name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["examples_ybr_color.dcm", "test-SR.dcm"])
def test_what_has_no_size_is_one_sentence(name: str) -> None:
    with pytest.raises(ImageError, match=f"{name}: a DICOM file"):
        image_size(shipped(name))


def test_a_header_without_its_pixels_is_one_sentence(tmp_path: Path) -> None:
    dataset = dcmread(written(tmp_path / "a", RGB))
    del dataset.PixelData
    dataset.save_as(tmp_path / "b")
    with pytest.raises(ImageError, match="a DICOM file without pixels"):
        read_image(tmp_path / "b")


def test_a_frame_of_more_pixels_than_are_read_is_told_how_many_are(tmp_path: Path) -> None:
    path = written(tmp_path / "a", RGB, Rows=60000, Columns=60000)
    for read in (read_image, image_size):
        with pytest.raises(ImageError, match="more than 179 million pixels"):
            read(path)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_a_file_cut_anywhere_is_an_error_or_whole(tmp_path: Path, syntax: str) -> None:
    path = written(tmp_path / "a.dcm", RGB, syntax)
    content, failed = path.read_bytes(), 0
    for end in range(0, len(content), 7):
        path.write_bytes(content[:end])
        try:
            assert (read_image(path) == RGB).all()
        except ImageError:
            failed += 1
    assert failed >= len(content) // 7


def test_without_pydicom_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)
    for read in (read_image, read_mask, image_size):
        with pytest.raises(ImageError, match=r"needs pydicom; run pip install 'coarsekit\[dicom\]'"):
            read(shipped("SC_rgb_rle.dcm"))


def test_pydicom_is_imported_for_dicom_alone() -> None:
    code = "import sys, coarsekit.images; sys.exit('pydicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
