"""What a table says of scores: mean, spread, interval, and whether one refiner is better than another. Pure.

Scores are (images, classes), NaN where an image does not show the class. An average is the mean over the classes of
their means over images, as in the paper's tables.
"""

from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

Scores = NDArray[np.float64]
"""(images, classes), NaN where an image does not show the class."""
DRAWS = 2000
"""Samples of a bootstrap: enough for the ends of an interval to be steady in the digits that are shown."""


class Summary(NamedTuple):
    """Mean, standard deviation (the population's, over images) and 95 % interval of scores, in their unit.

    One image has neither: they are NaN.
    """

    mean: float
    std: float
    low: float
    high: float
    images: int


class Comparison(NamedTuple):
    """How much better one refiner is than another on the same images; ``p`` is that of Wilcoxon's signed-rank test."""

    difference: float
    low: float
    high: float
    p: float
    images: int


def summarise(scores: Scores, seed: int, draws: int = DRAWS) -> Summary:
    """The mean over classes of each class's mean and standard deviation over its images, and a bootstrap interval.

    Classes that no image shows, and images that show none, are left out; without any score all numbers are NaN.
    """
    kept = _kept(scores)
    if not kept.size:
        return Summary(nan, nan, nan, nan, 0)
    mean, images = float(np.nanmean(kept, axis=0).mean()), kept.shape[0]
    if images == 1:
        return Summary(mean, nan, nan, nan, images)
    low, high = interval(kept, seed, draws)
    return Summary(mean, float(np.nanstd(kept, axis=0).mean()), low, high, images)


def interval(scores: Scores, seed: int, draws: int = DRAWS, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the average: whole images are drawn, so all classes of one stay together.

    A draw without any image of a class averages the classes that it has (Efron & Tibshirani, 1993, section 13.3).
    """
    kept = _kept(scores)
    shown = np.isfinite(kept)
    images = kept.shape[0]
    drawn = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=draws)
    counts = drawn @ shown
    with np.errstate(invalid="ignore"):  # 0 / 0 where a draw has no image of a class
        means = (drawn @ np.where(shown, kept, 0.0)) / counts
    averages = np.nanmean(means, axis=1)
    low, high = np.quantile(averages, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def compare(ours: Scores, theirs: Scores, seed: int, draws: int = DRAWS) -> Comparison:
    """``ours`` minus ``theirs``, both (images, classes) of the same images, where both have a score.

    The interval is the bootstrap's of the difference. The test takes one difference an image: the mean over the
    classes that it shows (Wilcoxon, 1945). Without any common score all numbers are NaN, with one image all but the
    difference; p is 1 without a difference.
    """
    differences = _kept(ours - theirs)
    if not differences.size:
        return Comparison(nan, nan, nan, nan, 0)
    mean, images = float(np.nanmean(differences, axis=0).mean()), differences.shape[0]
    if images == 1:
        return Comparison(mean, nan, nan, nan, images)
    low, high = interval(differences, seed, draws)
    each = np.nanmean(differences, axis=1)
    p = float(wilcoxon(each).pvalue) if np.any(each) else 1.0
    return Comparison(mean, low, high, p, images)


def _kept(scores: Scores) -> Scores:
    """Without the images and classes that have no score at all."""
    shown = np.isfinite(scores)
    return np.where(shown, scores, np.nan)[shown.any(axis=1)][:, shown.any(axis=0)]
