"""What is wrong with a dataset: ten planted defects, what is lawful, and the command."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageEnhance

from coarsekit.cli.main import main
from coarsekit.datasets import open_source
from coarsekit.datasets.base import FileDataset
from coarsekit.datasets.checks import DuplicateFinder, Tally
from coarsekit.datasets.findings import ERROR, NOTE, Finding, examine, orphans, summary
from coarsekit.datasets.near_duplicates import MAX_HAMMING, content_hash, distances, field_of_view, perceptual_hash
from coarsekit.errors import SourceError
from coarsekit.geometry import draw
from coarsekit.types import Ellipse
from tests import reader_trees
from tests.places import IDRID

TREES = vars(reader_trees)
photograph, lesions, grey, save = (TREES[name] for name in ("photograph", "lesions", "grey", "save"))
needs_idrid = pytest.mark.skipif(not IDRID.is_dir(), reason="IDRiD is not there (../shared/data/idrid)")


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """Three photographs a split, with a mask of MA and of HE each, and nothing wrong with them."""
    for seed in range(6):
        split = "train" if seed < 3 else "test"
        save(photograph(seed), tmp_path / "images" / split / f"{seed}.png")
        for place, lesion in enumerate(("MA", "HE")):
            save(grey(lesions(place)), tmp_path / lesion / f"{seed}.png")
    (tmp_path / "coarsekit.toml").write_text(
        'every_class = true\n[masks]\nMA = "MA/{stem}.png"\nHE = "HE/{stem}.png"\n', encoding="utf-8"
    )
    return tmp_path


def check(folder: Path) -> list[Finding]:
    dataset = open_source(f"folder:{folder}")
    assert isinstance(dataset, FileDataset)
    twins, findings = DuplicateFinder(), orphans(dataset)
    for key in dataset.keys():  # noqa: SIM118 - a dataset's keys are a method
        examined = examine(dataset, key)
        findings += examined.findings + twins.add(examined)
    return findings


def test_a_clean_dataset_gives_no_finding(clinic: Path) -> None:
    assert check(clinic) == []


def plant_unreadable_photograph(folder: Path) -> None:
    path = folder / "images" / "train" / "0.png"
    path.write_bytes(path.read_bytes()[:500])


def plant_unreadable_mask(folder: Path) -> None:
    (folder / "MA" / "0.png").write_text("no image")


def plant_missing(folder: Path) -> None:
    (folder / "HE" / "1.png").unlink()


def plant_orphan(folder: Path) -> None:
    save(grey(lesions(0)), folder / "MA" / "99.png")


def plant_size(folder: Path) -> None:
    save(grey(lesions(0)).resize((80, 60), Image.Resampling.NEAREST), folder / "MA" / "2.png")


def plant_values(folder: Path) -> None:
    save(grey(lesions(0)).resize((320, 240)).resize((160, 120)), folder / "MA" / "0.png")


def plant_outside(folder: Path) -> None:
    corner = np.zeros((120, 160), dtype=bool)
    corner[2:8, 2:8] = True
    save(grey(lesions(0) | corner), folder / "MA" / "4.png")


def plant_overlap(folder: Path) -> None:
    save(grey(lesions(0)), folder / "HE" / "3.png")


def plant_duplicate(folder: Path) -> None:
    Image.open(folder / "images" / "train" / "0.png").save(folder / "images" / "train" / "1.png", compress_level=1)


def plant_leak(folder: Path) -> None:
    Image.open(folder / "images" / "train" / "0.png").save(folder / "images" / "test" / "4.png", compress_level=1)


def plant_similar(folder: Path) -> None:
    brighter = ImageEnhance.Brightness(Image.open(folder / "images" / "train" / "1.png")).enhance(1.1)
    brighter.save(folder / "images" / "train" / "2.png")


def plant_similar_leak(folder: Path) -> None:
    brighter = ImageEnhance.Brightness(Image.open(folder / "images" / "train" / "1.png")).enhance(1.1)
    brighter.resize((320, 240)).save(folder / "images" / "test" / "5.jpg", quality=70)
    (folder / "images" / "test" / "5.png").unlink()
    for lesion in ("MA", "HE"):
        path = folder / lesion / "5.png"
        Image.open(path).resize((320, 240), Image.Resampling.NEAREST).save(path)


PLANTED = {
    plant_unreadable_photograph: ("unreadable", "0", ""),
    plant_unreadable_mask: ("unreadable", "0", "MA"),
    plant_missing: ("missing_mask", "1", "HE"),
    plant_orphan: ("orphan_mask", "", ""),
    plant_size: ("size_mismatch", "2", "MA"),
    plant_values: ("not_binary", "0", "MA"),
    plant_outside: ("outside_field", "4", "MA"),
    plant_overlap: ("overlap", "3", "MA, HE"),
    plant_duplicate: ("duplicate", "1", ""),
    plant_leak: ("duplicate_across_splits", "", ""),
    plant_similar: ("near_duplicate", "2", ""),
    plant_similar_leak: ("near_duplicate_across_splits", "", ""),
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_found_and_nothing_else(clinic: Path, plant) -> None:
    plant(clinic)
    kind, image, lesion = PLANTED[plant]
    (finding,) = check(clinic)
    assert (finding.kind, finding.severity) == (kind, ERROR)
    if image:
        assert (finding.image, finding.lesion) == (image, lesion)
    assert finding.detail


def test_in_between_values_ask_for_a_threshold_wherever_masks_are_read(clinic: Path) -> None:
    plant_values(clinic)
    (finding,) = check(clinic)
    assert "threshold=128" in finding.detail
    dataset = open_source(f"folder:{clinic}")
    with pytest.raises(SourceError, match=r"0\.png: the mask has the values .* threshold=128"):
        dataset.read(dataset.keys()[0])
    toml = clinic / "coarsekit.toml"
    toml.write_text("threshold = 127\n" + toml.read_text())
    assert check(clinic) == []
    assert open_source(f"folder:{clinic}").read(dataset.keys()[0]).fine["MA"].any()


def test_defects_planted_together_are_all_found(clinic: Path) -> None:
    for plant in (plant_unreadable_mask, plant_missing, plant_orphan, plant_size, plant_outside, plant_overlap):
        plant(clinic)
    plant_similar_leak(clinic)
    kinds = {"unreadable", "missing_mask", "orphan_mask", "size_mismatch", "outside_field", "overlap"}
    assert {finding.kind for finding in check(clinic)} == kinds | {"near_duplicate_across_splits"}


def test_what_is_lawful_is_a_note(clinic: Path) -> None:
    """An empty mask, masks that touch, a lesion cut by the rim of the field."""
    save(grey(lesions(0) & False), clinic / "HE" / "0.png")
    save(grey(lesions(1) | draw([Ellipse(45, 47, 2, 2)], (120, 160))), clinic / "HE" / "1.png")
    save(grey(draw([Ellipse(24, 60, 4, 4)], (120, 160))), clinic / "MA" / "3.png")
    findings = check(clinic)
    assert {finding.severity for finding in findings} == {NOTE}
    assert [finding.kind for finding in findings] == ["empty_mask", "overlap", "outside_field"]


def test_a_photograph_without_any_mask_is_an_error_unless_the_folder_says_otherwise(clinic: Path) -> None:
    toml = clinic / "coarsekit.toml"
    for lesion in ("MA", "HE"):
        (clinic / lesion / "0.png").unlink()
    (clinic / "MA" / "1.png").unlink()
    for said, severities in (("", [ERROR, NOTE]), ("every_class = false\n", [])):
        toml.write_text(said + '[masks]\nMA = "MA/{stem}.png"\nHE = "HE/{stem}.png"\n')
        assert [finding.severity for finding in check(clinic)] == severities


def test_values_that_a_table_of_classes_lacks_are_found(tmp_path: Path) -> None:
    TREES["write_label_maps"](tmp_path)
    path = tmp_path / "labels" / "train" / "eye.png"
    values = np.asarray(Image.open(path)).copy()
    values[60, 60] = 77
    Image.fromarray(values).save(path)
    (finding,) = check(tmp_path)
    assert finding.kind == "not_binary"
    assert "77" in finding.detail


def test_coco_photographs_that_nobody_has_are_orphans(tmp_path: Path) -> None:
    source = TREES["write_coco"](tmp_path)
    dataset = open_source(source)
    assert isinstance(dataset, FileDataset)
    assert dataset.orphans() == []
    (tmp_path / "images" / "eye.jpg").rename(tmp_path / "images" / "other.jpg")
    findings = check(tmp_path)
    assert sorted(finding.kind for finding in findings) == ["missing_mask", "orphan_mask"]
    assert "instances.json: eye.jpg" in {finding.file for finding in findings}


# ---------------------------------------------------------------------------------------------- its parts


def test_the_field_of_view_is_the_disk() -> None:
    disk = draw([Ellipse(80, 60, 56, 56)], (120, 160))
    field = field_of_view(np.asarray(photograph(0)))
    assert not (disk & ~field).any()
    assert field.sum() < 1.1 * disk.sum()


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_without_a_dark_surround_is_all_field(value: int) -> None:
    assert field_of_view(np.full((30, 40, 3), value, np.uint8)).all()
    assert field_of_view(np.full((1, 1, 3), value, np.uint8)).all()


def test_prints_tell_photographs_apart_and_copies_not() -> None:
    def print_of(picture: Image.Image) -> np.ndarray:
        image = np.asarray(picture)
        return perceptual_hash(image, field_of_view(image))

    many = np.stack([print_of(photograph(seed)) for seed in range(12)])
    for seed in range(12):
        copy = photograph(seed).resize((480, 360))
        apart = distances(print_of(copy), many)
        assert apart[seed] <= MAX_HAMMING < np.delete(apart, seed).min()


def test_content_is_that_of_the_pixels_and_the_size() -> None:
    image = np.arange(96, dtype=np.uint8).reshape(4, 8, 3)
    assert content_hash(image) == content_hash(image[:, ::-1][:, ::-1])
    assert content_hash(image) != content_hash(image.reshape(8, 4, 3))


def test_the_tally_counts_components_and_their_areas(clinic: Path) -> None:
    tally, dataset = Tally(), open_source(f"folder:{clinic}")
    assert isinstance(dataset, FileDataset)
    for key in dataset.keys():  # noqa: SIM118 - a dataset's keys are a method
        tally.add(examine(dataset, key))
    (row, absent) = tally.rows(("MA", "SE"))
    area = int(lesions(0).sum()) // 2
    assert row["components"] == 12
    assert row["area_p5"] == row["area_p50"] == row["area_max"] == pytest.approx(area, abs=2)
    assert (absent["components"], absent["area_max"]) == (0, 0)


def test_memory_does_not_grow_with_the_number_of_photographs(clinic: Path) -> None:
    """A hundred photographs more leave behind less than 2 kB each, and not their pixels (57 kB)."""
    dataset, tally, twins = open_source(f"folder:{clinic}"), Tally(), DuplicateFinder()
    assert isinstance(dataset, FileDataset)
    examined = examine(dataset, "0")
    tally.add(examined)
    twins.add(examined)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100):
        examined = examine(dataset, "0")._replace(key=str(number), content=number.to_bytes(16))
        tally.add(examined)
        twins.add(examined)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100 * 2000


def test_findings_are_counted_with_errors_first() -> None:
    note, error = (
        Finding(kind, severity, "", "", "", "", "") for kind, severity in (("overlap", NOTE), ("unreadable", ERROR))
    )
    assert [(row["finding"], row["count"]) for row in summary([note, error, note])] == [
        ("unreadable", 1),
        ("overlap", 2),
    ]


# ---------------------------------------------------------------------------------------------- the command


def test_the_sample_is_whole() -> None:
    result = CliRunner().invoke(main, ["check", "sample", "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["photographs"], document["errors"]) == (2, 0)
    assert [row["lesion"] for row in document["classes"]] == ["MA", "HE", "EX", "SE"]


def test_a_defect_gives_exit_code_1_and_is_named(clinic: Path) -> None:
    plant_outside(clinic)
    result = CliRunner().invoke(main, ["check", f"folder:{clinic}"])
    assert result.exit_code == 1
    assert "outside_field" in result.stdout
    assert "Photographs checked: 6; errors: 1, notes: 0" in result.stderr
    again = CliRunner().invoke(main, ["check", f"folder:{clinic}", "--split", "train", "--json"])
    assert (again.exit_code, json.loads(again.stdout)["photographs"]) == (0, 3)


@needs_idrid
def test_idrid_has_no_defect_and_its_known_one_is_a_note() -> None:
    dataset = open_source(f"idrid:{IDRID}")
    assert isinstance(dataset, FileDataset)
    assert dataset.orphans() == []
    for key in ("IDRiD_43", "IDRiD_61", "IDRiD_81"):
        findings = examine(dataset, key).findings
        assert {finding.severity for finding in findings} <= {NOTE}
        assert any("known" in finding.detail for finding in findings) == (key == "IDRiD_61")


@needs_idrid
def test_an_idrid_mask_that_the_release_has_and_a_copy_lacks_is_found(tmp_path: Path) -> None:
    for path in IDRID.rglob("*_43*"):
        place = tmp_path / path.relative_to(IDRID)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    dataset = open_source(f"idrid:{tmp_path}")
    assert isinstance(dataset, FileDataset)
    assert examine(dataset, "IDRiD_43").findings == []
    next(tmp_path.rglob("IDRiD_43_EX.tif")).unlink()
    (finding,) = examine(dataset, "IDRiD_43").findings
    assert (finding.kind, finding.severity, finding.lesion) == ("missing_mask", ERROR, "EX")
