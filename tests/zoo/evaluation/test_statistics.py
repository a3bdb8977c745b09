"""Means, intervals and comparisons against scipy and plain loops."""

import numpy as np
import pytest
from scipy import stats

from zoo.evaluation.statistics import compare, interval, summarise

NAN = float("nan")


def scores(images: int = 27, classes: int = 4, seed: int = 0) -> np.ndarray:
    """Scores of which a fifth is missing; every image and every class has some."""
    rng = np.random.default_rng(seed)
    table = rng.beta(4, 4, (images, classes)) * 100
    table[rng.random((images, classes)) < 0.2] = NAN
    table[:, 0], table[0] = 50 + 10 * rng.standard_normal(images), 40.0
    return table


def test_the_average_is_the_mean_over_classes_of_the_means_over_their_images() -> None:
    table = scores()
    columns = [[value for value in column if np.isfinite(value)] for column in table.T]
    summary = summarise(table, seed=0)
    assert summary.mean == pytest.approx(sum(sum(column) / len(column) for column in columns) / 4)
    assert summary.std == pytest.approx(sum(np.std(column) for column in columns) / 4)
    assert summary.images == 27
    assert summary.low < summary.mean < summary.high


def test_the_interval_of_one_class_is_that_of_scipy() -> None:
    values = scores()[:, :1]
    ours = interval(values, seed=1, draws=20_000)
    theirs = stats.bootstrap(
        (values[:, 0],), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours == pytest.approx(tuple(theirs), abs=0.1)


def test_the_interval_of_an_average_draws_whole_images() -> None:
    table, rng = scores(images=9), np.random.default_rng(5)
    averages = []
    for _ in range(4000):
        drawn = table[rng.integers(0, len(table), len(table))]
        means = [column[np.isfinite(column)].mean() for column in drawn.T if np.isfinite(column).any()]
        averages.append(np.mean(means))
    expected = np.quantile(averages, [0.025, 0.975])
    assert interval(table, seed=3, draws=20_000) == pytest.approx(tuple(expected), abs=0.5)


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    table = scores()
    assert interval(table, seed=1) == interval(table, seed=1)
    assert interval(table, seed=1) != interval(table, seed=2)


def test_a_comparison_is_of_the_differences_by_image() -> None:
    ours, theirs = scores(seed=1), scores(seed=2)
    differences = ours - theirs
    found = compare(ours, theirs, seed=0)
    each = [np.mean(row[np.isfinite(row)]) for row in differences if np.isfinite(row).any()]
    assert found.images == len(each)
    assert found.p == pytest.approx(stats.wilcoxon(each).pvalue)
    assert found.difference == pytest.approx(np.mean([np.mean(c[np.isfinite(c)]) for c in differences.T]))
    swapped = compare(theirs, ours, seed=0)
    assert (swapped.difference, swapped.low, swapped.high) == pytest.approx(
        (-found.difference, -found.high, -found.low)
    )


def test_a_refiner_does_not_differ_from_itself() -> None:
    assert compare(scores(), scores(), seed=0)[:4] == (0.0, 0.0, 0.0, 1.0)


def test_without_any_score_nothing_is_defined() -> None:
    for empty in (np.zeros((0, 4)), np.full((3, 2), NAN)):
        assert np.isnan(summarise(empty, seed=0)[:4]).all()
        assert np.isnan(compare(empty, empty, seed=0)[:4]).all()
        assert summarise(empty, seed=0).images == compare(empty, empty, seed=0).images == 0


def test_one_image_has_neither_spread_nor_interval() -> None:
    summary = summarise(np.array([[40.0, NAN]]), seed=0)
    assert (summary.mean, summary.images) == (40.0, 1)
    assert np.isnan([summary.std, summary.low, summary.high]).all()
    compared = compare(np.array([[40.0]]), np.array([[30.0]]), seed=0)
    assert (compared.difference, compared.images) == (10.0, 1)
    assert np.isnan([compared.low, compared.high, compared.p]).all()
