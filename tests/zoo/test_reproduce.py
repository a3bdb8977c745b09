"""The paper's experiments by one command each, on a small IDRiD tree with networks of a few weights."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from coarsekit.datasets import open_source
from coarsekit.images import read_image
from tests import command_line
from tests.trees import TREES
from zoo.cli.main import main
from zoo.evaluation.protocols import CROSS_CLASS, CROSS_DATASET, SAME
from zoo.reproduction import run as reproduction
from zoo.reproduction.plan import EXPERIMENTS, METHODS, Data, make_plan
from zoo.reproduction.published import AVERAGE, INITIAL, TABLE1, TABLE2_DDR, TABLE2_PRIVATE
from zoo.reproduction.report import PRIVATE
from zoo.reproduction.status import Status
from zoo.reproduction.trial import Speed, Trial, duration, estimate
from zoo.training import trainer
from zoo.training.recipe_files import read_recipe

SMALL = ("size=32", "width=2", "batch=2", "samples=4", "epochs=1")
DATA = Data("idrid:data", "idrid", "idrid", ("MA", "HE", "EX", "SE"), "test", 27, ("train", 54))


def zoo(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


def wrong(*arguments: object) -> str:
    return command_line.refusal(zoo(*arguments))


@pytest.fixture
def source(tmp_path: Path) -> str:
    return TREES["idrid"](tmp_path / "data")


def asked(
    experiment: str, source: str, out: Path, *, settings: Iterable[str] = SMALL, methods: str = "unet"
) -> list[str]:
    fields = [text for setting in settings for text in ("--set", setting)]
    return ["reproduce", experiment, source, "-o", str(out), "--methods", methods, "--device", "cpu", *fields]


def reproduce(*arguments: Any, **options: Any) -> dict[str, Any]:
    """What an experiment gives without its trial."""
    more = options.pop("more", ())
    result = zoo(*asked(*arguments, **options), "--json", "-q", *more)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def trained(folder: Path) -> dict[str, float]:
    """When each checkpoint was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("*/trainings/*/model.safetensors")}


def test_table_1_sets_what_was_found_beside_the_paper(source: str, tmp_path: Path) -> None:
    found = reproduce("table1", source, tmp_path / "out", methods="lite,proto-superpixel")
    rows = {(row["method"], row["lesion"]): row for row in found["rows"]}
    assert list(dict.fromkeys(method for method, _ in rows)) == ["floor", "shrink", "proto-superpixel", "lite"]
    assert rows["proto-superpixel", "MA"]["paper_iou"] == 84.1
    assert rows["floor", "average"]["paper_iou"] == 26.8
    assert rows["lite", "MA"]["paper_iou"] is rows["shrink", "MA"]["paper_iou"] is None
    assert all(0 <= row["iou"] <= 100 for row in rows.values())
    # One photograph is tested, which has no interval.
    assert {(row["iou_low"], row["iou_high"]) for row in rows.values()} == {(None, None)}
    folder = tmp_path / "out/paper/table1"
    assert found["files"] == ["report.md", "report.json"]
    assert json.loads((folder / "report.json").read_text())["rows"] == found["rows"]
    report = (folder / "report.md").read_text()
    assert re.search(r"^\| w/ superpixel \| the paper \| 84\.1 \(6\.2\) \|", report, re.MULTILINE)
    assert "Yu et al., Table 1, page 7" in report
    steps = {(row["refiner"], row["against"], row["lesion"]): row["difference"] for row in found["steps"]}
    assert [pair for *pair, lesion in steps if lesion == "MA"] == [
        ["proto-superpixel", "shrink"],
        ["lite", "proto-superpixel"],
    ]
    less = rows["lite", "MA"]["iou"] - rows["proto-superpixel", "MA"]["iou"]
    assert steps["lite", "proto-superpixel", "MA"] == pytest.approx(less)
    assert re.search(r"^\| lite \| proto-superpixel \| [+-]", report, re.MULTILINE)
    assert "4 windows" in report
    records = [json.loads(path.read_text()) for path in tmp_path.glob("out/paper/trainings/*/training.json")]
    assert [record["recipe"]["styles"] for record in records] == [["paper"], ["paper"]]
    assert records[0]["photograph_sha256"] == records[1]["photograph_sha256"]


def test_table_2_leaves_each_class_out_and_tests_on_another_dataset(source: str, tmp_path: Path) -> None:
    target = TREES["ddr"](tmp_path / "ddr")
    found = reproduce("table2", source, tmp_path / "out", more=("--target", target))
    rows = {(row["dataset"], row["method"], row["lesion"]): row for row in found["rows"]}
    assert rows["ddr", "unet", "MA"]["protocol"] == CROSS_DATASET
    assert rows["ddr", "unet", "MA"]["paper_iou"] == 60.9
    assert rows["idrid", "unet", "MA"]["protocol"] == CROSS_CLASS
    assert rows["idrid", "unet", "average"]["iou"] is not None
    assert rows["idrid", "unet", "average"]["paper_iou"] is None
    assert rows[PRIVATE, "unet", "Prh"]["paper_iou"] == 57.9
    assert rows[PRIVATE, "unet", "average"]["iou"] is None
    left_out = {Path(folder).name: recipe["only_lesions"] for folder, recipe in found["trainings"].items()}
    assert {(row["protocol"], row["dataset"], row["refiner"]) for row in found["steps"]} == {
        (CROSS_DATASET, "ddr", "unet"),
        (CROSS_CLASS, "idrid", "unet"),
    }
    assert left_out["unet"] == []
    assert left_out["unet-without-HE"] == ["MA", "EX", "SE"]
    assert len(left_out) == 5
    assert any("private" in what for what in found["left_out"])
    assert not any("DDR" in what for what in found["left_out"])


