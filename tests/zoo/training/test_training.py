"""Training on the bundled sample with a network of a few weights: exact resumption, honest splits, its record."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from coarsekit.datasets import open_source
from coarsekit.errors import OutputError, ParameterError, RefinerError
from coarsekit.simulation.styles import HUMAN, PAPER
from coarsekit.types import Window
from coarsekit.windows import cut_image
from zoo.cards.training_section import training
from zoo.checkpoints.folder import STATE
from zoo.models.base import network_class
from zoo.refiner import no_progress
from zoo.training.data.camera_augmentation import cut_by_another_camera, scramble_colors
from zoo.training.data.pair_transform import PairTransform
from zoo.training.data.photograph_store import CachedPhotograph, cache_photographs
from zoo.training.data.simulated_pairs import SimulatedPairs
from zoo.training.distributed.devices import Devices
from zoo.training.recipe import Recipe, hold_out
from zoo.training.sources import Photographs
from zoo.training.trainer import Run, train

RECIPE = Recipe(
    "proto", {"width": 2, "size": 32}, epochs=3, samples=12, batch=4, learning_rate=1e-2, balance=0.5, ema=0.9
)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> list[CachedPhotograph]:
    sample = open_source("sample")
    return cache_photographs(sample, sample.keys(), tmp_path_factory.mktemp("cache"), [PAPER, HUMAN], (1.0, 1.5))


def run(recipe: Recipe, photographs: list[CachedPhotograph], out: Path, **options) -> dict:
    source = Photographs(photographs[:1], photographs[1:], recipe.styles)
    return train(recipe, source, out, trained_on="sample", **options)


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


def test_the_record_has_the_epochs_after_the_best_one_too_and_the_weights_of_the_best(
    photographs, tmp_path, monkeypatch
) -> None:
    ious = iter((30.0, 20.0, 10.0))
    scores = Run.validate
    monkeypatch.setattr(Run, "validate", lambda run: scores(run)._replace(iou=next(ious)))
    small = replace(RECIPE, samples=4, styles=("paper",))
    run(replace(small, epochs=1), photographs, tmp_path)
    best = {name: (tmp_path / name).read_bytes() for name in ("config.json", "model.safetensors")}
    returned = run(replace(small, epochs=3), photographs, tmp_path, resume=True)
    record = json.loads((tmp_path / "training.json").read_text())
    assert record == json.loads(json.dumps(returned))
    assert [line["validation_iou"] for line in record["history"]] == [30, 20, 10]
    assert (record["best_validation_iou"], record["recipe"]["epochs"]) == (30, 3)
    assert best == {name: (tmp_path / name).read_bytes() for name in best}
    said = training([record])
    assert "3 epochs of 4 pairs" in said
    assert "30.0 % at best (epoch 1), 10.0 % at the end" in said


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
    training, validation = hold_out(keys, share, 0)
    assert set(training) | set(validation) == set(keys)
    assert not set(training) & set(validation)
    assert training
    assert validation
    assert hold_out(keys, share, 0) == (training, validation)


def test_another_seed_holds_out_other_photographs() -> None:
    keys = tuple(f"p{i}" for i in range(54))
    assert hold_out(keys, 0.2, 0) != hold_out(keys, 0.2, 1)
    assert hold_out(keys[:5], 0.4, 0)[1] == ("p2", "p4")  # as the bundled refiners' records have it


def test_one_photograph_is_too_few_to_train_on() -> None:
    with pytest.raises(ParameterError, match="two photographs"):
        hold_out(("only",), 0.2, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": 2.5},
        {"epochs": 10**9},
        {"batch": -1},
        {"batch": 2.5},
        {"samples": 0},
        {"samples": -5},
        {"samples": 1.5},
        {"learning_rate": 0.0},
        {"learning_rate": float("inf")},
        {"learning_rate": float("nan")},
        {"learning_rate": "fast"},
        {"ema": 1.5},
        {"ema": 1},
        {"ema": float("nan")},
        {"balance": -0.1},
        {"negatives": 2},
        {"class_dropout": float("nan")},
        {"schedule": "x"},
        {"patience": -1},
        {"validation": 1.0},
        {"validation": float("nan")},
        {"seed": -1},
        {"seed": 2**32},
        {"styles": ()},
        {"reductions": ()},
        {"reductions": (0.5,)},
        {"reductions": (1.0, float("nan"))},
        {"reductions": (float("inf"),)},
    ],
)
def test_a_recipe_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        replace(RECIPE, **wrong)


@pytest.mark.parametrize("workers", [-1, 1.5, 10**6])
def test_workers_out_of_range_are_refused_before_anything_is_written(photographs, tmp_path, workers) -> None:
    with pytest.raises(ParameterError, match="workers must be a whole number from 0 to"):
        run(RECIPE, photographs, tmp_path, workers=workers)
    assert not list(tmp_path.iterdir())


def test_a_batch_that_the_pairs_do_not_fill_is_refused_before_anything_is_written(photographs, tmp_path) -> None:
    with pytest.raises(ParameterError, match="the 12 pairs of an epoch do not fill a batch of 10000000"):
        run(replace(RECIPE, batch=10**7), photographs, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ill", [("a", "b"), ("d", "e"), ("a", "e"), ("a", "b", "c", "d", "e")])
@pytest.mark.parametrize("seed", range(6))
def test_there_are_lesions_on_both_sides_and_the_choice_is_the_usual_one_where_they_are(ill, seed) -> None:
    keys = tuple("abcde")
    usual = hold_out(keys, 0.4, seed)
    chosen = hold_out(keys, 0.4, seed, ill.__contains__)
    assert sorted(chosen[0] + chosen[1]) == list(keys)
    assert [len(side) for side in chosen] == [len(side) for side in usual]
    assert all(set(side) & set(ill) for side in chosen)
    if all(set(side) & set(ill) for side in usual):
        assert chosen == usual


@pytest.mark.parametrize("seed", range(6))
def test_one_photograph_under_two_names_is_on_one_side(seed) -> None:
    keys = tuple("abcdwxyz")
    digests = {key: key if key < "w" else "abcd"["wxyz".index(key)] for key in keys}
    training, validation = hold_out(keys, 0.25, seed, digests=digests)
    assert sorted(training + validation) == list(keys)
    assert (len(training), len(validation)) == (6, 2)
    assert not {digests[key] for key in training} & {digests[key] for key in validation}
    once = hold_out(keys[:4], 0.25, seed)
    assert validation[0] == once[1][0]
    with pytest.raises(ParameterError, match="got 1 under 2 names"):
        hold_out(("a", "w"), 0.2, seed, digests=digests)


@pytest.mark.parametrize("seed", range(6))
def test_what_the_start_has_learned_from_is_held_out_only_where_there_is_nothing_else(seed) -> None:
    keys = tuple("abcde")
    assert hold_out(keys, 0.4, seed, trained=frozenset("abc"))[1] == ("d", "e")
    assert hold_out(keys, 0.4, seed, trained=frozenset("abcd"))[1] == ("e",)
    assert hold_out(keys, 0.4, seed, trained=frozenset(keys)) == hold_out(keys, 0.4, seed)


@pytest.mark.parametrize("ill", [(), ("a",), ("d",)])
def test_fewer_than_two_photographs_with_lesions_are_one_sentence(ill) -> None:
    with pytest.raises(ParameterError, match=f"two photographs with lesions or more, .* got {len(ill)} among 4"):
        hold_out(tuple("abcd"), 0.3, 0, ill.__contains__)


def pairs(photographs: list[CachedPhotograph], samples=None, balance=0.0, negatives=0.0, **shares) -> SimulatedPairs:
    config, transform = network_class("unet").config_type(size=32), PairTransform(32, 0, **shares)
    return SimulatedPairs(photographs, [PAPER, HUMAN], (1.0, 1.5), config, transform, samples, balance, negatives)


def test_an_epoch_can_be_repeated_and_no_two_are_alike(photographs) -> None:
    first, again, other = pairs(photographs), pairs(photographs), pairs(photographs)
    other.start_epoch(1)
    for index in (0, 5):
        for a, b in zip(first[index][:3], again[index][:3], strict=True):
            assert torch.equal(a, b)
        assert first[index][3] == again[index][3] == -1
    assert not torch.equal(first[0][0], other[0][0])


def test_making_a_pair_leaves_the_global_random_numbers_alone(photographs) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    pairs(photographs)[0]
    assert torch.equal(torch.rand(2), expected)


def test_pairs_have_their_ranges_and_their_lesion_under_the_ellipse(photographs) -> None:
    made = [pairs(photographs)[i] for i in range(40)]
    image, coarse, fine = (torch.stack([pair[part] for pair in made]) for part in range(3))
    assert image.shape == (40, 3, 32, 32)
    assert image.min() >= 0
    assert image.max() <= 1
    assert set(coarse.unique().tolist()) == set(fine.unique().tolist()) == {0.0, 1.0}
    assert (coarse * fine).sum() > 0.6 * fine.sum()


def test_an_ellipse_moved_away_has_nothing_of_its_class_under_it_and_some_retina(photographs) -> None:
    dataset = pairs(photographs, negatives=1.0, known_lesions=("MA", "HE", "EX", "SE"))
    empty = [(image, coarse, fine) for image, coarse, fine, *_ in (dataset[i] for i in range(40)) if coarse.any()]
    middle = [fine[0, 14:18, 14:18].any() for _, _, fine in empty]
    assert sum(map(bool, middle)) <= 2  # augmentation turns and shifts by little; a class that is everywhere stays
    assert all(image.max() > 20 / 255 for image, _, _ in empty)


def test_a_class_has_its_place_and_is_hidden_from_the_network_in_the_share_that_is_asked_for(photographs) -> None:
    known_lesions = ("SE", "EX", "MA")
    dataset = pairs(photographs, samples=300, balance=1.0, known_lesions=known_lesions, class_dropout=0.4)
    kinds = [(dataset._draws[i].lesion, dataset[i][3]) for i in range(300)]
    assert all(kind in (-1, known_lesions.index(lesion) if lesion in known_lesions else -1) for lesion, kind in kinds)
    assert (
        0.3
        < sum(kind == -1 for lesion, kind in kinds if lesion in known_lesions)
        / sum(k in known_lesions for k, _ in kinds)
        < 0.5
    )


def test_another_camera_shows_the_same_place_otherwise(photographs) -> None:
    image, window = photographs[0].image, Window(900, 600, 150)
    seen = [cut_by_another_camera(image, window, 96, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert seen[0].shape == (96, 96, 3)
    assert seen[0].dtype == np.uint8
    assert (seen[0] == seen[1]).all()
    assert (seen[0] != seen[2]).any()
    plain = cut_image(image, window, 96).astype(float).ravel()
    assert np.corrcoef(plain, seen[0].astype(float).ravel())[0, 1] > 0.7


def test_scrambled_colours_keep_the_shapes_and_only_pairs_without_a_class_get_them(photographs) -> None:
    patch = cut_image(photographs[0].image, Window(900, 600, 150), 96)
    before = patch.copy()
    seen = [scramble_colors(patch, np.random.default_rng(seed)) for seed in range(8)]
    assert (patch == before).all()
    for scrambled in seen:
        assert scrambled.shape == patch.shape
        assert abs(scrambled.mean() - patch.mean()) < 12  # clipping may cost a little
    assert len({scrambled.tobytes() for scrambled in seen}) > 4
    plain, known, hidden = (
        pairs(
            photographs,
            samples=30,
            known_lesions=("MA", "HE", "EX", "SE"),
            color_scramble=color_scramble,
            class_dropout=class_dropout,
        )
        for color_scramble, class_dropout in ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
    )
    assert all(torch.equal(known[i][0], plain[i][0]) for i in range(30))
    assert sum(torch.equal(hidden[i][0], plain[i][0]) for i in range(30)) < 10


def test_only_the_chosen_classes_are_stored(tmp_path) -> None:
    sample = open_source("sample")
    [stored] = cache_photographs(sample, sample.keys()[:1], tmp_path, [HUMAN], (1.0,), ("EX", "SE"))
    assert set(stored.fine) == set(stored.outlines["human", 1.0]) == {"EX", "SE"}


def test_a_cosine_lets_the_learning_rate_fall_and_ends_near_0(photographs, tmp_path) -> None:
    record = run(replace(RECIPE, schedule="cosine"), photographs, tmp_path)
    rates = [line["learning_rate"] for line in record["history"]]
    assert rates == pytest.approx([1e-2, 0.75e-2, 0.25e-2])


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


def test_another_head_starts_from_the_weights_that_it_shares_and_the_record_says_which_were_initialised(
    photographs, tmp_path
) -> None:
    run(replace(RECIPE, variant="unet", epochs=1, ema=0.0), photographs, tmp_path / "first")
    first = load_file(tmp_path / "first" / "model.safetensors")
    later = replace(RECIPE, epochs=1, ema=0.0, learning_rate=1e-9, start=str(tmp_path / "first"))
    record = run(replace(later, variant="proto-superpixel"), photographs, tmp_path / "second")
    second = load_file(tmp_path / "second" / "model.safetensors")
    assert record["reinitialised"] == []  # this head has nothing to learn
    assert first.keys() - second.keys() == {"classify.weight", "classify.bias"}
    key = "features.down.0.0.weight"
    assert torch.allclose(first[key], second[key], atol=1e-4)
    record = run(replace(later, config=dict(RECIPE.config) | {"lesions": ["EX"]}), photographs, tmp_path / "third")
    assert record["reinitialised"] == []
    third = load_file(tmp_path / "third" / "model.safetensors")
    assert torch.allclose(third[key][:, :4], first[key], atol=1e-4)
    assert third[key].shape[1] == 5
    assert third[key][:, 4].abs().max() < 1e-4  # the plane that the first did not have began at 0
    swapped = replace(
        later, config=dict(RECIPE.config) | {"lesions": ["MA", "EX"]}, start=str(tmp_path / "third")
    )  # whose first plane is that of EX
    with pytest.raises(RefinerError, match="its classes are EX, and this network's MA, EX; put the"):
        run(swapped, photographs, tmp_path / "fifth")
    with pytest.raises(RefinerError, match="none of its tensors fits"):
        run(replace(later, config={"width": 3, "size": 32}), photographs, tmp_path / "fourth")


@pytest.mark.parametrize(("ema", "batch"), [(0.0, 2), (0.9, 2)])
def test_a_loss_that_is_no_number_stops_training_and_nothing_is_kept(photographs, tmp_path, ema, batch) -> None:
    wild = replace(RECIPE, variant="unet", learning_rate=1e30, ema=ema)
    sentence = rf"epoch 1, batch {batch}: the loss is (nan|inf); .* learning_rate smaller than 1e\+30"
    with pytest.raises(ParameterError, match=sentence):
        run(wild, photographs, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [STATE]
    assert torch.load(tmp_path / STATE, weights_only=True)["epoch"] == 0


def test_a_later_epoch_that_diverges_leaves_the_checkpoint_and_the_state_of_the_last_one(photographs, tmp_path) -> None:
    def poison(line) -> None:
        if line["epoch"] == 1:
            state = torch.load(tmp_path / STATE, weights_only=True)
            state["optimizer"]["param_groups"][0]["lr"] = 1e30
            torch.save(state, tmp_path / STATE)
            raise StopHereError

    with pytest.raises(StopHereError):
        run(replace(RECIPE, variant="unet"), photographs, tmp_path, log=poison)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ParameterError, match="epoch 2, batch 2: the loss is"):
        run(replace(RECIPE, variant="unet"), photographs, tmp_path, resume=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    assert "NaN" not in (tmp_path / "training.json").read_text()


def test_a_statistic_that_is_not_finite_is_not_kept_though_the_loss_is_finite(photographs, tmp_path) -> None:
    recipe = replace(RECIPE, variant="unet", ema=0.0)
    source = Photographs(photographs[:1], photographs[1:], recipe.styles)
    training = Run(recipe, source, tmp_path, "sample", {}, {}, Devices(), 0)
    norm = next(module for module in training.network.modules() if isinstance(module, torch.nn.BatchNorm2d))
    norm.running_var.fill_(float("inf"))  # no batch of the training reads it
    with pytest.raises(ParameterError, match=r"epoch 1, after its last batch: the tensor \S+running_var is not finite"):
        training.one_epoch(no_progress)


SEEING = replace(
    RECIPE,
    variant="unet",
    config={"width": 2, "size": 32, "lesions": ("MA", "HE", "EX", "SE"), "matched_filter": True},
    styles=("human", "human", "paper"),
    synthetic=0.4,
    negatives=0.2,
    class_dropout=0.4,
    schedule="cosine",
)
"""A recipe for a network that goes by what the photograph says of its marks."""


def test_windows_of_one_photograph_and_class_are_given_one_signature_but_for_noise(photographs) -> None:
    transform = PairTransform(32, 0, ("MA", "HE", "EX", "SE"), uses_signature=True)
    config = network_class("unet").config_type(size=32)
    pairs = SimulatedPairs(photographs, [HUMAN], [1.0], config, transform, samples=60)
    of_class: dict[int, list[torch.Tensor]] = {}
    for _, _, _, kind, signature in (pairs[index] for index in range(len(pairs))):
        of_class.setdefault(kind, []).append(signature / signature.norm())
    bright, dark = of_class[2], of_class[1]
    assert len(bright) > 3
    assert torch.stack([bright[0] @ other for other in bright]).mean() > 0.7
    assert torch.stack([bright[0] @ other for other in dark]).mean() < 0
    again = SimulatedPairs(photographs, [HUMAN], [1.0], config, transform, samples=60)
    assert torch.equal(pairs[7][4], again[7][4])


def test_synthetic_pairs_have_no_class_and_a_lesion_where_it_was_drawn(photographs) -> None:
    transform = PairTransform(32, 0, ("MA", "HE", "EX", "SE"), uses_signature=True)
    config = network_class("unet").config_type(size=32)
    pairs = SimulatedPairs(photographs, [HUMAN], [1.0], config, transform, samples=40, synthetic=1.0)
    items = [pairs[index] for index in range(40)]
    assert {kind for _, _, _, kind, _ in items} == {-1}
    inside = sum(float((coarse * fine).sum()) for _, coarse, fine, _, _ in items)
    assert inside > 0.8 * sum(float(fine.sum()) for _, _, fine, _, _ in items) > 100
    plain = SimulatedPairs(photographs, [HUMAN], [1.0], config, transform, samples=40)
    assert {plain[index][3] for index in range(40)} == {0, 1, 2, 3}


def test_a_training_on_all_photographs_keeps_the_last_epoch_and_the_threshold_that_it_was_given(
    photographs, tmp_path
) -> None:
    recipe = replace(SEEING, validation=0.0, epochs=2, config={**SEEING.config, "threshold": 0.4})
    record = train(recipe, Photographs(photographs, [], recipe.styles), tmp_path, trained_on="sample")
    assert record["training_images"] == ["IDRiD_19", "IDRiD_46"]
    assert record["validation_images"] == []
    assert record["best_validation_iou"] is None
    assert [set(line) for line in record["history"]] == [{"epoch", "loss", "learning_rate", "seconds"}] * 2
    assert json.loads((tmp_path / "config.json").read_text())["config"]["threshold"] == 0.4
    last = torch.load(tmp_path / STATE, weights_only=True)["average"]
    kept = load_file(tmp_path / "model.safetensors")
    for name, tensor in kept.items():
        assert torch.equal(tensor, last[f"module.{name}"].to(tensor.dtype)), name


def test_a_style_that_is_named_twice_is_validated_once(photographs, tmp_path) -> None:
    record = run(replace(SEEING, epochs=1), photographs, tmp_path)
    assert list(record["history"][0]["validation"]) == ["human", "paper"]


def test_nothing_to_validate_on_needs_a_schedule_that_does_not_ask() -> None:
    with pytest.raises(ParameterError, match="choose cosine"):
        Recipe(validation=0.0)
    assert hold_out(("a", "b"), 0.0, 0) == (("a", "b"), ())
