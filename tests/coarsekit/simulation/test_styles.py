"""Styles: their bounds, their names, and what they write into a provenance."""

import json
from dataclasses import fields
from math import nan

import pytest

from coarsekit.errors import ParameterError
from coarsekit.simulation.styles import HUMAN, PAPER, STYLES, Imprecision, Style, style_named
from coarsekit.types import LESIONS


@pytest.mark.parametrize("name", [field.name for field in fields(Imprecision)])
@pytest.mark.parametrize("value", [-0.1, nan])
def test_no_imprecision_is_negative(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be 0 or more, got {value}"):
        Imprecision(**{name: value})


def test_a_share_of_circles_is_at_most_1() -> None:
    assert Imprecision(circles=1).circles == 1
    with pytest.raises(ParameterError, match="circles is a share"):
        Imprecision(circles=1.01)


@pytest.mark.parametrize("name", ["smooth", "dilate", "expand"])
@pytest.mark.parametrize("value", [-0.1, nan])
def test_no_length_is_negative(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be 0 px or more, got {value}"):
        Style("any", **{name: value})


def test_the_reference_width_is_at_least_a_pixel() -> None:
    with pytest.raises(ParameterError, match="reference_width must be 1 px or more, got 0"):
        Style("any", reference_width=0)


def test_styles_are_found_by_name() -> None:
    assert style_named("paper") is PAPER
    assert style_named("human") is HUMAN
    names = ("paper", "human", "mixed", "boxes", "polygons", "clicks", "strokes")
    assert {name: style.name for name, style in STYLES.items()} == {name: name for name in names}


def test_an_unknown_style_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(
        ParameterError,
        match=r"no style 'humane'; choose one of paper, human, .*, strokes; did you mean 'human'",
    ):
        style_named("humane")


def test_paper_is_a_dilation_by_24_px_at_full_width_with_smoothed_rims() -> None:
    lengths = {"smooth": 2, "dilate": 24, "expand": 0}
    assert PAPER.parameters() == {"reference_width": 4288, **lengths, "imprecision": {}, "other": None}


def test_human_has_an_imprecision_for_every_known_lesion_and_for_any_other() -> None:
    assert tuple(HUMAN.imprecision) == LESIONS
    assert HUMAN.other is not None
    assert HUMAN.imprecision_of("NV") is HUMAN.other
    assert HUMAN.imprecision_of("MA") is HUMAN.imprecision["MA"]
    assert all(PAPER.imprecision_of(lesion) is None for lesion in (*LESIONS, "NV"))


@pytest.mark.parametrize("style", STYLES.values())
def test_the_parameters_make_the_style_again_after_a_way_through_json(style: Style) -> None:
    parameters = json.loads(json.dumps(style.parameters()))
    parameters["imprecision"] = {lesion: Imprecision(**own) for lesion, own in parameters["imprecision"].items()}
    parameters["other"] = parameters["other"] and Imprecision(**parameters["other"])
    assert Style(style.name, **parameters) == style
