"""What is immutable stays as it was made: in a dictionary of the caller's, in a copy, and in another process."""

import copy
import json
import pickle
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from coarsekit.frozen import frozen
from coarsekit.simulation.styles import HUMAN, MIXED, STYLES, Imprecision, Style
from coarsekit.types import Annotation, Mark, Point, Raster

COPIES = (lambda it: it, copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it)))


@pytest.mark.parametrize("again", COPIES)
def test_a_preset_cannot_be_changed(again: Any) -> None:
    before = asdict(HUMAN)
    for change in (
        lambda style: style.imprecision.update(MA=Imprecision()),
        lambda style: style.imprecision.__setitem__("MA", Imprecision()),
        lambda style: style.imprecision.pop("MA"),
        lambda style: style.kinds.__setitem__("click", 1.0),
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            change(again(HUMAN))
    assert asdict(HUMAN) == before
    assert again(MIXED) == MIXED == replace(MIXED) == STYLES["mixed"]


def test_a_style_is_not_changed_by_the_dictionary_that_it_was_made_of() -> None:
    mine = {"MA": Imprecision()}
    style = Style("mine", imprecision=mine)
    mine["MA"] = Imprecision(size=3)
    assert style.imprecision == {"MA": Imprecision()}


@pytest.mark.parametrize("again", COPIES)
def test_details_and_provenance_are_the_mark_s_own(again: Any) -> None:
    mine = {"id": 1, "attributes": {"grade": ["mild"]}}
    mark = Mark("MA", Point(1, 2), mine)
    drawn = Annotation("a.png", 4, 3, (mark,), mine)
    mine["id"] = 2
    mine["attributes"]["grade"].append("severe")  # type: ignore[index]
    for held in (again(mark).details, again(drawn).provenance):
        assert held == {"id": 1, "attributes": {"grade": ["mild"]}}
        assert json.loads(json.dumps(held)) == held
        with pytest.raises(TypeError, match="cannot be changed"):
            held["id"] = 3
        with pytest.raises(TypeError, match="cannot be changed"):
            held["attributes"]["grade"] = "none"


@pytest.mark.parametrize("again", COPIES)
def test_the_pixels_of_a_mask_cannot_be_written_to(again: Any) -> None:
    raster = again(Raster(1, 2, np.ones((2, 3), bool)))
    assert not raster.crop.flags.writeable
    assert raster == Raster(1, 2, np.ones((2, 3), bool))


def test_a_copy_as_a_plain_dictionary_can_be_changed() -> None:
    plain = frozen({"a": 1}).copy()
    plain["a"] = 2
    assert plain == {"a": 2}
