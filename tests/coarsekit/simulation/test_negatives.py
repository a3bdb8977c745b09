"""Ellipses moved to where nothing is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.geometry import draw
from coarsekit.simulation.negatives import DARK, sample_negative
from coarsekit.types import Ellipse


@given(st.integers(0, 10**6), st.floats(1, 30), st.floats(1, 30), st.floats(0, 180))
def test_a_decoy_is_on_the_retina_and_covers_no_lesion(seed: int, rx: float, ry: float, angle: float) -> None:
    rng = np.random.default_rng(seed)
    image = np.zeros((90, 120, 3), np.uint8)
    image[:, 30:] = DARK + 50
    occupied = rng.random((90, 120)) < 0.002
    there = sample_negative(Ellipse(60, 40, rx, ry, angle), image, occupied, rng)
    if there is not None:
        assert (there.rx, there.ry, there.angle) == (rx, ry, angle)
        assert there.cx >= 30
        covered = draw([there], occupied.shape)
        assert covered.any()
        assert not (covered & occupied).any()


def test_without_retina_or_without_room_there_is_no_decoy() -> None:
    ellipse, rng = Ellipse(5, 5, 3, 3), np.random.default_rng(0)
    free = np.zeros((20, 20), bool)
    assert sample_negative(ellipse, np.zeros((20, 20, 3), np.uint8), free, rng) is None
    assert sample_negative(ellipse, np.full((20, 20, 3), 200, np.uint8), ~free, rng) is None
