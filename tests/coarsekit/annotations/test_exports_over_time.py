"""Of exports of one drawing at different times one counts: the newest where they say their dates, else the fullest."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from coarsekit.annotations import read_annotations
from coarsekit.annotations.exports_over_time import ORIGIN, UPDATED, without_earlier
from coarsekit.types import Annotation, Ellipse, Mark

JANUARY, FEBRUARY, MARCH = "2024-01-10 08:00:00.5+00:00", "2024-02-20T08:00:00Z", "2024-03-01"


def drawn(*places: float, when: str = "", who: str = "anna", of: str = "") -> Annotation:
    provenance: dict[str, Any] = {"annotator": who, UPDATED: when, ORIGIN: of}
    marks = tuple(Mark("HE", Ellipse(x, 40, 9, 9)) for x in places)
    return Annotation("A.jpg", 100, 80, marks, {name: value for name, value in provenance.items() if value})


def kept(*annotations: Annotation) -> tuple[list[list[float]], str]:
    """Where the marks of what stays are, and what is said."""
    found, notes = without_earlier([(Path(f"{place}.xml"), one) for place, one in enumerate(annotations)])
    return [[mark.shape.cx for mark in one.marks] for _, one in found], " ".join(notes)  # type: ignore[union-attr]


def test_a_mark_that_was_deleted_or_moved_since_does_not_return() -> None:
    for old, new in (((10, 30), (10,)), ((10, 30), (10, 34)), ((10,), (10, 30))):
        both = drawn(*old, when=JANUARY), drawn(*new, when=FEBRUARY)
        for order in permutations(both):
            places, said = kept(*order)
            assert places == [list(new)]
            assert f"the newest counts: A.jpg of {order.index(both[1])}.xml." in said


def test_a_drawing_that_was_done_anew_or_cleared_counts_in_the_same_task_alone() -> None:
    for new in ((), (50,)):
        for task, left in (("task 1", [list(new)]), ("", None)):
            places, _ = kept(drawn(10, when=JANUARY, of=task), drawn(*new, when=FEBRUARY, of=task))
            assert places == (left or ([[10]] if not new else [[10], [50]]))


def test_without_all_dates_the_fuller_counts_and_it_is_said() -> None:
    for dates in (("", ""), ("", FEBRUARY), (JANUARY, ""), ("soon", "later")):
        places, said = kept(drawn(10, 30, when=dates[0]), drawn(10, when=dates[1]))
        assert places == [[10, 30]]
        assert "No dates say which is newer; if marks were deleted since, give the newer file alone." in said


def test_one_always_stays() -> None:
    given = [drawn(10, when=JANUARY), drawn(10, 30, when=FEBRUARY), drawn(10, when=MARCH)]
    for order in permutations(given):
        assert kept(*order)[0] == [[10]]
    for order in permutations([*given[:2], drawn(10)]):
        assert kept(*order)[0] == [[10, 30]]


@pytest.mark.parametrize("who", ["", "anna"])
def test_what_nobody_signed_may_be_of_two_unless_one_has_all_of_the_other(who: str) -> None:
    one, other = drawn(10, 30, when=JANUARY, who=who), drawn(10, 50, when=FEBRUARY, who=who)
    assert len(kept(one, other)[0]) == (1 if who else 2)
    assert kept(one, drawn(10, when=FEBRUARY, who=who))[0] == [[10]]


CVAT = """<annotations><meta><task><id>7</id><name>t</name><updated>{when}</updated><assignee><username>anna</username>
</assignee></task>{dumped}</meta><image id="0" name="A.jpg" width="100" height="80">{shapes}</image></annotations>"""
SHAPE = '<ellipse label="MA" cx="{}" cy="40" rx="9" ry="9"/>'


@pytest.mark.parametrize("is_dumped", [True, False])
def test_cvat_says_when(tmp_path: Path, is_dumped: bool) -> None:
    for name, when, places in (("z", "2024-01-10 10:00:00+00:00", (10, 30)), ("a", "2024-02-10 10:00:00+00:00", ())):
        dumped = f"<dumped>{when}</dumped>" if is_dumped else ""
        shapes = "".join(SHAPE.format(x) for x in places)
        updated = "2024-01-01 10:00:00+00:00" if is_dumped else when
        (tmp_path / f"{name}.xml").write_text(CVAT.format(when=updated, dumped=dumped, shapes=shapes))
    [one], report = read_annotations(tmp_path)
    assert (one.marks, "the newest counts: A.jpg of a.xml" in report.notes[0]) == ((), True)


@pytest.mark.parametrize("flat", [True, False])
def test_label_studio_says_when(tmp_path: Path, flat: bool) -> None:
    for name, when, places in (("z", "2024-01-10T10:00:00.1Z", (10, 30)), ("a", "2024-02-10T10:00:00.1Z", (50,))):
        results = [
            {
                "type": "ellipselabels",
                "id": str(x),
                "original_width": 100,
                "original_height": 80,
                "to_name": "image",
                "value": {"x": x, "y": 50, "radiusX": 9, "radiusY": 9, "rotation": 0, "ellipselabels": ["MA"]},
            }
            for x in places
        ]
        image = "/data/upload/1/0a1b2c3d-A.jpg"
        task: dict[str, Any] = {"id": 1, "data": {"image": image}}
        task["annotations"] = [{"result": results, "completed_by": 1, "created_at": "2024", "updated_at": when}]
        if flat:
            label = [{**one.pop("value"), **one} for one in results]
            task = {"id": 1, "image": image, "label": label, "annotator": 1, "annotation_id": 2, "updated_at": when}
        (tmp_path / f"{name}.json").write_text(json.dumps([task]))
    [one], report = read_annotations(tmp_path)
    assert [mark.shape.cx for mark in one.marks] == [50]  # type: ignore[union-attr]
    assert "the newest counts: A.jpg of a.json" in report.notes[0]
