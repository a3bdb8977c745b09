"""Run lengths of masks on a photograph, from their crops alone, and compressed as pycocotools does."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as pycoco

from coarsekit.annotations import format_named
from coarsekit.annotations.rle import (
    compress,
    decompress,
    from_photograph_runs,
    from_run_lengths,
    photograph_runs,
    run_lengths,
)
from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Mark, Raster, bounding_box

# pycocotools' arrays are of a class that numpy 2 asks for one argument more.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
BIG = (4288, 2848)


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    """Photographs, down to a single line, with dense, sparse, full and empty parts; runs that meet at the rim too."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    density, seed = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])), draw(st.integers(0, 2**32))
    mask = np.zeros((height, width), bool)
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    part = mask[top : draw(st.integers(top + 1, height)), left : draw(st.integers(left + 1, width))]
    part[...] = np.random.default_rng(seed).random(part.shape) < density
    return mask


@given(masks())
def test_the_runs_of_a_photograph_come_from_the_crop(mask: np.ndarray) -> None:
    rows, columns = bounding_box(mask)
    assert photograph_runs(mask[rows, columns], rows.start, columns.start, mask.shape) == run_lengths(mask.ravel())
    assert photograph_runs(mask, 0, 0, mask.shape) == run_lengths(mask.ravel())


@given(masks(), st.data())
def test_the_crop_comes_from_the_runs_of_a_photograph(mask: np.ndarray, data: st.DataObject) -> None:
    runs = run_lengths(mask.ravel())
    for place in data.draw(st.lists(st.integers(0, len(runs)), max_size=3)):
        runs[place:place] = [0, 0]  # lawful: a run without pixels between two of the same kind
    crop, line, place = from_photograph_runs(runs, mask.shape)
    again = np.zeros_like(mask)
    again[line : line + crop.shape[0], place : place + crop.shape[1]] = crop
    assert np.array_equal(again, mask)
    if mask.any():
        assert Raster(place, line, crop) == Raster(0, 0, mask)
        rows, columns = bounding_box(mask)
        goes_on = (mask[:-1, -1] & mask[1:, 0]).any()  # from the end of a line into the next
        assert crop.shape == (rows.stop - rows.start, mask.shape[1] if goes_on else columns.stop - columns.start)


@pytest.mark.parametrize(
    ("runs", "size"),
    [([5], (2, 3)), ([], (2, 3)), ([7, -1], (2, 3)), ([10**400, 1], (2, 3)), ([1], (2**14, 2**14 + 1))],
)
def test_runs_that_do_not_fit_are_refused_as_those_of_a_crop(runs: list[int], size: tuple[int, int]) -> None:
    sentences = []
    for read in (lambda: from_run_lengths(runs, size[0] * size[1]), lambda: from_photograph_runs(runs, size)):
        with pytest.raises(AnnotationError) as caught:
            read()
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]


@given(masks())
def test_runs_are_compressed_as_pycocotools_does(mask: np.ndarray) -> None:
    theirs = pycoco.encode(np.asfortranarray(mask, np.uint8))
    runs = run_lengths(mask.T.ravel())
    assert compress(runs) == theirs["counts"].decode()
    assert decompress(theirs["counts"].decode()) == runs
    assert np.array_equal(pycoco.decode({"size": list(mask.shape), "counts": compress(runs)}), mask)


@given(st.lists(st.integers(0, 2**28), max_size=12))
def test_what_was_compressed_is_decompressed(runs: list[int]) -> None:
    assert decompress(compress(runs)) == runs


def test_pycocotools_finds_the_masks_of_a_file_in_their_places(tmp_path) -> None:
    mask = np.zeros((150, 200), bool)
    mask[140:, 20:30], mask[:3, 31], mask[149, 199] = True, True, True
    marks = (Mark("MA", Raster(0, 0, mask)), Mark("HE", Raster(7, 9, np.ones((2, 1), bool))))
    format_named("coco").write(tmp_path / "a.json", [Annotation("p.jpg", 200, 150, marks)])
    first, second = json.loads((tmp_path / "a.json").read_text())["annotations"]
    assert np.array_equal(pycoco.decode(first["segmentation"]), mask)
    assert pycoco.area(first["segmentation"]) == first["area"] == mask.sum()
    assert pycoco.toBbox(first["segmentation"]).tolist() == first["bbox"]
    assert np.argwhere(pycoco.decode(second["segmentation"])).tolist() == [[9, 7], [10, 7]]


@pytest.mark.parametrize("place", [(0, 0), (2000, 1500), (BIG[0] - 20, BIG[1] - 20), (-5, 1500)])
@pytest.mark.parametrize("name", ["coco", "labelstudio"])
def test_a_small_mask_never_becomes_a_large_one(name: str, place: tuple[int, int], tmp_path) -> None:
    raster = Raster(*place, np.random.default_rng(0).random((20, 20)) < 0.8)
    annotation, path = Annotation("p.jpg", *BIG, (Mark("MA", raster),)), tmp_path / "a.json"
    target = format_named(name)
    target.write(path, [annotation], approximate=True)
    target.read(path)  # what is imported and built once does not count
    tracemalloc.start()
    try:
        target.write(path, [annotation], approximate=True)
        [back] = target.read(path).annotations
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BIG[0] * BIG[1] / 10
    [mark] = back.marks
    assert mark.shape == Raster(max(place[0], 0), place[1], raster.crop[:, max(-place[0], 0) :])
