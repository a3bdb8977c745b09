"""The contract of every reader, each on its small tree, and what is particular to IDRiD and to SOURCE."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import coarsekit.datasets
from coarsekit.datasets import READERS, open_source, reader
from coarsekit.datasets.base import Dataset, Licence, Subset
from coarsekit.errors import CoarsekitError, ImageError, ParameterError, SourceError
from coarsekit.morphology import components
from coarsekit.types import LESIONS
from tests.own_datasets import write_own
from tests.places import IDRID

TRAIN, TEST = "a. Training Set", "b. Testing Set"
PHOTOGRAPHS, MASKS = "1. Original Images", "2. All Segmentation Groundtruths"

Trees = dict[str, Callable[[Path], str]]

watched: list[list[str]] = []
"""Lists to which the path of every file that is opened is added; none but in the one test that watches."""


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        for paths in watched:
            paths.append(str(arguments[0]))


sys.addaudithook(watch)


@pytest.fixture(params=READERS)
def source(request: pytest.FixtureRequest, trees: Trees, tmp_path: Path) -> str:
    """The SOURCE of a small tree, for each reader in turn."""
    if request.param not in trees:
        pytest.fail(f"no tree-writer for the reader {request.param!r}: add one to TREES in tests/trees.py")
    return trees[request.param](tmp_path)


@pytest.fixture
def dataset(source: str) -> Dataset:
    return open_source(source)


# ---------------------------------------------------------------------------------------------- every reader


def test_a_reader_says_what_it_is_without_any_data(source: str) -> None:
    own = reader(source.partition(":")[0])
    assert own.name == source.partition(":")[0]
    assert own.title
    assert own.citation
    assert isinstance(own.licence, Licence)
    assert own.licence.name
    assert own.licence.url.startswith("https://")
    assert own.lesions
    assert len(set(own.lesions)) == len(own.lesions)
    assert issubclass(own, Dataset)


def test_splits_hold_every_key_once(dataset: Dataset) -> None:
    splits = dataset.splits()
    keys = [key for own in splits.values() for key in own]
    assert keys
    assert all(splits.values())
    assert len(set(keys)) == len(keys)
    assert dataset.keys() == tuple(keys)
    for split, own in splits.items():
        assert dataset.keys(split) == own


def test_a_photograph_is_rgb_with_masks_of_its_shape(dataset: Dataset) -> None:
    for split, keys in dataset.splits().items():
        fundus = dataset.read(keys[0])
        assert (fundus.key, fundus.split) == (keys[0], split)
        assert Path(fundus.name).stem
        assert fundus.image.dtype == np.uint8
        assert fundus.image.shape == (*fundus.shape, 3)
        assert set(fundus.fine) <= set(dataset.lesions)
        for mask in fundus.fine.values():
            assert mask.dtype == bool
            assert mask.shape == fundus.shape
            assert mask.any()


def test_every_lesion_that_a_reader_promises_is_found(dataset: Dataset) -> None:
    assert {lesion for fundus in dataset.photographs() for lesion in fundus.fine} == set(dataset.lesions)


def test_reading_twice_gives_the_same(dataset: Dataset) -> None:
    key = dataset.keys()[0]
    one, other = dataset.read(key), dataset.read(key)
    assert (one.image == other.image).all()
    assert one.fine.keys() == other.fine.keys()
    assert all((one.fine[lesion] == other.fine[lesion]).all() for lesion in one.fine)


def test_photographs_are_decoded_when_they_are_asked_for(source: str) -> None:
    opened: list[str] = []
    watched.append(opened)
    try:
        photographs = open_source(source).photographs()
        before = [path for path in opened if path.lower().endswith((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"))]
        name = next(photographs).name
    finally:
        watched.clear()
    assert before == []
    assert any(Path(path).name == name for path in opened)


def test_an_unknown_key_is_one_sentence_that_names_it(dataset: Dataset) -> None:
    with pytest.raises(SourceError, match="'no such photograph'") as caught:
        dataset.read("no such photograph")
    assert dataset.keys()[0] in str(caught.value)


def test_an_unknown_split_is_one_sentence_that_names_the_others(dataset: Dataset) -> None:
    with pytest.raises(ParameterError, match=f"no split 'no such'; choose one of {', '.join(dataset.splits())}"):
        dataset.keys("no such")
    with pytest.raises(ParameterError, match="no split 'no such'"):
        dataset.photographs("no such")


@pytest.mark.parametrize("name", [name for name in READERS if name != "sample"])
class TestAFolderWithoutTheDataset:
    def test_an_empty_one(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(SourceError, match=re.escape(str(tmp_path))):
            open_source(f"{name}:{tmp_path}")

    def test_a_missing_one(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(SourceError, match="missing"):
            open_source(f"{name}:{tmp_path / 'missing'}")

    def test_a_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file.txt").write_text("no dataset")
        with pytest.raises(SourceError, match=r"file\.txt"):
            open_source(f"{name}:{tmp_path / 'file.txt'}")


PUBLISHED = [name for name in READERS if name not in ("sample", "folder")]


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_archive_is_read_one_or_two_folders_higher(trees: Trees, tmp_path: Path, name: str) -> None:
    _, _, root = trees[name](tmp_path / "a" / "b").partition(":")
    expected = open_source(f"{name}:{root}").splits()
    for place in (tmp_path / "a" / "b", tmp_path / "a"):
        assert open_source(f"{name}:{place}").splits() == expected


def test_a_folder_of_idrid_or_fgadr_one_too_low_is_read(trees: Trees, tmp_path: Path) -> None:
    for name, inner in (("idrid", "A. Segmentation/1. Original Images"), ("fgadr", "Seg-set/Original_Images")):
        trees[name](tmp_path / name)
        below = next(path for path in (tmp_path / name).rglob(inner.rpartition("/")[2]))
        assert open_source(f"{name}:{below}").splits() == open_source(f"{name}:{tmp_path / name}").splits()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_reader_that_finds_nothing_names_the_one_that_would(trees: Trees, tmp_path: Path, name: str) -> None:
    _, _, root = trees[name](tmp_path).partition(":")
    other = next(one for one in PUBLISHED if one != name)
    with pytest.raises(SourceError, match=re.escape(f"write {name}:{root}, which finds photographs and masks there")):
        open_source(f"{other}:{root}")


def test_a_reader_that_finds_photographs_without_masks_is_not_advised(tmp_path: Path) -> None:
    write_own(tmp_path / "own")
    split = tmp_path / "own" / "images" / "train"
    split.mkdir()
    for path in (tmp_path / "own" / "images").glob("*.png"):
        path.rename(split / path.name)
    assert open_source(f"ddr:{tmp_path / 'own'}").keys() == ("p0", "p1", "p2")
    with pytest.raises(SourceError, match=re.escape(f"write folder:{tmp_path / 'own'}, which finds photographs and")):
        open_source(f"idrid:{tmp_path / 'own'}")
    (tmp_path / "own" / "coarsekit.toml").unlink()
    for name in ("folder", "idrid"):
        with pytest.raises(SourceError) as caught:
            open_source(f"{name}:{tmp_path / 'own'}")
        assert "ddr:" not in str(caught.value)


def test_two_photographs_of_one_name_in_a_release_are_refused(trees: Trees, tmp_path: Path) -> None:
    for name, first, second in (
        ("idrid", "IDRiD_01.jpg", f"{TEST}/IDRiD_01.jpg"),
        ("fgadr", "0001_1.png", "0001_1.PNG"),
        ("ddr", "007-0000-000.jpg", "007-0000-000.png"),
    ):
        source = trees[name](tmp_path / name)
        path = next(path for path in sorted(tmp_path.rglob(first)) if "mask" not in str(path).lower())
        shutil.copy(path, (path.parents[1] if "/" in second else path.parent) / second)
        with pytest.raises(SourceError, match="a second photograph of that name"):
            open_source(source)


# ---------------------------------------------------------------------------------------------- missing masks


@pytest.mark.parametrize("name", PUBLISHED)
def test_masks_are_found_in_any_case_of_their_suffix(trees: Trees, tmp_path: Path, name: str) -> None:
    dataset = open_source(trees[name](tmp_path))
    before = {key: dataset.read(key).fine.keys() for key in dataset.keys()}  # noqa: SIM118 - a dataset's keys
    for path in {mask for key in before for mask in dataset.files(key).masks.values()}:
        path.rename(path.with_suffix(path.suffix.swapcase()))
    dataset = open_source(f"{name}:{tmp_path}")  # whose reader may list its files when it is opened
    assert {key: dataset.read(key).fine.keys() for key in before} == before
    assert dataset.orphans() == []


@pytest.mark.parametrize("name", PUBLISHED)
def test_photographs_without_the_masks_that_a_release_has_are_noted(trees: Trees, tmp_path: Path, name: str) -> None:
    dataset = open_source(trees[name](tmp_path))
    assert dataset.notes(dataset.keys()) == []
    key = dataset.keys()[0]
    masks = [path for lesion, path in dataset.files(key).masks.items() if lesion in (dataset.files(key).expected or ())]
    masks.pop().unlink()
    dataset = open_source(f"{name}:{tmp_path}")
    if masks:
        assert dataset.notes([key])[0].startswith(f"1 photograph lacks masks that must be there: {key} (")
    for path in [*masks, *dataset.files(key).masks.values()]:
        path.unlink(missing_ok=True)
    dataset = open_source(f"{name}:{tmp_path}")
    said = f"1 photograph has no mask of any class and counts as healthy: {key}"
    assert dataset.notes(dataset.keys()) == Subset(dataset, "part", [key]).notes([key]) == [said]


@pytest.mark.parametrize(
    ("head", "left", "said"),
    [
        ("", ["p0_MA"], []),
        ("every_class = true\n", ["p0_MA"], ["1 photograph lacks masks that must be there: p0 (MA)"]),
        ("every_class = false\n", ["p0_MA", "p0_SE"], []),
        ("", ["p0_MA", "p0_SE"], ["1 photograph has no mask of any class and counts as healthy: p0"]),
        (
            "",
            ["*"],
            ["7 photographs have no mask of any class and count as healthy: p0, p1, p2, p3, p4 and 2 more"],
        ),
    ],
)
def test_an_own_dataset_without_masks_is_noted_unless_it_says_that_none_are_needed(
    tmp_path: Path, head: str, left: list[str], said: list[str]
) -> None:
    source = write_own(tmp_path / "own", photographs=7, head=head)
    for name in left:
        for path in (tmp_path / "own" / "masks").glob(f"{name}.png"):
            path.unlink()
    dataset = open_source(source)
    assert dataset.notes(dataset.keys()) == said


# ---------------------------------------------------------------------------------------------- SOURCE


def test_no_reader_is_forgotten_in_the_list() -> None:
    files = {
        path.stem
        for path in Path(coarsekit.datasets.__file__).parent.glob("*.py")
        if "class Reader(" in path.read_text()
    }
    assert files == set(READERS)


def test_readers_are_listed_in_order() -> None:
    assert list(READERS) == sorted(READERS)
    assert {"idrid", "sample"} <= set(READERS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("idrd:folder", "'idrd:folder' is not a source; .*did you mean 'idrid'"),
        ("sampel", "'sampel' is not a source; .*did you mean 'sample'"),
        ("IDRID:folder", "'IDRID:folder' is not a source"),
        ("", "'' is not a source"),
        (":folder", "':folder' is not a source"),
        ("../idrid", "is not a source"),
        ("idrid", "'idrid' names no folder; write idrid:PATH"),
        ("idrid:", "'idrid:' names no folder; write idrid:PATH"),
        ("sample:folder", "the bundled sample takes no path"),
        ("sample:", "the bundled sample takes no path"),
    ],
)
def test_a_source_that_is_none_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        open_source(text)


def test_a_path_may_hold_colons(trees: Trees, tmp_path: Path) -> None:
    trees["idrid"](tmp_path / "a:b")
    assert open_source(f"idrid:{tmp_path / 'a:b'}").keys()


# ---------------------------------------------------------------------------------------------- the sample


def test_the_sample_shows_every_known_lesion_on_two_photographs() -> None:
    dataset = open_source("sample")
    assert dataset.splits() == {"validation": ("IDRiD_19", "IDRiD_46")}
    assert {fundus.shape for fundus in dataset.photographs()} == {(1424, 2144)}


# ---------------------------------------------------------------------------------------------- IDRiD


def test_idrid_is_read_from_its_folder_or_the_one_that_holds_it(idrid: Path) -> None:
    expected = {"train": ("IDRiD_01", "IDRiD_02"), "test": ("IDRiD_55",)}
    assert open_source(f"idrid:{idrid}").splits() == expected
    assert open_source(f"idrid:{idrid.parent}").splits() == expected


def test_idrid_masks_are_read_from_palettes_and_from_rgba(idrid: Path) -> None:
    """All trees are written with one mask a lesion, so the RGBA one must equal those from palettes."""
    dataset = open_source(f"idrid:{idrid}")
    one, other = dataset.read("IDRiD_01"), dataset.read("IDRiD_55")
    for key, mode in (("IDRiD_01", "P"), ("IDRiD_55", "RGBA")):
        with Image.open(next(idrid.rglob(f"{key}_EX.tif"))) as picture:
            assert picture.mode == mode
    assert (one.fine["EX"] == other.fine["EX"]).all()
    assert 0 < one.fine["EX"].mean() < 0.2
    assert components(one.fine["EX"])[1] == 6


def test_idrid_classes_that_a_photograph_does_not_show_are_absent(idrid: Path) -> None:
    """An all-zero mask and a missing one are the same."""
    dataset = open_source(f"idrid:{idrid}")
    assert list(idrid.rglob("IDRiD_01_SE.tif"))
    assert not list(idrid.rglob("IDRiD_02_SE.tif"))
    assert list(dataset.read("IDRiD_01").fine) == list(dataset.read("IDRiD_02").fine) == ["MA", "HE", "EX"]
    assert list(dataset.read("IDRiD_55").fine) == list(LESIONS)


def test_idrid_may_lack_a_split(idrid: Path) -> None:
    shutil.rmtree(idrid / PHOTOGRAPHS / TEST)
    dataset = open_source(f"idrid:{idrid}")
    assert list(dataset.splits()) == ["train"]
    with pytest.raises(ParameterError, match="idrid has no split 'test'; choose one of train"):
        dataset.keys("test")


def test_an_idrid_mask_of_another_size_is_refused(idrid: Path) -> None:
    path = idrid / MASKS / TRAIN / "3. Hard Exudates" / "IDRiD_01_EX.tif"
    Image.new("L", (30, 20)).save(path)
    with pytest.raises(SourceError, match=r"IDRiD_01_EX\.tif: .*\(20, 30\), its photograph \(120, 160\)"):
        open_source(f"idrid:{idrid}").read("IDRiD_01")


@pytest.mark.parametrize("name", ["IDRiD_02.jpg", "IDRiD_02_EX.tif"])
def test_an_idrid_file_that_is_cut_short_is_named_and_the_others_are_read(idrid: Path, name: str) -> None:
    path = next(idrid.rglob(name))
    path.write_bytes(path.read_bytes()[:200])
    dataset = open_source(f"idrid:{idrid}")
    with pytest.raises(ImageError, match=name):
        dataset.read("IDRiD_02")
    assert dataset.read("IDRiD_01").key == "IDRiD_01"


def test_every_error_of_a_reader_is_one_of_the_packages_own(idrid: Path) -> None:
    shutil.rmtree(idrid / PHOTOGRAPHS)
    with pytest.raises(CoarsekitError, match=r"no IDRiD photographs found; expected '1\. Original Images/"):
        open_source(f"idrid:{idrid}")


@pytest.mark.skipif(not IDRID.is_dir(), reason="IDRiD is not there (../shared/data/idrid beside the repository)")
def test_the_real_idrid_is_read_as_published() -> None:
    """The counts are those of scikit-image's labels on the same files."""
    dataset = open_source(f"idrid:{IDRID}")
    assert {split: len(keys) for split, keys in dataset.splits().items()} == {"train": 54, "test": 27}
    expected = {
        "IDRiD_03": {"MA": 63, "HE": 77, "EX": 347, "SE": 1},
        "IDRiD_81": {"MA": 47, "HE": 13, "EX": 300},
    }
    for key, counts in expected.items():
        fundus = dataset.read(key)
        assert fundus.shape == (2848, 4288)
        assert {lesion: components(mask)[1] for lesion, mask in fundus.fine.items()} == counts


def test_a_part_of_a_dataset_is_a_split_of_its_own() -> None:
    sample = open_source("sample")
    part = Subset(sample, "mine", ["IDRiD_46"])
    assert part.splits() == {"mine": ("IDRiD_46",)}
    assert [fundus.key for fundus in part.photographs()] == ["IDRiD_46"]
    assert (part.name, part.lesions, part.licence) == (sample.name, sample.lesions, sample.licence)
    for keys, sentence in (([], "no photograph is left"), (["IDRiD_99"], "no photograph 'IDRiD_99'")):
        with pytest.raises(ParameterError, match=sentence):
            Subset(sample, "mine", keys)
