"""Who drew: annotators, tasks and experts are told apart, chosen by name, and written apart."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coarsekit.annotations.labels import usable
from coarsekit.annotations.photographs import stem_of
from coarsekit.errors import AnnotationError, did_you_mean
from coarsekit.storage.digests import sha256_of
from coarsekit.types import Annotation


def annotator_of(annotation: Annotation) -> str:
    """The name of who drew, the shortest that the tool gives; empty where it says nothing."""
    return next(iter(names_of(annotation)), "")


def names_of(annotation: Annotation) -> tuple[str, ...]:
    """All names by which an annotator can be chosen: what tools give is a number, a name, or several fields."""
    given = [annotation.provenance.get(field) for field in ("annotator", "expert", "task")]
    parts = [each for one in given for each in (one.values() if isinstance(one, Mapping) else [one])]
    return tuple(str(part) for part in parts if part is not None and str(part).strip())


def chosen(found: Sequence[tuple[Path, Annotation]], annotator: str) -> list[tuple[Path, Annotation]]:
    """Of annotations with their files those of one annotator.

    Raises `AnnotationError` when nobody of that name drew, and names who did.
    """
    wanted = annotator.strip().casefold()
    own = [(file, one) for file, one in found if wanted in (name.casefold() for name in names_of(one))]
    if not own:
        known = sorted({name for _, one in found for name in names_of(one)})
        said = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
        known_ones = f"there are {said}{did_you_mean(annotator, known)}" if known else "nobody is named in the files"
        raise AnnotationError(f"no annotation by {annotator!r}; {known_ones}")
    return own


def without_earlier(found: Iterable[tuple[Path, Annotation]]) -> tuple[list[tuple[Path, Annotation]], list[str]]:
    """Annotations with their files, without those whose marks one of another file has, too; and what is said of it.

    An export of a task that went on has what the earlier ones had, and more. They are of the same photograph, in the
    same size, by the same annotator. Where nobody is named, an annotation without marks stays, as it may be anyone's.
    """
    several = list(found)
    alike: dict[tuple[object, ...], list[tuple[int, Counter[str]]]] = {}
    for place, (_, one) in enumerate(several):
        marks = Counter(sha256_of((mark.lesion, mark.shape)) for mark in one.marks)
        if marks or annotator_of(one):
            key = (one.image, one.width, one.height, annotator_of(one))
            alike.setdefault(key, []).append((place, marks))
    copies: set[int] = set()
    grown: dict[int, int] = {}
    for same in alike.values():
        for place, marks in same:
            for other, more in same:
                if several[place][0] == several[other][0]:
                    continue
                if marks < more:
                    grown[place] = other
                elif marks == more and other < place:
                    copies.add(place)
    copies -= grown.keys()
    notes = [f"{len(copies)} annotation{'s'[: len(copies) != 1]} repeated another, and count once."] if copies else []
    if grown:
        names = [f"{several[place][1].image} of {several[other][0].name}" for place, other in grown.items()]
        shown = ", ".join(dict.fromkeys(names[:3])) + (", …" if len(names) > 3 else "")
        notes.append(f"Where one file has all marks of another, and more, it stands for both: {shown}.")
    return [pair for place, pair in enumerate(several) if place not in copies and place not in grown], notes


def annotated_once(
    found: Sequence[tuple[Path, Annotation]],
) -> tuple[list[tuple[Path, Annotation]], list[tuple[str, str]]]:
    """Annotations with their files, without those of which one annotator, or nobody who is named, has several.

    Args:
        found: Each annotation with its file.

    Returns:
        The others; and of each photograph that is left out its name and a sentence.
    """
    files: dict[tuple[str, str], list[Path]] = {}
    for file, one in found:
        files.setdefault((annotator_of(one), one.image), []).append(file)
    left_out = []
    for (annotator, image), several in files.items():
        if len(several) > 1:
            alike = len({file.name for file in several}) < len(set(several))
            names = dict.fromkeys(str(file) if alike else file.name for file in several)
            by = f" by {annotator}" if annotator else ""
            apart = len({file.parent for file in several}) == len(several)
            advice = "keep one of them, or give one folder at a time" if apart else "keep one of them"
            left_out.append((image, f"{image}: annotated more than once{by} ({', '.join(names)}); {advice}"))
    kept = [(file, one) for file, one in found if len(files[annotator_of(one), one.image]) == 1]
    return kept, left_out


def folders_of(annotations: Sequence[Annotation]) -> list[str]:
    """The folder that each annotation is written to: its annotator's, or none, where nobody shares a photograph.

    Raises `AnnotationError` when somebody, or nobody who is named, annotated a photograph twice.
    """
    shared = len({one.image for one in annotations}) < len(annotations)
    folders = [usable(annotator_of(one)) if shared and annotator_of(one) else "" for one in annotations]
    seen: set[tuple[str, str]] = set()
    for one, folder in zip(annotations, folders, strict=True):
        if (folder, one.image) in seen:
            by = f" by {annotator_of(one)}" if annotator_of(one) else ""
            raise AnnotationError(f"{stem_of(one.image)} is annotated more than once{by}; keep one annotation of it")
        seen.add((folder, one.image))
    return folders


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
