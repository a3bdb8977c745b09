"""The random effects model of what marks look like, against SciPy's densities and against what was drawn from it."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from zoo.models.appearance import FEATURES, Appearance, features_of


def drawn(photographs: int, marks: int, mean: float, between: float, within: float, seed: int = 0) -> list[Tensor]:
    """Features of marks, of independent normal effects of each photograph and of each mark."""
    rng = np.random.default_rng(seed)
    groups = []
    for _ in range(photographs):
        own = rng.normal(mean, between, FEATURES)
        groups.append(torch.from_numpy(rng.normal(own, within, (marks, FEATURES))))
    return groups


@pytest.fixture
def fitted() -> Appearance:
    appearance = Appearance(2)
    marks = {0: drawn(400, 6, -1, 0.5, 0.8), 1: drawn(400, 6, 1, 0.3, 0.4, seed=1), 2: drawn(400, 6, 0, 0.2, 0.3)}
    appearance.fit(marks)
    return appearance


def test_the_means_and_covariances_are_those_that_were_drawn_from(fitted: Appearance) -> None:
    identity = torch.eye(FEATURES, dtype=torch.float64)
    assert fitted.fitted
    assert torch.allclose(fitted.mean, torch.tensor([[-1.0], [1.0], [0.0]]).expand(3, FEATURES), atol=0.1)
    assert torch.allclose(fitted.between[0], 0.25 * identity, atol=0.08)
    assert torch.allclose(fitted.within[0], 0.64 * identity, atol=0.08)
    assert torch.allclose(fitted.within[1], 0.16 * identity, atol=0.03)


@pytest.mark.parametrize("sized", [True, False])
def test_likelihoods_are_those_of_scipy(fitted: Appearance, sized: bool) -> None:
    use = FEATURES if sized else 3
    features = drawn(1, 5, 0, 1, 1, seed=2)[0]
    singles, pooled = fitted.single(features, sized), fitted.pooled(features, sized)
    for index in range(3):
        mean = fitted.mean[index, :use].double().numpy()
        between = fitted.between[index, :use, :use].double().numpy()
        within = fitted.within[index, :use, :use].double().numpy()
        expected = multivariate_normal(mean, between + within).logpdf(features[:, :use].numpy())
        assert np.allclose(singles[:, index].numpy(), expected)
        of_mean = multivariate_normal(mean, between + within / 5).logpdf(features[:, :use].mean(0).numpy())
        assert float(pooled[index]) == pytest.approx(of_mean)


def test_it_stays_a_model_when_it_is_stored_as_16_bit_floats(fitted: Appearance) -> None:
    narrow = [each + torch.randn(12, 1).double() * torch.ones(FEATURES).double() for each in drawn(30, 12, 0, 0, 1e-3)]
    appearance = Appearance(2)
    appearance.fit({0: narrow, 1: drawn(5, 6, 1, 3, 1e-3), 2: drawn(5, 6, 0, 1, 2)})
    features = drawn(1, 50, 0, 1, 1, seed=4)[0]
    whole = appearance.pooled(features)
    half = appearance.half().pooled(features)
    assert torch.isfinite(half).all()
    assert torch.allclose(half, whole, rtol=0.05)


def test_a_class_of_too_few_photographs_stays_unfitted() -> None:
    appearance = Appearance(3)
    appearance.fit({0: drawn(1, 9, 0, 1, 1), 1: [torch.zeros(0, FEATURES)], 2: drawn(5, 1, 0, 1, 1)})
    assert not appearance.fitted
    assert not appearance.within.any()


def test_dark_and_bright_are_opposite_and_no_class_is_opposite_to_itself(fitted: Appearance) -> None:
    assert fitted.opposite().tolist() == [[False, True], [True, False]]


def test_features_are_the_arcsinh_of_the_colours_and_the_log_of_the_radius() -> None:
    found = features_of(torch.tensor([[-3.0, 0.0, 50.0]]), torch.tensor([7.0]))
    assert found.dtype == torch.float64
    assert found[0].tolist() == pytest.approx([np.arcsinh(-3), 0, np.arcsinh(50), np.log(7)])
