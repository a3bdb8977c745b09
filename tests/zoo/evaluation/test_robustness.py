"""Photographs as other cameras take them, and ellipses on nothing."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from click.testing import CliRunner

from coarsekit.datasets import open_source
from coarsekit.geometry import draw, extent
from coarsekit.simulation.simulate import annotate, generator
from coarsekit.simulation.styles import HUMAN, PAPER
from coarsekit.storage.digests import photograph_sha256
from coarsekit.windows import window_around
from tests.few_lesions import write_few_lesions
from tests.half import Half
from zoo import from_pretrained
from zoo.checkpoints.folder import DEFAULT
from zoo.checkpoints.metrics import AVERAGE
from zoo.cli.main import main
from zoo.evaluation.cache import NumberCache
from zoo.evaluation.corruptions import CORRUPTIONS, EMPTY, Sample, around_marks, middle, narrower
from zoo.evaluation.robustness import move_to_empty, robustness
from zoo.models.base import build, network_class

pytestmark = pytest.mark.timeout(1200)  # full photographs under many corruptions, also on a loaded machine


@pytest.fixture(scope="module")
def taken() -> Sample:
    fundus = open_source("sample").read("IDRiD_46")
    return Sample(fundus.image, fundus.fine, annotate(fundus, 1.0, HUMAN, 0))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_condition_changes_photograph_masks_and_drawing_alike_and_leaves_its_input_alone(taken, name: str) -> None:
    before = taken.image.copy()
    changed = CORRUPTIONS[name](taken)
    assert (taken.image == before).all()
    assert changed.image.dtype == np.uint8
    size = changed.image.shape[:2]
    assert (changed.annotation.height, changed.annotation.width) == size
    assert all(mask.shape == size and mask.dtype == bool for mask in changed.fine.values())
    drawn = draw(changed.annotation.of(changed.labels.get("EX", "EX")), size)
    assert (drawn & changed.fine["EX"]).sum() > 0.8 * changed.fine["EX"].sum()
    same = changed.image.shape == before.shape and (changed.image == before).all()
    assert same == (name == "as it is" or bool(changed.labels))
    assert set(changed.annotation.lesions) == {
        changed.labels.get(lesion, lesion) for lesion in taken.annotation.lesions
    }


def test_a_narrower_camera_keeps_areas_and_the_middle_keeps_pixels(taken) -> None:
    half = narrower(taken, taken.image.shape[1] // 2)
    assert half.fine["EX"].sum() == pytest.approx(taken.fine["EX"].sum() / 4, rel=0.1)
    assert narrower(taken, 9999) is taken
    h, w = taken.image.shape[:2]
    inner = middle(taken, 0.5)
    assert (inner.image[0, 0] == taken.image[(h - inner.image.shape[0]) // 2, (w - inner.image.shape[1]) // 2]).all()


def test_a_crop_has_the_median_mark_and_lies_inside(taken) -> None:
    crop = around_marks(taken, 200)
    assert crop.image.shape == (200, 200, 3)
    boxes = np.array([extent(mark.shape) for mark in taken.annotation.marks])
    x, y = (int(value) for value in np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0))
    assert any((crop.image[row, column] == taken.image[y, x]).all() for row in (99, 100) for column in (99, 100))
    assert around_marks(taken, 9999).image.shape == taken.image.shape
    nothing = replace(taken, annotation=replace(taken.annotation, marks=()))
    assert around_marks(nothing, 200) is nothing


def test_ellipses_moved_to_empty_retina_cover_no_lesion_of_any_class() -> None:
    fundus = open_source("sample").read("IDRiD_46")
    annotation = annotate(fundus, 1.0, HUMAN, 0)
    empty = move_to_empty(fundus, annotation, generator(0, "x"))
    assert len(empty.marks) > 0.8 * len(annotation.marks)
    covered = draw((mark.shape for mark in empty.marks), fundus.image.shape[:2])
    assert not any((covered & mask).any() for mask in fundus.fine.values())


def test_rows_hold_the_mean_iou_and_the_mean_share_answered() -> None:
    sample = open_source("sample")
    rows = robustness([Half()], sample, None, HUMAN, 0, {"as it is": lambda taken: taken})
    by_place = {(row.corruption, row.lesion): row for row in rows}
    expected: dict[str, list[float]] = {}
    shares: dict[str, list[float]] = {}
    for fundus in sample.photographs():
        annotation = annotate(fundus, 1.0, HUMAN, 0, sample.name)
        upper = np.arange(fundus.image.shape[0])[:, None] < fundus.image.shape[0] // 2
        for lesion, fine in fundus.fine.items():
            found = draw(annotation.of(lesion), fine.shape) & upper
            expected.setdefault(lesion, []).append(100 * (found & fine).sum() / (found | fine).sum())
        moved = move_to_empty(fundus, annotation, generator(0, fundus.key))
        for mark in moved.marks:
            wrong = draw(moved.of(mark.lesion), fundus.image.shape[:2]) & upper & ~fundus.fine[mark.lesion]
            there = window_around(mark.shape, wrong.shape)
            rows, columns = (slice(max(low, 0), max(low + there.side, 0)) for low in (there.y, there.x))
            inside = wrong[rows, columns].sum()
            shares.setdefault(mark.lesion, []).append(100 * inside / draw([mark.shape], wrong.shape).sum())
    for lesion, values in expected.items():
        assert by_place["as it is", lesion].iou == pytest.approx(np.mean(values))
        assert by_place[EMPTY, lesion].false_positive_area == pytest.approx(np.mean(shares[lesion]))
        assert by_place[EMPTY, lesion].ellipses == len(shares[lesion])
    average = by_place["as it is", AVERAGE]
    assert average.iou == pytest.approx(mean(by_place["as it is", lesion].iou for lesion in expected))
    assert average.iou_low < average.iou < average.iou_high
    assert (average.whole_iou, average.lost_low, average.lost_high) == (average.iou, 0, 0)


def test_intervals_are_of_what_a_change_costs_the_same_photographs() -> None:
    sample = open_source("sample")
    rows = robustness([Half()], sample, None, HUMAN, 0, {"middle": lambda taken: middle(taken, 0.5)}, False)
    for row in rows:
        assert row.lost_low <= row.whole_iou - row.iou + 1e-9
        assert row.whole_iou - row.iou <= row.lost_high + 1e-9
    assert [row.lesion for row in rows] == [*sample.lesions, AVERAGE]


def test_the_default_answers_little_on_nothing_and_stands_a_narrow_camera(tmp_path: Path) -> None:
    one = open_source(write_few_lesions(tmp_path, "IDRiD_46"))
    corruptions = {name: CORRUPTIONS[name] for name in ("as it is", "1500 px wide")}
    rows = robustness([from_pretrained(DEFAULT)], one, None, HUMAN, 0, corruptions)
    means = {name: [row for row in rows if row.corruption == name] for name in (*corruptions, EMPTY)}
    as_it_is, narrow = (mean(row.iou for row in means[name]) for name in corruptions)
    assert narrow > as_it_is - 5
    assert mean(row.false_positive_area for row in means[EMPTY]) < 5


def test_the_default_answers_beyond_a_drawing_that_is_too_small(tmp_path: Path) -> None:
    fundus = open_source(write_few_lesions(tmp_path, "IDRiD_46")).read("IDRiD_46")
    exact = annotate(fundus, 1.0, PAPER, 0)
    marks = [
        replace(mark, shape=replace(mark.shape, rx=mark.shape.rx / 2, ry=mark.shape.ry / 2)) for mark in exact.marks
    ]
    small = replace(exact, marks=tuple(marks))
    refined = from_pretrained(DEFAULT).refine(fundus.image, small)
    beyond = {lesion: found & ~draw(small.of(lesion), found.shape) for lesion, found in refined.items()}
    right = sum((found & fundus.fine[lesion]).sum() for lesion, found in beyond.items())
    assert right > 0.5 * sum(found.sum() for found in beyond.values())
    missed = sum((fundus.fine[lesion] & ~draw(small.of(lesion), fundus.fine[lesion].shape)).sum() for lesion in refined)
    assert right > 0.1 * missed  # of a network that sees where an ellipse ends it is next to none


def test_the_photographs_that_a_network_held_out_can_be_chosen_by(tmp_path) -> None:
    network = build(network_class("unet"), {"width": 2, "size": 32})
    digests = {"other name": photograph_sha256(open_source("sample").read("IDRiD_46").image)}
    record = {"training_images": [], "validation_images": ["other name"], "photograph_sha256": digests}
    network.save(tmp_path, record)
    arguments = [
        "robustness",
        "sample",
        "--split",
        "held-out",
        "--refiner",
        str(tmp_path),
        "--only",
        "as it is",
        "--json",
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert {row["split"] for row in rows} == {"held-out"}
    assert {row["images"] for row in rows} == {1}
    refused = CliRunner().invoke(main, ["robustness", "sample", "--split", "held-out", "--refiner", "shrink"])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "needs networks whose" in refused.stderr


def test_the_command_gives_a_row_for_each_condition_and_class(tmp_path: Path) -> None:
    arguments = ["robustness", write_few_lesions(tmp_path, "IDRiD_46"), "--refiner", "shrink", "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert {row["corruption"] for row in rows} == {*CORRUPTIONS, EMPTY}
    assert all((row["iou"] is None) == (row["corruption"] == EMPTY) for row in rows)


def test_an_interrupted_run_goes_on_where_it_was_and_ends_with_the_same_rows(tmp_path: Path) -> None:
    sample, kept = open_source("sample"), NumberCache(tmp_path)
    changes = {name: CORRUPTIONS[name] for name in ("as it is", "middle 60 %", "labels opposite")}
    expected = robustness([Half()], sample, None, HUMAN, 0, changes)
    for calls_before_the_kill in (0, 1, 3, 2):
        with pytest.raises(KeyboardInterrupt):
            robustness([Half(calls_before_the_kill)], sample, None, HUMAN, 0, changes, cache=kept)
    last = Half()
    assert robustness([last], sample, None, HUMAN, 0, changes, cache=kept) == expected
    assert 0 < last.calls < 8 - 3
    assert robustness([Half(0)], sample, None, HUMAN, 0, changes, cache=kept) == expected
    once_more = Half()
    robustness([once_more], sample, None, HUMAN, 1, changes, cache=kept)  # other drawings
    assert once_more.calls == 8
    for path in (tmp_path / "cache").iterdir():
        path.write_text("{}")
    assert robustness([Half()], sample, None, HUMAN, 0, changes, cache=kept) == expected


def test_the_command_says_where_the_scores_are_kept_and_takes_them_from_there(tmp_path: Path) -> None:
    arguments = [
        "robustness",
        "sample",
        "--refiner",
        "shrink",
        "--only",
        "warm",
        "--json",
        "-o",
        str(tmp_path / "kept"),
    ]
    first, second = (CliRunner().invoke(main, arguments) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert f"kept in {tmp_path / 'kept'}" in first.stderr
    assert second.stdout == first.stdout
    assert len(list((tmp_path / "kept" / "cache").iterdir())) == 2


def test_only_the_rows_that_are_named_are_scored() -> None:
    arguments = ["robustness", "sample", "--refiner", "shrink", "--json", "--only", "crop of 1200 px"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert {row["corruption"] for row in json.loads(result.stdout)["rows"]} == {"crop of 1200 px"}
    empty = CliRunner().invoke(main, ["robustness", "sample", "--refiner", "shrink", "--only", EMPTY])
    assert empty.exit_code == 0, empty.output
    assert EMPTY in empty.stdout
    assert "IoU in percent" not in empty.stdout
    wrong = CliRunner().invoke(main, ["robustness", "sample", "--only", "crop of 1200"])
    assert wrong.exit_code == 2
    assert "did you mean 'crop of 1200 px'" in wrong.stderr
