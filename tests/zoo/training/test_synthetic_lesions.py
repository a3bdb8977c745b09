"""Lesions that no photograph has, painted on retina."""

import numpy as np
import pytest

from coarsekit.geometry import draw
from coarsekit.types import Ellipse
from zoo.training.data.synthetic_lesions import paint_lesion

ELLIPSE = Ellipse(48, 48, 30, 20, 25)


def retina() -> np.ndarray:
    return np.random.default_rng(1).normal((150, 90, 50), 6, (96, 96, 3)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(12))
def test_a_lesion_lies_in_and_near_the_ellipse_and_deviates_from_its_surroundings(seed: int) -> None:
    patch = retina()
    painted, mask = paint_lesion(patch, ELLIPSE, np.random.default_rng(seed))
    assert np.array_equal(patch, retina())
    assert painted.shape == patch.shape
    assert mask.any()
    assert (mask & draw([ELLIPSE], mask.shape)).sum() >= 0.8 * mask.sum()
    changed = np.abs(painted.astype(int) - patch).sum(axis=2)
    assert changed[mask].mean() > 4 * max(0.5, changed[~draw([Ellipse(48, 48, 40, 30, 25)], mask.shape)].mean())


def test_the_same_numbers_give_the_same_lesion_and_others_another() -> None:
    one, two, other = (paint_lesion(retina(), ELLIPSE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert not np.array_equal(one[1], other[1])


def test_an_enlarged_patch_shows_softer_edges_of_the_same_lesion() -> None:
    flat = np.full((96, 96, 3), 120, np.uint8)
    steepest: dict[int, list[int]] = {}
    for seed in range(12):
        sharp, soft = (paint_lesion(flat, ELLIPSE, np.random.default_rng(seed), enlargement) for enlargement in (1, 4))
        assert np.array_equal(sharp[1], soft[1])
        for enlargement, (painted, _) in ((1, sharp), (4, soft)):
            slope = np.abs(np.diff(painted.astype(int), axis=1))
            steepest.setdefault(enlargement, []).append(int(slope.max()))
    assert all(soft <= sharp for sharp, soft in zip(steepest[1], steepest[4], strict=True))
    assert np.mean(steepest[4]) < 0.8 * np.mean(steepest[1])


def test_nothing_is_painted_off_the_retina_or_off_the_patch() -> None:
    patch = retina()
    patch[:, :48] = 0
    for seed in range(6):
        painted, mask = paint_lesion(patch, ELLIPSE, np.random.default_rng(seed))
        assert not mask[:, :48].any()
        assert not painted[:, :48].any()
    away, mask = paint_lesion(retina(), Ellipse(-200, -200, 10, 10, 0), np.random.default_rng(0))
    assert not mask.any()
    assert np.array_equal(away, retina())
