"""Scores against scikit-learn, scikit-image, and plain loops of the equations."""

from itertools import product
from math import isnan, nan
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label, regionprops
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, confusion_matrix, f1_score, jaccard_score, precision_score, recall_score

from coarsekit.metrics import (
    Counts,
    boundary_f,
    brier,
    component_scores,
    count,
    dice,
    expected_calibration_error,
    iou,
    precision,
    recall,
    reliability,
)
from coarsekit.morphology import components
from coarsekit.types import Mask

masks = arrays(np.bool_, (6, 7))
EMPTY = np.zeros((6, 7), bool)
FULL = ~EMPTY
SCORES = {iou: jaccard_score, dice: f1_score, precision: precision_score, recall: recall_score}
"""Ours, and scikit-learn's."""


@given(masks, masks)
def test_counts_agree_with_scikit_learn(found: Mask, fine: Mask) -> None:
    (_, fp), (fn, tp) = confusion_matrix(fine.ravel(), found.ravel(), labels=[False, True])
    assert count(found, fine) == Counts(tp, fp, fn)


@pytest.mark.parametrize("ours", SCORES)
@pytest.mark.parametrize(("found_share", "fine_share"), list(product([0, 0.1, 0.5, 0.9, 1], repeat=2)))
def test_scores_agree_with_scikit_learn_over_a_grid_and_are_nan_where_it_warns(ours, found_share, fine_share) -> None:
    rng = np.random.default_rng(0)
    found, fine = (rng.random((40, 50)) < share for share in (found_share, fine_share))
    with catch_warnings(record=True) as undefined:
        simplefilter("always")
        theirs = SCORES[ours](fine.ravel(), found.ravel())
    theirs = nan if undefined else theirs
    assert ours(count(found, fine)) == pytest.approx(theirs, nan_ok=True)


@pytest.mark.parametrize(
    ("found", "fine", "undefined"),
    [(EMPTY, EMPTY, {iou, dice, precision, recall}), (EMPTY, FULL, {precision}), (FULL, EMPTY, {recall})],
)
def test_undefined_scores_are_nan_and_the_others_0(found: Mask, fine: Mask, undefined: set) -> None:
    scores = {score: score(count(found, fine)) for score in SCORES}
    assert {score for score, value in scores.items() if isnan(value)} == undefined
    assert all(value == 0 for score, value in scores.items() if score not in undefined)


@given(masks, masks)
def test_counts_of_halves_add_up(found: Mask, fine: Mask) -> None:
    halves = count(found[:3], fine[:3]), count(found[3:], fine[3:])
    assert Counts(*map(sum, zip(*halves, strict=True))) == count(found, fine)


