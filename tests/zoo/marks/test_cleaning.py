"""What is left out of answers: specks, what is unlikely as a whole, and pixels that another class has."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label, regionprops

from coarsekit.morphology import components
from coarsekit.types import Annotation, Ellipse, Mark, Mask, Point
from zoo.marks.overlaps import divide_overlaps
from zoo.marks.specks import without_specks
from zoo.marks.unlikely import SURE, often_empty, without_unlikely

SHAPE = (40, 60)


def drawn(*shapes: Ellipse) -> Annotation:
    return Annotation("a.png", SHAPE[1], SHAPE[0], tuple(Mark("MA", shape) for shape in shapes))


def mask_of(*boxes: tuple[int, int, int, int]) -> Mask:
    mask = np.zeros(SHAPE, bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def test_a_speck_beside_a_larger_answer_of_its_mark_is_left_out_and_one_alone_is_kept() -> None:
    annotation = drawn(Ellipse(15, 15, 10, 10), Ellipse(45, 15, 8, 8))
    mask = mask_of((10, 10, 18, 18), (20, 20, 22, 22), (44, 14, 46, 16))
    assert np.array_equal(without_specks(mask, annotation, "MA", 8), mask_of((10, 10, 18, 18), (44, 14, 46, 16)))
    assert without_specks(mask, annotation, "MA", 0) is mask
    assert without_specks(mask, annotation, "HE", 8) is mask
    assert without_specks(mask_of((44, 14, 46, 16)), annotation, "MA", 8).sum() == 4


boxes = st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(1, 8), st.integers(1, 8))


@settings(deadline=None, max_examples=60)
@given(st.lists(boxes, max_size=8), st.lists(boxes, min_size=1, max_size=4), st.integers(0, 12))
def test_only_whole_components_below_the_least_area_are_left_out_and_no_mark_loses_all(
    parts: list[tuple[int, int, int, int]], marks: list[tuple[int, int, int, int]], least: int
) -> None:
    annotation = drawn(*(Ellipse(x, y, w, h) for x, y, w, h in marks))
    mask = mask_of(*((x, y, x + w, y + h) for x, y, w, h in parts))
    kept = without_specks(mask, annotation, "MA", least)
    labels, count = components(mask)
    for part in range(1, count + 1):
        own = labels == part
        assert (kept & own).sum() in (0, own.sum())
        if own.sum() >= least:
            assert (kept & own).any()
    assert not (kept & ~mask).any()
    assert kept.any() or not mask.any()


@settings(deadline=None, max_examples=60)
@given(st.lists(boxes, max_size=8), st.lists(boxes, max_size=2), st.floats(0, 0.99), st.integers(0, 2**16))
def test_components_of_a_low_mean_probability_are_left_out_unless_a_click_lies_on_them(
    parts: list[tuple[int, int, int, int]], clicks: list[tuple[int, int, int, int]], least: float, seed: int
) -> None:
    mask = mask_of(*((x, y, x + w, y + h) for x, y, w, h in parts))
    probability = np.random.default_rng(seed).uniform(0.5, 1, SHAPE).astype(np.float32)
    points = [Point(x + 0.5, y + 0.5) for x, y, _, _ in clicks]
    marks = (Mark("MA", Ellipse(30, 20, 25, 15)), *(Mark("MA", point) for point in points))
    annotation = Annotation("a.png", SHAPE[1], SHAPE[0], (*marks, Mark("HE", Point(1, 1))))
    kept = without_unlikely(mask, probability, annotation, "MA", least)
    for region in regionprops(label(mask, connectivity=2), probability):
        pixels = {(y, x) for y, x in region.coords.tolist()}
        clicked = any((int(point.y), int(point.x)) in pixels for point in points)
        if abs(region.intensity_mean - least) > 1e-6:
            assert all(kept[place] == (clicked or region.intensity_mean > least) for place in pixels)
    assert not (kept & ~mask).any()
    assert without_unlikely(mask, probability, annotation, "MA", 0) is mask


maps = st.lists(st.lists(st.integers(0, 10), min_size=6, max_size=6), min_size=1, max_size=4)


@given(maps)
def test_a_pixel_goes_to_the_likeliest_of_the_classes_that_claim_it(values: list[list[int]]) -> None:
    probabilities = {str(place): np.array([row], np.float32) / 10 for place, row in enumerate(values)}
    masks = {name: own >= 0.5 for name, own in probabilities.items()}
    divided = divide_overlaps(masks, probabilities)
    assert list(divided) == list(masks)
    for pixel in range(6):
        claims = [name for name in masks if masks[name][0, pixel]]
        winners = [name for name in masks if divided[name][0, pixel]]
        best = max(claims, key=lambda name: probabilities[name][0, pixel], default=None)
        assert winners == ([] if best is None else [best])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1, width=32), max_size=12), st.integers(0, 2), st.integers(0, 2))
def test_marks_are_often_empty_where_two_or_more_and_over_a_fifth_hold_nothing_sure(
    likeliest: list[float], clicks: int, outside: int
) -> None:
    probability = np.zeros(SHAPE, np.float32)
    marks = []
    for place, value in enumerate(likeliest):
        x, y = 5 + 10 * (place % 6), 10 + 20 * (place // 6)
        probability[y, x] = value
        marks.append(Mark("MA", Ellipse(x + 0.5, y + 0.5, 3, 4)))
    others = [Mark("MA", Point(1, 1))] * clicks + [Mark("MA", Ellipse(-50, -50, 3, 3))] * outside
    annotation = Annotation("a.png", SHAPE[1], SHAPE[0], (*marks, *others, Mark("HE", Ellipse(30, 38, 2, 1))))
    empty = sum(value < SURE for value in likeliest)
    expected = empty >= 2 and empty / len(likeliest) > 0.2 + 1e-9
    assert often_empty(probability, annotation, "MA") is expected
    assert not often_empty(probability, annotation, "EX")
