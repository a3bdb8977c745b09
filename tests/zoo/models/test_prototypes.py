"""Equations 1–6 of Yu et al., batched, against plain loops over samples, pixels and superpixels."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.models.layers.heads import (
    ALPHA,
    BETA,
    Prototype,
    Superpixel,
    cosine_distance,
    masked_average,
    weighted_prototype,
)
from zoo.models.layers.superpixels import mask_slic


def loop_average(features: Tensor, mask: Tensor) -> Tensor:
    """Equation 1 for one sample: features (c, h, w), mask (h, w); the zero vector for an empty mask."""
    total, count = torch.zeros(features.shape[0], dtype=features.dtype), 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                total = total + features[:, y, x]
                count += 1
    return total / count if count else total


def loop_distance(a: Tensor, b: Tensor) -> float:
    """Equation 4 for two vectors; 1 when one of them is zero."""
    norms = float(a.norm() * b.norm())
    return 1 - float(a @ b) / norms if norms else 1.0


def loop_weighted(features: Tensor, labels: Tensor, count: int, background: Tensor) -> Tensor:
    """Equations 4–6 for one sample, superpixel by superpixel."""
    prototypes = [loop_average(features, labels == i) for i in range(count) if (labels == i).any()]
    raw = [math.exp(BETA * loop_distance(prototype, background)) for prototype in prototypes]
    result = torch.zeros(features.shape[0], dtype=features.dtype)
    for weight, prototype in zip(raw, prototypes, strict=True):
        result = result + weight / sum(raw) * prototype
    return result


def loop_probability(features: Tensor, foreground: Tensor, background: Tensor) -> Tensor:
    """Equation 3 for one sample, pixel by pixel."""
    probability = torch.zeros(features.shape[1:], dtype=features.dtype)
    for y in range(features.shape[1]):
        for x in range(features.shape[2]):
            near, far = (
                math.exp(-ALPHA * loop_distance(features[:, y, x], prototype)) for prototype in (foreground, background)
            )
            probability[y, x] = near / (near + far)
    return probability


def batch(seed: int, kind: str) -> tuple[Tensor, Tensor]:
    """Features after a ReLU (zeros among them), and masks of a kind."""
    random = torch.Generator().manual_seed(seed)
    features = torch.randn(3, 6, 7, 9, generator=random, dtype=torch.float64).relu()
    shape = (3, 1, 7, 9)
    masks = {
        "blob": torch.zeros(shape),
        "random": (torch.rand(shape, generator=random) > 0.6).float(),
        "empty": torch.zeros(shape),
        "full": torch.ones(shape),
        "few": torch.zeros(shape),
    }
    masks["blob"][:, :, 2:6, 1:7] = 1
    masks["few"][:, :, 3, 4:6] = 1
    return features, masks[kind].double()


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["blob", "random", "empty", "full", "few"]))
def test_superpixel_refinement_agrees_with_a_plain_loop_of_equations_1_to_6(seed: int, kind: str) -> None:
    features, mask = batch(seed, kind)
    background = masked_average(features, 1 - mask)
    labels = mask_slic(features, mask, 20)
    foreground = weighted_prototype(features, labels, 20, background)
    probability = Superpixel(20)(features, mask).sigmoid()[:, 0]
    for sample in range(len(features)):
        bg = loop_average(features[sample], mask[sample, 0] == 0)
        fg = loop_weighted(features[sample], labels[sample], 20, bg)
        torch.testing.assert_close(background[sample], bg, atol=1e-5, rtol=0)
        torch.testing.assert_close(foreground[sample], fg, atol=1e-5, rtol=0)
        expected = loop_probability(features[sample], fg, bg)
        torch.testing.assert_close(probability[sample], expected, atol=1e-5, rtol=0)


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["blob", "random", "empty", "full", "few"]))
def test_plain_prototypes_agree_with_a_plain_loop_of_equations_1_to_3(seed: int, kind: str) -> None:
    features, mask = batch(seed, kind)
    probability = Prototype()(features, mask).sigmoid()[:, 0]
    for sample in range(len(features)):
        fg, bg = (loop_average(features[sample], mask[sample, 0] == value) for value in (1, 0))
        expected = loop_probability(features[sample], fg, bg)
        torch.testing.assert_close(probability[sample], expected, atol=1e-5, rtol=0)


def test_cosine_distance_to_a_zero_vector_is_one() -> None:
    assert cosine_distance(torch.zeros(4), torch.ones(4)).item() == pytest.approx(1)


def test_superpixels_unlike_the_background_weigh_more() -> None:
    features = torch.zeros(1, 2, 1, 4)
    features[0, 0, 0, :3] = 1.0
    features[0, 1, 0, 3] = 1.0
    labels = torch.tensor([[[-1, 0, 0, 1]]])
    prototype = weighted_prototype(features, labels, 2, torch.tensor([[1.0, 0.0]]))
    weight = math.exp(BETA) / (1 + math.exp(BETA))
    torch.testing.assert_close(prototype, torch.tensor([[1 - weight, weight]]))


def test_gradient_reaches_the_features_through_the_weights() -> None:
    features, mask = batch(0, "random")
    features.requires_grad_()
    background = masked_average(features, 1 - mask)
    weighted_prototype(features, mask_slic(features, mask, 5), 5, background).sum().backward()
    assert features.grad is not None
    assert features.grad[:, :, 0].abs().sum() > 0
