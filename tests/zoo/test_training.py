"""Training on the bundled sample with a network of a few weights: exact resumption, honest splits, its record."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from coarsekit.errors import OutputError, ParameterError, RefinerError
from coarsekit.readers import open_source
from coarsekit.styles import HUMAN, PAPER
from zoo.pairs import SimulatedPairs
from zoo.recipe import Recipe, hold_out
from zoo.store import Stored, store
from zoo.training import STATE, train
from zoo.variants import variant

RECIPE = Recipe(
    "proto", {"width": 2, "size": 32}, epochs=3, samples=12, batch=4, learning_rate=1e-2, balance=0.5, ema=0.9
)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> list[Stored]:
    sample = open_source("sample")
    return store(sample, sample.keys(), tmp_path_factory.mktemp("cache"), [PAPER, HUMAN], (1.0, 1.5))


def run(recipe: Recipe, photographs: list[Stored], out: Path, **options) -> dict:
    return train(recipe, photographs[:1], photographs[1:], out, trained_on="sample", **options)


class StopHereError(Exception):
    """Stands for whatever ends a training in the middle of an epoch."""


def test_an_interrupted_training_resumes_to_the_same_weights_as_one_without_interruption(photographs, tmp_path) -> None:
    def interrupt(progress) -> None:
        if progress.epoch == 2 and progress.done >= 8:
            raise StopHereError

    whole = run(RECIPE, photographs, tmp_path / "whole")
    with pytest.raises(StopHereError):
        run(RECIPE, photographs, tmp_path / "parts", report=interrupt)
    parts = run(RECIPE, photographs, tmp_path / "parts", resume=True)
    states = [torch.load(tmp_path / name / STATE, weights_only=True) for name in ("whole", "parts")]
    for key, tensor in states[0]["network"].items():
        assert torch.equal(tensor, states[1]["network"][key]), key
    for key, tensor in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert torch.equal(tensor, load_file(tmp_path / "parts" / "model.safetensors")[key]), key
    untimed = [[{**line, "seconds": 0} for line in record["history"]] for record in (whole, parts)]
    assert untimed[0] == untimed[1]


def test_the_record_names_data_splits_seed_parameters_and_the_validation_curve(photographs, tmp_path) -> None:
    run(replace(RECIPE, epochs=1), photographs, tmp_path)
    record = json.loads((tmp_path / "training.json").read_text())
    assert record["data"] == "sample"
    assert record["training_images"] == ["IDRiD_19"]
    assert record["validation_images"] == ["IDRiD_46"]
    assert record["recipe"]["seed"] == 0
    assert record["recipe"]["learning_rate"] == 1e-2
    assert [line["epoch"] for line in record["history"]] == [1]
    assert set(record["history"][0]["validation"]) == {"paper", "human"}
    assert set(record["history"][0]["validation"]["human"]) == {"MA", "HE", "EX", "SE"}


def test_another_recipe_cannot_resume(photographs, tmp_path) -> None:
    run(replace(RECIPE, epochs=1), photographs, tmp_path)
    with pytest.raises(ParameterError, match="learning_rate"):
        run(replace(RECIPE, learning_rate=0.5), photographs, tmp_path, resume=True)


def test_nothing_to_resume_is_said(photographs, tmp_path) -> None:
    with pytest.raises(OutputError, match=r"state\.pt"):
        run(RECIPE, photographs, tmp_path, resume=True)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.99])
def test_validation_is_held_out_by_image_and_never_empty(share: float) -> None:
    keys = tuple(f"p{i}" for i in range(54))
    training, validation = hold_out(keys, share)
    assert set(training) | set(validation) == set(keys)
    assert not set(training) & set(validation)
    assert training
    assert validation
    assert hold_out(keys, share) == (training, validation)


def test_one_photograph_is_too_few_to_train_on() -> None:
    with pytest.raises(ParameterError, match="two photographs"):
        hold_out(("only",), 0.2)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": -1}, {"ema": 1.5}, {"balance": -0.1}, {"validation": 1.0}])
def test_a_recipe_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        replace(RECIPE, **wrong)


def pairs(photographs: list[Stored], **options) -> SimulatedPairs:
    config = variant("unet").config_type(size=32)
    return SimulatedPairs(photographs, [PAPER, HUMAN], (1.0, 1.5), config, seed=0, **options)


def test_an_epoch_can_be_repeated_and_no_two_are_alike(photographs) -> None:
    first, again, other = pairs(photographs), pairs(photographs), pairs(photographs)
    other.start_epoch(1)
    for index in (0, 5):
        for a, b in zip(first[index], again[index], strict=True):
            assert torch.equal(a, b)
    assert not torch.equal(first[0][0], other[0][0])


def test_making_a_pair_leaves_the_global_random_numbers_alone(photographs) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    pairs(photographs)[0]
    assert torch.equal(torch.rand(2), expected)


def test_pairs_have_their_ranges_and_their_lesion_under_the_ellipse(photographs) -> None:
    image, coarse, fine = (torch.stack(part) for part in zip(*(pairs(photographs)[i] for i in range(40)), strict=True))
    assert image.shape == (40, 3, 32, 32)
    assert image.min() >= 0
    assert image.max() <= 1
    assert set(coarse.unique().tolist()) == set(fine.unique().tolist()) == {0.0, 1.0}
    assert (coarse * fine).sum() > 0.6 * fine.sum()


def test_balance_makes_rare_classes_as_frequent_as_common_ones(photographs) -> None:
    def share(balance: float) -> float:
        dataset = pairs(photographs, samples=600, balance=balance)
        return sum(draw.lesion == "SE" for draw in dataset._draws) / len(dataset)

    assert share(0.0) < 0.15
    assert share(1.0) == pytest.approx(0.25, abs=0.06)


def test_a_training_can_start_from_the_weights_of_another(photographs, tmp_path) -> None:
    run(replace(RECIPE, epochs=1, ema=0.0), photographs, tmp_path / "first")
    later = replace(RECIPE, epochs=1, ema=0.0, learning_rate=1e-9, start=str(tmp_path / "first"))
    run(later, photographs, tmp_path / "second")
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("first", "second"))
    for key, tensor in first.items():
        if not key.endswith(("running_mean", "running_var", "num_batches_tracked")):
            assert torch.allclose(tensor, second[key], atol=1e-4), key
    with pytest.raises(RefinerError, match="must be"):
        run(replace(later, config={"width": 3, "size": 32}), photographs, tmp_path / "third")
