"""Folded normalisations: the same answers, fewer steps, and the network itself as it was."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from coarsekit.types import Annotation, Ellipse, Mark
from zoo.models.base import Network, build, network_class
from zoo.models.layers.fold_batchnorm import fold_batchnorm
from zoo.models.outlines import photograph_probability
from zoo.variants import NETWORKS

CASES: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in NETWORKS} | {
    "lite without its last stages": ("lite", {"last_stage_stride": 8}),
    "lite class-conditioned": ("lite", {"lesions": ["MA", "HE"], "mask_dilation": 0.1}),
    "lite prototype": ("lite", {"head": "prototype"}),
}


def use(module: nn.Module) -> None:
    """Give it statistics as training leaves them; new ones would make every normalisation the identity."""
    torch.manual_seed(1)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            for tensor in (norm.weight, norm.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (norm.bias, norm.running_mean):
                nn.init.normal_(tensor, std=0.2)


def make(case: str) -> tuple[Network, Tensor, Tensor]:
    """A small network of a case, photographs, and coarse masks."""
    name, own = CASES[case]
    torch.manual_seed(0)
    network = build(network_class(name), {"size": 64, "width": 8} | own)
    use(network)
    coarse = torch.zeros(3, 1, 64, 64)
    coarse[0, :, 20:40, 16:50], coarse[1, :, 30:33] = 1, 1
    return network, torch.rand(3, 3, 64, 64), coarse


def norms(module: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


@pytest.mark.parametrize("case", CASES)
def test_what_refines_photographs_answers_as_the_network_does(case: str) -> None:
    network, image, coarse = make(case)
    lesion = "HE" if "HE" in network.lesions else ""
    patches = image.numpy(), coarse.numpy()
    answers = network.patch_probabilities(*patches, lesion)
    assert answers.std() > 1e-3
    assert np.abs(network.for_inference().patch_probabilities(*patches, lesion) - answers).max() < 1e-5


@pytest.mark.parametrize("case", [case for case, (name, _) in CASES.items() if name == "lite"])
def test_lite_refines_without_any_normalisation_and_stays_as_it_is(case: str) -> None:
    network, _, _ = make(case)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    count = norms(network)
    assert norms(network.for_inference()) == 0
    assert network.training
    assert norms(network) == count > 0
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_a_copy_is_made_once_and_is_no_part_of_the_network() -> None:
    network, _, _ = make("lite")
    parts, tensors = len(list(network.modules())), list(network.state_dict())
    for_inference = network.for_inference()
    assert network.for_inference() is for_inference
    assert (len(list(network.modules())), list(network.state_dict())) == (parts, tensors)
    assert copy.deepcopy(network).for_inference() is not for_inference


def step(network: Network) -> None:
    image, coarse = torch.rand(2, 3, 64, 64), torch.ones(2, 1, 64, 64)
    network.train()
    network(image, coarse).mean().backward()
    torch.optim.SGD(network.parameters(), 0.1).step()


def load(network: Network) -> None:
    network.load_state_dict({name: 1.1 * tensor for name, tensor in network.state_dict().items()})


def replace(network: Network) -> None:
    weights = {name: 1.1 * tensor for name, tensor in network.state_dict().items()}
    network.load_state_dict(weights, assign=True)


def see(network: Network) -> None:
    """Training mode moves the statistics of normalisations, and no weight."""
    with torch.no_grad():
        network.train()(torch.rand(2, 3, 64, 64), torch.ones(2, 1, 64, 64))


@pytest.mark.parametrize("change", [step, load, replace, see])
@pytest.mark.parametrize("inference", [False, True])
def test_the_copy_is_never_older_than_the_weights(change: Callable[[Network], None], inference: bool) -> None:
    with torch.inference_mode(inference and change is not step):
        network, image, coarse = make("lite")
        patches = image.numpy(), coarse.numpy()
        before = network.for_inference().patch_probabilities(*patches)
        change(network)
        answers = network.patch_probabilities(*patches)
        assert np.abs(answers - before).max() > 1e-3
        assert np.abs(network.for_inference().patch_probabilities(*patches) - answers).max() < 1e-5


def test_photographs_are_refined_by_the_copy(monkeypatch) -> None:
    network, _, _ = make("lite")
    drawn = Annotation("x.png", 200, 100, (Mark("MA", Ellipse(90, 50, 6, 6)), Mark("HE", Ellipse(30, 50, 9, 6))))
    image = np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    expected = {lesion: photograph_probability(network, image, drawn.of(lesion), scale=0.2) for lesion in drawn.lesions}
    network.for_inference()
    monkeypatch.setattr(network, "patch_probabilities", None)  # whoever asks the network itself fails
    found = network.probabilities(image, drawn, scale=0.2)
    assert found.keys() == network.refine(image, drawn).keys() == expected.keys()
    for lesion, probability in expected.items():
        assert np.abs(found[lesion] - probability).max() < 1e-5


def test_a_normalisation_that_follows_no_convolution_stays() -> None:
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 1))
    use(module)
    module.eval()
    image, for_inference = torch.rand(2, 3, 9, 9), fold_batchnorm(module)
    assert norms(for_inference) == 2
    assert torch.allclose(for_inference(image), module(image), atol=1e-6)
