"""What the raw pixels of masks say, and which of them are odd."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coarsekit.datasets import open_source
from coarsekit.datasets.checks import CheckReport, check
from coarsekit.datasets.mask_values import Decoded, decode_binary, decode_classes
from coarsekit.errors import SourceError
from coarsekit.images import read_channels
from coarsekit.morphology import components
from tests.pictures import lesions
from tests.reader_trees import grey, photograph, save, write_fgadr

ONE, OTHER, THIRD = lesions(0), lesions(1), lesions(2)
NUMBERED = components(ONE | OTHER | THIRD)[0].astype(np.uint8)
SOFT = np.asarray(grey(ONE).resize((320, 240)).resize((160, 120)))


def coloured(*masks: np.ndarray) -> np.ndarray:
    """Red, green, blue, each of one mask."""
    return np.stack([mask * 255 for mask in (*masks, ONE & False, ONE & False)[:3]], -1).astype(np.uint8)


def binary(pixels: np.ndarray, threshold: float = 0, alpha: np.ndarray | None = None) -> Decoded:
    return decode_binary(pixels, alpha, threshold, ["MA"])


@pytest.mark.parametrize("threshold", [0, 127])
@pytest.mark.parametrize(
    "pixels", [ONE, ONE * np.uint8(1), ONE * np.uint8(255), coloured(ONE), coloured(ONE, ONE)], ids=lambda _: ""
)
def test_a_mask_of_one_value_or_colour_is_that_mask_whatever_the_threshold(pixels: np.ndarray, threshold: int) -> None:
    decoded = binary(pixels, threshold)
    assert (decoded.oddity, decoded.usable) == ("", True)
    assert np.array_equal(decoded.masks["MA"], ONE)


@pytest.mark.parametrize(
    ("pixels", "threshold", "said"),
    [
        (SOFT, 0, "soft edges .* such as threshold=128"),
        (NUMBERED, 0, r"may be numbers of lesions \(then say threshold=0.5\) or classes \(a table \[label_map\]\);"),
        (NUMBERED.astype(np.uint16) * 50, 0, "such as threshold=150"),
        (ONE + np.roll(ONE, 2, 1).astype(np.uint8), 0, r"classes .*, votes or soft edges \(such as threshold=1\)"),
        (coloured(ONE, OTHER), 0, r"has 2 colours \(255 0 0; 0 255 0\); expected black and one other; save a file for"),
        (np.where(ONE[..., None], np.uint8([255, 0, 0]), np.uint8(255)), 0, "has 2 colours"),
        (coloured(ONE, OTHER, THIRD), 127, "has several colours above the threshold"),
        (ONE * np.uint8(100), 127, "has the value 100 alone, which is not above the threshold 127"),
        (ONE * np.uint8(1), 2, "has the value 1 alone, which is not above the threshold 2"),
    ],
)
def test_a_mask_that_may_mean_something_else_is_not_used(pixels: np.ndarray, threshold: float, said: str) -> None:
    decoded = binary(pixels, threshold)
    assert not decoded.usable
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(decoded.oddity)


def test_several_values_of_which_none_is_above_the_threshold_are_odd_but_may_be_votes() -> None:
    decoded = binary(SOFT // 3, 127)
    assert decoded.usable
    assert "has values up to 85, and none above the threshold 127" in decoded.oddity
    assert binary(SOFT * 0, 127).oddity == ""


def test_lesions_that_are_numbered_count_when_the_advice_is_followed() -> None:
    assert np.array_equal(binary(NUMBERED, 0.5).masks["MA"], NUMBERED > 0)


@pytest.mark.parametrize("colour", [(255, 0, 0), (255, 255, 0), (0, 255, 0), (200, 60, 0)])
@pytest.mark.parametrize("quality", [50, 95])
def test_the_edges_that_jpeg_gives_a_mask_of_one_colour_are_none_of_several(
    tmp_path: Path, colour: tuple[int, int, int], quality: int
) -> None:
    path = tmp_path / "mask.jpg"
    Image.fromarray((ONE[..., None] * np.uint8(colour)).astype(np.uint8)).save(path, quality=quality)
    pixels, _ = read_channels(path)
    assert pixels.ndim == 3
    assert binary(pixels, 100).oddity == ""
    assert not binary(pixels).usable


def test_soft_edges_of_one_colour_are_above_the_threshold_or_not() -> None:
    pixels = np.stack([SOFT, SOFT // 2, SOFT * 0], -1)
    decoded = binary(pixels, 100)
    assert decoded.oddity == ""
    assert np.array_equal(decoded.masks["MA"], SOFT > 100)


@pytest.mark.parametrize("colour", [0, 255])
def test_shapes_in_alpha_alone_are_odd_in_masks_and_label_maps(colour: int) -> None:
    plain, alpha = np.full(ONE.shape, colour, np.uint8), ONE * np.uint8(255)
    for decoded in (binary(plain, alpha=alpha), decode_classes(plain, alpha, {1: "MA"}, ["MA"])):
        assert not decoded.usable
        assert "alpha" in decoded.oddity
    assert binary(ONE * np.uint8(255), alpha=alpha).oddity == ""


def test_a_coloured_label_map_is_no_table_of_values() -> None:
    decoded = decode_classes(coloured(ONE, OTHER), None, {255: "MA"}, ["MA"])
    assert not decoded.usable
    assert decoded.oddity.startswith("is coloured")
    lacking = decode_classes(NUMBERED, None, {1: "MA"}, ["MA"])
    assert lacking.usable
    assert lacking.oddity.startswith("has the values 2, 3, 4, 5, 6; expected 0 and those of the table")


def test_channels_are_colours_where_they_differ_and_else_grey(tmp_path: Path) -> None:
    for picture, shape, has_alpha in (
        (grey(ONE), ONE.shape, False),
        (grey(ONE).convert("RGB"), ONE.shape, False),
        (grey(ONE).convert("LA"), ONE.shape, True),
        (grey(ONE).convert("RGBA"), ONE.shape, True),
        (grey(ONE).convert("P"), ONE.shape, False),
        (Image.fromarray(coloured(ONE)), (*ONE.shape, 3), False),
    ):
        pixels, alpha = read_channels(save(picture, tmp_path / "mask.png"))
        assert pixels.shape == shape
        assert (alpha is not None) == has_alpha


# ---------------------------------------------------------------------------------------------- in a dataset


def folder(root: Path, mask: np.ndarray, head: str = "", table: str = '[masks]\nMA = "MA/{stem}.png"\n') -> str:
    save(photograph(0), root / "images" / "0.png")
    save(Image.fromarray(mask), root / "MA" / "0.png")
    (root / "coarsekit.toml").write_text(head + table)
    return f"folder:{root}"


def kinds(report: CheckReport) -> list[tuple[str, str]]:
    return [(finding.kind, finding.lesion) for finding in report.errors]


@pytest.mark.parametrize(
    "table",
    ['[masks]\nMA = "MA/{stem}.png"\n', '[label_map]\nfile = "MA/{stem}.png"\nvalues = {1 = "MA", 255 = "HE"}\n'],
)
def test_colours_are_an_error_wherever_masks_are_read(tmp_path: Path, table: str) -> None:
    source = folder(tmp_path, coloured(ONE, OTHER), table=table)
    assert {kind for kind, _ in kinds(check(source))} == {"not_binary"}
    with pytest.raises(SourceError, match="colour"):
        open_source(source).read("0")


@pytest.mark.parametrize("others", [(), ("HE",)])
def test_lesions_that_are_black_on_white_are_one_error(tmp_path: Path, others: tuple[str, ...]) -> None:
    source = folder(tmp_path, (~ONE).astype(np.uint8) * 255)
    for lesion in others:
        save(grey(~OTHER), tmp_path / lesion / "0.png")
        (tmp_path / "coarsekit.toml").write_text('[masks]\nMA = "MA/{stem}.png"\nHE = "HE/{stem}.png"\n')
    report = check(source)
    assert kinds(report) == [("inverted", lesion) for lesion in ("MA", *others)]
    assert report.notes == []


def test_lesions_that_are_black_in_a_white_surround_are_one_error(tmp_path: Path) -> None:
    """As where only what lies outside the field of view is white beside the lesions."""
    surround = ~np.asarray(photograph(0)).any(axis=2)
    assert kinds(check(folder(tmp_path, (surround | ONE).astype(np.uint8) * 255))) == [("inverted", "MA")]


def test_a_class_that_no_photograph_shows_is_an_error_of_the_whole_dataset_alone(tmp_path: Path) -> None:
    source = folder(tmp_path, ONE & False, table='[masks]\nMA = "MA/{stem}.png"\nHE = "typo/{stem}.png"\n')
    assert kinds(check(source)) == [("empty_class", "MA"), ("empty_class", "HE")]
    assert kinds(check(source, "all")) == []


def test_a_release_may_lack_the_classes_that_are_optional_in_it(tmp_path: Path) -> None:
    source = write_fgadr(tmp_path)
    for path in tmp_path.rglob("IRMA_Masks/*"):
        path.unlink()
    assert ("empty_class", "IRMA") not in kinds(check(source))


def test_a_copy_of_fgadr_with_masks_of_0_and_1_is_read(tmp_path: Path) -> None:
    source = write_fgadr(tmp_path)
    dataset = open_source(source)
    before = {key: dataset.read(key).fine for key in dataset.keys()}  # noqa: SIM118 - a dataset's keys are a method
    for path in tmp_path.rglob("*_Masks/*.png"):
        Image.fromarray((np.asarray(Image.open(path).convert("L")) > 127).astype(np.uint8)).save(path)
    for key, fine in before.items():
        again = dataset.read(key).fine
        assert again.keys() == fine.keys()
        assert all(np.array_equal(again[lesion], mask) for lesion, mask in fine.items())
