"""How far to trust an answer."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from coarsekit.errors import ParameterError, RefinerError
from coarsekit.types import Annotation, Ellipse, Mark
from zoo import from_pretrained
from zoo.checkpoints.folder import locate
from zoo.evaluation.doubt import MarkScore, calibration_error, doubt_rows
from zoo.evaluation.refiners import Floor
from zoo.marks.doubt import DoubtModel, fit_doubt, mark_features, read_doubt
from zoo.marks.mark_masks import mark_masks

RNG = np.random.default_rng(0)
IMAGE = np.full((60, 80, 3), 90, np.uint8)
DRAWN = Annotation("a.png", 80, 60, (Mark("MA", Ellipse(30, 30, 10, 10)), Mark("MA", Ellipse(65, 30, 8, 8))))


def rows(count: int = 600) -> list[tuple[str, dict[str, float], float]]:
    """IoUs that follow from one feature and the class, with noise, as beta variables of that mean."""
    made = []
    for place in range(count):
        lesion, x = ("MA", "SE")[place % 2], float(RNG.normal())
        mean = 1 / (1 + np.exp(-(0.8 * x + (0.5 if lesion == "SE" else -0.5))))
        made.append((lesion, {"share": x, "constant": 1.0}, float(RNG.beta(8 * mean, 8 * (1 - mean)))))
    return made


def test_what_is_fitted_expects_the_iou_that_there_is() -> None:
    model = fit_doubt(rows())
    fresh = rows()
    expected = np.array([model.expected_iou(lesion, features) for lesion, features, _ in fresh])
    assert calibration_error(expected, np.array([iou for *_, iou in fresh])) < 0.05
    assert model.weights["share"] == pytest.approx(0.8, abs=0.15)
    assert "constant" not in model.weights
    assert model.biases["SE"] - model.biases["MA"] == pytest.approx(1.0, abs=0.25)
    assert model.expected_iou("drusen", {"share": 0.0}) == pytest.approx(0.5, abs=0.1)


def test_marks_around_nothing_teach_what_doubt_looks_like_and_leave_the_others_calibrated() -> None:
    real = [(lesion, {**features, "sign": 1 + 0.2 * RNG.normal()}, iou) for lesion, features, iou in rows()]
    empty = [
        (lesion, {"share": float(RNG.normal()), "constant": 1.0, "sign": 0.2 * RNG.normal()}, 0.0)
        for lesion, *_ in real[:300]
    ]
    model = fit_doubt(real, empty)
    expected = np.array([model.expected_iou(lesion, features) for lesion, features, _ in real])
    assert calibration_error(expected, np.array([iou for *_, iou in real])) < 0.07
    around_nothing = [model.expected_iou(lesion, features) for lesion, features, _ in empty]
    assert np.mean(around_nothing) < np.quantile(expected, 0.2)


def test_nothing_found_is_expected_to_be_nothing_and_few_marks_are_too_few() -> None:
    assert fit_doubt(rows()).expected_iou("MA", {}) == 0.0
    with pytest.raises(ParameterError, match="20 marks or more"):
        fit_doubt(rows(19))


def test_the_features_are_what_they_say() -> None:
    image, mask = IMAGE.copy(), np.zeros((60, 80), bool)
    mask[25:35, 25:45] = True
    image[mask] = (90, 30, 90)
    probability = np.where(mask, np.float32(0.9), np.float32(0.1))
    first, second = (mark_features(image, found, mask, probability, 0.5) for found in mark_masks(DRAWN, "MA", mask))
    assert second == {}
    assert first["share"] == pytest.approx(np.log(200 / 316), abs=0.02)
    assert first["size"] == pytest.approx(np.log(200 / 0.25))
    assert first["outside"] == pytest.approx(50 / 200, abs=0.05)
    assert first["mean_probability"] == pytest.approx(np.log(9), rel=1e-3)
    assert first["soft_iou"] < first["mean_probability"]
    blank = mark_features(IMAGE, mark_masks(DRAWN, "MA", mask)[0], mask, None, 0.5)
    assert blank["contrast"] < first["contrast"]
    assert {"soft_iou", "mean_probability"}.isdisjoint(blank)


def test_a_table_says_which_answers_are_worst_and_where_marks_around_nothing_stand() -> None:
    model = DoubtModel({"share": 1.0}, {"": 0.0})
    scores = [MarkScore("p", "MA", "", False, place / 10, {"share": place / 2}) for place in range(10)]
    around_nothing: list[dict[str, float]] = [{}, {"share": 9.0}]
    scores += [MarkScore("p", "MA", "", True, 0.0, features) for features in around_nothing]
    mas, everything = doubt_rows(Floor(), model, scores, ["MA", "HE"])
    assert (mas.lesion, everything.lesion, mas.marks, mas.moved) == ("MA", "all", 10, 2)
    assert (mas.worst_iou, mas.rest_iou, mas.iou) == pytest.approx((5.0, 55.0, 45.0))
    assert mas.rho == pytest.approx(1.0)
    assert mas.moved_in_worst == 50.0
    with pytest.raises(ParameterError, match="nothing to measure"):
        doubt_rows(Floor(), model, scores[10:], ["MA"])


def test_a_model_is_read_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    assert read_doubt(tmp_path, "a1") == (None, "")
    file = tmp_path / "doubt.json"
    fitted = {"fitted_on": {"weights_sha256": "a1"}}
    file.write_text(json.dumps(fitted | {"model": {"weights": {"share": 1.5}, "biases": {"MA": 0.5, "": 0.0}}}))
    assert read_doubt(tmp_path, "a1") == (DoubtModel({"share": 1.5}, {"MA": 0.5, "": 0.0}), "")
    for content, said in (
        ("{", "cannot be read"),
        (json.dumps(fitted | {"model": {"weights": {"share": "x"}, "biases": {"": 0}}}), "share"),
        (json.dumps(fitted | {"model": {"weights": {}, "biases": {"MA": 1}}}), "expected one for the empty text"),
        ('{"model": {"weights": {}, "biases": {"": 1}}}', "fitted_on"),
        ("[]", "doubt.json"),
    ):
        file.write_text(content)
        with pytest.raises(RefinerError, match=said):
            read_doubt(tmp_path, "a1")


def test_what_was_fitted_to_other_weights_is_left_out_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "rule"
    shutil.copytree(locate("shrink"), folder)
    assert (there := from_pretrained(folder)).doubt is not None
    assert there.doubt_left_out == ""
    config = json.loads((folder / "config.json").read_text())
    config["config"]["amounts"]["human"]["MA"]["factor"] = 0.5
    (folder / "config.json").write_text(json.dumps(config))
    refiner = from_pretrained(folder)
    assert refiner.doubt is None
    assert refiner.doubt_left_out.startswith(f"{folder / 'doubt.json'} was fitted to the weights ")
