"""Components, dilation and closing against brute-force distances and scikit-image."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from skimage.measure import label
from skimage.morphology import closing, disk

from coarsekit.geometry import draw
from coarsekit.morphology import component_points, components, disk_close, disk_dilate
from coarsekit.types import Ellipse, Mask
from tests.masks import centres, masks, masks_with_pixels


@given(masks)
def test_components_agree_with_scikit_image(mask: Mask) -> None:
    labels, count = components(mask)
    theirs, their_count = label(mask, connectivity=2, return_num=True)
    assert count == their_count
    assert len(set(zip(labels.ravel(), theirs.ravel(), strict=True)) - {(0, 0)}) == count
    assert ((labels > 0) == mask).all()


@given(masks)
def test_the_points_of_each_component_are_its_pixel_centres(mask: Mask) -> None:
    labels, count = components(mask)
    found = component_points(mask)
    assert len(found) == count
    for number, own in enumerate(found, start=1):
        assert sorted(own.tolist()) == sorted(centres(labels == number).tolist())


def test_an_empty_mask_has_no_components_and_stays_empty() -> None:
    empty = np.zeros((7, 9), bool)
    assert components(empty)[1] == 0
    assert component_points(empty) == []
    assert not disk_dilate(empty, 3).any()
    assert not disk_close(empty, 3).any()


@given(masks_with_pixels, st.floats(0.1, 12))
def test_dilation_holds_what_lies_within_the_radius(mask: Mask, radius: float) -> None:
    everywhere = np.argwhere(np.ones_like(mask))
    distance = np.linalg.norm(everywhere[:, None] - np.argwhere(mask)[None], axis=2).min(axis=1).reshape(mask.shape)
    assume((abs(distance - radius) > 1e-5).all())
    assert (disk_dilate(mask, radius) == (distance <= radius)).all()


def test_dilation_holds_what_lies_at_the_radius_exactly() -> None:
    mask = np.zeros((11, 11), bool)
    mask[5, 5] = True
    assert disk_dilate(mask, 5)[9, 8]
    assert disk_dilate(mask, 5).sum() == 81


@pytest.mark.parametrize("radius", [0, -1])
def test_no_radius_leaves_the_mask_as_it_is(radius: float) -> None:
    mask = np.eye(5, dtype=bool)
    for operation in (disk_dilate, disk_close):
        result = operation(mask, radius)
        assert (result == mask).all()
        assert not np.shares_memory(result, mask)


@given(masks, st.floats(0, 12))
def test_closing_never_loses_a_pixel(mask: Mask, radius: float) -> None:
    assert (disk_close(mask, radius) >= mask).all()


@given(masks, st.floats(0, 12))
def test_closing_twice_changes_nothing_more(mask: Mask, radius: float) -> None:
    once = disk_close(mask, radius)
    assert (disk_close(once, radius) == once).all()


@settings(max_examples=60)
@given(masks, st.integers(1, 6))
def test_closing_agrees_with_scikit_image(mask: Mask, radius: int) -> None:
    assert (disk_close(mask, radius) == closing(mask, disk(radius), mode="ignore")).all()


def test_closing_fills_holes_narrower_than_the_disk_only() -> None:
    ring = draw([Ellipse(20, 20, 12, 12)], (40, 40)) & ~draw([Ellipse(20, 20, 6, 6)], (40, 40))
    assert disk_close(ring, 7)[20, 20]
    assert (disk_close(ring, 3) == ring).all()


@pytest.mark.parametrize(
    "operation", [components, component_points, lambda m: disk_dilate(m, 3), lambda m: disk_close(m, 3)]
)
def test_masks_are_never_changed(operation) -> None:
    mask = draw([Ellipse(8, 8, 4, 3), Ellipse(20, 12, 5, 3)], (24, 30))
    before = mask.copy()
    mask.flags.writeable = False
    operation(mask)
    assert (mask == before).all()
