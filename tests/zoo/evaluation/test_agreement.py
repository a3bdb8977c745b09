"""Agreement of annotators before and after refinement: plain numbers, and the command on the bundled sample."""

import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.metrics import jaccard_score

from coarsekit.annotations import format_named, native
from coarsekit.datasets import open_source
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN
from coarsekit.storage.digests import photograph_sha256, sha256_of
from coarsekit.types import Annotation, Ellipse, Mark
from tests.half import Half
from tests.places import BUNDLED
from zoo import from_pretrained
from zoo.baselines.shrink import Amount, Shrink
from zoo.checkpoints.folder import weights_sha256
from zoo.cli.main import main
from zoo.evaluation.agreement import agreement
from zoo.evaluation.cache import NumberCache

SAMPLES = Path(open_source("sample").files(open_source("sample").keys()[0]).photograph).parent
IMAGE = np.zeros((100, 120, 3), np.uint8)
HALF = Shrink({"human": {"other": Amount(0.5, 0)}})


def drawn(*marks: tuple[str, float, float]) -> Annotation:
    """Circles of one lesion class each, by centre and radius."""
    return Annotation("p.png", 120, 100, tuple(Mark(lesion, Ellipse(x, 50, r, r)) for lesion, x, r in marks))


def overlap(one: Ellipse, other: Ellipse) -> float:
    masks = (draw([ellipse], IMAGE.shape[:2]).ravel() for ellipse in (one, other))
    return 100 * float(jaccard_score(*masks))


def test_three_annotators_are_three_pairs_whose_mean_is_taken() -> None:
    places = [(40, 20), (50, 24), (60, 16)]
    annotators = {str(x): {"p": drawn(("MA", x, r))} for x, r in places}
    (row,) = agreement(HALF, [("p", IMAGE)], annotators)
    coarse, refined = (
        [overlap(*(Ellipse(x, 50, r * by, r * by) for x, r in pair)) for pair in combinations(places, 2)]
        for by in (1, 0.5)
    )
    assert (row.lesion, row.photographs, row.pairs) == ("MA", 1, 3)
    assert (row.coarse_iou, row.coarse_iou_std) == pytest.approx((np.mean(coarse), np.std(coarse)))
    assert (row.refined_iou, row.refined_iou_std) == pytest.approx((np.mean(refined), np.std(refined)))


def test_what_both_left_out_does_not_count_and_what_one_left_out_counts_as_0() -> None:
    same = drawn(("EX", 50, 20))
    annotators = {"one": {"p": same, "q": same, "r": drawn()}, "other": {"p": same, "q": drawn(), "r": drawn()}}
    (row,) = agreement(HALF, [(key, IMAGE) for key in "pqr"], annotators)
    assert (row.photographs, row.pairs, row.coarse_iou, row.refined_iou) == (2, 2, 50, 50)


def test_erasing_is_no_agreement() -> None:
    nothing = Shrink({"human": {"other": Amount(0, 0)}})  # half a pixel about a corner of pixels holds no centre
    assert not nothing.refine(IMAGE, drawn(("EX", 50, 20)))["EX"].any()
    annotators = {name: {"p": drawn(("EX", 50, 20))} for name in "ab"}
    (row,) = agreement(nothing, [("p", IMAGE)], annotators)
    assert (row.coarse_iou, row.refined_iou) == (100, 0)


def test_classes_come_in_the_order_of_the_field_and_a_photograph_of_one_annotator_is_passed_over() -> None:
    marks = drawn(("drusen", 50, 9), ("SE", 50, 9), ("MA", 50, 9))
    heard: list[int] = []
    annotators = {"one": {"p": marks, "q": marks}, "other": {"p": marks}}
    rows = agreement(HALF, [("p", IMAGE), ("q", IMAGE)], annotators, heard.append)
    assert [(row.lesion, row.pairs) for row in rows] == [("MA", 1), ("SE", 1), ("drusen", 1)]
    assert sum(heard) == 2
    assert agreement(HALF, [], annotators) == []


def test_another_size_is_said_with_the_annotator() -> None:
    with pytest.raises(AnnotationError, match=r"one, p\.png: the annotation was drawn on 120 × 100 px"):
        agreement(HALF, [("p", IMAGE[:90])], {name: {"p": drawn(("MA", 50, 9))} for name in ("one", "other")})


def test_an_interrupted_run_goes_on_where_it_was_and_ends_with_the_same_rows(tmp_path: Path) -> None:
    keys, kept = "pqr", NumberCache(tmp_path)
    photographs = [(key, np.full_like(IMAGE, place)) for place, key in enumerate(keys)]
    annotators = {str(x): {key: drawn(("MA", x, 20), ("EX", 60, 9)) for key in keys} for x in (40, 50, 60)}
    expected = agreement(Half(), photographs, annotators)
    with pytest.raises(KeyboardInterrupt):
        agreement(Half(7), photographs, annotators, cache=kept)
    assert agreement(Half(3), photographs, annotators, cache=kept) == expected
    assert agreement(Half(0), photographs, annotators, cache=kept) == expected
    with pytest.raises(KeyboardInterrupt):
        agreement(Half(0), photographs, annotators, field_of_view=900, cache=kept)
    for path in (tmp_path / "cache").iterdir():
        path.write_text("{}")
    assert agreement(Half(), photographs, annotators, cache=kept) == expected


