"""Image files as people have them, through every command: wrong suffixes, DICOM, and masks with values in between."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coarsekit.annotations import native
from coarsekit.cli.main import main as coarsekit
from coarsekit.datasets import open_source
from coarsekit.errors import SourceError
from coarsekit.images import image_size, read_image, read_mask
from coarsekit.types import Annotation, Ellipse, Mark
from tests.coarsekit.test_images_dicom import written
from tests.command_line import refusal, run
from tests.own_datasets import write_own
from zoo.cli.main import main as zoo

DISGUISES = [
    *(("JPEG", "a.png"), ("PNG", "a.jpg"), ("TIFF", "a.jpg"), ("PNG", "a.tif"), ("WEBP", "a.png"), ("BMP", "a.gif")),
    *(("PNG", "a.JPG"), ("JPEG", "A.Jpeg"), ("TIFF", "a"), ("PNG", "a.dcm"), ("JPEG", "a.2024.10.01")),
]
"""Format and name of a file that does not say what it is."""
SPLIT = ("--split", "all")


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    content = BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


def disguised(path: Path, kind: str) -> None:
    """The image saved as another format, under the name that it has."""
    path.write_bytes(encoded(np.asarray(Image.open(path)), kind))


def drawn_on(photograph: Path) -> Path:
    """An annotation of a photograph of 96 × 64 px."""
    path = photograph.with_name("drawn.json")
    native.write(path, [Annotation(photograph.name, 96, 64, (Mark("MA", Ellipse(40, 30, 9, 7)),))])
    return path


@pytest.mark.parametrize(("kind", "name"), DISGUISES)
def test_a_file_is_read_by_its_content(tmp_path: Path, kind: str, name: str) -> None:
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[8:16, 8:16] = 255
    content = encoded(pixels, kind)
    path = tmp_path / name
    path.write_bytes(content)
    expected = np.asarray(Image.open(BytesIO(content)).convert("RGB"))
    assert (read_image(path) == expected).all()
    assert (read_mask(path) == expected.any(axis=2)).all()
    assert image_size(path) == (32, 24)


@pytest.mark.parametrize(("kind", "name"), [("PNG", "p.jpg"), ("TIFF", "P.JPG"), ("BMP", "p")])
def test_refine_and_preview_read_a_photograph_by_its_content(tmp_path: Path, kind: str, name: str) -> None:
    pixels = np.random.default_rng(0).integers(60, 120, (64, 96, 3), dtype=np.uint8)
    path = tmp_path / name
    path.write_bytes(encoded(pixels, kind))
    out = tmp_path / "out"
    for main, command in ((zoo, "refine"), (coarsekit, "preview")):
        result = run(main, command, path, drawn_on(path), "-o", out)
        assert result.exit_code == 0, result.output
    assert read_mask(out / f"{path.stem}_MA.png").shape == (64, 96)
    assert image_size(out / f"{path.stem}_preview.png")[0] > 96


def test_a_dataset_is_read_by_content(tmp_path: Path) -> None:
    plain, source = (write_own(tmp_path / name) for name in ("plain", "disguised"))
    for path, kind in (("images/p0.png", "TIFF"), ("images/p1.png", "BMP"), ("masks/p0_MA.png", "TIFF")):
        disguised(tmp_path / "disguised" / path, kind)
    (tmp_path / "disguised" / "images" / "p2.png").rename(tmp_path / "disguised" / "images" / "p2.TIFF")
    results = [run(coarsekit, "check", each, "--json") for each in (plain, source)]
    assert [result.exit_code for result in results] == [results[0].exit_code] * 2
    assert results[0].stdout.replace("plain", "disguised") == results[1].stdout
    for one, other in zip(open_source(plain).photographs(), open_source(source).photographs(), strict=True):
        assert (one.image == other.image).all()
        assert all((one.fine[lesion] == other.fine[lesion]).all() for lesion in one.fine)


def test_dicom_photographs_and_masks_are_a_dataset_and_are_refined(tmp_path: Path) -> None:
    plain, source = (write_own(tmp_path / name) for name in ("plain", "dicom"))
    images = tmp_path / "dicom" / "images"
    for path in sorted(images.iterdir()):
        written(path.with_suffix(".dcm"), np.asarray(Image.open(path)))
        path.unlink()
    mask = tmp_path / "dicom" / "masks" / "p0_MA.png"
    written(mask, np.asarray(Image.open(mask)).astype(np.uint8) * np.uint8(255))
    for one, other in zip(open_source(plain).photographs(), open_source(source).photographs(), strict=True):
        assert (one.key, other.name) == (other.key, f"{one.key}.dcm")
        assert (one.image == other.image).all()
        assert all((one.fine[lesion] == other.fine[lesion]).all() for lesion in one.fine)
    masks = []
    for folder, suffix in ((tmp_path / "plain" / "images", ".png"), (images, ".dcm")):
        path, out = folder / f"p0{suffix}", tmp_path / f"out{suffix}"
        result = run(zoo, "refine", path, drawn_on(path), "-o", out)
        assert result.exit_code == 0, result.output
        masks.append(read_mask(out / "p0_MA.png"))
    assert (masks[0] == masks[1]).all()


@pytest.mark.parametrize(
    ("values", "odd", "threshold"),
    [
        (np.array([0, 85, 170, 255], np.uint8), "85, 170, 255", "128"),
        (np.array([0, 0.25, 0.5, 1], np.float32), "0.25, 0.5, 1", "0.5"),
        (np.array([0, 20000, 40000, 65535], np.uint16), "20000, 40000, 65535", "32768"),
    ],
)
def test_values_in_between_ask_for_a_threshold_in_every_command(
    tmp_path: Path, values: np.ndarray, odd: str, threshold: str
) -> None:
    source = write_own(tmp_path / "own", photographs=1)
    Image.fromarray(np.repeat(values, 24)[None].repeat(64, axis=0)).save(
        tmp_path / "own" / "masks" / "p0_MA.png", "TIFF"
    )
    with pytest.raises(
        SourceError, match=f"p0_MA.png: the mask has the values {odd}, .* threshold={threshold}"
    ) as caught:
        open_source(source).read("p0")
    asked = str(caught.value).partition("the mask ")[2]
    found = run(coarsekit, "check", source, "--json")
    assert found.exit_code == 1
    assert asked in found.stdout
    out = tmp_path / "out"
    for main, command in (
        (coarsekit, ("simulate", source, "-o", out)),
        (coarsekit, ("preview", source, "-o", out)),
        (coarsekit, ("export", source, "-o", out)),
        (zoo, ("evaluate", source, *SPLIT, "--refiner", "shrink", "-o", out)),
        (zoo, ("refine", source, "-o", out)),
    ):
        assert asked in run(main, *command).stderr, command


def test_a_mask_of_one_bit_has_no_edges_that_a_threshold_could_cut(tmp_path: Path) -> None:
    source = write_own(tmp_path / "own", photographs=1)
    before = open_source(source).read("p0").fine
    with Image.open(tmp_path / "own" / "masks" / "p0_MA.png") as picture:
        assert picture.mode == "1"
    toml = tmp_path / "own" / "coarsekit.toml"
    toml.write_text("threshold = 127\n" + toml.read_text())
    after = open_source(source).read("p0").fine
    assert before.keys() == after.keys() == {"MA", "SE"}
    assert all((before[lesion] == after[lesion]).all() for lesion in before)


def test_what_is_no_image_is_said_by_the_commands(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    for main, command in ((zoo, "refine"), (coarsekit, "preview")):
        assert "it is a Git LFS pointer" in refusal(run(main, command, path, drawn_on(path), "-o", tmp_path / "out"))
