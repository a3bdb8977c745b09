"""The native annotation format: what is written is read again, and every mistake is one sentence naming its place."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.annotations import cvat, native, read_annotation, read_annotations
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError
from coarsekit.types import Annotation, Ellipse, Mark

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
lesions = st.sampled_from(["MA", "HE", "EX", "SE", "NV", "IRMA", "drüsen 1"])
sizes = st.floats(1e-6, 1e6)
ellipses = st.builds(
    Ellipse, cx=st.floats(-1e6, 1e6), cy=st.floats(-1e6, 1e6), rx=sizes, ry=sizes, angle=st.floats(-720, 720)
)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names
annotations = st.builds(
    Annotation,
    image=names.filter(lambda name: not re.match(r"[/\\]|[A-Za-z]:", name)),
    width=st.integers(1, 10_000),
    height=st.integers(1, 10_000),
    marks=st.lists(st.builds(Mark, lesions, ellipses), max_size=5).map(tuple),
    provenance=st.dictionaries(names, plain | st.lists(plain, max_size=3), max_size=3),
)

FORMAT = "coarsekit-ellipses"
CIRCLE = {"lesion": "MA", "cx": 50, "cy": 40, "r": 6}
LYING = {"lesion": "HE", "cx": 20.5, "cy": 30, "rx": 9, "ry": 4, "angle": 12}


def document(ellipse: Any = CIRCLE, **changes: Any) -> dict[str, Any]:
    """A valid file of one ellipse, with ``changes`` of its fields; None leaves one out."""
    fields = {"image": {"name": "a.jpg", "width": 100, "height": 80}, "ellipses": [ellipse]} | changes
    return {name: value for name, value in fields.items() if value is not None}


def written(folder: Path, content: Any) -> Path:
    path = folder / "ellipses.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all of hypothesis's examples."""
    return tmp_path_factory.mktemp("native")


# ---------------------------------------------------------------------------------------------- what is right


@given(annotation=annotations)
def test_what_is_written_is_read_again(folder: Path, annotation: Annotation) -> None:
    native.write(folder / "ellipses.json", [annotation])
    assert native.read(folder / "ellipses.json").annotations == [annotation]
    assert [path.name for path in folder.iterdir()] == ["ellipses.json"]


@given(annotations)
def test_each_ellipse_is_one_line_of_valid_json(annotation: Annotation) -> None:
    text = native.dumps(annotation)
    assert len(json.loads(text)["ellipses"]) == len(annotation.marks)
    assert text.count('\n    {"lesion"') == len(annotation.marks)


def test_a_circle_may_be_given_by_its_radius(tmp_path: Path) -> None:
    assert read_annotation(written(tmp_path, document())) == Annotation(
        "a.jpg", 100, 80, (Mark("MA", Ellipse(50, 40, 6, 6)),)
    )


def test_what_a_person_may_leave_out_has_its_default(tmp_path: Path) -> None:
    """``angle``, ``format``, ``version`` and ``provenance``."""
    full = {"format": "coarsekit-ellipses", "version": 1, "provenance": {}}
    lying = LYING | {"angle": 0}
    short = {name: value for name, value in lying.items() if name != "angle"}
    assert read_annotation(written(tmp_path, document(short))) == read_annotation(
        written(tmp_path, document(lying, **full))
    )


def test_a_file_without_ellipses_gives_no_marks(tmp_path: Path) -> None:
    assert read_annotation(written(tmp_path, document(ellipses=[]))).marks == ()


def test_what_a_person_calls_a_lesion_is_a_label_as_in_the_files_of_tools(tmp_path: Path) -> None:
    names = ("optic disc", "haemorrhage", "Drusen", "MA/HE", "MA")
    path = written(tmp_path, document(ellipses=[CIRCLE | {"lesion": name} for name in names]))
    [annotation], report = read_annotations(path)
    assert [mark.lesion for mark in annotation.marks] == ["HE", "Drusen", "MA-HE", "MA"]
    assert [mark.details.get("label") for mark in annotation.marks] == ["haemorrhage", None, "MA/HE", None]
    dropped, unknown = report.all_notes(ReadOptions())
    assert dropped.startswith("'optic disc' (of 1 region) is left out, for it is no lesion")
    assert unknown.startswith("'Drusen' (of 1 region), 'MA/HE' (of 1 region) are read as a class of that name")
    [told] = read_annotations(path, ReadOptions({"Optic Disc": "OD"})).annotations
    assert [mark.lesion for mark in told.marks] == ["OD", "HE", "Drusen", "MA-HE", "MA"]


