"""Run lengths of masks, from the crop alone, against the whole photograph and against pycocotools."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as reference

from coarsekit.annotations.rle import compress, decompress, from_run_lengths, raster_of_runs, raster_runs, run_lengths
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw
from coarsekit.types import Raster

SIZE = (13, 17)


@st.composite
def rasters(draw_one: st.DrawFn) -> Raster:
    height, width = draw_one(st.integers(1, 9)), draw_one(st.integers(1, 9))
    crop = np.array(draw_one(st.lists(st.booleans(), min_size=height * width, max_size=height * width)), bool)
    crop[draw_one(st.integers(0, height * width - 1))] = True
    left, top = draw_one(st.integers(0, SIZE[1] - width)), draw_one(st.integers(0, SIZE[0] - height))
    return Raster(left, top, crop.reshape(height, width))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rasters(), st.booleans())
def test_runs_of_the_crop_are_those_of_the_photograph(raster: Raster, columns: bool) -> None:
    mask = draw([raster], SIZE)
    runs = raster_runs(raster, SIZE, columns)
    assert runs == run_lengths((mask.T if columns else mask).ravel())
    assert raster_of_runs(runs, SIZE, columns) == raster


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools' own, under numpy 2
@settings(max_examples=300, deadline=None, derandomize=True)
@given(rasters())
def test_compressed_runs_are_those_of_pycocotools(raster: Raster) -> None:
    mask = draw([raster], SIZE)
    text = reference.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    runs = raster_runs(raster, SIZE, columns=True)
    assert compress(runs) == text
    assert decompress(text) == runs
    decoded = reference.decode({"size": list(SIZE), "counts": compress(runs)})
    assert np.array_equal(decoded.astype(bool), mask)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=9))
def test_long_runs_are_compressed_and_back(runs: list[int]) -> None:
    assert decompress(compress(runs)) == runs


@pytest.mark.parametrize("runs", [[221], [3, -1, 219], [200, 20]])
def test_runs_that_do_not_fit_are_refused(runs: list[int]) -> None:
    with pytest.raises(AnnotationError, match=r"at least one pixel|must add up"):
        raster_of_runs(runs, SIZE)


def test_no_runs_are_no_pixels() -> None:
    assert not from_run_lengths([5], 5).any()
