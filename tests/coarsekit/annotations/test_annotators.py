"""Whose a drawing is, and of which photograph, whatever exports call both."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coarsekit.annotations import annotation_files, read_all
from coarsekit.annotations.annotators import annotated_once, annotator_of, folders_of
from coarsekit.annotations.drawings import annotated_by_several, find_drawings, read_drawings
from coarsekit.annotations.exports_over_time import without_earlier
from coarsekit.annotations.native import write
from coarsekit.annotations.photograph_files import PhotographFiles
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError
from coarsekit.images import write_image
from coarsekit.types import Annotation, Ellipse, Mark

SIZE = (100, 80)
TASK, ANNA, BEN = {"task": "Clinic A"}, {"annotator": "anna"}, {"annotator": {"id": 2, "email": "ben@x.org"}}


def drawn(image: str, *places: float, by: dict[str, Any] | None = None) -> Annotation:
    return Annotation(image, *SIZE, tuple(Mark("HE", Ellipse(x, 40, 9, 9)) for x in places), by or {})


def photographs(folder: Path, *names: str) -> Path:
    for name in names:
        write_image(folder / name, np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    return folder


def files(*annotations: Annotation) -> list[tuple[Path, Annotation]]:
    """Each in a file of its own."""
    return [(Path(f"{number}.xml"), one) for number, one in enumerate(annotations)]


def by(*annotations: Annotation) -> tuple[list[tuple[str, int]], list[str]]:
    """Who drew what stays, and how many marks; and what is said of the rest."""
    kept, notes = without_earlier(files(*annotations))
    return [(annotator_of(one), len(one.marks)) for _, one in kept], notes


@pytest.mark.parametrize("nobody", [TASK, {}])
def test_one_drawing_by_a_person_and_by_nobody_but_the_task_is_the_person_s(nobody: dict[str, Any]) -> None:
    said = ["0.xml has the marks of anna on A.jpg, and names nobody: they count once, as anna's."]
    for marks in ((10.0, 30.0), (10.0,)):
        task, own = drawn("A.jpg", *marks, by=nobody), drawn("A.jpg", 10, 30, by=ANNA)
        assert by(task, own) == ([("anna", 2)], said)
    assert by(drawn("A.jpg", 10, 30, by=nobody), drawn("A.jpg", 30, by=ANNA)) == ([("anna", 2)], said)
    grown = [drawn("A.jpg", *places, by=ANNA) for places in ((10,), (10, 30))]
    kept, notes = by(drawn("A.jpg", 10, 30, 50, by=nobody), *grown)
    assert kept == [("anna", 3)]
    assert notes[-1] == said[0]


def test_drawings_that_may_be_of_two_stay_two() -> None:
    for one, other in (
        (drawn("A.jpg", 10, by=ANNA), drawn("A.jpg", 10, by=BEN)),  # two persons
        (drawn("A.jpg", 10, by=TASK), drawn("A.jpg", 10, by={"task": "Clinic B"})),  # perhaps a task each
        (drawn("A.jpg", by=TASK), drawn("A.jpg", by=ANNA)),  # nothing was drawn
        (drawn("A.jpg", 10, by=TASK), drawn("A.jpg", 12, by=ANNA)),
        (drawn("A.jpg", 10, by=TASK), drawn("B.jpg", 10, by=ANNA)),
    ):
        assert len(by(one, other)[0]) == 2
    both = drawn("A.jpg", 10, 30, by=TASK), drawn("A.jpg", 10, by=ANNA), drawn("A.jpg", 30, by=BEN)
    assert len(by(*both)[0]) == 3


def test_of_two_spellings_of_a_photograph_an_earlier_export_is_known(tmp_path: Path) -> None:
    photographs(tmp_path / "p", "eye 1.jpg")
    write(tmp_path / "d" / "june.json", [drawn("3f2a1b9c-eye_1.jpg", 10, 30)])
    write(tmp_path / "d" / "may.json", [drawn("eye 1.jpg", 10)])
    [(_, one)], report = read_all(annotation_files(tmp_path / "d"), ReadOptions(images=tmp_path / "p"), tmp_path / "d")
    assert len(one.marks) == 2
    assert "it stands for both: eye 1.jpg of june.json" in report.notes[0]


def test_two_drawings_of_a_file_are_two_people_s_or_both_are_named(tmp_path: Path) -> None:
    place = photographs(tmp_path, "A.jpg")
    spelt = ["A.jpg", "a.JPG", "3f2a1b9c-A.jpg", "upload/A.jpg", "A.tif"]
    for name in spelt[1:]:
        for who, number in (({}, 0), (ANNA, 0), (BEN, 2)):
            found = files(drawn("A.jpg", 10, by=ANNA if who else {}), drawn(name, 30, by=who))
            of = PhotographFiles(PhotographFolder(place), [one for _, one in found])
            kept, twice = annotated_once(found, of.photograph_of)
            assert len(kept) == number
            assert all(f"A.jpg and {name}: annotated more than once" in sentence for _, sentence in twice)
            assert len(twice) == (not number)
            folders = folders_of([one for _, one in kept], of.photograph_of)
            assert folders == (["anna", "2"] if number else [])


def test_the_name_of_another_folder_is_not_taken_for_a_photograph_that_has_its_own(tmp_path: Path) -> None:
    place = photographs(tmp_path, "anna/left.jpg")
    several = [drawn("anna/left.jpg", 10), drawn("ben/left.jpg", 30)]
    of = PhotographFiles(PhotographFolder(place), several)
    assert [of.file_of(one) for one in several] == [place / "anna/left.jpg", None]
    assert of.reason_of(several[1]).endswith("is the photograph of anna/left.jpg; put its own in its folder")


def test_the_name_of_another_folder_is_not_taken_for_a_photograph_in_one_that_the_same_export_names(
    tmp_path: Path,
) -> None:
    place = photographs(tmp_path, "anna/left.jpg", "anna/right.jpg")
    several = [drawn("anna/right.jpg", 10), drawn("ben/left.jpg", 30)]
    of = PhotographFiles(PhotographFolder(place), several)
    assert of.file_of(several[1]) is None
    assert "left.jpg lies in the folder of anna/right.jpg; put its own" in of.reason_of(several[1])
    elsewhere = replace(several[1], provenance={"file": "other.xml"})  # whose folders may be called otherwise
    assert PhotographFiles(PhotographFolder(place), [several[0], elsewhere]).file_of(elsewhere)


def test_a_file_that_two_uploads_may_be_of_is_neither_s(tmp_path: Path) -> None:
    two = [drawn("0a1b2c3d-left.jpg", 10, by=ANNA), drawn("9f8e7d6c-left.jpg", 30, by=BEN)]
    place = photographs(tmp_path, "left.jpg")
    of = PhotographFiles(PhotographFolder(place), two)
    assert [of.file_of(one) for one in two] == [None, None]
    assert "left.jpg may be that of 9f8e7d6c-left.jpg, too; give the folder" in of.reason_of(two[0])
    assert PhotographFiles(PhotographFolder(place), two[:1]).file_of(two[0]) == place / "left.jpg"
    photographs(tmp_path, "upload/0a1b2c3d-left.jpg")
    assert PhotographFiles(PhotographFolder(place), two).file_of(two[0]) == place / "upload/0a1b2c3d-left.jpg"


def test_a_folder_is_for_a_photograph_that_is_shared_alone() -> None:
    several = [drawn("A.jpg", by=ANNA), drawn("B.jpg", by=ANNA), drawn("A.jpg", by=BEN), drawn("C.jpg", by=BEN)]
    assert folders_of(several) == ["anna", "", "2", ""]
    with pytest.raises(AnnotationError, match=r"A is annotated more than once by anna; keep one annotation of it"):
        folders_of([several[0], several[0]])


def test_drawings_are_matched_by_the_file_that_their_names_find(tmp_path: Path) -> None:
    names = ("eye scan 1.jpg", "M\u00fcller.jpg", "IMG_7.JPG", "B.jpg", "B.png", "sub/B.jpg")
    place = photographs(tmp_path / "p", *names)
    others = ("0a1b2c3d-eye_scan_1.jpg", "Mu\u0308ller.jpg", "img_7.jpg", *names[3:])
    for who, own in (("anna", names), ("ben", others)):
        for number, name in enumerate([*own, "gone.jpg"]):
            write(tmp_path / who / f"{number}.json", [drawn(name, 10)])
    options = ReadOptions(images=place)
    drawings, report = read_drawings(find_drawings([str(tmp_path / who) for who in ("anna", "ben")]), options)
    assert (report.left_out, report.photographs) == ((), ())
    shared = annotated_by_several(place, drawings)
    assert {path.relative_to(place).as_posix() for path in shared.files.values()} == set(names)
    assert {"eye scan 1", "B.jpg", "B.png", "sub/B"} < shared.files.keys()
    [sentence] = shared.left_out
    assert sentence.startswith("1 photograph is not found (gone.jpg): ")


def test_who_drew_twice_is_named_and_the_rest_is_matched(tmp_path: Path) -> None:
    place = photographs(tmp_path / "p", "A.jpg", "B.jpg", "C.jpg")
    for who, name, x in (("anna", "A", 10), ("anna", "B", 10), ("ben", "A", 10), ("ben", "B", 10)):
        write(tmp_path / who / f"{name}.json", [drawn(f"{name}.jpg", x)])
    write(tmp_path / "anna" / "june.json", [drawn("a.JPG", 30)])
    named = find_drawings([str(tmp_path / who) for who in ("anna", "ben")])
    for options in (ReadOptions(images=place), ReadOptions(images=place, strict=True)):
        if options.strict:
            with pytest.raises(AnnotationError, match="annotated more than once"):
                read_drawings(named, options)
            continue
        drawings, report = read_drawings(named, options)
        [sentence] = report.left_out
        assert f"{tmp_path / 'anna'}: A.jpg and a.JPG: annotated more than once, as all are of {place}" in sentence
        assert [*annotated_by_several(place, drawings).files] == ["B"]
    write(tmp_path / "ben" / "C.json", [drawn("C.jpg", 10)])
    drawings, _ = read_drawings(find_drawings([str(tmp_path / who) for who in ("anna", "ben")]), ReadOptions())
    assert [*drawings[str(tmp_path / "anna")]] == ["A", "B", "a"]  # without photographs, names stand for them


def test_people_of_whom_folders_alone_tell_are_named_as_annotators(tmp_path: Path) -> None:
    place = photographs(tmp_path / "p", "A.jpg", "B.jpg", "C.jpg")
    for who, name in (("x/anna", "A"), ("x/ben", "A"), ("x/ben", "B"), ("carl", "B"), ("carl", "C")):
        write(tmp_path / who / f"{name}.json", [drawn(f"{name}.jpg", len(who))])
    named = find_drawings([str(tmp_path / who) for who in ("x", "carl")])
    drawings, report = read_drawings(named, ReadOptions(images=place))
    assert report.left_out[0].endswith("; keep one of them, or name each folder as an annotator")
    assert [*annotated_by_several(place, drawings).files] == ["B"]
