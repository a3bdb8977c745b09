"""Who drew: annotators, tasks and experts are told apart, chosen by name, and written apart."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from coarsekit.annotations.labels import usable
from coarsekit.annotations.photograph_files import PhotographFiles
from coarsekit.annotations.photographs import PhotographFolder, stem_of
from coarsekit.errors import AnnotationError, did_you_mean
from coarsekit.storage.digests import sha256_of
from coarsekit.types import Annotation

PhotographOf: TypeAlias = Callable[[Annotation], Hashable]
"""Gives what tells the photograph of an annotation from others: its file, however its name is spelt, or its name."""
_PERSON = ("annotator", "expert")
"""Fields of the provenance that name a person."""


def annotator_of(annotation: Annotation) -> str:
    """The name of who drew, the shortest that the tool gives; empty where it says nothing."""
    return annotator_in(annotation.provenance)


def annotator_in(provenance: Mapping[str, Any]) -> str:
    """`annotator_of`, by the provenance alone."""
    return next(iter(_names_in(provenance, (*_PERSON, "task"))), "")


def person_in(provenance: Mapping[str, Any]) -> str:
    """The name of the person who drew; empty where just the task has one."""
    return next(iter(_names_in(provenance, _PERSON)), "")


def names_of(annotation: Annotation) -> tuple[str, ...]:
    """All names by which an annotator can be chosen: what tools give is a number, a name, or several fields."""
    return _names_in(annotation.provenance, (*_PERSON, "task"))


def _names_in(provenance: Mapping[str, Any], fields: Iterable[str]) -> tuple[str, ...]:
    given = [provenance.get(field) for field in fields]
    parts = [each for one in given for each in (one.values() if isinstance(one, Mapping) else [one])]
    return tuple(str(part) for part in parts if part is not None and str(part).strip())


def chosen(
    found: Sequence[tuple[Path, Annotation]], annotator: str, models: Iterable[str] = ()
) -> list[tuple[Path, Annotation]]:
    """Of annotations with their files those of one annotator; ``models``: others that could have been asked for.

    Raises `AnnotationError` when nobody of that name drew, and names who did.
    """
    wanted = annotator.strip().casefold()
    own = [(file, one) for file, one in found if wanted in (name.casefold() for name in names_of(one))]
    if not own:
        known = sorted({*models, *(name for _, one in found for name in names_of(one))})
        said = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
        known_ones = f"there are {said}{did_you_mean(annotator, known)}" if known else "nobody is named in the files"
        raise AnnotationError(f"no annotation by {annotator!r}; {known_ones}")
    return own


def by_name(annotation: Annotation) -> Hashable:
    """What tells photographs apart where their files are not known: the name in the annotation."""
    return annotation.image


def without_earlier(
    found: Iterable[tuple[Path, Annotation]], photographs: PhotographFolder | None = None
) -> tuple[list[tuple[Path, Annotation]], list[str]]:
    """Annotations with their files, without those whose marks one of another file has, too; and what is said of it.

    An export of a task that went on has what the earlier ones had, and more. They are of the same photograph, in the
    same size, by the same annotator, or by one person and by nobody who is named but for the task: then they are that
    person's. Where nobody is named, an annotation without marks stays, as it may be anyone's.
    """
    several = list(found)
    if len({file for file, _ in several}) < 2:
        return several, []
    copies, grown, theirs = set[int](), dict[int, _Drawn](), list[tuple[_Drawn, _Drawn]]()
    for same in _alike(several, photographs):
        for one in same:
            for other in same:
                if one.file == other.file or annotator_of(one.annotation) != annotator_of(other.annotation):
                    continue
                if one.marks < other.marks:
                    grown[one.place] = max(other, grown.get(one.place, other), key=lambda each: each.marks.total())
                elif one.marks == other.marks and other.place < one.place:
                    copies.add(one.place)
        theirs += _of_one_person([one for one in same if one.place not in copies and one.place not in grown])
    copies -= grown.keys()
    notes = [f"{len(copies)} annotation{'s'[: len(copies) != 1]} repeated another, and count once."] if copies else []
    if grown:
        names = [f"{several[place][1].image} of {other.file.name}" for place, other in grown.items()]
        notes.append(f"Where one file has all marks of another, and more, it stands for both: {_shown(names)}.")
    for unnamed, own in theirs:
        fuller, less = (unnamed, own) if own.marks < unnamed.marks else (own, unnamed)
        several[fuller.place] = fuller.file, _by(fuller.annotation, own.annotation)
        copies.add(less.place)
    notes += _notes_on_persons(theirs)
    return [pair for place, pair in enumerate(several) if place not in copies and place not in grown], notes


class _Drawn(NamedTuple):
    """One of the annotations of a photograph: its place among all, and how often it has each mark."""

    place: int
    file: Path
    annotation: Annotation
    marks: Counter[str]


def _alike(found: Sequence[tuple[Path, Annotation]], photographs: PhotographFolder | None) -> list[list[_Drawn]]:
    """The annotations of one photograph in one size together, but for those that are surely like no other."""
    of = PhotographFiles(photographs, (one for _, one in found))
    files: dict[str, set[Path]] = {}
    several = []
    for place, (file, one) in enumerate(found):
        marks = Counter(sha256_of((mark.lesion, mark.shape)) for mark in one.marks)
        several.append(_Drawn(place, file, one, marks))
        for mark in marks:
            files.setdefault(mark, set()).add(file)
    alike: dict[Hashable, list[_Drawn]] = {}
    for own in several:
        # Photographs are looked for, which may be slow, only where another file has a mark of these.
        if any(len(files[mark]) > 1 for mark in own.marks) or (not own.marks and annotator_of(own.annotation)):
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
    who = {field: other.provenance[field] for field in _PERSON if field in other.provenance}
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


def annotated_once(
    found: Sequence[tuple[Path, Annotation]],
    photograph_of: PhotographOf = by_name,
    apart: str = "give one folder at a time",
) -> tuple[list[tuple[Path, Annotation]], list[tuple[str, str]]]:
    """Annotations with their files, without those of which one annotator, or nobody who is named, has several.

    Args:
        found: Each annotation with its file.
        photograph_of: What tells photographs apart.
        apart: What to do where each of several lies in a folder of its own.

    Returns:
        The others; and of each photograph that is left out its name and a sentence.
    """
    drawn: dict[tuple[str, Hashable], list[tuple[Path, Annotation]]] = {}
    for file, one in found:
        drawn.setdefault((annotator_of(one), photograph_of(one)), []).append((file, one))
    left_out = []
    for (annotator, photograph), several in drawn.items():
        if len(several) > 1:
            files = [file for file, _ in several]
            alike = len({file.name for file in files}) < len(set(files))
            named = dict.fromkeys(str(file) if alike else file.name for file in files)
            by = f" by {annotator}" if annotator else ""
            advice = f", or {apart}" if len({file.parent for file in files}) == len(files) else ""
            images = list(dict.fromkeys(one.image for _, one in several))
            of = f", as all are of {photograph}" if len(images) > 1 else ""
            left_out.append(
                (
                    images[0],
                    f"{' and '.join(images)}: annotated more than once{by}{of} ({', '.join(named)}); keep one of them"
                    f"{advice}",
                )
            )
    kept = [(file, one) for file, one in found if len(drawn[annotator_of(one), photograph_of(one)]) == 1]
    return kept, left_out


def folders_of(annotations: Sequence[Annotation], photograph_of: PhotographOf = by_name) -> list[str]:
    """The folder that each annotation is written to: its annotator's where others share its photograph, or else none.

    Raises `AnnotationError` when somebody, or nobody who is named, annotated a photograph twice.
    """
    who_drew: dict[Hashable, set[str]] = {}
    for one in annotations:
        own = who_drew.setdefault(photograph_of(one), set())
        if (annotator := annotator_of(one)) in own:
            by = f" by {annotator}" if annotator else ""
            raise AnnotationError(f"{stem_of(one.image)} is annotated more than once{by}; keep one annotation of it")
        own.add(annotator)
    shared = {photograph for photograph, own in who_drew.items() if len(own) > 1}
    return [
        usable(annotator_of(one)) if photograph_of(one) in shared and annotator_of(one) else "" for one in annotations
    ]


def check_one_each(annotations: Sequence[Annotation], title: str) -> None:
    """Check that no photograph has several annotations, of which a format's file holds one.

    Raises `AnnotationError` otherwise, with the annotators.
    """
    who: dict[str, list[str]] = {}
    for one in annotations:
        who.setdefault(one.image, []).append(annotator_of(one) or "somebody")
    for image, annotators in who.items():
        if len(annotators) > 1:
            raise AnnotationError(
                f"{image} was annotated by {' and '.join(annotators)}, and {title} holds one annotation of a "
                "photograph; choose one by annotator=…, or write coarsekit files to a folder, where each has a folder"
            )
