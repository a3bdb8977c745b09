"""The random effects model of what marks look like, against SciPy's densities and against what was drawn from it."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from zoo.models.appearance import FEATURES, Appearance, features_of
from zoo.models.layers.appearance_buffers import AppearanceBuffers


def drawn(
    photographs: int, marks: int, mean: float, between: float, within: float, seed: int = 0
) -> list[NDArray[np.float64]]:
    """Features of marks, of independent normal effects of each photograph and of each mark."""
    rng = np.random.default_rng(seed)
    groups = []
    for _ in range(photographs):
        own = rng.normal(mean, between, FEATURES)
        groups.append(rng.normal(own, within, (marks, FEATURES)))
    return groups


@pytest.fixture
def fitted() -> Appearance:
    marks = {0: drawn(400, 6, -1, 0.5, 0.8), 1: drawn(400, 6, 1, 0.3, 0.4, seed=1), 2: drawn(400, 6, 0, 0.2, 0.3)}
    return Appearance.unmeasured(2).measured(marks)


def test_the_means_and_covariances_are_those_that_were_drawn_from(fitted: Appearance) -> None:
    identity = np.eye(FEATURES)
    assert fitted.fitted
    assert np.allclose(fitted.mean, np.array([[-1.0], [1.0], [0.0]]), atol=0.1)
    assert np.allclose(fitted.between[0], 0.25 * identity, atol=0.08)
    assert np.allclose(fitted.within[0], 0.64 * identity, atol=0.08)
    assert np.allclose(fitted.within[1], 0.16 * identity, atol=0.03)


@pytest.mark.parametrize("sized", [True, False])
def test_likelihoods_are_those_of_scipy(fitted: Appearance, sized: bool) -> None:
    use = FEATURES if sized else 3
    features = drawn(1, 5, 0, 1, 1, seed=2)[0]
    singles, pooled = fitted.single(features, sized), fitted.pooled(features, sized)
    for index in range(3):
        mean = fitted.mean[index, :use]
        between = fitted.between[index, :use, :use]
        within = fitted.within[index, :use, :use]
        expected = multivariate_normal(mean, between + within).logpdf(features[:, :use])
        assert np.allclose(singles[:, index], expected)
        of_mean = multivariate_normal(mean, between + within / 5).logpdf(features[:, :use].mean(0))
        assert float(pooled[index]) == pytest.approx(of_mean)


def test_it_stays_a_model_when_it_is_stored_as_16_bit_floats(fitted: Appearance) -> None:
    narrow = [each + np.random.default_rng(9).normal(size=(12, 1)) for each in drawn(30, 12, 0, 0, 1e-3)]
    marks = {0: narrow, 1: drawn(5, 6, 1, 3, 1e-3), 2: drawn(5, 6, 0, 1, 2)}
    buffers, features = AppearanceBuffers(2), drawn(1, 50, 0, 1, 1, seed=4)[0]
    buffers.put(buffers.get().measured(marks))
    whole, half = buffers.get().pooled(features), buffers.half().get().pooled(features)
    assert np.isfinite(half).all()
    assert np.allclose(half, whole, rtol=0.05)
    assert not np.array_equal(half, whole)


def test_a_class_of_too_few_photographs_stays_unfitted() -> None:
    too_few = {0: drawn(1, 9, 0, 1, 1), 1: [np.zeros((0, FEATURES))], 2: drawn(5, 1, 0, 1, 1)}
    appearance = Appearance.unmeasured(3).measured(too_few)
    assert not appearance.fitted
    assert not appearance.within.any()


def test_measuring_again_keeps_classes_of_which_nothing_is_seen(fitted: Appearance) -> None:
    again = fitted.measured({1: drawn(30, 6, 3, 0.5, 0.8), 0: drawn(1, 9, 0, 1, 1)})
    assert np.array_equal(again.mean[[0, 2]], fitted.mean[[0, 2]])
    assert again.mean[1].mean() == pytest.approx(3, abs=0.3)
    assert fitted.mean[1].mean() == pytest.approx(1, abs=0.1)


def test_dark_and_bright_are_opposite_and_no_class_is_opposite_to_itself(fitted: Appearance) -> None:
    assert fitted.opposite().tolist() == [[False, True], [True, False]]


def test_features_are_the_arcsinh_of_the_colours_and_the_log_of_the_radius() -> None:
    found = features_of(np.array([[-3.0, 0.0, 50.0]], np.float32), np.array([7.0]))
    assert found.dtype == np.float64
    assert found[0].tolist() == pytest.approx([np.arcsinh(-3), 0, np.arcsinh(50), np.log(7)])
