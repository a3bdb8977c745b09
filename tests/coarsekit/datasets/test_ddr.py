"""DDR, in each spelling of its folders."""

from pathlib import Path

import numpy as np
import pytest

from coarsekit.datasets import open_source, reader
from coarsekit.errors import SourceError
from tests import reader_trees

TREES = vars(reader_trees)
write_ddr, lesions = TREES["write_ddr"], TREES["lesions"]


@pytest.mark.parametrize("top", ["lesion_segmentation", ".", "DDR-dataset/lesion_segmentation"])
@pytest.mark.parametrize("valid", ["valid", "val"])
@pytest.mark.parametrize("label", ["label", "segmentation label"])
def test_ddr_is_read_in_each_published_spelling(tmp_path: Path, top: str, valid: str, label: str) -> None:
    dataset = open_source(write_ddr(tmp_path, top, valid, label))
    assert {split: len(keys) for split, keys in dataset.splits().items()} == {"train": 1, "valid": 1, "test": 1}
    for fundus in dataset.photographs():
        assert set(fundus.fine) == ({"MA", "HE", "EX", "SE"} if fundus.split == "test" else {"MA", "HE", "EX"})
        assert np.array_equal(fundus.fine["EX"], lesions(2))


def test_a_folder_of_boxes_is_not_taken_for_the_masks(tmp_path: Path) -> None:
    """The dataset has boxes too; somebody may have put them into 'label', beside 'segmentation label'."""
    source = write_ddr(tmp_path, label="segmentation label")
    boxes = tmp_path / "lesion_segmentation" / "valid" / "label"
    boxes.mkdir()
    (boxes / "007-0001-000.xml").write_text("<annotation/>")
    assert open_source(source).read("007-0001-000").fine.keys() == {"MA", "HE", "EX"}


def test_ddr_may_not_be_passed_on() -> None:
    assert reader("ddr").licence.redistribution is False


def test_every_photograph_is_expected_to_have_a_mask_of_every_class(tmp_path: Path) -> None:
    dataset = open_source(write_ddr(tmp_path))
    next(tmp_path.rglob("train/label/HE/*.tif")).unlink()
    files = dataset.files("007-0000-000")
    assert set(files.masks) == {"MA", "EX", "SE"}
    assert files.expected == dataset.lesions


def test_masks_of_no_photograph_are_orphans(tmp_path: Path) -> None:
    dataset = open_source(write_ddr(tmp_path))
    assert dataset.orphans() == []
    stray = next(tmp_path.rglob("train/label/HE/*.tif")).with_name("stray.tif")
    stray.write_bytes(b"")
    assert dataset.orphans() == [str(stray)]


def test_two_photographs_of_one_name_are_one_sentence(tmp_path: Path) -> None:
    source = write_ddr(tmp_path)
    again = tmp_path / "lesion_segmentation" / "test" / "image" / "007-0000-000.jpg"
    again.write_bytes(next(tmp_path.rglob("train/image/*.jpg")).read_bytes())
    with pytest.raises(SourceError, match="a second photograph of that name"):
        open_source(source)


def test_a_folder_without_ddr_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no DDR photographs found; expected 'train/image/NAME\.jpg'"):
        open_source(f"ddr:{tmp_path}")


@pytest.mark.parametrize("images", ["image", "images"])
@pytest.mark.parametrize("flat", [False, True])
def test_the_copy_on_the_hub_is_read(tmp_path: Path, images: str, flat: bool) -> None:
    expected = open_source(write_ddr(tmp_path / "published"))
    root = tmp_path / "copy" / "lesion_segmentation"
    keys = expected.keys()
    for key in keys:
        files = expected.files(key)
        folder = root / images if flat else root / images / files.split
        folder.mkdir(parents=True, exist_ok=True)
        files.photograph.rename(folder / files.photograph.name)
        for lesion, path in files.masks.items():
            (root / "annotations" / files.split / lesion).mkdir(parents=True, exist_ok=True)
            path.rename(root / "annotations" / files.split / lesion / path.name)
    copy = open_source(f"ddr:{tmp_path / 'copy'}")
    assert copy.splits() == expected.splits()
    assert {fundus.split for fundus in copy.photographs() if "EX" in fundus.fine} == {"train", "valid", "test"}
    assert copy.orphans() == []