@pytest.mark.parametrize("score", [count, component_scores, lambda one, other: boundary_f(one, other, 1)])
def test_masks_of_two_shapes_are_not_compared(score) -> None:
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(3, 2\)"):
        score(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


def boundary_pixels(mask: Mask) -> list[tuple[int, int]]:
    """One pixel after the other."""
    height, width = mask.shape
    return [
        (row, column)
        for row, column in product(range(height), range(width))
        if mask[row, column]
        and any(
            not (0 <= y < height and 0 <= x < width and mask[y, x])
            for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
        )
    ]


@given(masks, masks, st.sampled_from([0, 1, 1.5, 2, 3]))
def test_the_boundary_score_is_that_of_the_plain_loop(found: Mask, fine: Mask, tolerance: float) -> None:
    assume(found.any() and fine.any())
    one, other = boundary_pixels(found), boundary_pixels(fine)
    shares = []
    for these, those in ((one, other), (other, one)):
        near = [any((y - v) ** 2 + (x - u) ** 2 <= tolerance**2 for v, u in those) for y, x in these]
        shares.append(sum(near) / len(near))
    expected = 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0
    assert boundary_f(found, fine, tolerance) == pytest.approx(expected)


def test_a_disk_that_is_one_pixel_too_large_has_a_perfect_boundary_within_two_pixels_and_a_poor_one_within_none() -> (
    None
):
    y, x = np.ogrid[:80, :90]
    fine, found = ((y - 40) ** 2 + (x - 45) ** 2 <= radius**2 for radius in (20, 21))
    assert boundary_f(found, fine, 2) == 1
    assert boundary_f(found, fine, 0) < 0.2


def test_the_boundary_score_is_nan_of_two_empty_masks_and_0_of_one() -> None:
    assert isnan(boundary_f(EMPTY, EMPTY, 2))
    assert boundary_f(EMPTY, FULL, 2) == boundary_f(FULL, EMPTY, 2) == 0


@pytest.mark.parametrize("tolerance", [-1, nan])
def test_a_tolerance_is_a_distance(tolerance: float) -> None:
    with pytest.raises(ValueError, match="0 px or more"):
        boundary_f(FULL, FULL, tolerance)


@given(
    arrays(np.bool_, (9, 11)),
    arrays(np.bool_, (9, 11), elements=st.sampled_from([True, False, False, False])),
    st.booleans(),
)
def test_component_scores_are_those_of_scikit_image_and_a_plain_search_of_the_nearest(
    found: Mask, fine: Mask, few: bool
) -> None:
    if few:  # they are searched for, one by one; many are told by a distance transform
        found[tuple(np.argwhere(found & ~fine)[3:].T)] = False
    labels = components(fine)[0]
    regions = regionprops(label(fine, connectivity=2))
    nearest = np.zeros_like(labels)
    for row, column in np.ndindex(fine.shape):
        by_distance = [(((region.coords - (row, column)) ** 2).sum(axis=1).min(), region) for region in regions]
        by_distance.sort(key=lambda pair: pair[0])
        if len(by_distance) > 1 and by_distance[0][0] == by_distance[1][0]:
            found[row, column] = False  # equally near to two: either may take it
        elif by_distance:
            nearest[row, column] = labels[tuple(by_distance[0][1].coords[0])]
    expected = {}
    for region in regions:
        top, left, bottom, right = region.bbox
        own = labels[tuple(region.coords[0])]
        score = jaccard_score((labels == own).ravel(), (found & (nearest == own)).ravel())
        expected[own] = (left, top, right - left, bottom - top, region.area, pytest.approx(score))
    assert component_scores(found, fine) == [expected[own] for own in sorted(expected)]


def test_a_small_lesion_counts_as_much_as_a_large_one() -> None:
    fine = np.zeros((60, 60), bool)
    fine[5:45, 5:45] = fine[55, 55] = True
    found = fine.copy()
    found[55, 55] = False
    assert [score.iou for score in component_scores(found, fine)] == [1, 0]
    assert iou(count(found, fine)) > 0.999


def test_without_a_fine_component_there_is_no_component_score() -> None:
    assert component_scores(FULL, EMPTY) == component_scores(EMPTY, EMPTY) == []
    assert [score.iou for score in component_scores(EMPTY, FULL)] == [0]


@pytest.mark.parametrize(("bins", "decimals"), list(product([1, 5, 10], [1, 8])))
def test_reliability_agrees_with_scikit_learn(bins: int, decimals: int) -> None:
    rng = np.random.default_rng(1)
    probability = rng.random((50, 60)).round(decimals)
    fine, region = rng.random((50, 60)) < probability**2, rng.random((50, 60)) < 0.7
    ours = reliability(probability, fine, region, bins)
    lesion, mean = calibration_curve(fine[region], probability[region], n_bins=bins)
    filled = ours.pixels > 0
    assert ours.lesion[filled] / ours.pixels[filled] == pytest.approx(lesion)
    assert ours.probability[filled] / ours.pixels[filled] == pytest.approx(mean)
    assert brier(ours) == pytest.approx(brier_score_loss(fine[region], probability[region]))
    weights = ours.pixels[filled] / region.sum()
    assert expected_calibration_error(ours) == pytest.approx((weights * abs(lesion - mean)).sum())


def test_reliability_of_parts_adds_up_and_sure_and_right_has_no_error() -> None:
    rng = np.random.default_rng(2)
    probability = rng.random((20, 30), np.float32)
    fine, part = rng.random((20, 30)) < 0.5, rng.random((20, 30)) < 0.5
    whole = reliability(probability, fine, np.ones_like(fine))
    added = reliability(probability, fine, part) + reliability(probability, fine, ~part)
    assert expected_calibration_error(added) == pytest.approx(expected_calibration_error(whole))
    assert brier(added) == pytest.approx(brier(whole))
    sure = reliability(fine.astype(np.float32), fine, part)
    assert expected_calibration_error(sure) == brier(sure) == 0


def test_calibration_without_pixels_is_nan() -> None:
    nothing = reliability(FULL.astype(np.float32), FULL, EMPTY)
    assert nothing.pixels.shape == (10,)
    assert isnan(expected_calibration_error(nothing))
    assert isnan(brier(nothing))


@pytest.mark.parametrize("value", [-0.1, 1.1, nan])
def test_what_is_no_probability_is_refused_in_the_region_and_nowhere_else(value: float) -> None:
    probability = np.full((6, 7), value)
    with pytest.raises(ValueError, match="0–1"):
        reliability(probability, FULL, FULL)
    assert reliability(probability, FULL, EMPTY).pixels.sum() == 0


def test_a_reliability_has_bins() -> None:
    with pytest.raises(ValueError, match="1 bin"):
        reliability(FULL.astype(np.float32), FULL, FULL, 0)