# ---------------------------------------------------------------------------------------------- the command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["agreement", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def annotators(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two people's drawings on the bundled sample: a folder of native files, and a file of CVAT."""
    root = tmp_path_factory.mktemp("annotators")
    one, other = (
        [annotate(fundus, 1.0, HUMAN, seed, "sample") for fundus in open_source("sample").photographs()]
        for seed in (1, 2)
    )
    for annotation in one:
        native.write(root / "one" / f"{Path(annotation.image).stem}.json", [annotation])
    format_named("cvat").write(root / "other.xml", other)
    return [root / "one", root / "other.xml"]


def test_the_command_agrees_with_a_plain_loop_over_the_sample(annotators: list[Path]) -> None:
    result = run(SAMPLES, *annotators, "--refiner", "shrink", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["annotators"] == [str(place) for place in annotators]
    assert {(row["refiner"], row["weights_sha256"]) for row in document["rows"]} == {
        ("shrink", weights_sha256(BUNDLED / "shrink"))
    }
    images = sorted(photograph_sha256(fundus.image) for fundus in open_source("sample").photographs())
    assert document["photographs_sha256"] == sha256_of(images)
    refiner, expected = from_pretrained("shrink"), {}
    for fundus in open_source("sample").photographs():
        one, other = (annotate(fundus, 1.0, HUMAN, seed, "sample") for seed in (1, 2))
        refined = [refiner.refine(fundus.image, annotation) for annotation in (one, other)]
        for lesion in {*one.lesions, *other.lesions}:
            pair = [draw(annotation.of(lesion), fundus.shape) for annotation in (one, other)]
            scores = [100 * (a & b).sum() / (a | b).sum() for a, b in (pair, [masks[lesion] for masks in refined])]
            expected.setdefault(lesion, []).append(scores)
    for row in document["rows"]:
        coarse, after = np.mean(expected.pop(row["lesion"]), axis=0)
        assert row["coarse_iou"] == pytest.approx(coarse, abs=0.5)  # a tool's file rounds its coordinates
        assert row["refined_iou"] == pytest.approx(after, abs=0.5)
    assert expected == {}


def test_a_rule_that_looks_brings_annotators_together_and_one_that_only_shrinks_does_not(
    annotators: list[Path],
) -> None:
    gains = {}
    for name in ("otsu", "shrink"):
        rows = {
            row["lesion"]: row
            for row in json.loads(run(SAMPLES, *annotators, "--refiner", name, "--json").stdout)["rows"]
        }
        gains[name] = rows["SE"]["refined_iou"] - rows["SE"]["coarse_iou"]
    assert gains["otsu"] > 10
    assert gains["shrink"] < 1


def test_the_table_names_every_class(annotators: list[Path]) -> None:
    result = run(SAMPLES, *annotators, "--refiner", "shrink")
    assert result.exit_code == 0
    assert all(word in result.stdout for word in ("2 annotators", "refined iou", "MA", "HE", "EX", "SE"))


def test_the_command_says_where_the_scores_are_kept(annotators: list[Path], tmp_path: Path) -> None:
    arguments = (SAMPLES, *annotators, "--refiner", "shrink", "--json", "-o", tmp_path / "kept")
    first, second = run(*arguments), run(*arguments)
    assert f"The scores are kept in {tmp_path / 'kept'}" in first.stderr
    assert second.stdout == first.stdout
    assert len(list((tmp_path / "kept" / "cache").iterdir())) == 2


def test_a_missing_photograph_is_named_and_the_others_are_compared(annotators: list[Path], tmp_path: Path) -> None:
    first, second = sorted(SAMPLES.glob("*.jpg"))
    shutil.copy(first, tmp_path)
    result = run(tmp_path, *annotators, "--refiner", "shrink", "--json")
    assert result.exit_code == 1
    assert second.stem in result.stderr
    assert {row["photographs"] for row in json.loads(result.stdout)["rows"]} == {1}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{samples}", "{one}"], "one annotator alone"),
        (["{samples}", "{one}", "{one}"], "named twice"),
        (["{samples}", "{one}", "missing"], "missing: no annotation"),
        (["{one}", "{one}", "{other}"], "no photograph in it that two annotated"),
        (["{samples}", "{one}", "{other}", "--refiner", "shrnk"], "did you mean 'shrink'"),
        (["{samples}"], "Missing argument"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(annotators: list[Path], arguments: list[str], sentence: str) -> None:
    one, other = annotators
    result = run(*(argument.format(samples=SAMPLES, one=one, other=other) for argument in arguments))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert sentence in result.stderr


def test_annotators_of_different_photographs_are_one_sentence(annotators: list[Path], tmp_path: Path) -> None:
    native.write(tmp_path / "elsewhere.json", [Annotation("elsewhere.jpg", 120, 100)])
    result = run(SAMPLES, annotators[0], tmp_path)
    assert result.exit_code == 2
    assert "no photograph in it that two annotated (1 photograph is not found (elsewhere.jpg): " in result.stderr
