"""Refining into a folder from Python: a photograph, a folder, a dataset; what is reported, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import coarsekit
import zoo
from coarsekit.annotations import native
from coarsekit.errors import OutputError, ParameterError
from coarsekit.types import Annotation, Ellipse, Mark
from zoo.cli.main import main
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


def test_of_many_photographs_that_are_not_there_not_each_has_a_line(photographs: Path, tmp_path: Path) -> None:
    for number in range(20):
        native.write(tmp_path / "drawings" / f"far {number}.json", [drawn(f"far {number:02}.png")])
    failed: list[str] = []
    report = zoo.refine_to_folder(
        Floor(), photographs, tmp_path / "drawings", tmp_path / "out", on_failure=failed.append
    )
    assert [record["image"] for record in report.records] == ["a.png", "b.png"]
    assert {name for name, _ in report.failures} == {"gone.png", *(f"far {number:02}.png" for number in range(20))}
    assert all("no such file" in sentence for _, sentence in report.failures)
    assert [sentence.partition(":")[0].rpartition("/")[2] for sentence in failed[:3]] == [
        name for name, _ in report.failures[:3]
    ]
    assert failed[3].startswith("18 more photographs are not found either: far ")
    assert len(failed) == 4


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


def test_the_scale_is_in_the_record_said_where_it_was_guessed_and_part_of_what_results_depend_on(
    photographs: Path, tmp_path: Path
) -> None:
    places = [str(photographs / "a.png"), str(tmp_path / "drawings" / "a.png.json"), "-o", str(tmp_path / "out")]

    def refine(*options: str) -> tuple[int, dict[str, object], str]:
        result = CliRunner().invoke(main, ["refine", *places, "--refiner", "shrink", "--json", *options])
        records = json.loads(result.stdout)["records"] if result.stdout else [{}]
        return result.exit_code, records[0], result.stderr

    code, guessed, said = refine()
    assert (code, guessed["scale_from"]) == (0, "marks")
    assert "No rim of the field of view was seen in a.png" in said
    assert "the sizes of the marks; --scale says it" in said
    code, _, said = refine("--scale", "1709")
    assert code == 2
    assert "a.json is of another scale; give --force" in said
    code, told, said = refine("--scale", "1709", "--force")
    assert (code, told["scale"], told["scale_from"]) == (0, 0.5, "given")
    assert "No rim" not in said
    code, disc, _ = refine("--scale", "disc=262.5")
    assert (code, disc) == (0, told)


def test_a_depth_that_the_values_tell_is_said(photographs: Path, tmp_path: Path) -> None:
    for name, top in (("a.png", 4095), ("b.png", 65535)):
        Image.fromarray(np.linspace(0, top, 120 * 160).reshape(120, 160).astype(np.uint16)).save(photographs / name)
    out = ("--refiner", "shrink", "-o", str(tmp_path / "out"))
    said = CliRunner().invoke(main, ["refine", str(photographs), str(tmp_path / "drawings"), *out]).stderr
    assert "The values in the 16 bits of a.png are taken as of 12 bits, since hardly any is greater" in said
    assert "16 bits of b.png" not in said
    record = json.loads((tmp_path / "out" / "a.json").read_text())
    assert record["depth_guessed"] == 12


@pytest.mark.parametrize("wrong", ["wide", "disc=", "0", "nan", "disc=1e9"])
def test_a_scale_that_is_none_is_refused(photographs: Path, tmp_path: Path, wrong: str) -> None:
    places = [str(photographs / "a.png"), str(tmp_path / "drawings" / "a.png.json"), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(main, ["refine", *places, "--refiner", "shrink", "--scale", wrong])
    assert result.exit_code == 2
    assert "--scale" in result.stderr
    assert "Traceback" not in result.stderr
