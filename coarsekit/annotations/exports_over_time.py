"""Exports of one drawing at different times, of which one counts."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from coarsekit.annotations.annotators import PERSON, annotator_of, person_in
from coarsekit.annotations.photograph_files import PhotographFiles
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.storage.digests import sha256_of
from coarsekit.types import Annotation

UPDATED, ORIGIN = "updated", "origin"
"""Fields of the provenance: when an annotation was saved or exported, and of what it is in its tool, such as a task."""


def without_earlier(
    found: Iterable[tuple[Path, Annotation]], photographs: PhotographFolder | None = None
) -> tuple[list[tuple[Path, Annotation]], list[str]]:
    """Annotations with their files, without those that one of another file stands for; and what is said of it.

    They are of the same photograph, in the same size, by the same annotator. Where all have dates, and are of one task
    or share a mark, the newest stands for the others, whatever it has: what was deleted since does not return. Else the
    one that has all marks of another, and more, stands for it, since an export of a task that went on has what the
    earlier ones had. Those by one person and by nobody who is named but for the task are that person's. Where nobody is
    named, an annotation without marks stays, as it may be anyone's.
    """
    several = list(found)
    if len({file for file, _ in several}) < 2:
        return several, []
    copies, newer, grown = set[int](), dict[int, _Drawn](), dict[int, _Drawn]()
    theirs = list[tuple[_Drawn, _Drawn]]()
    for same in _alike(several, photographs):
        gone = set[int]()
        for own in _by_annotator(same):
            dated = _are_dated(own)
            for one in sorted(own, key=_rank):
                after = [each for each in own if each.place not in gone and _replaces(each, one, dated)]
                if not after:
                    continue
                gone.add(one.place)
                last = max(after, key=_rank)
                if last.marks == one.marks:
                    copies.add(one.place)
                else:
                    (newer if dated and last.date != one.date else grown)[one.place] = last
        theirs += _of_one_person([one for one in same if one.place not in gone])
    notes = [f"{len(copies)} annotation{'s'[: len(copies) != 1]} repeated another, and count once."] if copies else []
    if newer:
        notes.append(f"Of a drawing that several files have, the newest counts: {_named(newer, several)}.")
    if grown:
        notes.append(
            f"Where one file has all marks of another, and more, it stands for both: {_named(grown, several)}. No "
            "dates say which is newer; if marks were deleted since, give the newer file alone."
        )
    for unnamed, person_s in theirs:
        later, before = _later_first(unnamed, person_s)
        several[later.place] = later.file, _by(later.annotation, person_s.annotation)
        copies.add(before.place)
    notes += _notes_on_persons(theirs)
    left_out = {*copies, *newer, *grown}
    return [pair for place, pair in enumerate(several) if place not in left_out], notes


class _Drawn(NamedTuple):
    """One of the annotations of a photograph: its place among all, how often it has each mark, and its date."""

    place: int
    file: Path
    annotation: Annotation
    marks: Counter[str]
    date: datetime | None = None


def _rank(one: _Drawn) -> tuple[datetime, int, int]:
    """The later of one annotator's, the fuller of these, and the first of those comes last."""
    return one.date or datetime.min.replace(tzinfo=UTC), one.marks.total(), -one.place


def _date_in(provenance: Mapping[str, Any]) -> datetime | None:
    """When an annotation was saved or exported; None where that is not said, or no date."""
    with suppress(ValueError):
        date = datetime.fromisoformat(str(provenance.get(UPDATED, "")).strip())
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    return None


def _by_annotator(same: Sequence[_Drawn]) -> list[list[_Drawn]]:
    found: dict[str, list[_Drawn]] = {}
    for one in same:
        found.setdefault(annotator_of(one.annotation), []).append(one)
    return [*found.values()]


def _are_dated(own: Sequence[_Drawn]) -> bool:
    """Whether dates tell which of one annotator's is newer: all have one, and no file has two of the photograph."""
    return all(one.date for one in own) and len({one.file for one in own}) == len(own)


def _replaces(other: _Drawn, one: _Drawn, dated: bool) -> bool:
    """Whether another of the same annotator's, of another file, stands for one."""
    if one.file == other.file:
        return False
    if dated and one.date != other.date and _are_of_one_drawing(one, other):
        return _rank(one) < _rank(other)
    return one.marks < other.marks or (one.marks == other.marks and other.place < one.place)


