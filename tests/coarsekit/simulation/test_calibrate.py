"""Measuring how people draw: what was simulated comes back; styles as TOML files; the command."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.annotations import format_named, native, read_annotations
from coarsekit.cli.main import main
from coarsekit.errors import ParameterError
from coarsekit.simulation.calibrate import (
    Match,
    against_outlines,
    between_annotators,
    match,
    measure_imprecision,
    to_style,
)
from coarsekit.simulation.simulate import draw_by_hand
from coarsekit.simulation.styles import HUMAN, PAPER, Imprecision, Style, dump_style, load_style, style_named
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point
from tests import command_line

KNOWN = {
    "MA": Imprecision(size_bias=0.15, size=0.28, centre=0.27, aspect=0.1, angle=6.0, circles=0.9),
    "HE": Imprecision(size_bias=0.3, size=0.2, centre=0.15, aspect=0.25, angle=10.0, circles=0.3),
    "SE": Imprecision(size_bias=0.0, size=0.1, centre=0.05, aspect=0.15, angle=4.0, circles=0.0),
}
WIDTH, HEIGHT, PHOTOGRAPHS = 4000, 3000, 60


def annotation(name: str, drawn: Mapping[str, tuple[Ellipse, ...]]) -> Annotation:
    marks = tuple(Mark(lesion, ellipse) for lesion, ellipses in drawn.items() for ellipse in ellipses)
    return Annotation(f"{name}.jpg", WIDTH, HEIGHT, marks)


@pytest.fixture(scope="module")
def exact() -> dict[str, dict[str, tuple[Ellipse, ...]]]:
    """Long ellipses on a wide grid, 48 of each class on each photograph."""
    rng = np.random.default_rng(0)
    photographs = {}
    for number in range(PHOTOGRAPHS):
        photographs[f"eye{number}"] = {
            lesion: tuple(
                Ellipse(x, y, radius * stretch, radius / stretch, rng.uniform(0, 180))
                for x in range(300, 4000, 500)
                for y in range(300, 3000, 500)
                for radius, stretch in [(rng.uniform(20, 60), rng.uniform(1.15, 1.3))]
            )
            for lesion in KNOWN
        }
    return photographs


@pytest.fixture(scope="module")
def drawings(exact) -> dict[str, dict[str, Annotation]]:
    style, rng = Style("known", imprecision=KNOWN), np.random.default_rng(1)
    return {
        annotator: {
            name: annotation(name, draw_by_hand(outlines, style, rng, (HEIGHT, WIDTH)))
            for name, outlines in exact.items()
        }
        for annotator in ("ana", "ben", "eva")
    }


def marks_of(drawings: Mapping[str, Mapping[str, Annotation]], lesion: str) -> list[Ellipse]:
    return [ellipse for own in drawings.values() for drawing in own.values() for ellipse in drawing.of(lesion)]


def assert_known(found: Imprecision, known: Imprecision) -> None:
    for name in Imprecision.__slots__:
        # A tenth, and the angle of an eighth of a right angle's spread less sharply, since circles have none.
        near = pytest.approx(getattr(known, name), rel=0.15, abs=0.5 if name == "angle" else 0.02)
        assert getattr(found, name) == near, name


@pytest.mark.parametrize("lesion", KNOWN)
def test_it_comes_back_from_long_ellipses_too(lesion: str) -> None:
    """Which stray by their width and turn less; circles are none of them."""
    rng = np.random.default_rng(2)
    known = Style("known", imprecision=KNOWN)
    exact = tuple(Ellipse(2000, 1500, 160, 160 / rng.uniform(3, 6), rng.uniform(0, 180)) for _ in range(2000))
    matches = [
        Match(lesion, (str(n),), own, shape)
        for n in range(10)
        for own, shape in zip(draw_by_hand({lesion: exact}, known, rng, (HEIGHT, WIDTH))[lesion], exact, strict=True)
    ]
    found = measure_imprecision(matches, [pair.one for pair in matches], exact=True)
    own = KNOWN[lesion]
    for name in ("size", "centre", "aspect"):
        assert getattr(found.imprecision, name) == pytest.approx(getattr(own, name), rel=0.1), name
    assert found.imprecision.angle == pytest.approx(own.angle, rel=0.2)


@pytest.mark.parametrize("lesion", KNOWN)
def test_the_imprecision_that_annotators_were_given_comes_back(drawings, lesion: str) -> None:
    matches = [pair for pair in between_annotators(drawings) if pair.lesion == lesion]
    found = measure_imprecision(matches, marks_of(drawings, lesion), exact=False)
    assert found.matches > 0.95 * 3 * PHOTOGRAPHS * 48
    assert found.size_mean == 0
    assert_known(found.imprecision, KNOWN[lesion])


@pytest.mark.parametrize("lesion", KNOWN)
def test_it_comes_back_from_fine_masks_too_and_a_steady_excess_is_told_apart(drawings, exact, lesion: str) -> None:
    matches = []
    for name, outlines in exact.items():
        small = {
            lesion: tuple(Ellipse(e.cx, e.cy, e.rx / 1.5, e.ry / 1.5, e.angle) for e in own)
            for lesion, own in outlines.items()
        }
        own = {annotator: drawn[name] for annotator, drawn in drawings.items()}
        matches += [pair for pair in against_outlines(own, annotation(name, small)) if pair.lesion == lesion]
    found = measure_imprecision(matches, marks_of(drawings, lesion), exact=True)
    assert found.size_mean == pytest.approx(np.log(1.5), abs=0.05)
    assert_known(found.imprecision, KNOWN[lesion])


def test_photographs_of_other_sizes_are_brought_to_one(drawings) -> None:
    half = {
        name: Annotation(
            drawing.image,
            WIDTH // 2,
            HEIGHT // 2,
            tuple(
                Mark(m.lesion, Ellipse(*(v / 2 for v in (m.shape.cx, m.shape.cy, m.shape.rx, m.shape.ry))))
                for m in drawing.marks
            ),
        )
        for name, drawing in drawings["ana"].items()
    }
    matches = between_annotators({"ana": drawings["ana"], "half": half})
    found = measure_imprecision(matches, (), exact=False).imprecision
    assert (found.size_bias, found.centre) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))


@given(st.lists(st.builds(Ellipse, st.floats(0, 99), st.floats(0, 99), st.floats(1, 20), st.floats(1, 20)), max_size=8))
def test_every_mark_matches_itself_and_only_once(marks: list[Ellipse]) -> None:
    """Marks with one centre stand for each other."""
    pairs = match(marks, marks)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    if len({(mark.cx, mark.cy) for mark in marks}) == len(marks):
        assert pairs == [(i, i) for i in range(len(marks))]


def test_marks_of_very_different_size_are_no_match() -> None:
    assert match([Ellipse(0, 0, 1, 1)], [Ellipse(0, 0, 3.9, 3.9)]) == [(0, 0)]
    assert match([Ellipse(0, 0, 1, 1)], [Ellipse(0, 0, 4.1, 4.1)]) == []
    assert match([], [Ellipse(0, 0, 1, 1)]) == match([Ellipse(0, 0, 1, 1)], []) == []


def test_without_matches_nothing_strays() -> None:
    assert measure_imprecision([], [], exact=False).imprecision == Imprecision()


def test_a_rare_class_is_drawn_as_all_are(drawings) -> None:
    matches = between_annotators(drawings)
    by_lesion = {
        lesion: measure_imprecision([pair for pair in matches if pair.lesion == lesion][:count], [], exact=False)
        for lesion, count in (("MA", 500), ("SE", 5))
    }
    style = to_style("ours", HUMAN, by_lesion, measure_imprecision(matches, [], exact=False), least=20)
    assert set(style.imprecision) == {"MA"}
    assert style.imprecision_of("SE") == style.imprecision_of("drusen") == style.other
    assert style.dilate == HUMAN.dilate


# ---------------------------------------------------------------------------------------------- styles as files


@pytest.mark.parametrize("style", [Style("ours"), Style("a-b_c", 1500, 1.5, 3.0, 2.0, KNOWN, HUMAN.other)])
def test_a_style_survives_its_file(tmp_path: Path, style: Style) -> None:
    path = tmp_path / "style.toml"
    path.write_text(dump_style(style), encoding="utf-8")
    assert load_style(path) == style_named(str(path)) == style


def test_presets_survive_a_file_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "style.toml"
    for preset in (PAPER, HUMAN):
        path.write_text(dump_style(preset).replace(f'name = "{preset.name}"', 'name = "mine"'), encoding="utf-8")
        assert load_style(path).parameters() == preset.parameters()


def test_what_a_file_leaves_out_is_as_a_style_has_it(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text("[other]\nsize = 0.2\n")
    assert load_style(path) == Style("short", other=Imprecision(size=0.2))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = 3", "name: expected a valid string, got 3"),
        ('name = "human"', "name: expected letters"),
        ('name = "../x"', "name: expected letters"),
        ("dilate = -1", "dilate must be 0 px or more"),
        ('dilate = "24"', "dilate: expected a valid number"),
        ("dilate = nan", "dilate: expected a finite number"),
        ("reference_width = 1.5", "reference_width: expected a valid integer"),
        ("reference_width = 0", "reference_width must be 1 px or more"),
        ("dilatation = 3", "dilatation is not a field"),
        ("imprecision = 3", "imprecision: expected"),
        ("imprecision = {MA = 3}", r"imprecision\.MA: expected a dictionary"),
        ("[imprecision.MA]\nsiz = 1", r"imprecision\.MA\.siz is not a field of this format; check its spelling"),
        ("[imprecision.MA]\ncircles = 2", "circles is a share"),
        ("[other]\nsize = true", r"other\.size: expected a valid number"),
        ("x = ", "cannot be read as TOML"),
    ],
)
def test_a_file_that_is_no_style_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "style.toml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=sentence) as caught:
        load_style(path)
    assert str(path) in str(caught.value)


def test_a_missing_style_is_one_sentence() -> None:
    with pytest.raises(ParameterError, match=r"none\.toml: no such file"):
        style_named("none.toml")
    with pytest.raises(ParameterError, match=r"no style 'humane'.*did you mean 'human'"):
        style_named("humane")


# ---------------------------------------------------------------------------------------------- the command


def run(*arguments: object) -> Result:
    return command_line.run(main, *arguments)


@pytest.fixture(scope="module")
def folders(drawings, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("experts")
    for annotator, own in drawings.items():
        for name, drawing in list(own.items())[:8]:
            native.write(root / annotator / name / "ellipses.json", [drawing])
    return sorted(root.iterdir())


def test_experts_give_a_style_to_simulate_with(folders: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    result = run("calibrate", *folders, "--out", path, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert [row["annotator"] for row in document["annotators"]] == [str(folder) for folder in folders]
    assert sum(row["size_mean"] for row in document["annotators"]) == pytest.approx(0, abs=0.1)
    assert [row["lesion"] for row in document["lesions"]] == ["MA", "HE", "SE", "all"]
    style = load_style(path)
    assert (style.name, set(style.imprecision)) == ("ours", {"MA", "HE", "SE"})
    assert style.imprecision["MA"].circles == pytest.approx(0.9, abs=0.05)
    again = run("calibrate", *folders, "--out", path)
    assert again.exit_code == 2
    assert "already there" in again.stderr
    drawn = run("simulate", "sample", "--style", path, "--out", tmp_path / "drawn", "--json")
    assert json.loads(drawn.stdout)["style"] == "ours"


def test_drawings_are_measured_against_the_fine_masks_of_a_source(tmp_path: Path) -> None:
    """Exact drawings of the sample in the paper's style: no imprecision is found."""
    assert run("simulate", "sample", "--style", "paper", "--out", tmp_path / "exact", "--quiet").exit_code == 0
    result = run("calibrate", tmp_path / "exact", "--source", "sample", "--json")
    assert result.exit_code == 0, result.stderr
    everything = json.loads(result.stdout)["lesions"][-1]
    assert everything["matches"] > 100
    assert everything["size_mean"] == everything["size"] == everything["centre"] == everything["angle"] == 0


