"""Colours of classes: how far apart they are to people with each kind of sight, and that none is given twice."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.color import rgb2lab

from coarsekit.types import LESIONS, Annotation, Ellipse, Mark
from coarsekit.visualize.colours import KNOWN, NOTHING_FOUND, OTHERS, Colour, colour_of, colours_for, colours_in

SIGHTS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What linear red, green and blue become: Machado, Oliveira & Fernandes 2009, at severity 1.0."""
FUNDUS: Sequence[Colour] = (
    (190, 90, 10),  # the background of IDRiD_19 and of IDRiD_46
    (194, 94, 62),
    (235, 135, 20),  # its brightest twentieth
    (233, 139, 110),
    (150, 60, 5),  # its darkest
    (110, 40, 8),
    (90, 30, 20),
    (220, 60, 30),  # vessels
    (200, 112, 9),  # hard exudates
    (206, 117, 70),
    (254, 201, 34),  # the optic disc
    (253, 186, 143),
)
"""Orange, red, dark red and bright yellow, as the sample's photographs have them."""
PALETTE = (*KNOWN.values(), *OTHERS)


def seen(colours: Sequence[Colour], sight: str) -> NDArray[np.float64]:
    """CIE Lab (n, 3) of the colours as people of that sight see them."""
    part = np.array(colours) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    changed = np.clip(linear @ SIGHTS[sight].T, 0, 1)
    encoded = np.where(changed <= 0.0031308, 12.92 * changed, 1.055 * changed ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(encoded))


def least(colours: Sequence[Colour], sight: str, others: Sequence[Colour] = ()) -> float:
    """The least distance between any two colours, or from any to any of the others."""
    lab = seen(colours, sight)
    if others:
        return float(np.linalg.norm(lab[:, None] - seen(others, sight), axis=2).min())
    return min(float(np.linalg.norm(one - other)) for one, other in combinations(lab, 2))


@pytest.mark.parametrize("sight", SIGHTS)
def test_everybody_can_tell_the_colours_apart(sight: str) -> None:
    assert least(PALETTE[:4], sight) > 36
    assert least(PALETTE[:8], sight) > 18
    assert least(PALETTE, sight) > 12.9


@pytest.mark.parametrize("sight", SIGHTS)
def test_everybody_can_tell_the_colours_from_a_fundus_from_black_and_from_a_mark_without_result(sight: str) -> None:
    assert least(PALETTE, sight, FUNDUS) > 24
    assert least(PALETTE, sight, [(0, 0, 0)]) > 45
    assert least(PALETTE, sight, [NOTHING_FOUND]) > 10


def test_a_picture_of_unknown_classes_gives_the_palette_in_order_of_appearance() -> None:
    assert colours_for(["NV", "MA", "IRMA", "NV", "drusen"]) == {
        "NV": OTHERS[0],
        "MA": KNOWN["MA"],
        "IRMA": OTHERS[1],
        "drusen": OTHERS[2],
    }
    assert list(colours_for(["NV", "MA"])) == ["NV", "MA"]
    assert colours_for([]) == {}


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=60), st.booleans())
def test_no_two_classes_of_a_picture_share_a_colour(names: list[str], same: bool) -> None:
    lesions = [*names, *LESIONS]
    colours = colours_for(lesions, {name: {"color": "#00ffff"} for name in lesions if same})
    assert set(colours) == set(lesions)
    assert len(set(colours.values())) == len(colours)
    for one, other in combinations(colours.values(), 2):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) >= 24


def test_two_hundred_classes_have_two_hundred_colours() -> None:
    assert len(set(colours_for(map(str, range(200))).values())) == 200


def test_the_colours_of_a_tool_go_first_and_a_class_that_finds_its_own_taken_falls_back_to_the_palette() -> None:
    cyan = "#{:02x}{:02x}{:02x}".format(*KNOWN["MA"])
    colours = colours_for(["MA", "NV", "IRMA"], {"NV": {"color": cyan}, "IRMA": {"color": "#FF0000"}})
    assert colours == {"MA": OTHERS[0], "NV": KNOWN["MA"], "IRMA": (255, 0, 0)}
    again = colours_for(["NV", "IRMA"], {"NV": {"color": "#ff0000"}, "IRMA": {"color": "#fe0101"}})
    assert again == {"NV": (255, 0, 0), "IRMA": OTHERS[0]}


@pytest.mark.parametrize("said", ["no colour", "", "#12", None, 7, ["#ff0000"], "#000000", "rgb(300, 0, 0)"])
def test_a_tools_colour_that_cannot_be_read_or_seen_says_nothing(said: object) -> None:
    assert colours_for(["MA", "NV"], {"NV": {"color": said}, "MA": {"name": "MA"}}) == {
        "MA": KNOWN["MA"],
        "NV": OTHERS[0],
    }


def test_an_annotation_has_the_colours_of_the_labels_that_its_classes_have_in_the_tool() -> None:
    shape = Ellipse(5, 5, 2, 2)
    marks = (Mark("HE", shape, {"label": "bleeding"}), Mark("NV", shape), Mark("MA", shape))
    labels = [{"name": "bleeding", "color": "red"}, {"name": "NV", "color": "#0000ff80"}, {"name": "HE"}]
    colours = colours_in(Annotation("p.png", 10, 10, marks, {"labels": labels}), ["SE"])
    assert colours == {"HE": (255, 0, 0), "NV": (0, 0, 255), "MA": KNOWN["MA"], "SE": KNOWN["SE"]}


def test_a_class_that_is_alone_has_the_colour_that_a_picture_of_it_has() -> None:
    assert [colour_of(name) for name in (*LESIONS, "NV")] == [*KNOWN.values(), OTHERS[0]]
    assert all(colours_for([name]) == {name: colour_of(name)} for name in (*LESIONS, "NV"))