@pytest.mark.parametrize("experiment", ["figure3", "figure4"])
def test_the_figures_share_the_trainings_of_table_1(experiment: str, source: str, tmp_path: Path) -> None:
    reproduce("table1", source, tmp_path)
    before = trained(tmp_path)
    found = reproduce(experiment, source, tmp_path)
    assert trained(tmp_path) == before
    assert found["files"] == ["report.md", "report.json", f"{experiment}.png"]
    picture = read_image(tmp_path / f"paper/{experiment}/{experiment}.png")
    assert picture.shape[1] > 300
    assert f"![{experiment}.png]({experiment}.png)" in (tmp_path / f"paper/{experiment}/report.md").read_text()


def test_a_plan_says_how_long_and_writes_nothing(source: str, tmp_path: Path) -> None:
    result = zoo(*asked("table2", source, tmp_path / "out"), "--plan", "--json")
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert [step["step"] for step in plan["steps"]][:2] == ["train unet without MA", "train unet without HE"]
    assert plan["steps"][-1]["step"] == "evaluate cross-class on idrid"
    assert plan["seconds"] == pytest.approx(sum(step["seconds"] for step in plan["steps"]))
    assert plan["seconds"] > 0
    assert "a batch of each network" in plan["rests_on"]
    assert [step["count"] for step in plan["steps"]] == [4, 4, 4, 4, 1]
    assert not (tmp_path / "out").exists()
    assert "DDR" in result.stderr
    shown = zoo(*asked("figure4", source, tmp_path / "out"), "--plan")
    assert "train unet" in shown.stdout
    assert "figure4 will take about" in shown.stderr


def test_an_interrupted_experiment_goes_on_and_what_is_done_is_kept(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (*SMALL[:-1], "epochs=2")
    whole = trainer.Run.one_epoch

    def interrupted(run: trainer.Run, report: Any) -> float:
        if run.recipe.variant == "proto" and run.epoch == 1:
            raise KeyboardInterrupt
        return whole(run, report)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Run, "one_epoch", interrupted)
        result = zoo(*asked("table1", source, tmp_path, settings=settings, methods="unet,proto"), "-q")
    assert result.exit_code == 130
    before = trained(tmp_path)
    result = zoo(*asked("table1", source, tmp_path, settings=settings, methods="unet,proto"))
    assert result.exit_code == 0, result.output
    assert "unet: kept as it is" in result.stderr
    assert "epoch 1:" not in result.stderr
    assert "epoch 2:" in result.stderr
    assert trained(tmp_path)["unet"] == before["unet"]
    record = json.loads((tmp_path / "paper/trainings/proto/training.json").read_text())
    assert record["recipe"]["epochs"] == 2


def test_a_training_by_another_recipe_is_named_and_replaced_only_by_force(source: str, tmp_path: Path) -> None:
    reproduce("table1", source, tmp_path)
    before = trained(tmp_path)
    others = (*SMALL[:-2], "samples=6", "epochs=1")
    sentence = wrong(*asked("figure4", source, tmp_path, settings=others))
    assert "paper/trainings/unet: another training is there" in sentence
    assert "samples 4, and 6 is planned" in sentence
    assert "--force" in sentence
    assert trained(tmp_path) == before
    planned = zoo(*asked("figure4", source, tmp_path, settings=others), "--plan", "--json")
    assert json.loads(planned.stdout)["steps"][0]["state"] == "another is there"
    reproduce("table1", source, tmp_path, settings=others, more=("--force",))
    assert trained(tmp_path) != before


def test_a_training_on_other_masks_is_not_taken(source: str, tmp_path: Path) -> None:
    reproduce("table1", source, tmp_path / "out")
    before = trained(tmp_path)
    mask = next(path for path in (tmp_path / "data").rglob("IDRiD_01_MA.tif"))
    mask.write_bytes(next(path for path in (tmp_path / "data").rglob("IDRiD_01_HE.tif")).read_bytes())
    assert "masks of IDRiD_01 differ" in wrong(*asked("figure4", source, tmp_path / "out"), "-q")
    reproduce("figure4", source, tmp_path / "out", more=("--force",))
    assert trained(tmp_path / "out") != before


def test_a_report_is_not_written_over_unless_forced(source: str, tmp_path: Path) -> None:
    first = reproduce("table1", source, tmp_path)
    assert "is already there; give --force" in wrong(*asked("table1", source, tmp_path))
    again = reproduce("table1", source, tmp_path, more=("--force",))
    assert again["rows"] == first["rows"]