def test_the_tables_name_annotators_and_classes(folders: list[Path]) -> None:
    result = run("calibrate", *folders[:2])
    assert result.exit_code == 0
    assert all(text in result.stdout for text in (str(folders[0]), "size bias", "HE"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{0}"], "one annotator alone shows no imprecision"),
        (["{0}", "{0}"], "named twice"),
        (["{0}", "missing"], "missing: no annotation"),
        (["{0}", "{1}", "--out", "style.txt"], "named .toml"),
        (["{0}", "--source", "sample"], "no lesion was drawn twice"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(folders: list[Path], arguments: list[str], sentence: str) -> None:
    result = run("calibrate", *(argument.format(*folders) for argument in arguments))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert sentence in result.stderr


def test_experts_of_other_tools_are_measured_as_well(exact, folders: list[Path], tmp_path: Path) -> None:
    first = read_annotations(next(folders[0].rglob("*.json"))).annotations
    format_named("cvat").write(tmp_path / "cvat" / "annotations.xml", first)
    format_named("coco").write(tmp_path / "coco" / "annotations.json", first, approximate=True)
    result = run("calibrate", str(tmp_path / "cvat"), str(tmp_path / "coco"), "--json")
    assert result.exit_code == 0, result.output
    for row in json.loads(result.stdout)["lesions"]:
        assert row["size"] < 0.02
        assert row["centre"] < 0.02


def test_points_and_lines_have_no_size_to_be_measured(folders: list[Path], tmp_path: Path) -> None:
    measured = []
    for extra in ((), (Mark("MA", Point(50, 60, 9)), Mark("HE", Line(((5, 6), (70, 80)))))):
        pair = [tmp_path / str(len(extra)) / str(place) for place in range(2)]
        for out, folder in zip(pair, folders, strict=False):
            [drawing] = read_annotations(next(folder.rglob("*.json"))).annotations
            native.write(out / "ellipses.json", [replace(drawing, marks=(*drawing.marks, *extra))])
        result = run("calibrate", *pair, "--json")
        assert result.exit_code == 0, result.output
        measured.append(json.loads(result.stdout)["lesions"])
    assert measured[0] == measured[1]
    assert "the point 'MA' is not taken" in result.stderr
