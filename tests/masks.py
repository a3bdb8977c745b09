"""Small masks for property tests."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coarsekit.types import Mask

masks = st.tuples(st.integers(1, 16), st.integers(1, 16)).flatmap(
    lambda shape: arrays(np.bool_, shape, elements=st.booleans(), fill=st.just(False))
)
masks_with_pixels = masks.filter(lambda mask: bool(mask.any()))


def centres(mask: Mask) -> np.ndarray:
    """Pixel centres of a mask, (n, 2) as x, y."""
    return np.argwhere(mask)[:, ::-1] + 0.5
