"""Reports of a small evaluation: their Markdown to the letter, their numbers, and their pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from coarsekit.datasets import open_source
from coarsekit.metrics import ComponentScore, Counts
from coarsekit.simulation.styles import HUMAN, PAPER
from tests import command_line
from zoo.cli.main import main
from zoo.evaluation.cache import ScoreCache
from zoo.evaluation.results import (
    DatasetRecord,
    EvaluationRecord,
    PhotographContent,
    RefinerInfo,
    Results,
    Score,
    read_results,
    write_results,
)
from zoo.evaluation.scoreboard import ScoreTable
from zoo.evaluation.scoring import MaskScore, to_json
from zoo.reports.findings import by_size
from zoo.reports.gallery import typical, worst
from zoo.reports.pictures import style_of
from zoo.reports.report import markdown

IMAGES, LESIONS = ("a", "b", "c"), ("MA", "HE")
NETWORK = RefinerInfo("net", "unet", "idrid train", "1", trained=True, seen=LESIONS)
RULE = RefinerInfo("shrink", "shrink", "idrid train", "2", trained=False, seen=None)
FLOOR = RefinerInfo("floor", "floor", "", "floor", trained=False, seen=None)
OVERLAP = {"floor": 20, "shrink": 50, "net": 80}


def zoo(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


def wrong(*arguments: object) -> str:
    return command_line.refusal(zoo(*arguments))


def measured(name: str, number: int) -> MaskScore:
    """An IoU by name, and as much for the last of five lesions, of areas 10 to 50; the others are missed.

    The drawing touches them, all but the one of area 40 of the first photograph.
    """
    overlap = OVERLAP[name] + number
    touched = [0.1 * (name == "floor" and (setting, number) != (3, 0)) for setting in range(4)]
    lost = [
        ComponentScore(10 * number, 10 * setting, 5, 5, 10 * (setting + 1), touched[setting]) for setting in range(4)
    ]
    return MaskScore(
        Counts(overlap, 0, 100 - overlap), 0.5, (*lost, ComponentScore(number, 60, 9, 9, 50, overlap / 100))
    )


@pytest.fixture
def results() -> Results:
    """Three refiners on three photographs, of which only two show haemorrhages."""
    dataset = DatasetRecord("sample", "sample", "sample", "all", LESIONS)
    asked = EvaluationRecord(
        "same", (dataset,), {"paper": PAPER.parameters()}, (1.0,), (), 0, (FLOOR, RULE, NETWORK), ("net",), 1
    )
    scores = [
        Score(name, "sample", "all", image, lesion, 1.0, "paper", 0, name + image, measured(name, number))
        for name in OVERLAP
        for number, image in enumerate(IMAGES)
        for lesion in LESIONS
        if (image, lesion) != ("c", "HE")
    ]
    contents = {image: PhotographContent(f"pixels of {image}", f"masks of {image}") for image in IMAGES}
    return Results(asked, tuple(scores), {"sample": contents})


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated") / "results"
    options = ("--refiner", "shrink", "--lesion", "SE", "--lesion", "HE", "--reduction", "1,2", "-o", folder, "-q")
    result = zoo("evaluate", "sample", *options)
    assert result.exit_code == 0, result.output
    return folder


def test_the_markdown_is_this(results) -> None:
    assert markdown([ScoreTable(results)], files={"figure3.png": "figure3", "worst.png": "worst"}) == EXPECTED


def test_results_are_read_as_they_were_written(results, tmp_path) -> None:
    cache = ScoreCache(tmp_path)
    for score in results.scores:
        own = {other.lesion: other.mask_score for other in results.scores if other.cache_key == score.cache_key}
        cache.write(score.cache_key, own, {})
    write_results(tmp_path, results)
    found = read_results(tmp_path)
    assert (found.record, found.contents) == (results.record, results.contents)
    assert [to_json(score.mask_score) for score in found.scores] == [
        to_json(score.mask_score) for score in results.scores
    ]
    assert json.loads((tmp_path / "results.json").read_text())["scores"][0]["iou"] == 0.2


def test_the_worst_lesions_come_first_and_tiny_or_undrawn_ones_never(results) -> None:
    board = ScoreTable(results)
    chosen = worst(board, board.settings[0], "net", each=2)
    assert [(own.lesion, own.image, own.component.area, own.component.iou) for own in chosen] == [
        ("MA", "b", 40, 0.0),
        ("MA", "c", 40, 0.0),
        ("HE", "b", 40, 0.0),
        ("HE", "a", 30, 0.0),
    ]
    assert len(typical(board, board.settings[0], "net")) == 4


def test_quarters_hold_every_lesion_once(results) -> None:
    lines = [line for line in by_size(ScoreTable(results)) if line["refiner"] == "net" and line["lesion"] == "MA"]
    assert sum(line["components"] for line in lines) == 15
    assert [line["from_px"] for line in lines] == sorted(line["from_px"] for line in lines)
    assert lines[-1]["component_iou"] == pytest.approx(np.mean([80, 81, 82]))


def test_a_report_has_its_tables_and_pictures(evaluated, tmp_path) -> None:
    out = tmp_path / "report"
    result = zoo("report", evaluated, "-o", out, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["files"] == ["report.md", "worst.png", "figure4.png", "figure3.png"]
    [numbers] = document["results"]
    assert {row["lesion"] for row in numbers["rows"]} == {"HE", "SE"}
    for name in document["files"][1:]:
        with Image.open(out / name) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 250
            assert np.asarray(picture.convert("L")).std() > 10
    text = (out / "report.md").read_text()
    assert text.index("worst.png") < text.index("figure3.png") < text.index("figure4.png") < text.index("floor")
    assert "--force" in wrong("report", evaluated, "-o", out)


def test_tables_are_printed_for_people_and_as_markdown(evaluated) -> None:
    assert "average" in zoo("report", evaluated).stdout
    printed = zoo("report", evaluated, "--markdown", "--compare", "shrink", "floor").stdout
    assert printed.startswith("# Report\n")
    assert "| shrink | floor |" in printed


def test_without_the_data_the_report_says_what_is_left_out(evaluated, tmp_path) -> None:
    result = zoo("report", evaluated, "-o", tmp_path / "out", "--source", f"idrid:{tmp_path}")
    assert result.exit_code == 0
    assert result.stderr.startswith("Left out: the pictures of single lesions")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.md", "figure3.png"}


def test_bad_results_are_one_sentence(evaluated, tmp_path) -> None:
    assert "no results.json" in wrong("report", tmp_path)
    assert "choose one" in wrong("report", evaluated, "--markdown", "--json")
    assert "no row 'lite'" in wrong("report", evaluated, "--compare", "lite", "floor")
    (tmp_path / "results.json").write_text("{")
    assert "cannot be read" in wrong("report", tmp_path)
    content = json.loads((evaluated / "results.json").read_text())
    (tmp_path / "results.json").write_text(json.dumps(content))
    assert "missing or damaged" in wrong("report", tmp_path)
    (tmp_path / "results.json").write_text(json.dumps(content | {"evaluation": {}}))
    assert "cannot be read" in wrong("report", tmp_path)
    (tmp_path / "results.json").write_text(json.dumps(content | {"format": 0}))
    assert "not the results of this version" in wrong("report", tmp_path)


@pytest.mark.parametrize("style", [PAPER, HUMAN])
def test_a_style_is_made_again_of_its_parameters(style) -> None:
    again = style_of(style.name, json.loads(json.dumps(style.parameters())))
    assert again.parameters() == style.parameters()
    assert open_source("sample").name == "sample"


EXPECTED = """\
# Report