def test_a_dataset_with_one_split_is_tested_on_what_is_held_out() -> None:
    data = reproduction.data_of(open_source("sample"), "sample", "", "", 0.2)
    assert (data.trained_on, data.split, data.images) == (("validation", 2), "held-out", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("figur4", "sample"), "did you mean 'figure4'?"),
        (("table1", "sample", "--methods", "unt"), "no method 'unt'"),
        (("table1", "sample", "--target", "sample"), "leave --target out"),
        (("table1", "sample", "--set", "variant=lite"), "variant is what the experiment sets itself"),
        (("table1", "sample", "--set", "widht=3"), "no field 'widht'"),
        (("table1", "sample", "--style", "humn"), "no style 'humn'"),
        (("table1", "sample", "--recipe", "papr"), "no recipe 'papr'"),
        (("table1", "sample", "--split", "tests"), "tests"),
        (("table1", "smple"), "is not a source"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert said in wrong("reproduce", *arguments, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_networks_see_the_same_pairs_at_the_equal_budget() -> None:
    plan = make_plan("table1", DATA, Path("out"), read_recipe("equal-budget"))
    assert [training.method for training in plan.trainings] == list(METHODS)
    recipes = [{**one.recipe.parameters(), "variant": "", "config": {}} for one in plan.trainings]
    assert all(recipe == recipes[0] for recipe in recipes)
    assert {one.recipe.config["size"] for one in plan.trainings} == {96}
    assert {one.recipe.config["max_window"] for one in plan.trainings} == {384}
    assert {(one.recipe.samples or 0) * one.recipe.epochs >= 20_000 for one in plan.trainings} == {True}
    assert {one.recipe.styles for one in plan.trainings} == {("paper",)}
    human = make_plan("table1", DATA, Path("out"), read_recipe("equal-budget"), style=("human", "human"))
    assert {one.recipe.styles for one in human.trainings} == {("human",)}
    assert not {one.folder for one in human.trainings} & {one.folder for one in plan.trainings}


def test_another_recipe_leaves_the_networks_as_the_paper_has_them() -> None:
    plan = make_plan("table1", DATA, Path("out"), read_recipe("paper"), equal_budget=False)
    assert {one.recipe.epochs for one in plan.trainings} == {120}
    assert all("width" not in one.recipe.config for one in plan.trainings)


def test_a_plan_of_every_experiment() -> None:
    plans = {name: make_plan(name, DATA, Path("out"), read_recipe("equal-budget")) for name in EXPERIMENTS}
    assert [len(plan.trainings) for plan in plans.values()] == [6, 24, 6, 6]
    assert [[own.protocol for own in plan.evaluations] for plan in plans.values()][1:] == [
        [CROSS_CLASS],
        ["reduction"],
        [SAME],
    ]
    assert any("DDR" in what for what in plans["table2"].left_out)
    human = make_plan("table1", DATA, Path("out"), read_recipe("equal-budget"), style=("human", "human"))
    assert any("the paper's numbers" in what for what in human.left_out)


def test_the_estimate_is_the_sum_of_its_parts() -> None:
    plan = make_plan("table1", DATA, Path("out"), read_recipe("equal-budget"), methods=["unet", "lite"])
    unet, lite = (one.folder for one in plan.trainings)
    trial = Trial(2.0, 1.0, 3.0, 80.0, {"unet": Speed(0.1, 0.03, 4.0), "lite": Speed(0.05, 0.01, 1.0)}, "a trial")
    seconds = estimate(plan, trial, {unet: Status(), lite: Status(9, {})})
    assert seconds.trainings[unet] == pytest.approx(54 * 2 + 10 * (2000 * 0.1 + 24 * 16 * 0.03 + 11 * 4))
    assert seconds.trainings[lite] == pytest.approx(54 * 2 + 1 * (2000 * 0.05 + 24 * 16 * 0.01 + 11 * 1))
    assert seconds.evaluations[SAME] == pytest.approx(27 * 1 + 27 * (3 + 4 + 1))
    done = estimate(plan, trial, {unet: Status(10, {}), lite: Status(10, {})})
    assert done.seconds == done.evaluations[SAME]
    assert (duration(40), duration(1200), duration(20000)) == ("40 s", "20 min", "5.6 h")


@pytest.mark.parametrize("rows", [TABLE1, TABLE2_DDR, TABLE2_PRIVATE])
def test_the_averages_of_the_paper_are_those_of_its_classes(rows: dict[str, Any]) -> None:
    assert list(rows) == [INITIAL, *(method.label for method in METHODS if method.label)]
    for cells in rows.values():
        classes = [cell.iou for lesion, cell in cells.items() if lesion != AVERAGE]
        assert cells[AVERAGE].iou == pytest.approx(sum(classes) / len(classes), abs=0.11)


def test_the_files_of_a_report_are_named_before_the_work(source: str, tmp_path: Path) -> None:
    foreign = tmp_path / "paper/table1" / reproduction.REPORT
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    assert "no earlier run wrote it" in wrong(*asked("table1", source, tmp_path))
    assert foreign.read_text() == "mine"
