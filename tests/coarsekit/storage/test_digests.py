"""The digest of content: equal content, equal digest; any change, another one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.storage.digests import drawing_sha256, file_sha256, masks_sha256, photograph_sha256, sha256_of
from coarsekit.types import Annotation, Ellipse, Mark, Raster

SIMPLE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SIMPLE, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same content: False is no number, and neither order nor kind of list counts."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@given(VALUES, VALUES)
def test_digests_are_equal_where_the_content_is(one: Any, other: Any) -> None:
    assert (sha256_of(one) == sha256_of(other)) == same(one, other)


@given(st.dictionaries(st.text(max_size=4), st.integers(), max_size=5))
def test_the_order_of_a_mapping_does_not_count(value: dict[str, int]) -> None:
    assert sha256_of(value) == sha256_of(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ab"], ["a", "b"]),
        ([[1], 2], [[1, 2]]),
        ({"a": None}, {}),
        ("1", 1),
        (np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)),
        (np.zeros(8, bool), np.zeros(8, np.uint8)),
    ],
)
def test_values_that_look_alike_have_other_digests(one: Any, other: Any) -> None:
    assert sha256_of(one) != sha256_of(other)


def test_what_has_no_content_has_no_digest() -> None:
    with pytest.raises(TypeError, match="a object has no digest"):
        sha256_of({"a": object()})


def test_a_photograph_is_known_by_its_pixels() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert photograph_sha256(image) == photograph_sha256(np.asfortranarray(image))
    changed = image.copy()
    changed[3, 4, 2] += 1
    assert photograph_sha256(image) != photograph_sha256(changed)


def test_masks_are_known_by_class_and_pixels_and_an_empty_one_counts_as_none() -> None:
    mask = np.eye(9, dtype=bool)
    assert masks_sha256({"MA": mask, "HE": mask}) == masks_sha256({"HE": mask, "MA": mask, "EX": mask & False})
    assert masks_sha256({"MA": mask}) != masks_sha256({"HE": mask})
    assert masks_sha256({"MA": mask}) != masks_sha256({"MA": mask[::-1]})
    assert masks_sha256({}) == masks_sha256({"MA": mask & False})


def test_a_drawing_is_known_by_its_marks_size_and_style() -> None:
    drawn = Annotation("a.png", 30, 20, (Mark("MA", Ellipse(5, 5, 2, 2)), Mark("HE", Raster(1, 1, np.eye(3) > 0))))
    assert drawing_sha256(drawn) == drawing_sha256(replace(drawn, image="b.png", provenance={"made_by": "CVAT"}))
    for other in (
        replace(drawn, width=31),
        replace(drawn, marks=drawn.marks[:1]),
        replace(drawn, marks=drawn.marks[::-1]),
        replace(drawn, marks=(Mark("MA", Ellipse(5, 5, 2, 2.01)), drawn.marks[1])),
        replace(drawn, provenance={"style": "paper"}),
    ):
        assert drawing_sha256(drawn) != drawing_sha256(other)


def test_files_are_known_by_their_bytes(tmp_path: Path) -> None:
    for name, text in {"a": "one", "b": "one", "c": "two"}.items():
        (tmp_path / name).write_text(text)
    assert file_sha256(tmp_path / "a") == file_sha256(tmp_path / "b") != file_sha256(tmp_path / "c")
    assert file_sha256(tmp_path / "a", tmp_path / "c") != file_sha256(tmp_path / "c", tmp_path / "a")
