"""Who drew: annotators, tasks and experts are told apart, chosen by name, and written apart."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from coarsekit.annotations.labels import usable
from coarsekit.annotations.photograph_names import stem_of
from coarsekit.errors import AnnotationError, did_you_mean
from coarsekit.types import Annotation

PhotographOf: TypeAlias = Callable[[Annotation], Hashable]
"""Gives what tells the photograph of an annotation from others: its file, however its name is spelt, or its name."""
PERSON = ("annotator", "expert")
"""Fields of the provenance that name a person."""


def annotator_of(annotation: Annotation) -> str:
    """The name of who drew, the shortest that the tool gives; empty where it says nothing."""
    return annotator_in(annotation.provenance)


def annotator_in(provenance: Mapping[str, Any]) -> str:
    """`annotator_of`, by the provenance alone."""
    return next(iter(_names_in(provenance, (*PERSON, "task"))), "")


def person_in(provenance: Mapping[str, Any]) -> str:
    """The name of the person who drew; empty where just the task has one."""
    return next(iter(_names_in(provenance, PERSON)), "")


def names_of(annotation: Annotation) -> tuple[str, ...]:
    """All names by which an annotator can be chosen: what tools give is a number, a name, or several fields."""
    return _names_in(annotation.provenance, (*PERSON, "task"))


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