def test_a_class_that_was_chosen_is_kept_whatever_it_is_called(tmp_path: Path) -> None:
    annotation = Annotation("a.jpg", 100, 80, (Mark("optic disc", Ellipse(50, 40, 6, 6)),))
    path = tmp_path / "ellipses.json"
    native.write(path, [annotation])
    assert native.read(path).annotations == [annotation]
    by_hand = written(tmp_path, document(CIRCLE | {"lesion": "optic disc"}, format=FORMAT))
    assert native.read(by_hand).annotations == [annotation]


@pytest.mark.parametrize("label", ["MA?", "microaneurysm?", "Hard exudate?", "Drusen/EX", " HE "])
def test_an_uncertain_label_stays_one(tmp_path: Path, label: str) -> None:
    """What can name its files reads like the class itself, and is another."""
    export = tmp_path / "annotations.xml"
    cvat.write(export, [Annotation("a.jpg", 100, 80, (Mark("x", Ellipse(50, 40, 6, 6), {"label": label}),))])
    [first] = read_annotations(export).annotations
    native.write(tmp_path / "ellipses.json", [first])
    [again] = native.read(tmp_path / "ellipses.json").annotations
    assert [again.marks[0].lesion, again.marks[0].details["label"]] == [first.marks[0].lesion, label]
    assert again.marks[0].lesion == ("HE" if label == " HE " else re.sub("[?/]", "-", label))


@pytest.mark.parametrize(("cx", "cy"), [(-5, 40), (105, 40), (50, -5), (50, 85), (0, 0)])
def test_an_ellipse_may_reach_over_the_edge(tmp_path: Path, cx: float, cy: float) -> None:
    assert len(read_annotation(written(tmp_path, document(CIRCLE | {"cx": cx, "cy": cy}))).marks) == 1


