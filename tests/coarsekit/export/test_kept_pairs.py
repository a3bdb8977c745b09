"""What an export keeps when its command is run again, what it makes anew, and whose files it never touches."""

import json
import shutil
from collections import Counter
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from coarsekit.cli.main import main
from coarsekit.datasets import open_source
from coarsekit.errors import OutputError
from coarsekit.export.config import ExportConfig
from coarsekit.export.export import export as export_dataset
from coarsekit.export.pairs import PAIRS_VERSION, pairs_of
from coarsekit.simulation.simulate import annotate_sweep
from coarsekit.simulation.styles import HUMAN, PAPER
from coarsekit.storage.digests import sha256_of
from coarsekit.storage.outputs import at_work
from tests import export_support as support

TOML = """
licence = {name = "CC-BY-4.0", url = "https://creativecommons.org/licenses/by/4.0/", redistribution = true}
[masks]
MA = "masks/{stem}_MA.png"
HE = "masks/{stem}_HE.png"
"""

CHOICES = ("--size", 8, "--reduction", "1,2")
GOLDEN = (1, 136, "47f2332401cf450c22e75491acbfc7bcacf534130a72e0dc0827bbbaee580e3b")
"""`PAIRS_VERSION`, the number of pairs of the sample at the reduction factor 2 in both styles, and their digest."""


