"""One class for all spellings of a label that stands for no known lesion: ``Drusen`` and ``drusen`` are the same."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from coarsekit.annotations.labels import Labels, normalise, own_class
from coarsekit.annotations.reading import ReadReport
from coarsekit.types import LESIONS, Annotation, Mark


def spelt_as_one(
    found: Sequence[tuple[Path, Annotation]], report: ReadReport, table: Labels
) -> tuple[list[tuple[Path, Annotation]], ReadReport]:
    """The annotations with one class for labels that `normalise` makes one, and the report with these classes.

    It is called as that spelling which comes first in the order of signs, capitals before small letters, whoever wrote
    it and in whatever order files are read; a class that the user's table names, as it stands there.

    Args:
        found: Annotations with their files.
        report: Of reading them.
        table: What the user says of labels.
    """
    names = _names((mark for _, one in found for mark in one.marks), table)
    if not names:
        return list(found), report
    renamed = [(file, replace(one, marks=tuple(_renamed(mark, names) for mark in one.marks))) for file, one in found]
    lesions = {label: _name_of(label, lesion, names) for label, lesion in report.lesions.items()}
    return renamed, replace(report, lesions=lesions)


def _names(marks: Iterable[Mark], table: Labels) -> dict[tuple[str, str], str]:
    """What classes are called as that have another name: by what `normalise` makes of the label, and their own name."""
    spellings: dict[str, set[str]] = {}
    for label, lesion in {(_label_of(mark), mark.lesion) for mark in marks}:
        if lesion not in LESIONS and _is_own(label, lesion):
            spellings.setdefault(normalise(label), set()).add(lesion)
    told = {normalise(lesion): lesion for lesion in sorted(table.classes, reverse=True)}
    return {
        (key, lesion): name
        for key, own in spellings.items()
        for name in [told.get(key, min(own))]
        for lesion in own - table.classes - {name}
    }


def _label_of(mark: Mark) -> str:
    return str(mark.details.get("label", mark.lesion))


def _is_own(label: str, lesion: str) -> bool:
    """Whether a class is called as its label, and not as somebody chose."""
    return lesion == own_class(label) or normalise(lesion) == normalise(label)


def _name_of(label: str, lesion: str, names: dict[tuple[str, str], str]) -> str:
    return names.get((normalise(label), lesion), lesion) if label else lesion


def _renamed(mark: Mark, names: dict[tuple[str, str], str]) -> Mark:
    """The mark in the class that its own is called as; it keeps its tool's label."""
    label = _label_of(mark)
    name = _name_of(label, mark.lesion, names)
    return mark if name == mark.lesion else replace(mark, lesion=name, details={"label": label, **mark.details})
