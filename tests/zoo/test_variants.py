"""The contract of every variant; a new file in zoo/variants is picked up unasked."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from coarsekit.errors import RefinerError
from zoo import checkpoint
from zoo.losses import refinement_loss
from zoo.network import Network
from zoo.variants import about, names, variant


def make(name: str, size: int = 64) -> Network:
    """A small network of a variant."""
    torch.manual_seed(0)
    kind = variant(name)
    return kind(dataclasses.replace(kind.config_type(), size=size, width=8))


def patches(count: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Dark disks on a bright ground: images, coarse masks around them, and fine masks."""
    random = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    centres = size * (0.35 + 0.3 * torch.rand(count, 2, generator=random))
    far = ((x - centres[:, :1, None]) ** 2 + (y - centres[:, 1:, None]) ** 2).sqrt()
    fine, coarse = (far < size / 8).float()[:, None], (far < size / 4).float()[:, None]
    image = 0.7 - 0.4 * fine + 0.02 * torch.randn(count, 3, size, size, generator=random)
    return image.clamp(0, 1), coarse, fine


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(("count", "size"), [(1, 64), (3, 96)])
def test_logits_have_the_size_of_the_patch(name: str, count: int, size: int) -> None:
    image, coarse, _ = patches(count, size)
    assert make(name).eval()(image, coarse).shape == (count, 1, size, size)


@pytest.mark.parametrize("name", names())
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


@pytest.mark.parametrize("name", names())
def test_gradients_reach_every_parameter(name: str) -> None:
    network, (image, coarse, fine) = make(name).train(), patches(4, 64)
    refinement_loss(network(image, coarse), fine).backward()
    without = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without


@pytest.mark.parametrize("name", names())
def test_a_few_steps_on_eight_pairs_bring_the_loss_down_by_half(name: str) -> None:
    network, (image, coarse, fine) = make(name).train(), patches(8, 64)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = refinement_loss(network(image, coarse), fine)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert min(losses) < 0.5 * losses[0]


@pytest.mark.parametrize("name", names())
def test_the_same_input_gives_the_same_output(name: str) -> None:
    network, (image, coarse, _) = make(name).eval(), patches(2, 64)
    with torch.inference_mode():
        assert torch.equal(network(image, coarse), network(image, coarse))


@pytest.mark.parametrize("name", names())
def test_save_and_load_give_identical_output(name: str, tmp_path) -> None:
    network, (image, coarse, _) = make(name).eval(), patches(2, 64)
    network.trained_on = "disks"
    checkpoint.save(network, tmp_path, {"why": "test"}, half=False)
    loaded = checkpoint.load(tmp_path)
    assert (loaded.config, loaded.trained_on, loaded.training) == (network.config, "disks", False)
    with torch.inference_mode():
        assert torch.equal(loaded(image, coarse), network(image, coarse))


@pytest.mark.parametrize("name", names())
def test_half_precision_on_disk_changes_probabilities_by_little(name: str, tmp_path) -> None:
    network, (image, coarse, _) = make(name), patches(2, 64)
    checkpoint.save(network, tmp_path, {})
    difference = checkpoint.load(tmp_path).probabilities(image, coarse) - network.probabilities(image, coarse)
    assert difference.abs().max() < 0.02


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("damage", ["missing", "extra", "misshapen"])
def test_loading_is_strict(name: str, damage: str, tmp_path) -> None:
    checkpoint.save(make(name), tmp_path, {})
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
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("name", names())
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
    loaded = variant(name).from_pretrained(tmp_path)
    assert (loaded.config, loaded.trained_on, loaded.record) == (network.config, "disks", {"seed": 4})
    with torch.inference_mode():
        assert torch.equal(loaded(image, coarse), network(image, coarse))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", names())
def test_a_folder_of_another_variant_is_no_instance_of_this_one(name: str, tmp_path) -> None:
    make(name).save_pretrained(tmp_path)
    other = next(each for each in names() if each != name)
    with pytest.raises(RefinerError, match=f"of the variant {name}, not {other}"):
        variant(other).from_pretrained(tmp_path)


def test_a_card_that_is_there_is_not_written_over(tmp_path) -> None:
    (tmp_path / "README.md").write_text("mine")
    make("unet").save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_weights_take_half_the_space_where_that_loses_nothing(tmp_path) -> None:
    network = make("unet")
    network.save_pretrained(tmp_path / "full")
    checkpoint.save(network, tmp_path / "half", {})
    checkpoint.load(tmp_path / "half").save_pretrained(tmp_path / "again")
    full, half, again = ((tmp_path / name / checkpoint.WEIGHTS).read_bytes() for name in ("full", "half", "again"))
    assert again == half
    assert len(full) > 1.5 * len(half)


def test_every_variant_says_what_it_is_without_being_imported() -> None:
    assert about("proto").startswith("one lesion and one background prototype per patch")
    assert all(about(name) for name in names())


def test_an_unknown_variant_offers_the_nearest() -> None:
    with pytest.raises(RefinerError, match="did you mean 'proto-superpixel'"):
        variant("proto-superpixels")