Failures first: the lesions that the first refiner found worst, without each class's tiniest quarter.

![worst](worst.png)

IoU against the reduction factor (the paper's Figure 3), with 95 % intervals.

![figure3](figure3.png)

## Protocol same

Data: sample, split all, 3 photographs, 1d7d09a1072b.
Whether net saw these photographs in training is not known.
Drawn: paper e7f864b7eb64, seed 0.
Weights: shrink 2, net 1; refining version 1.
Networks: `net` (unet, trained on idrid train).

sample, all splits, style paper, reduction 1: IoU in percent, mean (standard deviation) 95 % interval:

| refiner | MA | HE | average |
| --- | --- | --- | --- |
| floor | 21.0 (0.8) 20.0–22.0 | 20.5 (0.5) 20.0–21.0 | 20.8 (0.7) 20.0–22.0 |
| shrink | 51.0 (0.8) 50.0–52.0 | 50.5 (0.5) 50.0–51.0 | 50.8 (0.7) 50.0–52.0 |
| net | 81.0 (0.8) 80.0–82.0 | 80.5 (0.5) 80.0–81.0 | 80.8 (0.7) 80.0–82.0 |
| images | 3 | 2 |  |

sample, all splits, style paper, reduction 1: other measures in percent, means over the classes:

| refiner | dice | precision | recall | boundary F | component IoU | ECE ↓ | Brier ↓ |
| --- | --- | --- | --- | --- | --- | --- | --- |
| floor | 34.4 | 100.0 | 20.8 | 50.0 | 11.3 | – | – |
| shrink | 67.3 | 100.0 | 50.8 | 50.0 | 10.2 | – | – |
| net | 89.3 | 100.0 | 80.8 | 50.0 | 16.1 | – | – |

sample, all splits, style paper, reduction 1: difference in IoU, points of percent, 95 % interval, Wilcoxon's p:

| refiner | less | MA | HE | average |
| --- | --- | --- | --- | --- |
| shrink | net | -30.0 (-30.0, -30.0) p 0.250 | -30.0 (-30.0, -30.0) p 0.500 | -30.0 (-30.0, -30.0) p 0.250 |

sample, all splits, style paper, reduction 1: IoU of single lesions in percent, by their area:

| lesion | refiner | smallest quarter | second | third | largest |
| --- | --- | --- | --- | --- | --- |
| MA | area, px | 10–20 | 30–30 | 40–40 | 50–50 |
| MA | floor | 10.0 | 10.0 | 6.7 | 21.0 |
| MA | shrink | 0.0 | 0.0 | 0.0 | 51.0 |
| MA | net | 0.0 | 0.0 | 0.0 | 81.0 |
| HE | area, px | 10–20 | 30–30 | 40–40 | 50–50 |
| HE | floor | 10.0 | 10.0 | 5.0 | 20.5 |
| HE | shrink | 0.0 | 0.0 | 0.0 | 50.5 |
| HE | net | 0.0 | 0.0 | 0.0 | 80.5 |
"""
