"""Export to a folder: what is in it, that it loads, that it goes on, and that it neither overwrites nor grows."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import datasets
import numpy as np
import pytest
from click.testing import CliRunner, Result
from huggingface_hub import DatasetCard

from coarsekit.cli.main import main
from coarsekit.datasets import open_source
from coarsekit.export.pairs import pairs_of
from coarsekit.export.schema import pair_of
from coarsekit.images import decode_png
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN
from tests import export_support as support
from tests.places import CARDS, IDRID

datasets.disable_progress_bars()


def export(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def done(*arguments: object) -> dict:
    """The JSON of an export that succeeded."""
    result = export(*arguments, "--json", "--quiet")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def wrong(*arguments: object) -> str:
    """The sentence of a refusal: exit code 2, one line on stderr, nothing on stdout."""
    result = export(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Twenty small training photographs: three shards."""
    return support.idrid(tmp_path_factory.mktemp("idrid"), 20)


@pytest.fixture(scope="module")
def exported(source: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their pairs at two reduction factors, 32 px a patch."""
    folder = tmp_path_factory.mktemp("exported") / "pairs"
    done(source, "--split", "train", "--reduction", "1:2:1", "--size", 32, "-o", folder)
    return folder


def test_a_row_is_the_pair_of_its_photograph_and_annotation(source: str, exported: Path) -> None:
    dataset = open_source(source)
    rows = [row for row in support.rows(exported) if row["reduction"] == 2.0]
    expected = [
        (fundus, pair)
        for fundus in dataset.photographs("train")
        for pair in pairs_of(fundus, annotate(fundus, 2.0, HUMAN, 0), 32)
    ]
    assert len(rows) == len(expected) > 20
    for row, (fundus, pair) in zip(rows, expected, strict=True):
        again = pair_of(row, dataset.lesions)
        assert (again.lesion, again.ellipse, again.window) == (pair.lesion, pair.ellipse, pair.window)
        for name in ("image", "coarse", "fine"):
            np.testing.assert_array_equal(getattr(again, name), getattr(pair, name))
        told = {
            name: row[name] for name in ("photograph", "source_image", "split", "dataset", "licence", "style", "seed")
        }
        assert list(told.values()) == [fundus.key, fundus.name, "train", "idrid", "CC-BY-4.0", "human", 0]


def test_a_shard_holds_whole_photographs_and_none_twice(exported: Path) -> None:
    for name in ("reduction-1.0", "reduction-2.0"):
        shards = sorted((exported / name).iterdir())
        assert [path.name for path in shards] == [f"train-0000{index}.parquet" for index in range(3)]
        held = [dict.fromkeys(row["photograph"] for row in support.pq.read_table(path).to_pylist()) for path in shards]
        assert [list(keys) for keys in held] == [
            [f"IDRiD_{index:03d}" for index in range(start, min(start + 8, 20))] for start in (0, 8, 16)
        ]


def test_it_loads_back_with_typed_columns_and_the_same_pixels(exported: Path, tmp_path: Path) -> None:
    for name in ("reduction-1.0", "reduction-2.0"):
        loaded = datasets.load_dataset(str(exported), name, split="train", cache_dir=str(tmp_path))
        assert loaded.features["lesion"].names == ["MA", "HE", "EX", "SE"]
        assert all(isinstance(loaded.features[column], datasets.Image) for column in ("image", "coarse", "fine"))
        rows = [row for row in support.rows(exported) if f"reduction-{row['reduction']}" == name]
        assert len(loaded) == len(rows)
        for there, row in zip(loaded, rows, strict=True):
            for column in ("image", "coarse", "fine"):
                np.testing.assert_array_equal(np.asarray(there[column]), decode_png(row[column]["bytes"]))


def test_every_split_loads_even_where_a_shard_is_empty(tmp_path: Path) -> None:
    source = support.idrid(tmp_path / "data", 12)
    for mask in (tmp_path / "data").rglob("*.tif"):
        if int(mask.stem.split("_")[1]) >= 8:
            mask.unlink()
    for folder in list((tmp_path / "data").rglob("a. Training Set")):
        for path in list(shutil.copytree(folder, folder.with_name("b. Testing Set")).rglob("*.*")):
            path.rename(path.with_name(path.name.replace("IDRiD_0", "IDRiD_1")))
    done(source, "-o", tmp_path / "pairs", "--size", 8)
    loaded = datasets.load_dataset(str(tmp_path / "pairs"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {
        split: sum(row["split"] == split for row in support.rows(tmp_path / "pairs")) for split in ("train", "test")
    }
    assert min(map(len, loaded.values())) >= 8


def test_any_folder_can_be_exported_its_splits_under_names_that_load(source: str, tmp_path: Path) -> None:
    photographs = Path(source.removeprefix("idrid:")) / "1. Original Images" / "a. Training Set"
    masks = Path(source.removeprefix("idrid:")) / "2. All Segmentation Groundtruths" / "a. Training Set"
    options = "?images=photos&masks=masks/{stem}_{lesion}.tif&lesions=HE"
    for name, splits in (("one", [""]), ("two", ["part-1", "part-2"])):
        (tmp_path / name / "masks").mkdir(parents=True)
        for index, split in enumerate(splits):
            (tmp_path / name / "photos" / split).mkdir(parents=True)
            stem = f"IDRiD_00{index}"
            shutil.copy(photographs / f"{stem}.jpg", tmp_path / name / "photos" / split)
            shutil.copy(masks / "2. Haemorrhages" / f"{stem}_HE.tif", tmp_path / name / "masks")
        done(f"folder:{tmp_path / name}{options}", "-o", tmp_path / f"{name}-pairs", "--size", 8)
    loaded = [
        datasets.load_dataset(str(tmp_path / f"{name}-pairs"), cache_dir=str(tmp_path)) for name in ("one", "two")
    ]
    assert [list(splits) for splits in loaded] == [["train"], ["part_1", "part_2"]]
    assert [splits[name][0]["split"] for splits in loaded for name in splits] == ["all", "part-1", "part-2"]
    assert loaded[0]["train"].features["lesion"].names == ["HE"]


def test_the_table_counts_what_is_there(source: str, exported: Path) -> None:
    told = done(source, "--split", "train", "--reduction", "1,2", "--size", 32, "-o", exported)
    rows = support.rows(exported)
    for line in told["rows"]:
        label = ("MA", "HE", "EX", "SE").index(line["lesion"])
        own = [
            row for row in rows if (f"reduction-{row['reduction']}", row["lesion"]) == (line["configuration"], label)
        ]
        assert (line["pairs"], line["photographs"]) == (len(own), len({row["photograph"] for row in own}))
        assert 0 < line["floor_iou"] < 100
    assert sum(line["pairs"] for line in told["rows"]) == len(rows)


def test_the_card_is_one_that_the_hub_reads(exported: Path) -> None:
    card = DatasetCard.load(exported / "README.md")
    assert (card.data.license, card.data.task_categories) == ("cc-by-4.0", ["image-segmentation"])
    assert [config["config_name"] for config in card.data.configs] == ["reduction-1.0", "reduction-2.0"]
    assert [info["config_name"] for info in card.data["dataset_info"]] == ["reduction-1.0", "reduction-2.0"]
    for said in ("doi.org/10.3390/data3030025", "idrid-coarse.jpg", "| reduction-2.0 | train | HE | 20 |", "--seed 0"):
        assert said in card.text
    assert (exported / "idrid-coarse.jpg").stat().st_size < 300_000


@pytest.mark.parametrize(
    ("card", "arguments"),
    [
        ("sample-coarse", ["sample"]),
        pytest.param(
            "idrid-coarse",
            [f"idrid:{IDRID}", "--split", "train", "--reduction", "1.0", "--style", "human", "--seed", "0"],
            marks=pytest.mark.skipif(not IDRID.is_dir(), reason="IDRiD is not there (../shared/data/idrid)"),
        ),
    ],
)
def test_the_cards_are_fresh(card: str, arguments: list[str], tmp_path: Path) -> None:
    done(*arguments, "-o", tmp_path)
    # Bytes depend on the version of the encoder; all else must be the same.
    made, kept = (
        re.sub(r"(num_bytes|_size): \d+", r"\1: …", path.read_text(encoding="utf-8"))
        for path in (tmp_path / "README.md", CARDS / f"{card}.md")
    )
    shutil.rmtree(tmp_path)
    assert made == kept, (
        f"cards/{card}.md is stale: run 'coarsekit export {' '.join(arguments)} -o build/card --force', and copy "
        f"README.md from there to cards/{card}.md and {card}.jpg to cards/"
    )
    assert (CARDS / f"{card}.jpg").exists()


def test_the_same_command_again_changes_nothing(source: str, exported: Path) -> None:
    before, times = support.contents(exported), {path: path.stat().st_mtime_ns for path in exported.glob("*/*")}
    done(source, "--split", "train", "--reduction", "1,2", "--size", 32, "-o", exported)
    assert support.contents(exported) == before
    assert {path: path.stat().st_mtime_ns for path in exported.glob("*/*")} == times


def test_another_export_is_not_written_over_unless_forced(source: str, tmp_path: Path) -> None:
    first, small = (source, "--size", 8, "-o", tmp_path / "pairs"), tmp_path / "pairs"
    done(*first)
    before = support.contents(small)
    assert "has another export" in wrong(*first, "--seed", 1)
    assert support.contents(small) == before
    done(*first, "--seed", 1, "--reduction", "2", "--force")
    assert {(row["seed"], row["reduction"]) for row in support.rows(small)} == {(1, 2.0)}


def test_a_folder_of_other_files_is_left_alone(source: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert "has other files; give --force" in wrong(source, "-o", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_broken_shard_is_named(source: str, tmp_path: Path) -> None:
    done(source, "--size", 8, "-o", tmp_path)
    (tmp_path / "reduction-1.0" / "train-00001.parquet").write_bytes(b"PAR1 not")
    assert "train-00001.parquet is not a whole shard" in wrong(source, "--size", 8, "-o", tmp_path)


def test_several_processes_write_the_same_bytes(source: str, exported: Path, tmp_path: Path) -> None:
    done(source, "--split", "train", "--reduction", "1,2", "--size", 32, "-o", tmp_path / "pairs", "--jobs", 2)
    assert support.contents(tmp_path / "pairs") == support.contents(exported)


def test_killed_half_way_it_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    source = support.idrid(tmp_path / "data", 64)
    options = (source, "--size", "64", "--reduction", "1,1.5,2", "--quiet", "-o")
    process = subprocess.Popen([support.COMMAND, "export", *options, tmp_path / "killed"])
    while process.poll() is None and len(list((tmp_path / "killed").glob("*/*.parquet"))) < 7:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 7 <= len(list((tmp_path / "killed").glob("*/*.parquet"))) < 24
    assert not (tmp_path / "killed" / "README.md").exists()

    done(*options, tmp_path / "killed")
    done(*options, tmp_path / "whole")
    assert support.contents(tmp_path / "killed") == support.contents(tmp_path / "whole")
    rows = support.rows(tmp_path / "killed")
    assert len({(r["photograph"], r["reduction"], r["lesion"], str(r["ellipse"])) for r in rows}) == len(rows)


def test_memory_does_not_grow_with_the_number_of_photographs(tmp_path: Path) -> None:
    def peak(count: int) -> float:
        source = support.idrid(tmp_path / str(count), count, (900, 1200))
        script = (
            "import resource, sys\nfrom coarsekit.cli.main import main\n"
            "try: main(sys.argv[1:])\n"
            "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", script, "export", source, "-q", "-o", tmp_path / f"pairs{count}"]
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return float(result.stdout)

    few, many = peak(8), peak(48)
    assert many == pytest.approx(few, rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say where to: -o FOLDER, or --hub"),
        (("-o", "x", "--private"), "--private is for --hub"),
        (("--hub", "idrid:data"), "'idrid:data' after --hub names no repository; write the SOURCE before --hub"),
        (("-o", "x", "--size", "big"), "--size is a number of px, or 'native', got 'big'"),
        (("-o", "x", "--size", "4"), "8 px or more, got 4"),
        (("-o", "x", "--reduction", "0.5"), "finite number from 1"),
        (("-o", "x", "--split", "train"), "sample has no split 'train'; choose one of validation"),
        (("-o", "x", "--style", "humane"), "did you mean 'human'?"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sentence in wrong(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_photographs_without_a_lesion_are_no_dataset(source: str, tmp_path: Path) -> None:
    folder = Path(source.removeprefix("idrid:"))
    healthy = tmp_path / "1. Original Images" / "a. Training Set"
    healthy.mkdir(parents=True)
    (healthy / "IDRiD_001.jpg").hardlink_to(next(folder.rglob("IDRiD_001.jpg")))
    assert "no photograph has a lesion to pair" in wrong(f"idrid:{tmp_path}", "-o", tmp_path / "pairs")


def test_help_and_simulate_do_without_datasets() -> None:
    script = "import sys\nfrom coarsekit.cli import export, simulate\nprint('datasets' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
    )
