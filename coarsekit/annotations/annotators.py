"""Who drew: annotators, tasks and experts are told apart, chosen by name, and written apart."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coarsekit.annotations.labels import usable
from coarsekit.annotations.photographs import stem_of
from coarsekit.errors import AnnotationError, did_you_mean
from coarsekit.types import Annotation, Mark


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
        said = ", ".join(known[:5]) + (", …" if len(known) > 5 else "") if known else "nobody is named"
        raise AnnotationError(f"no annotation by {annotator!r}; there are {said}{did_you_mean(annotator, known)}")
    return own


def without_copies(found: Iterable[tuple[Path, Annotation]]) -> tuple[list[tuple[Path, Annotation]], int]:
    """Annotations with their files, without those that repeat one of another file, and how many repeated one.

    A copy is of the same photograph, by the same annotator, who is named, with the same marks.
    """
    kept: list[tuple[Path, Annotation]] = []
    seen: dict[tuple[str, str], list[tuple[Path, Annotation]]] = {}
    copies = 0
    for file, one in found:
        before = seen.setdefault((one.image, annotator_of(one)), [])
        if annotator_of(one) and any(other != file and _content(same) == _content(one) for other, same in before):
            copies += 1
            continue
        before.append((file, one))
        kept.append((file, one))
    return kept, copies


def _content(annotation: Annotation) -> tuple[int, int, tuple[Mark, ...]]:
    return annotation.width, annotation.height, annotation.marks


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
