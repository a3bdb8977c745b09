"""The tables' numbers against scikit-learn, and cached scores that are not computed twice."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from coarsekit.datasets import open_source
from coarsekit.geometry import draw
from coarsekit.metrics import brier
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import HUMAN, PAPER
from coarsekit.types import Annotation, Ellipse, Image, Mark, Mask
from zoo import from_pretrained
from zoo.checkpoints.folder import CACHE
from zoo.evaluation.cache import ScoreCache
from zoo.evaluation.evaluate import Evaluated, EvaluationConfig, evaluate, refine_and_score
from zoo.evaluation.protocols import classes_to_score
from zoo.evaluation.refiners import EvaluatedRefiner, Floor, floor, load_for_evaluation
from zoo.evaluation.results import DatasetRecord, EvaluationRecord, RefinerInfo, Results
from zoo.evaluation.scoreboard import ScoreTable
from zoo.evaluation.tables import average_rows, score_rows
from zoo.models.base import build, network_class
from zoo.refiner import Advance, Refiner, no_progress

LESIONS = ("MA", "HE", "EX", "SE")
SAMPLE = DatasetRecord("sample", "sample", "sample", "all", LESIONS)


class Counted(Refiner):
    """Answers the coarse mask itself, and counts how often it was config."""

    asked = 0

    def refine(
        self, image: Image, annotation: Annotation, advance: Advance = no_progress, scale: float | None = None
    ) -> dict[str, Mask]:
        Counted.asked += 1
        return Floor().refine(image, annotation)


def counted(digest: str = "counted") -> EvaluatedRefiner:
    return EvaluatedRefiner(RefinerInfo("counted", "counted", "", digest, trained=False, seen=None), Counted)


def config_of(
    refiners: list[EvaluatedRefiner], styles=(HUMAN,), reductions=(1.0,), seed: int = 0, lesions=()
) -> EvaluationConfig:
    infos = [refiner.info for refiner in refiners]
    classes = classes_to_score("same", infos, open_source("sample"), lesions)
    return EvaluationConfig(None, styles, reductions, seed, classes)


def board(refiners: list[EvaluatedRefiner], config: EvaluationConfig, found: Evaluated) -> ScoreTable:
    infos = tuple(refiner.info for refiner in refiners)
    named = tuple(about.name for about in infos if about.name != "floor")
    styles = {style.name: style.parameters() for style in config.styles}
    record = EvaluationRecord("same", (SAMPLE,), styles, config.reductions, (), config.seed, infos, named, 1)
    return ScoreTable(Results(record, tuple(found.scores), {"sample": found.contents}))


def test_rows_agree_with_scikit_learn() -> None:
    sample, refiners = open_source("sample"), [floor(), load_for_evaluation("shrink")]
    config = config_of(refiners, seed=3)
    result = board(refiners, config, evaluate(refiners, sample, config))
    by_hand = {"jaccard": jaccard_score, "f1": f1_score, "precision": precision_score, "recall": recall_score}
    scores: dict[tuple[str, str], list[float]] = {}
    for fundus in sample.photographs():
        annotation = annotate(fundus, 1.0, HUMAN, 3, "sample")
        refined = from_pretrained("shrink").refine(fundus.image, annotation)
        for lesion, fine in fundus.fine.items():
            coarse, found = draw(annotation.of(lesion), fine.shape), refined[lesion]
            some = fine | coarse | found  # no score counts pixels that are in none
            scores.setdefault((lesion, "floor"), []).append(100 * jaccard_score(fine[some], coarse[some]))
            for name, rule in by_hand.items():
                scores.setdefault((lesion, name), []).append(100 * rule(fine[some], found[some]))
    table = score_rows(result)
    assert [(row["refiner"], row["lesion"], row["images"]) for row in table] == [("shrink", own, 2) for own in LESIONS]
    for row in table:
        own = {name: values for (lesion, name), values in scores.items() if lesion == row["lesion"]}
        assert row["floor_iou"] == pytest.approx(np.mean(own["floor"]))
        assert row["floor_iou_std"] == pytest.approx(np.std(own["floor"]))
        assert row["iou"] == row["shrink_iou"] == pytest.approx(np.mean(own["jaccard"]))
        assert row["iou_std"] == pytest.approx(np.std(own["jaccard"]))
        assert row["dice"] == pytest.approx(np.mean(own["f1"]))
        assert row["precision"] == pytest.approx(np.mean(own["precision"]))
        assert row["recall_std"] == pytest.approx(np.std(own["recall"]))
        assert row["iou_low"] <= row["iou"] <= row["iou_high"]
    [below, above] = average_rows(result)
    assert below["iou"] == pytest.approx(np.mean([np.mean(scores[lesion, "floor"]) for lesion in LESIONS]))
    assert above["iou"] == pytest.approx(np.mean([row["iou"] for row in table]))


def test_a_row_has_just_the_fields_that_were_promised() -> None:
    refiners = [floor(), load_for_evaluation("shrink")]
    config = replace(config_of(refiners, (PAPER,), (1.5,), lesions=["SE"]), split="validation")
    [row] = score_rows(board(refiners, config, evaluate(refiners, open_source("sample"), config)))
    before = (
        "refiner trained_on weights_sha256 refining_version dataset reader dataset_sha256 dataset_images "
        "dataset_images_seen split lesion reduction style style_sha256 seed images floor_iou floor_iou_std"
    )
    now = "iou_low iou_high variant dice dice_std precision precision_std recall recall_std boundary_f boundary_f_std"
    last = "component_iou component_iou_std ece brier"
    assert list(row) == [*before.split(), "shrink_iou", "iou", "iou_std", *now.split(), *last.split()]
    assert (row["dataset"], row["lesion"], row["reduction"], row["style"]) == ("sample", "SE", 1.5, "paper")


def test_only_photographs_with_the_lesion_count_and_an_undrawn_class_has_nothing_found() -> None:
    fine = {"HE": np.eye(20, dtype=bool)}
    measured = refine_and_score(Counted(), np.zeros((20, 20, 3), np.uint8), fine, Annotation("p", 20, 20))
    assert {lesion: tuple(own.counts) for lesion, own in measured.items()} == {"HE": (0, 0, 20)}


def test_the_calibration_of_a_network_is_that_of_the_pixels_it_looked_at() -> None:
    network = build(network_class("unet"), {"width": 2, "size": 32})
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    drawn = Annotation("p", 80, 60, (Mark("MA", Ellipse(30, 30, 9, 7)),))
    fine = {"MA": draw([Ellipse(31, 29, 5, 5)], (60, 80))}
    measured = refine_and_score(network, image, fine, drawn)["MA"]
    probability = network.probabilities(image, drawn)["MA"]
    looked = probability > 0
    assert 0 < np.count_nonzero(looked) < looked.size
    expected = np.mean((probability[looked].astype(float) - fine["MA"][looked]) ** 2)
    assert brier(measured.reliability) == pytest.approx(expected)
    assert measured.counts == refine_and_score(network, image, fine, drawn)["MA"].counts
    assert measured.counts.tp == np.count_nonzero(network.refine(image, drawn)["MA"] & fine["MA"])


def test_a_finished_unit_is_not_computed_again_and_one_of_other_weights_or_data_is(tmp_path) -> None:
    sample = open_source("sample")
    Counted.asked = 0

    def run(refiner: EvaluatedRefiner, seed: int = 0) -> list:
        heard: list[int] = []
        config = config_of([refiner], seed=seed, lesions=["SE"])
        scores = evaluate([refiner], sample, config, ScoreCache(tmp_path), advance=heard.append)
        assert sum(heard) == config.refinements * 2
        assert scores.scored + scores.cached == 2
        return [(score.image, score.mask_score.counts, score.mask_score.components) for score in scores.scores]

    first = run(counted())
    assert Counted.asked == 2
    assert run(counted()) == first
    assert Counted.asked == 2
    run(counted("other weights"))
    assert Counted.asked == 4
    run(counted(), seed=1)
    assert Counted.asked == 6
    damaged = sorted((tmp_path / CACHE).iterdir())
    for path in damaged:
        path.write_text(path.read_text()[:40])
    assert run(counted()) == first
    assert Counted.asked == 8
    for path in damaged:
        path.write_text(path.read_text().replace('"counts": [', '"counts": ["1", '))
    assert run(counted()) == first
    assert Counted.asked == 10


def test_processes_beside_one_another_give_the_same_scores(tmp_path) -> None:
    sample, refiners = open_source("sample"), [floor(), load_for_evaluation("shrink")]
    config = config_of(refiners, (PAPER,), lesions=["MA", "SE"])
    alone = evaluate(refiners, sample, config)
    beside = evaluate(refiners, sample, config, ScoreCache(tmp_path), jobs=2)
    assert alone.contents == beside.contents
    for one, other in zip(alone.scores, beside.scores, strict=True):
        place = (one.refiner, one.image, one.lesion, one.cache_key, one.mask_score.counts, one.mask_score.components)
        assert place == (
            other.refiner,
            other.image,
            other.lesion,
            other.cache_key,
            other.mask_score.counts,
            other.mask_score.components,
        )