def export(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    result = export(*arguments, "--json", "--quiet")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*arguments: object) -> str:
    result = export(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
    return result.stderr


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twenty small photographs, three shards, with two masks each."""
    folder = tmp_path_factory.mktemp("clinic") / "clinic"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    dataset = open_source(support.idrid(tmp_path_factory.mktemp("idrid"), 20, (60, 80)))
    for fundus in dataset.photographs():
        Image.fromarray(fundus.image).save(folder / "images" / f"{fundus.key}.png")
        for lesion, mask in fundus.fine.items():
            Image.fromarray(mask).save(folder / "masks" / f"{fundus.key}_{lesion}.png")
    (folder / "coarsekit.toml").write_text(TOML)
    return folder


@pytest.fixture(scope="module")
def first(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first") / "pairs"
    told(f"folder:{original}", *CHOICES, "-o", folder)
    return folder


@pytest.fixture
def clinic(original: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(original, tmp_path / "clinic"))


@pytest.fixture
def pairs(first: Path, tmp_path: Path) -> Path:
    """The pairs of the photographs as they were."""
    return Path(shutil.copytree(first, tmp_path / "pairs"))


def correct_a_mask(clinic: Path) -> None:
    path = clinic / "masks" / "IDRiD_009_HE.png"
    with Image.open(path) as mask:
        Image.fromarray(np.roll(np.asarray(mask), 7, axis=0)).save(path)


def replace_a_photograph(clinic: Path) -> None:
    path = clinic / "images" / "IDRiD_009.png"
    with Image.open(path) as photograph:
        Image.fromarray(np.asarray(photograph)[::-1].copy()).save(path)


def rename_a_photograph(clinic: Path) -> None:
    path = clinic / "images" / "IDRiD_009.png"
    path.rename(path.with_suffix(".tif"))


def state_another_licence(clinic: Path) -> None:
    (clinic / "coarsekit.toml").write_text(TOML.replace("CC-BY-4.0", "CC0-1.0"))


def name_another_class(clinic: Path) -> None:
    (clinic / "coarsekit.toml").write_text(TOML + 'EX = "masks/{stem}_EX.png"\n')


def remove_photographs(clinic: Path) -> None:
    for path in sorted((clinic / "images").iterdir())[10:]:
        path.unlink()


@pytest.mark.parametrize(
    ("change", "made", "kept"),
    [
        (correct_a_mask, 8, 12),
        (replace_a_photograph, 8, 12),
        (rename_a_photograph, 8, 12),
        (state_another_licence, 20, 0),
        (name_another_class, 20, 0),
        (remove_photographs, 2, 8),
        (lambda _: None, 0, 20),
    ],
)
def test_exactly_what_depends_on_a_change_is_made_anew(
    clinic: Path, pairs: Path, tmp_path: Path, change: Any, made: int, kept: int
) -> None:
    change(clinic)
    times = {path: path.stat().st_mtime_ns for path in pairs.glob("*/*.parquet")}
    again = told(f"folder:{clinic}", *CHOICES, "-o", pairs)
    assert (again["made"], again["kept"]) == (made, kept)
    told(f"folder:{clinic}", *CHOICES, "-o", tmp_path / "fresh")
    assert support.contents(pairs) == support.contents(tmp_path / "fresh")
    same = [path for path, time in times.items() if path.exists() and path.stat().st_mtime_ns == time]
    assert len(same) == 2 * (kept // 8 + (kept % 8 > 0))


def test_it_says_how_many_were_kept_in_several_processes_too(clinic: Path, pairs: Path) -> None:
    correct_a_mask(clinic)
    again = export(f"folder:{clinic}", *CHOICES, "-o", pairs, "--jobs", 2)
    assert "photographs: 8 made, 12 kept as they were" in again.stderr


def test_another_version_of_what_cuts_pairs_makes_all_anew(
    original: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coarsekit.export.footer.PAIRS_VERSION", PAIRS_VERSION + 1)
    again = told(f"folder:{original}", *CHOICES, "-o", pairs)
    assert (again["made"], again["kept"]) == (20, 0)


def test_shards_that_do_not_say_of_what_they_are_are_made_anew(original: Path, first: Path, pairs: Path) -> None:
    for path in pairs.glob("*/*.parquet"):
        table = pq.read_table(path)
        counts = json.dumps(json.loads(pq.read_metadata(path).metadata[b"coarsekit"])["lesions"])
        pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), "coarsekit": counts}), path)
    assert told(f"folder:{original}", *CHOICES, "-o", pairs)["made"] == 20
    assert support.contents(pairs) == support.contents(first)


class Counting:
    """A dataset that counts how often each photograph is read, and may fail at one."""

    def __init__(self, source: str, broken: str = "") -> None:
        self._dataset, self.times, self._broken = open_source(source), Counter[str](), broken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)

    def read(self, key: str) -> Any:
        self.times[key] += 1
        if key == self._broken:
            raise OutputError("stop")
        return self._dataset.read(key)


def test_each_photograph_is_read_once_to_make_and_once_to_compare(original: Path, tmp_path: Path) -> None:
    config = ExportConfig(size=8)
    for _ in range(2):
        dataset: Any = Counting(f"folder:{original}")
        export_dataset(dataset, config, tmp_path / "pairs")
        assert set(dataset.times.values()) == {1}
        assert len(dataset.times) == 20
    (tmp_path / "pairs" / "reduction-1.0" / "train-00001.parquet").unlink()
    dataset = Counting(f"folder:{original}")
    report = export_dataset(dataset, config, tmp_path / "pairs")
    assert set(dataset.times.values()) == {1}
    assert (report.made, report.kept) == (8, 12)


def test_a_broken_off_export_names_its_choices_and_nothing_that_it_does_not_have(clinic: Path, pairs: Path) -> None:
    correct_a_mask(clinic)
    broken: Any = Counting(f"folder:{clinic}", broken="IDRiD_019")
    shutil.rmtree(pairs / "reduction-2.0")
    with pytest.raises(OutputError, match="stop"):
        export_dataset(broken, ExportConfig(style=HUMAN, size=8, reductions=(1.0, 2.0)), pairs)
    assert "photographs" in json.loads((pairs / "provenance.json").read_text())  # nothing was written yet
    for path in pairs.glob("*/train-00002.parquet"):
        path.unlink()
    with pytest.raises(OutputError, match="stop"):
        export_dataset(broken, ExportConfig(style=HUMAN, size=8, reductions=(1.0, 2.0)), pairs)
    assert "photographs" not in json.loads((pairs / "provenance.json").read_text())
    assert not (pairs / "README.md").exists()
    assert told(f"folder:{clinic}", *CHOICES, "-o", pairs)["rows"]
    record = json.loads((pairs / "provenance.json").read_text())
    assert {split: len(own) for split, own in record["photographs"].items()} == {"all": 20}
    assert (record["reader"], record["dataset"], record["redistribution"]) == ("folder", "clinic", True)


@pytest.mark.parametrize("choice", [("--seed", 1), ("--style", "paper"), ("--size", 16), ("--reduction", "1")])
def test_other_choices_are_another_export(original: Path, pairs: Path, choice: tuple[object, ...]) -> None:
    before = support.contents(pairs)
    assert "has another export" in refused(f"folder:{original}", *CHOICES, *choice, "-o", pairs)
    assert support.contents(pairs) == before


def test_another_dataset_of_the_same_name_is_another_export(clinic: Path, pairs: Path) -> None:
    for path in clinic.rglob("IDRiD_*"):
        path.rename(path.with_name(path.name.replace("IDRiD", "ours")))
    assert "has another export" in refused(f"folder:{clinic}", *CHOICES, "-o", pairs)


def foreign_shard(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"mine": [1]}), path)


@pytest.mark.parametrize(
    "name", ["README.md", "provenance.json", "clinic-coarse.jpg", "reduction-1.0/train-00000.parquet"]
)
def test_files_of_other_people_need_a_plain_refusal_first(original: Path, tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        foreign_shard(tmp_path / name)
    else:
        (tmp_path / name).write_text('{"made_by": "me"}')
    before = support.contents(tmp_path)
    assert "has other files; give --force" in refused(f"folder:{original}", "-o", tmp_path)
    assert support.contents(tmp_path) == before
    if name.endswith("parquet"):
        assert "no export wrote it; move it" in refused(f"folder:{original}", "-o", tmp_path, "--force")
        assert support.contents(tmp_path) == before
    else:
        assert told(f"folder:{original}", "-o", tmp_path, "--force")["made"] == 20


def test_parquet_of_other_people_is_not_mixed_in(original: Path, pairs: Path) -> None:
    foreign_shard(pairs / "reduction-1.0" / "train-00009.parquet")
    before = support.contents(pairs)
    for more in ((), ("--force",)):
        assert "train-00009.parquet is there, and no export wrote it" in refused(
            f"folder:{original}", *CHOICES, "-o", pairs, *more
        )
    assert support.contents(pairs) == before


def test_forced_it_writes_among_other_files_and_over_its_own(original: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "has other files" in refused(f"folder:{original}", "--size", 8, "-o", tmp_path)
    assert told(f"folder:{original}", "--size", 8, "-o", tmp_path, "--force")["made"] == 20
    assert told(f"folder:{original}", "--size", 8, "-o", tmp_path, "--force")["made"] == 20
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_dataset_itself_is_no_place_for_its_pairs(clinic: Path) -> None:
    (clinic / "clinic-coarse.jpg").symlink_to(clinic / "images" / "IDRiD_000.png")
    (clinic / "provenance.json").write_text('{"made_by": "coarsekit export"}')
    assert "would be written over, and is read here" in refused(f"folder:{clinic}", "-o", clinic, "--force")


def test_a_second_export_says_that_one_is_at_work(original: Path, pairs: Path) -> None:
    before = support.contents(pairs)
    with at_work(pairs):
        for more in ((), ("--force",)):
            assert "another run is at work there" in refused(f"folder:{original}", *CHOICES, "-o", pairs, *more)
    assert support.contents(pairs) == before
    assert told(f"folder:{original}", *CHOICES, "-o", pairs)["kept"] == 20


def test_the_cards_example_names_a_split_that_has_rows(clinic: Path, tmp_path: Path) -> None:
    for split, index in (("train", 3), ("test", 1)):
        (clinic / "images" / split).mkdir()
        (clinic / "images" / f"IDRiD_00{index}.png").rename(clinic / "images" / split / f"IDRiD_00{index}.png")
    for path in [*clinic.glob("images/*.png"), *clinic.glob("masks/IDRiD_003_*.png")]:
        path.unlink()
    told(f"folder:{clinic}", "--size", 8, "-o", tmp_path / "pairs")
    assert 'split="test")' in (tmp_path / "pairs" / "README.md").read_text()


def test_the_pairs_of_the_sample_are_those_of_this_version() -> None:
    digests = []
    for fundus in open_source("sample").photographs():
        for style in (HUMAN, PAPER):
            for annotation in annotate_sweep(fundus, [2.0], style):
                for pair in pairs_of(fundus, annotation, 32):
                    ellipse = [round(value, 3) for value in astuple(pair.ellipse)]
                    digests.append(
                        sha256_of([pair.image, pair.coarse, pair.fine, pair.lesion, ellipse, astuple(pair.window)])
                    )
    assert (PAIRS_VERSION, len(digests), sha256_of(digests)) == GOLDEN, (
        "the same photographs give other pairs: raise PAIRS_VERSION in coarsekit/export/pairs.py and set GOLDEN"
    )
