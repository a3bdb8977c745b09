"""The experiments from the command line: what each asks, shows, keeps and refuses."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import Result

from coarsekit.datasets import open_source
from coarsekit.errors import ParameterError
from coarsekit.storage.digests import photograph_sha256
from tests import command_line
from zoo.checkpoints.folder import CACHE
from zoo.cli.main import main
from zoo.evaluation.refiners import HELD_OUT, held_out, select_split
from zoo.evaluation.results import RefinerInfo
from zoo.models.base import build, network_class


@pytest.fixture
def source(idrid: Path) -> str:
    """Three photographs of 160 × 120 px, each with four classes but for soft exudates, which only one shows."""
    return f"idrid:{idrid.parent}"


def zoo(*arguments: object) -> Result:
    return command_line.run(main, "evaluate", *arguments)


def scored(*arguments: object) -> dict:
    result = zoo(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def wrong(*arguments: object) -> str:
    return command_line.refusal(zoo(*arguments))


def checkpoint(folder: Path, lesions: list[str], kind: str = "unet", data: str = "idrid train") -> Path:
    """A tiny network that was, as its record says, trained on these classes."""
    network = build(network_class(kind), {"width": 2, "size": 32})
    network.trained_on = data
    network.save(folder, {"data": data, "recipe": {"variant": kind, "only_lesions": lesions}})
    return folder


def test_styles_and_reductions_are_rows_and_the_table_has_the_floor(source) -> None:
    options = (source, "--refiner", "shrink", "--style", "human,paper", "--reduction", "1,2")
    options = (*options, "--lesion", "SE", "--lesion", "HE")
    rows = scored(*options)["rows"]
    assert [(row["style"], row["reduction"], row["lesion"]) for row in rows] == [
        (style, reduction, lesion) for style in ("human", "paper") for reduction in (1, 2) for lesion in ("HE", "SE")
    ]
    shown = zoo(*options).stdout
    assert shown.count("floor") == 8
    assert "style paper, reduction 2" in shown


def test_the_reduction_protocol_sweeps_from_1_to_2(source) -> None:
    result = scored(source, "--protocol", "reduction", "--refiner", "shrink", "--lesion", "HE", "--split", "train")
    assert [row["reduction"] for row in result["rows"]] == [1 + step / 10 for step in range(11)]
    floors = [row["floor_iou"] for row in result["rows"]]
    assert floors[-1] < floors[0]


def test_cross_dataset_shows_where_each_was_trained_by_where_it_was_tested(source, tmp_path) -> None:
    options = ("sample", source, "--protocol", "cross-dataset", "--refiner", "shrink", "--lesion", "SE")
    result = scored(*options, "--split", "validation", "--split", "test")
    assert {(row["dataset"], row["split"]) for row in result["rows"]} == {("sample", "validation"), ("idrid", "test")}
    shown = zoo(*options, "--split", "all").stdout
    assert "trained on" in shown
    assert "idrid train" in shown
    assert "no other dataset" in wrong(
        source, "--protocol", "cross-dataset", "--refiner", checkpoint(tmp_path / "net", ["MA"])
    )
    assert "given 2 times" in wrong("sample", "--split", "validation", "--split", "validation")
    assert "two SOURCEs have the same name, sample" in wrong("sample", "sample")


def test_cross_class_merges_the_networks_of_a_variant_that_leave_one_class_out_each(source, tmp_path) -> None:
    without_se = checkpoint(tmp_path / "without-se", ["MA", "HE", "EX"])
    without_he = checkpoint(tmp_path / "without-he", ["MA", "EX", "SE"])
    options = (source, "--protocol", "cross-class", "--refiner", without_se, "--refiner", without_he)
    options = (*options, "--refiner", "shrink")
    result = scored(*options)
    own = {(row["refiner"], row["lesion"]) for row in result["rows"] if row["variant"] == "unet"}
    assert own == {(str(without_se), "SE"), (str(without_he), "HE")}
    assert {row["lesion"] for row in result["rows"] if row["refiner"] == "shrink"} == {"HE", "SE"}
    assert {row["refiner"] for row in result["averages"]} == {"floor", "shrink", "unet"}
    assert "unet" in zoo(*options).stdout


def test_networks_of_a_variant_that_share_an_unseen_class_keep_rows_of_their_own(source, tmp_path) -> None:
    both = [checkpoint(tmp_path / name, ["MA", "HE", "EX"]) for name in ("first", "second")]
    result = scored(source, "--protocol", "cross-class", "--refiner", both[0], "--refiner", both[1])
    assert {row["refiner"] for row in result["averages"]} == {"floor", "shrink", *map(str, both)}


def test_a_class_that_the_training_data_never_had_is_unseen(trees, tmp_path) -> None:
    source = trees["folder"](tmp_path / "own")
    network = checkpoint(tmp_path / "net", ["MA", "HE", "EX", "SE"])
    options = (source, "--protocol", "cross-class", "--refiner", network)
    assert [(row["lesion"], row["images"]) for row in scored(*options)["rows"]] == [("drusen", 2)]
    assert "no class that it never saw" in wrong(*options, "--lesion", "MA")


def test_cross_class_refuses_a_network_that_saw_every_class(source, tmp_path) -> None:
    sentence = wrong(source, "--protocol", "cross-class", "--refiner", "lite")
    assert "lite was trained on" in sentence
    assert "only_lesions" in sentence
    silent = checkpoint(tmp_path / "silent", [])
    assert "all classes" in wrong(source, "--protocol", "cross-class", "--refiner", silent)
    unseen = checkpoint(tmp_path / "unseen", ["MA", "HE", "EX"])
    assert "no class" in wrong(source, "--protocol", "cross-class", "--refiner", unseen, "--lesion", "MA")


def test_bad_questions_are_one_sentence() -> None:
    assert "leave it out" in wrong("sample", "--refiner", "floor")
    assert "twice" in wrong("sample", "--style", "human,human")
    assert "twice" in wrong("sample", "--style", "human", "--style", "human")
    assert "'same'" in wrong("sample", "--protocol", "smae")
    assert "Missing argument" in wrong()


def test_other_weights_under_the_same_name_are_not_taken_from_the_cache(source, tmp_path) -> None:
    folder, out = checkpoint(tmp_path / "net", []), tmp_path / "out"
    options = (source, "--refiner", folder, "--split", "train", "-o", out)
    first = scored(*options)
    kept = {path.name for path in (out / CACHE).iterdir()}
    assert scored(*options) == first
    assert {path.name for path in (out / CACHE).iterdir()} == kept
    checkpoint(folder, [])
    assert "another evaluation" in wrong(*options)
    scored(*options, "--force")
    assert len(list((out / CACHE).iterdir())) == len(kept) + 2


def test_a_killed_evaluation_goes_on_where_it_was(tmp_path) -> None:
    code = "from zoo.cli.main import main; main()"
    options = ("--refiner", "shrink", "--lesion", "SE", "--reduction", "1:2:0.2", "-o", "out", "--json")
    command = [sys.executable, "-c", code, "evaluate", "sample", *options]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    cache = tmp_path / "out" / CACHE
    deadline = time.monotonic() + 120
    while len(list(cache.glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)
    before = {path: path.stat().st_mtime_ns for path in cache.glob("*.json")}
    assert 3 <= len(before) < 24
    assert not (tmp_path / "out" / "results.json").exists()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    after = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(after) == 24
    assert {path: after[path] for path in before} == before
    assert len(json.loads(done.stdout)["rows"]) == 6
    assert len(json.loads((tmp_path / "out" / "results.json").read_text())["scores"]) == 24


@pytest.mark.parametrize(
    ("record", "seen"),
    [
        ({"recipe": {"only_lesions": ["MA"]}}, ("MA",)),
        ({"training_lesions": ["MA", "EX"], "history": [{"validation": {"paper": {"MA": 1}}}]}, ("MA", "EX")),
        ({"training_lesions": ["MA"], "history": [{"validation": {"paper": {"EX": 1}}}, {}]}, ("MA", "EX")),
        ({"history": [{"validation": {"paper": {"MA": 1, "HE": 2}}}]}, None),
        ({"source": {"reader": "folder"}, "history": [{"validation": {"paper": {"MA": 1}}}]}, None),
        ({"source": {"reader": "idrid"}, "history": [{"validation": {"paper": {"MA": 1}}}]}, ("MA", "HE", "EX", "SE")),
        ({"recipe": {"only_lesions": ["MA"]}, "parent": {"recipe": {}}}, None),
        ({"recipe": {"only_lesions": ["MA"], "start": "x"}, "parent": {}}, None),
        ({"recipe": {"only_lesions": ["MA"]}, "parent": {"recipe": {"only_lesions": ["EX"]}}}, ("MA", "EX")),
        ({"recipe": {}}, None),
    ],
)
def test_a_record_says_which_classes_were_seen(record: dict, seen, tmp_path) -> None:
    from zoo.checkpoints.seen import classes_seen
    from zoo.evaluation.protocols import classes_to_score

    if "source" in record:
        described = open_source("sample").describe()
        record = {**record, "source": {**described, **record["source"]}}
    (tmp_path / "training.json").write_text(json.dumps(record))
    assert classes_seen(tmp_path) == seen
    info = RefinerInfo("net", "unet", "", "", trained=True, seen=seen)
    unseen = tuple(lesion for lesion in ("MA", "HE", "EX", "SE") if seen and lesion not in seen)
    assert classes_to_score("cross-class", [info], open_source("sample"), ()) == {"net": unseen}


def holding_out(folder: Path, names: dict[str, str], trained: Mapping[str, str] = {}, **more: object) -> Path:
    """A network whose record says that it held out and trained on photographs of the sample, by keys of its own."""
    sample = open_source("sample")
    digests = {name: photograph_sha256(sample.read(key).image) for name, key in {**names, **trained}.items()}
    network = build(network_class("unet"), {"width": 2, "size": 32})
    record = {"data": "x train", "training_images": list(trained), "validation_images": list(names)}
    network.save(folder, {**record, "photograph_sha256": digests, **more})
    return folder


def test_held_out_are_the_photographs_that_every_network_was_validated_on_whatever_their_names(tmp_path) -> None:
    sample = open_source("sample")
    both = str(holding_out(tmp_path / "both", {"a": "IDRiD_46", "b": "IDRiD_19"}))
    one = str(holding_out(tmp_path / "one", {"IDRiD_19": "IDRiD_46"}))
    assert set(held_out(sample, [both, "shrink"]).keys(HELD_OUT)) == set(sample.keys())
    assert held_out(sample, [both, one]).keys(HELD_OUT) == ("IDRiD_46",)
    rows = scored("sample", "--split", "held-out", "--refiner", both, "--lesion", "SE")["rows"]
    assert {(row["split"], row["images"], row["dataset_images_seen"]) for row in rows} == {("held-out", 2, 2)}
    with pytest.raises(ParameterError, match=r"needs networks whose .*only baselines are named"):
        held_out(sample, ["shrink"])


@pytest.mark.parametrize("name", ["lite", "tiny", "unet", "proto-superpixel"])
def test_the_bundled_networks_held_out_the_sample_which_is_half_as_wide_as_what_they_saw(name: str) -> None:
    sample = open_source("sample")
    assert set(held_out(sample, [name]).keys(HELD_OUT)) == set(sample.keys())


def test_what_any_training_of_a_network_learned_from_is_not_held_out_whatever_its_name(tmp_path) -> None:
    sample, both = open_source("sample"), {"a": "IDRiD_46", "b": "IDRiD_19"}
    twin = str(holding_out(tmp_path / "twin", both, {"c": "IDRiD_46"}))
    assert held_out(sample, [twin]).keys(HELD_OUT) == ("IDRiD_19",)
    first = json.loads((tmp_path / "twin" / "training.json").read_text())
    chain = str(holding_out(tmp_path / "chain", both, parent={"recipe": {"start": "x"}, "parent": first, **first}))
    assert held_out(sample, [chain]).keys(HELD_OUT) == ("IDRiD_19",)
    everything = str(holding_out(tmp_path / "everything", {}, {"c": "IDRiD_46"}))
    unknown = str(holding_out(tmp_path / "unknown", both, recipe={"start": "x"}, parent=None))
    for name in (everything, unknown):
        with pytest.raises(ParameterError, match=f"which they were trained on; that of {name}, or"):
            held_out(sample, [twin, name])


def test_a_record_that_does_not_say_which_photographs_it_held_out_is_refused(tmp_path) -> None:
    network = build(network_class("unet"), {"width": 2, "size": 32})
    network.save(tmp_path, {"validation_images": ["IDRiD_46"]})
    with pytest.raises(ParameterError, match="by digest which photographs"):
        held_out(open_source("sample"), [str(tmp_path)])


def test_a_split_is_selected_by_name_or_held_out_or_all(tmp_path) -> None:
    sample = open_source("sample")
    assert select_split(sample, None, ["lite"]) == select_split(sample, "all", ["lite"]) == (sample, None)
    assert select_split(sample, "validation", []) == (sample, "validation")
    dataset, split = select_split(sample, HELD_OUT, [str(holding_out(tmp_path, {"x": "IDRiD_46"}))])
    assert (dataset.keys(split), dataset.reader) == (("IDRiD_46",), "sample")
    with pytest.raises(ParameterError, match="no split 'tset'"):
        select_split(sample, "tset", ["lite"])


def test_networks_that_held_out_other_photographs_leave_none(tmp_path) -> None:
    names = [str(holding_out(tmp_path / key, {"same name": key})) for key in ("IDRiD_46", "IDRiD_19")]
    with pytest.raises(ParameterError, match="no photograph is left"):
        held_out(open_source("sample"), names)
