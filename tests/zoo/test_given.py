"""Photographs and drawings as callers have them: taken as they are meant, or refused in one sentence."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import zoo
from coarsekit.annotations import native
from coarsekit.errors import CoarsekitError, ParameterError
from coarsekit.images.given import as_image
from coarsekit.types import Annotation, Ellipse, Mark
from zoo.training.recipe import Recipe

BUNDLED = Path(zoo.__file__).parent / "weights"
SIZE = (60, 80)
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
PIXELS[0, 0] = 255
MARKS = [Mark("MA", Ellipse(30, 30, 9, 7))]
DRAWN = Annotation("a.png", SIZE[1], SIZE[0], tuple(MARKS))
RULE = zoo.from_pretrained("otsu")
EXPECTED = RULE.refine(PIXELS, DRAWN)["MA"]


@pytest.mark.parametrize(
    "image",
    [
        PIXELS.astype(np.int64),
        (PIXELS.astype(np.uint16) * 257),
        (PIXELS / 255).astype(np.float32),
        PIXELS / 255,
        np.dstack([PIXELS, np.full(SIZE, 7, np.uint8)]),
        Pillow.fromarray(PIXELS),
        Pillow.fromarray(np.dstack([PIXELS, np.full(SIZE, 255, np.uint8)])),
        np.asfortranarray(PIXELS),
    ],
    ids=["int64", "uint16", "float32", "float64", "RGBA array", "Pillow", "Pillow with alpha", "another order"],
)
def test_one_photograph_in_many_forms_is_refined_alike(image: object) -> None:
    assert np.array_equal(RULE.refine(image, DRAWN)["MA"], EXPECTED)  # type: ignore[arg-type]


@pytest.mark.parametrize("image", [PIXELS[..., 1], PIXELS[..., 1:2], Pillow.fromarray(PIXELS[..., 1])])
def test_a_grey_photograph_has_three_equal_colours(image: object) -> None:
    grey = np.repeat(PIXELS[..., 1:2], 3, axis=2)
    assert np.array_equal(as_image(image), grey)
    assert np.array_equal(RULE.refine(image, MARKS)["MA"], RULE.refine(grey, DRAWN)["MA"])  # type: ignore[arg-type]


def test_files_and_lists_of_marks_are_taken(tmp_path: Path) -> None:
    Pillow.fromarray(PIXELS).save(tmp_path / "a.png")
    native.write(tmp_path / "a.json", [DRAWN])
    for image in (tmp_path / "a.png", str(tmp_path / "a.png")):
        for annotation in (tmp_path / "a.json", str(tmp_path / "a.json"), MARKS, tuple(MARKS), DRAWN):
            assert np.array_equal(RULE.refine(image, annotation)["MA"], EXPECTED)
    assert RULE.refine(PIXELS, []) == {}
    assert RULE.refine_marks(tmp_path / "a.png", MARKS).marks[0].refined_pixels == EXPECTED.sum()


WRONG = [
    ("a tensor", torch.zeros(3, 60, 80), DRAWN, "tensor.permute"),
    ("a list of numbers", [[0, 1]], DRAWN, "a photograph is a path"),
    ("no photograph", None, DRAWN, "got NoneType"),
    ("a boolean array", PIXELS > 9, DRAWN, "got an array of bool"),
    ("complex numbers", PIXELS.astype(complex), DRAWN, "complex128"),
    ("texts", np.array([["a"]]), DRAWN, "pixels are numbers"),
    ("channels first", PIXELS.transpose(2, 0, 1), DRAWN, "transpose"),
    ("a batch", PIXELS[None], DRAWN, r"got an array of shape \(1, 60, 80, 3\)"),
    ("two channels", PIXELS[..., :2], DRAWN, r"is \(h, w, 3\)"),
    ("one row", PIXELS[0, 0], DRAWN, r"is \(h, w, 3\)"),
    ("no pixel", np.zeros((0, 80, 3), np.uint8), DRAWN, "one pixel or more"),
    ("negative values", PIXELS.astype(int) - 300, DRAWN, "values go from"),
    ("values beyond 16 bits", PIXELS.astype(int) * 1000, DRAWN, "values go from"),
    ("not a number", np.full((*SIZE, 3), np.nan), DRAWN, "values go from"),
    ("a file that is not there", "nowhere.png", DRAWN, "nowhere.png"),
    ("a drawing of another size", PIXELS[:50], DRAWN, "was drawn on"),
    ("a drawing that is not there", PIXELS, "nowhere.json", "nowhere.json"),
    ("no drawing", PIXELS, None, "an Annotation, a path, or a list of marks, got NoneType"),
    ("a dictionary", PIXELS, {"ellipses": []}, "got dict"),
    ("shapes without a class", PIXELS, [Ellipse(1, 2, 3, 4)], "mark 0: expected a Mark"),
    ("tuples", PIXELS, [*MARKS, ("MA", 1, 2)], "mark 1: expected a Mark"),
    ("a mask", PIXELS, PIXELS[..., 0] > 9, "got numpy.ndarray"),
]


@pytest.mark.parametrize(("image", "drawn", "said"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_anything_else_is_one_sentence(image: object, drawn: object, said: str) -> None:
    with pytest.raises((CoarsekitError, TypeError), match=said) as caught:
        RULE.refine(image, drawn)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_photograph_is_not_copied_nor_changed() -> None:
    assert np.shares_memory(as_image(PIXELS), PIXELS)
    before = PIXELS.copy()
    RULE.refine(PIXELS, DRAWN)
    assert np.array_equal(PIXELS, before)


def test_a_network_takes_them_too() -> None:
    network = zoo.from_pretrained("tiny", device="cpu")
    found = network.refine((PIXELS / 255).astype(np.float32), MARKS)["MA"]
    assert np.array_equal(found, network.refine(PIXELS, DRAWN)["MA"])
    probability = network.probabilities(Pillow.fromarray(PIXELS), MARKS)["MA"]  # type: ignore[attr-defined]
    assert np.array_equal(probability >= network.config.threshold, found)  # type: ignore[attr-defined]
    with pytest.raises(CoarsekitError, match="cannot be used here"):
        zoo.from_pretrained("tiny", device="cuda:99")


@pytest.mark.parametrize("scale", [0, -1, 0.001, 1e6, float("inf"), float("nan"), "1"])
@pytest.mark.parametrize("name", ["otsu", "shrink", "tiny"])
def test_a_scale_of_no_retina_is_one_sentence(name: str, scale: float) -> None:
    refiner = zoo.from_pretrained(name)
    for refine in (refiner.refine, refiner.refine_marks):
        with pytest.raises(ParameterError, match=r"from 0\.031 to 4; got .*, so give another scale=…"):
            refine(PIXELS, DRAWN, scale=scale)


@pytest.mark.parametrize("scale", [0.0312, 4, np.float32(0.5)])  # the first as records round the least
def test_a_scale_of_a_retina_is_taken(scale: float) -> None:
    assert RULE.refine(PIXELS, DRAWN, scale=scale)["MA"].shape == SIZE


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"protocol": "crossclass"}, "no protocol 'crossclass'.*did you mean 'cross-class'"),
        ({"jobs": 0}, "jobs must be 1 or more, got 0"),
        ({"reductions": 0.5}, r"reduction factor must be .* got 0\.5"),
        ({"reductions": "two"}, "reduction factor must be .* got 'two'"),
        ({"styles": "hunam"}, "no style 'hunam'"),
        ({"styles": [3]}, "no style 3"),
        ({"styles": ()}, "styles names none"),
        ({"sources": ()}, "sources names none"),
        ({"lesions": "XX"}, "no lesion class 'XX'"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"refiners": Path("none")}, "no refiner './none'"),
        ({"refiners": [3]}, "expected a name or a path, got 3"),
        ({"sources": Path("none")}, "is not a source"),
        ({"split": 3}, "no split 3"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CoarsekitError, match=sentence):
        zoo.evaluate(**{"sources": "sample", "refiners": "shrink", "lesions": ["SE"], **options})


def test_a_folder_is_refined_by_a_refiner_or_its_name(tmp_path: Path) -> None:
    Pillow.fromarray(PIXELS).save(tmp_path / "a.png")
    native.write(tmp_path / "a.json", [DRAWN])
    given = (tmp_path / "a.png", tmp_path / "a.json")
    [by_name] = zoo.refine_to_folder("otsu", *given, out=tmp_path / "one").records
    [by_refiner] = zoo.refine_to_folder(RULE, *given, out=tmp_path / "two").records
    for one in (by_name, by_refiner):
        assert (one["refiner"], one["masks"][0]["refined_pixels"]) == ("otsu", EXPECTED.sum())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"source": ""}, "the parameter source is an empty text"),
        ({"annotation": ""}, "the parameter annotation is an empty text"),
        ({"out": ""}, "the parameter out is an empty text"),
        ({"out": 3}, "the parameter out must be a path"),
        ({"refiner": "nowhere"}, "no refiner 'nowhere'"),
        ({"refiner": 3}, "a refiner is named by a text"),
        ({"jobs": "2"}, "jobs must be 1 or more, got '2'"),
        ({"field_of_view": "3418"}, "field_of_view=… is a number of px"),
        ({"labels": "MA=HE"}, "labels must be a dictionary"),
        ({"labels": {"MA": 3}}, "labels must have texts"),
    ],
)
def test_what_cannot_be_refined_to_a_folder_is_one_sentence(
    options: dict[str, Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Pillow.fromarray(PIXELS).save("a.png")
    native.write(Path("a.json"), [DRAWN])
    with pytest.raises(CoarsekitError, match=sentence):
        zoo.refine_to_folder(**{"refiner": RULE, "source": "a.png", "annotation": "a.json", "out": "out", **options})
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "a.json"}


def test_an_empty_text_is_no_annotation_in_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native.write(tmp_path / "a.json", [DRAWN])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CoarsekitError, match="an empty text is no path of an annotation"):
        RULE.refine(PIXELS, "")


def test_one_of_what_may_be_several_needs_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BUNDLED / "shrink", "net")
    found = zoo.evaluate("sample", Path("net"), reductions=2.0, styles="paper", lesions="SE")
    assert [(row["refiner"], row["reduction"], row["style"], row["lesion"]) for row in found.rows] == [
        ("./net", 2.0, "paper", "SE")
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"source": Path("photographs")}, "is not a source"),
        ({"recipe": 3}, "the parameter recipe must be a path"),
        ({"recipe": Recipe(validation=0.5), "threads": 0}, "threads must be a whole number from 1"),
    ],
)
def test_what_cannot_be_trained_on_is_one_sentence(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CoarsekitError, match=sentence):
        zoo.train(**{"recipe": "unet", "source": "sample", "split": "validation", "out": tmp_path / "net", **options})
    with pytest.raises(ParameterError, match="start must be a text"):
        Recipe(start=tmp_path)
    for wrong in ({"styles": "human"}, {"reductions": 1.5}, {"only_lesions": "MA"}):
        with pytest.raises(ParameterError, match=f"{next(iter(wrong))} must be several in a list"):
            Recipe(**wrong)
