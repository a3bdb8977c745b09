"""Scores against scikit-learn."""

from math import isnan

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix, jaccard_score

from coarsekit.metrics import Counts, count, iou
from coarsekit.types import Mask

masks = arrays(np.bool_, (6, 7))


@given(masks, masks)
def test_counts_agree_with_scikit_learn(found: Mask, fine: Mask) -> None:
    (_, fp), (fn, tp) = confusion_matrix(fine.ravel(), found.ravel(), labels=[False, True])
    assert count(found, fine) == Counts(tp, fp, fn)


@given(masks, masks)
def test_iou_agrees_with_scikit_learn(found: Mask, fine: Mask) -> None:
    assume((found | fine).any())
    assert iou(count(found, fine)) == pytest.approx(jaccard_score(fine.ravel(), found.ravel()))


def test_iou_of_two_empty_masks_is_not_a_number() -> None:
    assert isnan(iou(count(np.zeros((3, 4), bool), np.zeros((3, 4), bool))))


@given(masks, masks)
def test_counts_of_halves_add_up(found: Mask, fine: Mask) -> None:
    halves = count(found[:3], fine[:3]), count(found[3:], fine[3:])
    assert Counts(*map(sum, zip(*halves, strict=True))) == count(found, fine)


def test_masks_of_two_shapes_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(3, 2\)"):
        count(np.zeros((2, 3), bool), np.zeros((3, 2), bool))
