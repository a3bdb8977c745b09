"""Marks are refined as what they look like, where their label says nothing or says the opposite."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.draw import disk

import zoo
from coarsekit.annotations import native
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.images import write_image
from coarsekit.types import Annotation, Ellipse, Image, Mark, Point
from zoo.marks.groups import BY_CONTENT, BY_LABEL, CONTRADICTION, Group
from zoo.models.appearance import Appearance
from zoo.models.lite import Config, Network
from zoo.models.recognition import SHARED, classes_of, mark_features, recognise
from zoo.variants import RECOGNISING_VERSION, REFINING_VERSION

LESIONS = ("HE", "EX")
DARK, BRIGHT = -40, 50
PLACES = [(40 + 70 * row, 40 + 70 * column) for row in range(4) for column in range(6)]


def photograph(steps: Sequence[int], seed: int = 0) -> Image:
    """A noisy background with a disk at each of the first `PLACES`, darker or brighter by its step."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal([150, 90, 50], 6, (320, 460, 3))
    for (y, x), step in zip(PLACES, steps, strict=False):
        rows, columns = disk((y, x), rng.uniform(6, 10))
        pixels[rows, columns] += step * np.array([0.5, 1, 0.4]) * rng.uniform(0.8, 1.2)
    return pixels.clip(0, 255).astype(np.uint8)


def around(labels: Sequence[str]) -> Annotation:
    """An ellipse of each label around each of the first `PLACES`."""
    marks = tuple(Mark(label, Ellipse(x, y, 13, 13, 0)) for (y, x), label in zip(PLACES, labels, strict=False))
    return Annotation("a.png", 460, 320, marks)


@pytest.fixture(scope="module")
def appearance() -> Appearance:
    shapes = [mark.shape for mark in around(["HE"] * 24).marks]
    return Appearance.unmeasured(2).measured(
        {
            index: [mark_features(photograph([step] * 24, seed), shapes, range(24)) for seed in range(4)]
            for index, step in enumerate((DARK, BRIGHT, 0))
        }
    )


def groups(appearance: Appearance, steps: Sequence[int], labels: Sequence[str]) -> list[Group]:
    return recognise(appearance, LESIONS, photograph(steps, seed=9), around(labels))


def test_marks_that_look_like_their_label_are_refined_as_it(appearance: Appearance) -> None:
    steps, labels = [DARK] * 5 + [BRIGHT] * 5, ["HE"] * 5 + ["EX"] * 5
    assert groups(appearance, steps, labels) == [
        Group("HE", "HE", BY_LABEL, (0, 1, 2, 3, 4)),
        Group("EX", "EX", BY_LABEL, (5, 6, 7, 8, 9)),
    ]


@pytest.mark.parametrize(("step", "expected"), [(DARK, "HE"), (BRIGHT, "EX")])
@pytest.mark.parametrize("count", [1, 8])
def test_an_unknown_label_is_refined_as_what_its_marks_look_like(
    appearance: Appearance, step: int, expected: str, count: int
) -> None:
    found = groups(appearance, [step] * count, ["drusen"] * count)
    assert found == [Group("drusen", expected, BY_CONTENT, tuple(range(count)))]


def test_labels_that_were_swapped_are_contradicted_by_their_marks(appearance: Appearance) -> None:
    assert groups(appearance, [BRIGHT] * 6 + [DARK] * 6, ["HE"] * 6 + ["EX"] * 6) == [
        Group("HE", "EX", CONTRADICTION, (0, 1, 2, 3, 4, 5)),
        Group("EX", "HE", CONTRADICTION, (6, 7, 8, 9, 10, 11)),
    ]


def test_a_bright_spot_among_dark_ones_is_a_group_of_its_own(appearance: Appearance) -> None:
    steps = [DARK] * 10
    steps[3] = BRIGHT
    assert groups(appearance, steps, ["HE"] * 10) == [
        Group("HE", "HE", BY_LABEL, (0, 1, 2, 4, 5, 6, 7, 8, 9)),
        Group("HE", "EX", CONTRADICTION, (3,)),
    ]


def test_what_looks_like_nothing_is_not_contradicted(appearance: Appearance) -> None:
    for label in LESIONS:
        assert groups(appearance, [0] * 8, [label] * 8) == [Group(label, label, BY_LABEL, tuple(range(8)))]