# ---------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(("cx", "cy"), [(-7, 40), (107, 40), (50, -7), (50, 87)])
def test_an_ellipse_wholly_outside_is_refused(tmp_path: Path, cx: float, cy: float) -> None:
    path = written(tmp_path, document(ellipses=[LYING, CIRCLE | {"cx": cx, "cy": cy}]))
    sentence = rf"^{re.escape(str(path))}: ellipses\.1 lies wholly outside the photograph of 100 × 80 px .*{cx}, {cy}"
    with pytest.raises(AnnotationError, match=sentence):
        read_annotation(path)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (document("MA"), "ellipses.0"),
        (document([1, 2, 3]), "ellipses.0"),
        (document(CIRCLE | {"lesion": 1}), "ellipses.0.lesion"),
        (document(CIRCLE | {"lesion": "a/b"}, format=FORMAT), "ellipses.0: a lesion name"),
        (document(CIRCLE | {"lesion": " "}, format=FORMAT), "ellipses.0: a lesion name"),
        (document(CIRCLE | {"lesion": "../up"}, format=FORMAT), "ellipses.0: a lesion name"),
        (document(CIRCLE | {"lesion": " "}), "ellipses.0: it has no label"),
        (document(CIRCLE | {"lesion": "optic disc"}), "ellipses.0: the label 'optic disc' is no lesion"),
        (document(CIRCLE | {"cx": "50"}), "ellipses.0.cx"),
        (document(CIRCLE | {"cx": None}), "ellipses.0.cx"),
        (document(CIRCLE | {"cx": True}), "ellipses.0.cx"),
        (document(CIRCLE | {"cx": float("nan")}), "ellipses.0.cx"),
        (document(CIRCLE | {"cy": float("inf")}), "ellipses.0.cy"),
        (document(CIRCLE | {"cy": 10**400}), "ellipses.0.cy"),
        (document(CIRCLE | {"r": 0}), "ellipses.0.r"),
        (document(CIRCLE | {"r": -3}), "ellipses.0.r"),
        (document(CIRCLE | {"r": float("-inf")}), "ellipses.0.r"),
        (document(CIRCLE | {"r": float("inf")}), "ellipses.0.r"),
        (document(LYING | {"rx": 0}), "ellipses.0.rx"),
        (document(LYING | {"ry": -1}), "ellipses.0.ry"),
        (document(LYING | {"angle": float("nan")}), "ellipses.0.angle"),
        (document(LYING | {"r": 5}), "ellipses.0: expected rx and ry, or r alone"),
        (document({"lesion": "MA", "cx": 1, "cy": 1}), "ellipses.0: expected rx and ry, or r alone"),
        (document({"lesion": "MA", "cx": 1, "cy": 1, "rx": 4}), "ellipses.0: expected rx and ry, or r alone"),
        (document({"cx": 1, "cy": 1, "r": 4}), "ellipses.0.lesion is missing"),
        (document({"lesion": "MA", "cy": 1, "r": 4}), "ellipses.0.cx is missing"),
        (document(CIRCLE | {"centre": 1}), "ellipses.0.centre is not a field"),
        (document(ellipses=[CIRCLE, LYING, CIRCLE | {"cx": "1"}]), "ellipses.2.cx"),
        (document(ellipses=None), "ellipses is missing"),
        (document(ellipses={"0": CIRCLE}), "ellipses"),
        (document(image=None), "image is missing"),
        (document(image="a.jpg"), "image"),
        (document(image={"name": "a.jpg", "width": 100}), "image.height is missing"),
        (document(image={"name": 1, "width": 100, "height": 80}), "image.name"),
        (document(image={"name": "a.jpg", "width": 0, "height": 80}), "image.width"),
        (document(image={"name": "a.jpg", "width": 100, "height": -80}), "image.height"),
        (document(image={"name": "a.jpg", "width": 100.5, "height": 80}), "image.width"),
        (document(format="coco"), "format"),
        (document(version=2), "version"),
        (document(provenance=[]), "provenance"),
        (document(regions=[]), "regions is not a field"),
        ([document()], "not an annotation in a format that is known"),
        ("null", "not an annotation in a format that is known"),
        ("", "is empty"),
        ("ellipses", "not JSON"),
        (json.dumps(document())[:-3], "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"image":' * 100_000, "not JSON"),
        ("1" * 5000, "not JSON"),
    ],
)
def test_every_mistake_is_one_sentence_that_names_the_file_and_the_field(
    tmp_path: Path, content: Any, field: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(AnnotationError, match=f"^{re.escape(f'{path}: {field}')}") as caught:
        read_annotation(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 250


def test_further_mistakes_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path, document({"cx": "1", "cy": 1, "r": 0}))
    with pytest.raises(AnnotationError, match=r"\(and 2 more\)$"):
        read_annotation(path)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\xff\xfe", b"\xff\xd8\xff\xe0" * 100, b"\x00" * 50])
def test_what_is_not_text_is_no_annotation(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ellipses.json"
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match=f"^{re.escape(str(path))}: "):
        read_annotation(path)


def test_a_missing_file_and_a_folder_are_no_annotations(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"ellipses\.json: no such file"):
        read_annotation(tmp_path / "ellipses.json")
    with pytest.raises(AnnotationError, match="no annotation file in this folder"):
        read_annotation(tmp_path)


def test_a_corner_that_is_too_short_is_said_in_our_words(tmp_path) -> None:
    content = {"image": {"name": "a.png", "width": 60, "height": 40}, "ellipses": []}
    polygon = {"lesion": "MA", "rings": [[[1], [2, 3], [4, 5]]]}
    (tmp_path / "a.json").write_text(json.dumps({**content, "polygons": [polygon]}))
    with pytest.raises(AnnotationError, match=r"polygons\.0.*: expected a length of 2 or more, got \[1\]"):
        read_annotations(tmp_path / "a.json", ReadOptions(strict=True))
