"""FGADR: soft-edged masks of six classes."""

from pathlib import Path

import numpy as np
import pytest

from coarsekit.datasets import open_source, reader
from coarsekit.datasets.base import FileDataset
from coarsekit.datasets.findings import examine
from tests import reader_trees

TREES = vars(reader_trees)


@pytest.fixture
def dataset(tmp_path: Path) -> FileDataset:
    dataset = open_source(TREES["write_fgadr"](tmp_path))
    assert isinstance(dataset, FileDataset)
    return dataset


def test_masks_count_from_128_on(dataset: FileDataset) -> None:
    for key, classes in (("0001_1", 6), ("0002_3", 4)):
        fine = dataset.read(key).fine
        assert len(fine) == classes
        assert all(np.array_equal(mask, TREES["lesions"](place % 4)) for place, mask in enumerate(fine.values()))


def test_soft_edges_and_absent_rare_classes_are_no_defect(dataset: FileDataset) -> None:
    assert examine(dataset, "0002_3").findings == []
    assert dataset.orphans() == []


def test_it_is_read_from_each_folder_and_may_not_be_passed_on(dataset: FileDataset, tmp_path: Path) -> None:
    assert open_source(f"fgadr:{tmp_path / 'Seg-set'}").splits() == dataset.splits()
    assert reader("fgadr").licence.redistribution is False
