"""What all tests share: how hypothesis searches, ellipses for it to draw, and small trees of datasets."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from coarsekit.types import Ellipse
from tests.trees import TREES

# For the commands that tests start: torch's threads in several processes on the same cores slow each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run; a busy machine is no failure.
settings.register_profile(
    "coarsekit", derandomize=True, max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("coarsekit")

# Ellipses on, across and beside a photograph of about 40 px, from slivers to larger than it.
st.register_type_strategy(
    Ellipse,
    st.builds(
        Ellipse,
        cx=st.floats(-20, 60),
        cy=st.floats(-20, 60),
        rx=st.floats(0.3, 40),
        ry=st.floats(0.3, 40),
        angle=st.floats(-360, 360),
    ),
)


@pytest.fixture(scope="session")
def trees() -> dict[str, Callable[[Path], str]]:
    """The tree-writers of ``tests/trees.py``, by reader."""
    return TREES


@pytest.fixture
def idrid(trees: dict[str, Callable[[Path], str]], tmp_path: Path) -> Path:
    """The folder ``A. Segmentation`` of a small IDRiD tree."""
    folder = tmp_path / "data"
    trees["idrid"](folder)
    return folder / "A. Segmentation"
