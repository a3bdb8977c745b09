"""e-ophtha: two parts, healthy photographs, and photographs of both."""

from pathlib import Path

import pytest

from coarsekit.datasets import open_source, reader
from coarsekit.datasets.base import FileDataset
from coarsekit.datasets.findings import ERROR, examine
from coarsekit.errors import SourceError
from tests import reader_trees

TREES = vars(reader_trees)


@pytest.fixture
def dataset(tmp_path: Path) -> FileDataset:
    dataset = open_source(TREES["write_eophtha"](tmp_path))
    assert isinstance(dataset, FileDataset)
    return dataset


def test_both_parts_are_read_and_a_photograph_of_both_once(dataset: FileDataset) -> None:
    assert dataset.splits() == {"all": ("C0001", "C0002", "C0003", "C0009")}
    shown = {fundus.key: set(fundus.fine) for fundus in dataset.photographs()}
    assert shown == {"C0001": {"MA"}, "C0002": {"EX"}, "C0003": {"MA", "EX"}, "C0009": set()}


def test_a_healthy_photograph_without_masks_is_no_defect_but_an_ill_one_is(
    dataset: FileDataset, tmp_path: Path
) -> None:
    assert all(examine(dataset, key).findings == [] for key in dataset.splits()["all"])
    next(tmp_path.rglob("C0001.png")).unlink()
    (finding,) = examine(open_source(f"eophtha:{tmp_path}"), "C0001").findings
    assert (finding.kind, finding.severity, finding.lesion) == ("missing_mask", ERROR, "MA")


def test_a_mask_of_nobody_is_an_orphan(dataset: FileDataset, tmp_path: Path) -> None:
    assert dataset.orphans() == []
    path = next(tmp_path.rglob("C0001.png"))
    path.rename(path.with_name("C0404.png"))
    again = open_source(f"eophtha:{tmp_path}")
    assert isinstance(again, FileDataset)
    assert [Path(name).name for name in again.orphans()] == ["C0404.png"]


def test_parts_may_lie_one_folder_deeper(dataset: FileDataset, tmp_path: Path) -> None:
    for lesion in dataset.lesions:
        (tmp_path / f"e_ophtha_{lesion}").mkdir()
        (tmp_path / f"e_optha_{lesion}").rename(tmp_path / f"e_ophtha_{lesion}" / f"e_optha_{lesion}")
    again = open_source(f"eophtha:{tmp_path}")
    assert [fundus.fine.keys() for fundus in again.photographs()] == [
        {"MA"},
        {"EX"},
        {"MA", "EX"},
        set(),
    ]


def test_one_part_is_enough_and_none_is_one_sentence(dataset: FileDataset, tmp_path: Path) -> None:
    (tmp_path / "e_optha_EX").rename(tmp_path / "elsewhere")
    assert open_source(f"eophtha:{tmp_path}").keys() == ("C0001", "C0003", "C0009")
    (tmp_path / "e_optha_MA").rename(tmp_path / "elsewhere2")
    with pytest.raises(SourceError, match="no e-ophtha photographs found"):
        open_source(f"eophtha:{tmp_path}")


def test_it_may_not_be_passed_on() -> None:
    assert reader("eophtha").licence.redistribution is False