def _are_of_one_drawing(one: _Drawn, other: _Drawn) -> bool:
    """Whether two of the same annotator's are surely of one drawing, as photographs of two patients may share a name.

    Where nobody is named, they may be two people's unless one has all marks of the other.
    """
    origins = [each.annotation.provenance.get(ORIGIN) for each in (one, other)]
    shared = bool(one.marks & other.marks)
    if not annotator_of(one.annotation):
        return shared and (one.marks <= other.marks or one.marks >= other.marks)
    return shared or (origins[0] is not None and origins[0] == origins[1])


def _later_first(one: _Drawn, other: _Drawn) -> tuple[_Drawn, _Drawn]:
    """The newer of two, or the fuller where a date is not known, before the other one."""
    if one.date and other.date and one.date != other.date:
        return (one, other) if one.date > other.date else (other, one)
    return (one, other) if other.marks < one.marks else (other, one)


def _named(places: Mapping[int, _Drawn], several: Sequence[tuple[Path, Annotation]]) -> str:
    """The photographs whose annotations others stand for, with the files of these."""
    return _shown([f"{several[place][1].image} of {other.file.name}" for place, other in places.items()])


def _alike(found: Sequence[tuple[Path, Annotation]], photographs: PhotographFolder | None) -> list[list[_Drawn]]:
    """The annotations of one photograph in one size together, but for those that are surely like no other."""
    of = PhotographFiles(photographs, (one for _, one in found))
    files: dict[str, set[Path]] = {}
    several = []
    for place, (file, one) in enumerate(found):
        marks = Counter(sha256_of((mark.lesion, mark.shape)) for mark in one.marks)
        several.append(_Drawn(place, file, one, marks, _date_in(one.provenance)))
        for mark in marks:
            files.setdefault(mark, set()).add(file)
    alike: dict[Hashable, list[_Drawn]] = {}
    for own in several:
        # Photographs are looked for, which may be slow, only where another file may have a drawing of the same.
        named = annotator_of(own.annotation)
        if any(len(files[mark]) > 1 for mark in own.marks) or (named and (own.date or not own.marks)):
            size = own.annotation.width, own.annotation.height
            alike.setdefault((of.photograph_of(own.annotation), size), []).append(own)
    return [*alike.values()]


def _of_one_person(same: Sequence[_Drawn]) -> list[tuple[_Drawn, _Drawn]]:
    """Of the annotations of a photograph each by nobody who is named, with the person's that has the same marks.

    One may have more marks than the other; where an annotation has those of several persons, it is none of theirs.
    """
    pairs = []
    for one in same:
        if _person_of(one.annotation) or not one.marks:
            continue
        near = [other for other in same if _person_of(other.annotation) and other.marks and other.file != one.file]
        if own := next((other for other in near if one.marks <= other.marks), None):
            pairs.append((one, own))
        elif len({_person_of(other.annotation) for other in near if other.marks < one.marks}) == 1:
            pairs += [(one, other) for other in near if other.marks < one.marks]
    return pairs


def _person_of(annotation: Annotation) -> str:
    return person_in(annotation.provenance)


def _by(annotation: Annotation, other: Annotation) -> Annotation:
    """The annotation, by the person who drew another one."""
    who = {field: other.provenance[field] for field in PERSON if field in other.provenance}
    return replace(annotation, provenance={**annotation.provenance, **who})


def _notes_on_persons(pairs: Sequence[tuple[_Drawn, _Drawn]]) -> list[str]:
    """For each file whose marks a person has, too, a sentence with the photographs."""
    images: dict[tuple[Path, str], list[str]] = {}
    for unnamed, own in pairs:
        images.setdefault((unnamed.file, _person_of(own.annotation)), []).append(unnamed.annotation.image)
    return [
        f"{file.name} has the marks of {person} on {_shown(names)}, and names nobody: they count once, as {person}'s."
        for (file, person), names in images.items()
    ]


def _shown(names: Sequence[str]) -> str:
    every = list(dict.fromkeys(names))
    return ", ".join(every[:3]) + (", …" if len(every) > 3 else "")
