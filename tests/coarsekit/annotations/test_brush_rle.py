"""Label Studio's brush, packed and unpacked run by run, against the plain way word by word."""

from cProfile import Profile
from pstats import Stats

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.annotations.brush_rle import pack, unpack
from coarsekit.errors import AnnotationError
from coarsekit.types import Raster
from tests.coarsekit.annotations import plain_brush
from tests.coarsekit.annotations.test_labelstudio import BRUSH, BRUSH_MASK


def outcome(read) -> Raster | str:
    """What is read, or the sentence of the refusal."""
    try:
        return read()
    except AnnotationError as error:
        return str(error)


def plainly(packed: bytes, size: tuple[int, int]) -> Raster:
    words = plain_brush.unpack(packed, 4 * size[0] * size[1])
    return Raster(0, 0, words.reshape(*size, 4)[..., 3] > 0)


def assert_read_as_plainly(packed: bytes, size: tuple[int, int]) -> None:
    assert outcome(lambda: unpack(packed, size)) == outcome(lambda: plainly(packed, size))


@st.composite
def lawful(draw: st.DrawFn) -> tuple[bytes, tuple[int, int]]:
    """Any lawful packing of a small photograph: runs of any words and lengths, many of the longest in a row."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    lengths = draw(st.tuples(*[st.sampled_from([1, 1, 2, 3, 5, 16])] * 4))
    palette = draw(st.lists(st.integers(0, 255), min_size=1, max_size=3))
    words, runs = np.zeros(4 * height * width, np.uint8), []
    done = 0
    while done < len(words):
        same, choice = draw(st.booleans()), draw(st.integers(0, 3))
        longest = 1 << lengths[choice]
        run, times = draw(st.sampled_from([(longest, 9), (longest, 2), (draw(st.integers(1, longest)), 1)]))
        held = draw(st.lists(st.sampled_from(palette), min_size=1, max_size=7))
        for _ in range(times):
            left = len(words) - done
            if left:
                words[done : done + run] = held[0] if same else np.resize(held, min(run, left))
                # The last run may claim more words than are left.
                runs.append((same, choice, run if draw(st.booleans()) else min(run, left)))
                done += min(run, left)
    return plain_brush.pack_runs(words, runs, lengths), (height, width)


@given(lawful())
def test_any_lawful_packing_is_read_as_word_by_word(packing: tuple[bytes, tuple[int, int]]) -> None:
    assert_read_as_plainly(*packing)


@given(lawful(), st.data())
def test_a_damaged_packing_is_read_or_refused_as_word_by_word(
    packing: tuple[bytes, tuple[int, int]], data: st.DataObject
) -> None:
    packed, size = bytearray(packing[0]), packing[1]
    for place in data.draw(st.lists(st.integers(0, len(packed) - 1), max_size=3)):
        packed[place] = data.draw(st.integers(0, 255))
    packed += data.draw(st.binary(max_size=3))
    assert_read_as_plainly(bytes(packed[: data.draw(st.integers(0, len(packed)))]), size)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32), st.data())
def test_what_is_packed_has_the_same_bytes_as_word_by_word(height: int, width: int, seed: int, data) -> None:
    crop = np.random.default_rng(seed).random((height, width)) < data.draw(st.sampled_from([0.3, 0.8, 1.0]))
    crop[0, 0] = True
    size = height + data.draw(st.integers(0, 200)), width + data.draw(st.integers(0, 300))
    top, left = (data.draw(st.integers(0, whole - part)) for whole, part in zip(size, crop.shape, strict=True))
    raster, mask = Raster(left, top, crop), np.zeros(size, bool)
    mask[top : top + height, left : left + width] = crop
    packed = pack(raster, size)
    assert packed == plain_brush.pack(np.repeat(mask.ravel(), 4) * np.uint8(255))
    assert unpack(packed, size) == raster


@pytest.mark.parametrize("columns", [16_383, 16_384, 16_385, 40_000, 2**17])
@pytest.mark.parametrize("inside", [False, True])
def test_runs_about_as_long_as_the_longest_block_are_split_as_word_by_word(columns: int, inside: bool) -> None:
    mask = np.zeros((3, columns + 1), bool)
    mask[0, 0], mask[2, -1], mask[1, :columns] = True, True, inside
    packed = pack(Raster(0, 0, mask), mask.shape)
    assert packed == plain_brush.pack(np.repeat(mask.ravel(), 4) * np.uint8(255))
    assert unpack(packed, mask.shape) == Raster(0, 0, mask)


def test_a_long_row_of_equal_blocks_is_one_step() -> None:
    size, profile = (2848, 4288), Profile()
    raster = Raster(2000, 1500, np.ones((1, 1), bool))
    assert profile.runcall(unpack, pack(raster, size), size) == raster
    assert Stats(profile).total_calls < 4 * 2848 * 4288 / 2**16 / 2  # fewer than half as many as blocks


def test_equal_blocks_beyond_the_last_pixel_do_not_count() -> None:
    words = np.full(40, 255, np.uint8)
    packed = plain_brush.pack_runs(words, [(True, 0, 2)] * 20, (1, 1, 1, 1))
    shorter = (32).to_bytes(4, "big") + packed[4:]
    assert unpack(shorter, (2, 4)) == plainly(shorter, (2, 4)) == Raster(0, 0, np.ones((2, 4), bool))


def test_alpha_alone_decides() -> None:
    words = np.array([[9, 9, 9, 0], [0, 0, 0, 1], [255, 255, 255, 0], [0, 0, 0, 255]], np.uint8)
    assert unpack(plain_brush.pack(words.ravel()), (1, 4)) == Raster(1, 0, np.array([[True, False, True]]))


def test_what_label_studio_converter_packs_is_unpacked() -> None:
    assert unpack(bytes(BRUSH), BRUSH_MASK.shape) == Raster(0, 0, BRUSH_MASK)


@pytest.mark.parametrize("cut", [0, 5, 12, 30, 36])
def test_a_brush_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(AnnotationError, match="cut short"):
        unpack(bytes(BRUSH[:cut]), (12, 20))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((12, 21), "must hold 1008 words of 8 bits, got 960 of 8"),
        ((2**15, 2**15), "more than any photograph has"),
    ],
)
def test_a_brush_of_another_size_is_refused(size: tuple[int, int], said: str) -> None:
    with pytest.raises(AnnotationError, match=said):
        unpack(bytes(BRUSH), size)
