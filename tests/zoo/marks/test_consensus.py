"""One mask of the masks of several people."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coarsekit.errors import ParameterError
from coarsekit.types import Mask
from zoo.marks.consensus import MOST_PEOPLE, lesions_seen, majority, staple

SHAPE = (24, 30)


def box(x0: int, y0: int, x1: int, y1: int) -> Mask:
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def plain_staple(masks: list[Mask], prior: float) -> np.ndarray:
    """Equations (8) to (19) of Warfield et al. (2004), pixel by pixel and person by person."""
    said = np.array([mask.ravel() for mask in masks])
    p = q = np.full(len(masks), 0.99999)
    for _ in range(400):
        a = np.prod(np.where(said, p[:, None], 1 - p[:, None]), axis=0) * prior
        b = np.prod(np.where(said, 1 - q[:, None], q[:, None]), axis=0) * (1 - prior)
        weight = a / (a + b)
        p = np.array([weight[own].sum() for own in said]) / weight.sum()
        q = np.array([(1 - weight)[~own].sum() for own in said]) / (1 - weight).sum()
    return weight.reshape(masks[0].shape)


def noisy(seed: int, people: int) -> list[Mask]:
    rng = np.random.default_rng(seed)
    truth = box(6, 5, 20, 16)
    wrong = rng.uniform(0.02, 0.3, people)
    return [truth ^ (rng.random(SHAPE) < rate) for rate in wrong]


@pytest.mark.parametrize(("seed", "people"), [(0, 3), (1, 4), (2, 6), (3, 2)])
def test_staple_is_the_published_equations(seed: int, people: int) -> None:
    masks = noisy(seed, people)
    expected = plain_staple(masks, float(np.mean(masks)))
    assert np.abs(staple(masks) - expected).max() < 1e-4


def test_staple_trusts_the_careful_more_than_the_careless() -> None:
    truth = box(6, 5, 20, 16)
    rng = np.random.default_rng(0)
    careless = [truth ^ (rng.random(SHAPE) < 0.35) for _ in range(2)]
    careful = [truth ^ (rng.random(SHAPE) < 0.02) for _ in range(2)]
    found = staple([*careful, *careless]) >= 0.5
    assert (found != truth).mean() < (majority([*careful, *careless]) != truth).mean()


masks_of_people = st.lists(st.integers(0, 2**20 - 1), min_size=1, max_size=5).map(
    lambda codes: [np.array([code >> place & 1 for place in range(20)], bool).reshape(4, 5) for code in codes]
)


@settings(deadline=None)
@given(masks_of_people)
def test_majority_and_staple_mark_nothing_that_nobody_marked_and_all_that_everybody_did(masks: list[Mask]) -> None:
    votes = np.sum(masks, axis=0)
    assert np.array_equal(majority(masks), votes > len(masks) / 2)
    probability = staple(masks)
    assert np.isfinite(probability).all()
    assert probability.min() >= 0
    assert probability.max() <= 1
    if not votes.any():
        assert not probability.any()
    if len({mask.tobytes() for mask in masks}) == 1:
        assert np.array_equal(probability >= 0.5, masks[0])


def test_a_lesion_is_what_all_together_marked_and_says_who_saw_it() -> None:
    masks = {"anna": box(2, 2, 8, 8) | box(20, 15, 24, 19), "ben": box(4, 2, 10, 8), "cleo": box(2, 2, 8, 8)}
    each = list(masks.values())
    shared, alone = lesions_seen(masks, majority(each), staple(each) >= 0.5)
    assert (shared.seen_by, shared.union_pixels, shared.majority_pixels) == (("anna", "ben", "cleo"), 48, 36)
    assert shared.agreement == pytest.approx((24 / 48 + 1 + 24 / 48) / 3, abs=1e-4)
    assert (shared.x, shared.y) == (5.5, 4.5)
    assert (alone.seen_by, alone.agreement, alone.majority_pixels) == (("anna",), 0.0, 0)


def test_nobody_saw_anything_and_more_people_than_fit_are_said() -> None:
    nothing = np.zeros(SHAPE, bool)
    assert lesions_seen({"a": nothing, "b": nothing}, nothing, nothing) == []
    with pytest.raises(ParameterError, match="at most, got 63"):
        staple([nothing] * (MOST_PEOPLE + 1))