@pytest.mark.parametrize("step", [DARK, BRIGHT])
def test_of_many_marks_some_are_looked_at(appearance: Appearance, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.models.recognition.MOST_MARKS", 5)
    places = tuple(range(24))
    taken = {DARK: Group("HE", "HE", BY_LABEL, places), BRIGHT: Group("HE", "EX", CONTRADICTION, places)}
    assert groups(appearance, [step] * 24, ["HE"] * 24) == [taken[step]]


@given(
    arrays(float, st.tuples(st.integers(0, 5), st.integers(1, 4)), elements=st.floats(-20, 0)),
    st.sets(st.integers(0, 3)),
)
def test_labels_are_told_apart_as_by_trying_every_assignment(likelihoods: np.ndarray, told: set[int]) -> None:
    labels, classes = likelihoods.shape

    def value(assigned: Sequence[int]) -> float:
        alone = sum(own[index] for own, index in zip(likelihoods, assigned, strict=True))
        return float(alone - SHARED * (len(assigned) - len(set(assigned) - told)))

    found = classes_of([*likelihoods], told)
    assert len(found) == labels
    assert value(found) == pytest.approx(max(map(value, product(range(classes), repeat=labels))))


def test_labels_of_a_photograph_mean_one_class_each_unless_their_marks_say_otherwise(appearance: Appearance) -> None:
    dark, bright = "finding 1", "finding 2"
    assert groups(appearance, [DARK] * 6 + [BRIGHT] * 6, [dark] * 6 + [bright] * 6) == [
        Group(dark, "HE", BY_CONTENT, (0, 1, 2, 3, 4, 5)),
        Group(bright, "EX", BY_CONTENT, (6, 7, 8, 9, 10, 11)),
    ]
    both = groups(appearance, [DARK] * 12, [dark] * 6 + ["finding 3"] * 6)
    assert [group.taken_as for group in both] == ["HE", "HE"]
    one = groups(appearance, [DARK] * 12, ["HE"] * 6 + [dark] * 6)
    assert [(group.lesion, group.taken_as, group.why) for group in one] == [
        ("HE", "HE", BY_LABEL),
        (dark, "HE", BY_CONTENT),
    ]


def test_a_class_that_a_label_is_not_sure_of_is_left_to_one_that_is() -> None:
    sure, unsure = np.array([-1.0, -9.0]), np.array([-2.0, -2.5])
    assert classes_of([unsure]) == [0]
    assert classes_of([sure, unsure]) == [0, 1]
    assert classes_of([unsure, sure]) == [1, 0]
    assert classes_of([sure, sure]) == [0, 0]
    assert classes_of([unsure], told=[0]) == [1]
    assert classes_of([sure], told=[0]) == classes_of([unsure], told=[0, 1]) == [0]


def test_what_labels_mean_that_a_network_does_not_know_has_a_version_of_its_own(appearance: Appearance) -> None:
    network = Network(Config(lesions=LESIONS, matched_filter=True, appearance=True))
    assert network.code_version(["HE", "drusen"]) == REFINING_VERSION  # it does not recognise them yet
    assert network.appearance is not None
    network.appearance.put(appearance)
    assert network.code_version([]) == network.code_version(["EX", "HE"]) == REFINING_VERSION
    assert network.code_version(["HE", "drusen"]) == f"{REFINING_VERSION}.{RECOGNISING_VERSION}"


def test_a_click_is_recognised_by_its_colours(appearance: Appearance) -> None:
    (y, x) = PLACES[0]
    clicked = Annotation("a.png", 460, 320, (Mark("spot", Point(x, y)),))
    assert recognise(appearance, LESIONS, photograph([BRIGHT]), clicked) == [Group("spot", "EX", BY_CONTENT, (0,))]


def test_no_marks_are_no_groups(appearance: Appearance) -> None:
    assert groups(appearance, [], []) == []


def test_a_network_without_a_fitted_appearance_goes_by_label(appearance: Appearance) -> None:
    image, drawn = photograph([BRIGHT] * 2), around(["HE", "drusen"])
    by_label = [Group("HE", "HE", BY_LABEL, (0,)), Group("drusen", "", BY_LABEL, (1,))]
    small = {"lesions": LESIONS, "matched_filter": True}
    assert Network(Config(**small)).groups(image, drawn) == by_label
    network = Network(Config(**small, appearance=True))
    assert network.groups(image, drawn) == by_label
    assert network.appearance is not None
    network.appearance.put(appearance)
    assert [group.why for group in network.groups(image, drawn)] == [CONTRADICTION, BY_CONTENT]
    assert set(network.refine(image, drawn)) == {"HE", "drusen"}
    with pytest.raises(AnnotationError, match="460"):
        network.groups(image[:100], drawn)


def test_marks_are_looked_at_once_until_photograph_drawing_or_appearance_change(
    appearance: Appearance, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(Config(lesions=LESIONS, appearance=True))
    assert network.appearance is not None
    network.appearance.put(appearance)
    looked: list[Annotation] = []

    def counting(*given: Any) -> list[Group]:
        looked.append(given[3])
        return recognise(*given)

    monkeypatch.setattr("zoo.models.patchwise.recognise", counting)
    image, drawn = photograph([BRIGHT] * 2), around(["HE", "drusen"])
    first = network.groups(image, drawn, 0.1)
    assert network.groups(image.copy(), around(["HE", "drusen"]), 0.1) == first
    network.refine(image, drawn, scale=0.1)
    assert len(looked) == 1
    image[:] = 90
    network.groups(image, drawn, 0.1)
    network.groups(image, around(["HE", "HE"]), 0.1)
    network.groups(image, drawn, 0.2)
    network.appearance.mean.neg_()
    network.groups(image, drawn, 0.2)
    assert len(looked) == 5


def test_a_drawing_has_its_own_classes_whatever_another_thread_keeps_meanwhile(appearance: Appearance) -> None:
    network = Network(Config(lesions=LESIONS, appearance=True))
    assert network.appearance is not None
    network.appearance.put(appearance)
    image, drawn = photograph([BRIGHT] * 2), around(["HE", "drusen"])
    expected = network.groups(image, drawn)

    class Shared(Network):  # type: ignore[misc] # another thread's drawing is kept as soon as this one's is
        _recognised = property(lambda _: ((), ["another's"]), lambda *_: None)

    network.__class__ = Shared
    assert network.groups(image, drawn) == expected


def test_a_mark_wholly_outside_changes_nothing_for_the_others(appearance: Appearance) -> None:
    image, drawn = photograph([BRIGHT] * 3), around(["HE", "drusen", "EX"])
    outside = [Mark(label, Ellipse(5000, 5000, 900, 900)) for label in ("drusen", "beyond")]
    network = Network(Config(lesions=LESIONS, appearance=True, matched_filter=True))
    assert network.appearance is not None
    for put in (False, True):
        if put:
            network.appearance.put(appearance)
        with_them = Annotation("a.png", 460, 320, (*drawn.marks, *outside))
        assert network.groups(image, with_them) == network.groups(image, drawn)
        masks, more = network.refine(image, drawn), network.refine(image, with_them)
        assert all(np.array_equal(masks[lesion], more[lesion]) for lesion in masks)
        found = network.refine_marks(image, with_them).marks[-1]
        assert (found.mark, found.found, found.drawn_pixels) == (4, "nothing", 0)


def test_a_run_says_what_labels_stand_for_and_which_are_contradicted(appearance: Appearance, tmp_path: Path) -> None:
    network = Network(Config(lesions=LESIONS, appearance=True))
    assert network.appearance is not None
    network.appearance.put(appearance)
    write_image(tmp_path / "a.png", photograph([BRIGHT] * 5 + [DARK]))
    native.write(tmp_path / "a.json", [around(["HE", "drusen", "drusen", "EX", "EX", "EX"])])
    report = zoo.refine_to_folder(network, tmp_path / "a.png", tmp_path / "a.json", tmp_path / "out")
    by_label = {mask["lesion"]: mask["refined_as"] for mask in report.records[0]["masks"]}
    assert by_label == {
        "HE": [{"lesion": "EX", "why": "contradiction", "marks": 1}],
        "drusen": [{"lesion": "EX", "why": "content", "marks": 2}],
        "EX": [{"lesion": "EX", "why": "label", "marks": 2}, {"lesion": "HE", "why": "contradiction", "marks": 1}],
    }
    *_, before, on_scale, recognised, contradicted = report.notes
    assert "'drusen' is refined as the class that their marks look like" in before
    assert "No rim of the field of view was seen in a.png" in on_scale
    assert recognised == "What marks look like says what to refine them as: 2 of 'drusen' as EX."
    assert contradicted == (
        "2 marks in a.png look like the opposite of the label and were refined as what is there: 1 of 'EX' as HE, "
        "1 of 'HE' as EX; check their labels."
    )


def test_marks_of_other_labels_are_no_surroundings(appearance: Appearance) -> None:
    image = photograph([DARK, BRIGHT])
    own = mark_features(image, [mark.shape for mark in around(["a", "b"]).marks], [1])
    assert np.isfinite(own).all()
    assert (own[0, :3] > 0).all()


def test_an_appearance_needs_classes() -> None:
    with pytest.raises(ParameterError, match="lesions"):
        Config(appearance=True)
