"""Refining into a folder from Python: a photograph, a folder, a dataset; what is reported, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import coarsekit
import zoo
from coarsekit.annotations import native
from coarsekit.errors import OutputError, ParameterError
from coarsekit.types import Annotation, Ellipse, Mark
from zoo.evaluation.refiners import Floor


def drawn(name: str) -> Annotation:
    return Annotation(name, 160, 120, (Mark("MA", Ellipse(60, 50, 12, 9)), Mark("HE", Ellipse(90, 80, 20, 9))))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder with two grey photographs, and beside it the drawings on them and on one that is missing."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((120, 160, 3), 90, np.uint8)).save(folder / name)
    for name in ("a.png", "b.png", "gone.png"):
        native.write(tmp_path / "drawings" / f"{name}.json", [drawn(name)])
    return folder


def test_a_photograph_gives_its_record_and_a_step_for_each_mark(photographs: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    report = zoo.refine_to_folder(
        zoo.from_pretrained("shrink"),
        photographs / "a.png",
        tmp_path / "drawings" / "a.png.json",
        tmp_path / "out",
        progress=lambda *step: steps.append(step),
    )
    assert (steps[0], steps[-1]) == ((0, 2), (2, 2))
    assert [mask["lesion"] for mask in report.records[0]["masks"]] == ["MA", "HE"]
    assert json.loads((tmp_path / "out" / "a.json").read_text()) == report.records[0]
    assert (report.failures, report.left_out) == ([], [])


def test_a_folder_reports_what_failed_and_goes_on(photographs: Path, tmp_path: Path) -> None:
    failed: list[str] = []
    report = zoo.refine_to_folder(
        Floor(), photographs, tmp_path / "drawings", tmp_path / "out", on_failure=failed.append
    )
    assert [record["image"] for record in report.records] == ["a.png", "b.png"]
    assert [name for name, _ in report.failures] == ["gone.png"]
    assert failed == [sentence for _, sentence in report.failures]
    assert "no such file" in failed[0]


def test_a_dataset_is_drawn_as_annotate_draws_it(tmp_path: Path) -> None:
    sample = coarsekit.open_source("sample")
    report = zoo.refine_to_folder(Floor(), sample, out=tmp_path, style=coarsekit.PAPER, reduction=2.0, seed=3)
    for record, fundus in zip(report.records, sample.photographs(), strict=True):
        annotation = coarsekit.annotate(fundus, 2.0, coarsekit.PAPER, 3, "sample")
        assert [mask["ellipses"] for mask in record["masks"]] == [len(annotation.of(m)) for m in annotation.lesions]
        assert all(mask["coarse_pixels"] == mask["refined_pixels"] for mask in record["masks"])


def test_the_parameters_that_do_not_fit_are_named(photographs: Path, tmp_path: Path) -> None:
    refiner, file, out = Floor(), tmp_path / "drawings" / "a.png.json", tmp_path / "out"
    with pytest.raises(ParameterError, match="annotation=…"):
        zoo.refine_to_folder(refiner, photographs / "a.png", out=out)
    with pytest.raises(ParameterError, match="takes no annotation"):
        zoo.refine_to_folder(refiner, coarsekit.open_source("sample"), file, out)
    zoo.refine_to_folder(refiner, photographs / "a.png", file, out)
    with pytest.raises(OutputError):
        zoo.refine_to_folder(zoo.from_pretrained("shrink"), photographs / "a.png", file, out)
    zoo.refine_to_folder(zoo.from_pretrained("shrink"), photographs / "a.png", file, out, force=True)
