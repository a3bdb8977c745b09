"""The contract of every variant; a new row in zoo/variants.py is picked up."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from coarsekit.errors import RefinerError
from zoo import from_pretrained
from zoo.checkpoints import weights as checkpoint
from zoo.models.base import Network, build, network_class
from zoo.training.losses import refinement_loss
from zoo.variants import NETWORKS, variant_named

CASES = {name: (name, {}) for name in NETWORKS} | {
    "timm": ("timm", {"backbone": "test_resnet"}),
    "timm prototype": ("timm", {"backbone": "test_resnet", "head": "prototype"}),
    "timm superpixel": ("timm", {"backbone": "test_resnet", "head": "superpixel"}),
    "resnet18 prototype": ("resnet18", {"head": "prototype"}),
}
"""Every variant, and every head on a timm backbone, of which `test_resnet` is timm's own smallest."""


def make(case: str, **fields: Any) -> Network:
    """A small network of a case, the same every time."""
    name, own = CASES[case]
    torch.manual_seed(0)
    return build(network_class(name), {"size": 64, "width": 8} | own | fields)


def patches(count: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Dark disks on a bright ground: images, coarse masks around them, and fine masks."""
    random = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    centres = size * (0.35 + 0.3 * torch.rand(count, 2, generator=random))
    far = ((x - centres[:, :1, None]) ** 2 + (y - centres[:, 1:, None]) ** 2).sqrt()
    fine, coarse = (far < size / 8).float()[:, None], (far < size / 4).float()[:, None]
    image = 0.7 - 0.4 * fine + 0.02 * torch.randn(count, 3, size, size, generator=random)
    return image.clamp(0, 1), coarse, fine


@pytest.mark.parametrize("name", CASES)
def test_logits_have_the_size_of_the_patch_alone_and_in_a_batch(name: str) -> None:
    network = make(name).eval()
    for count, size in ((1, 64), (3, 96), (2, 128)):
        image, coarse, _ = patches(count, size)
        with torch.inference_mode():
            logits = network(image, coarse)
            assert logits.shape == (count, 1, size, size)
            alone = network(image[:1], coarse[:1])
            assert (alone - logits[:1]).abs().max() <= 1e-4 * (1 + logits.abs().max())


@pytest.mark.parametrize("name", CASES)
def test_a_class_conditioned_network_heeds_the_class(name: str) -> None:
    network, (image, coarse, _) = make(name, lesions=["MA", "HE"]).eval(), patches(2, 64)
    assert network.lesions == ("MA", "HE")
    with torch.inference_mode():
        without = network(image, coarse)
        assert torch.equal(network(image, coarse, torch.tensor([-1, -1])), without)
        conditioned = network(image, coarse, torch.tensor([1, -1]))
    assert conditioned.isfinite().all()
    assert not torch.equal(conditioned[0], without[0])
    torch.testing.assert_close(conditioned[1], without[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_a_network_that_is_not_class_conditioned_treats_all_alike(name: str) -> None:
    network, (image, coarse, _) = make(name).eval(), patches(2, 64)
    assert network.lesions == ()
    with torch.inference_mode():
        assert torch.equal(network(image, coarse, torch.tensor([-1, -1])), network(image, coarse))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["empty", "full", "tiny"])
def test_any_coarse_mask_gives_finite_numbers_and_gradients(name: str, kind: str) -> None:
    network, (image, coarse, fine) = make(name).train(), patches(2, 64)
    coarse = torch.full_like(coarse, float(kind == "full"))
    if kind == "tiny":
        coarse[:, :, 30, 30] = 1
    logits = network(image, coarse)
    refinement_loss(logits, fine).backward()
    assert logits.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def steps(network: Network, count: int, pairs: int) -> Iterator[float]:
    """Train on a few pairs, and give the loss before each step."""
    image, coarse, fine = patches(pairs, 64)
    optimizer = torch.optim.Adam(network.train().parameters(), lr=1e-2)
    for _ in range(count):
        loss = refinement_loss(network(image, coarse), fine)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield float(loss.detach())


@pytest.mark.parametrize("name", CASES)
def test_gradients_reach_every_parameter(name: str) -> None:
    """By the second step: timm starts a residual branch's last norm at 0, which hides the branch from the first."""
    network = make(name)
    without = {key for key, _ in network.named_parameters()}
    for _ in steps(network, 2, pairs=2):
        without -= {key for key, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert not without


@pytest.mark.timeout(900)  # of a machine under load
@pytest.mark.parametrize("name", CASES)
def test_a_few_steps_on_four_pairs_bring_the_loss_down_by_a_quarter(name: str) -> None:
    losses = steps(make(name), 40, pairs=4)
    first = next(losses)
    assert any(loss < 0.75 * first for loss in losses)


@pytest.mark.parametrize("name", CASES)
def test_the_same_seed_trains_the_same_network(name: str) -> None:
    first, second = make(name), make(name)
    assert list(steps(first, 2, pairs=2)) == list(steps(second, 2, pairs=2))
    others = second.state_dict()
    for key, tensor in first.state_dict().items():
        assert torch.equal(tensor, others[key]), key


@pytest.mark.parametrize("name", CASES)
def test_the_same_input_gives_the_same_output(name: str) -> None:
    network, (image, coarse, _) = make(name).eval(), patches(2, 64)
    with torch.inference_mode():
        assert torch.equal(network(image, coarse), network(image, coarse))


@pytest.mark.parametrize("name", CASES)
def test_save_and_load_give_identical_output(name: str, tmp_path) -> None:
    network, (image, coarse, _) = make(name).eval(), patches(2, 64)
    network.trained_on = "disks"
    network.save(tmp_path, {"why": "test"}, half=False)
    loaded = from_pretrained(tmp_path)
    assert (loaded.config, loaded.trained_on, loaded.training) == (network.config, "disks", False)
    with torch.inference_mode():
        assert torch.equal(loaded(image, coarse), network(image, coarse))


@pytest.mark.parametrize("name", CASES)
def test_half_precision_on_disk_changes_probabilities_by_little(name: str, tmp_path) -> None:
    network, (image, coarse, _) = make(name), patches(2, 64)
    network.save(tmp_path, {})
    stored, own = (
        one.patch_probabilities(image.numpy(), coarse.numpy()) for one in (from_pretrained(tmp_path), network)
    )
    assert 0 < np.abs(stored - own).max() < 0.02


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("damage", ["missing", "extra", "misshapen"])
def test_loading_is_strict(name: str, damage: str, tmp_path) -> None:
    make(name).save(tmp_path, {})
    path = tmp_path / checkpoint.WEIGHTS
    weights = load_file(path)
    tensor = "fusion.mix.0.weight"
    changed = {
        "missing": {key: value for key, value in weights.items() if key != tensor},
        "extra": weights | {"surplus": torch.zeros(1)},
        "misshapen": weights | {tensor: torch.zeros(1, 2, 3, 4)},
    }[damage]
    save_file(changed, path)
    with pytest.raises(RefinerError, match="surplus" if damage == "extra" else tensor):
        from_pretrained(tmp_path)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_ecosystem_saves_and_loads_the_same_folder(name: str, tmp_path, capsys) -> None:
    network, (image, coarse, _) = make(name).eval(), patches(2, 64)
    network.trained_on, network.record = "disks", {"seed": 4}
    network.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json",
        "model.safetensors",
        "training.json",
        "README.md",
    }
    loaded = network_class(name).from_pretrained(tmp_path)
    assert (loaded.config, loaded.trained_on, loaded.record) == (network.config, "disks", {"seed": 4})
    with torch.inference_mode():
        assert torch.equal(loaded(image, coarse), network(image, coarse))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folder_of_another_variant_is_no_instance_of_this_one(name: str, tmp_path) -> None:
    make(name).save_pretrained(tmp_path)
    other = next(each for each in NETWORKS if each != name)
    with pytest.raises(RefinerError, match=f"of the variant {name}, not {other}"):
        network_class(other).from_pretrained(tmp_path)


def test_a_card_that_is_there_is_not_written_over(tmp_path) -> None:
    (tmp_path / "README.md").write_text("mine")
    make("unet").save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_weights_take_half_the_space_where_that_loses_nothing(tmp_path) -> None:
    network = make("unet")
    network.save_pretrained(tmp_path / "full")
    network.save(tmp_path / "half", {})
    from_pretrained(tmp_path / "half").save_pretrained(tmp_path / "again")
    full, half, again = ((tmp_path / name / checkpoint.WEIGHTS).read_bytes() for name in ("full", "half", "again"))
    assert again == half
    assert len(full) > 1.5 * len(half)


def test_graph_and_doubt_go_along_while_the_weights_are_those_that_were_loaded(tmp_path) -> None:
    network = from_pretrained("tiny")
    for folder in (tmp_path / "copy", tmp_path / "copy", tmp_path / "again"):  # the second time where it lies itself
        network.save_pretrained(folder)
        network = from_pretrained(folder)
        assert network.doubt == from_pretrained("tiny").doubt is not None
        assert network.doubt_left_out == ""
        assert from_pretrained(folder, engine="onnx").doubt == network.doubt
    with torch.no_grad():
        next(network.parameters()).add_(1)
    network.save_pretrained(tmp_path / "trained")
    assert {path.name for path in (tmp_path / "trained").iterdir()} == {
        *("config.json", "model.safetensors", "training.json", "README.md")
    }


def test_every_variant_says_what_it_is_without_being_imported() -> None:
    assert variant_named("proto").summary.startswith("one lesion and one background prototype per patch")
    assert all(variant_named(name).summary for name in NETWORKS)


def test_an_unknown_variant_offers_the_nearest() -> None:
    with pytest.raises(RefinerError, match="did you mean 'proto-superpixel'"):
        network_class("proto-superpixels")
