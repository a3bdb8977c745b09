"""What annotation formats share: the options and the report of a reading, and one file for each photograph."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from coarsekit.annotations.annotators import folders_of
from coarsekit.annotations.labels import Labels, completed
from coarsekit.annotations.photograph_names import photograph_name, stem_of
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.images import image_size
from coarsekit.types import Annotation


@dataclass(frozen=True)
class ReadOptions:
    """What the user says of annotation files before they are read.

    Args:
        labels: Lesion class by the tool's label, before the names that are known (``labels.toml``). The empty label is
            that of regions without one; None or an empty class leaves regions out. A label that is neither in it nor
            known keeps its own name.
        images: The folder of the photographs, for formats that do not store sizes.
        size: (w, h) in px of the photographs that are not found in ``images``.
        label_attribute: The attribute that holds the label, in formats whose regions have attributes.
        annotator: Read only what this annotator, task or expert drew; None reads all.
        strict: Whether to raise for what would be left out and reported.
        points: Whether points are taken.
        lines: Whether lines are taken.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    images: Path | None = None
    size: tuple[int, int] | None = None
    label_attribute: str | None = None
    annotator: str | None = None
    strict: bool = False
    points: bool = True
    lines: bool = True

    def size_of(self, name: str) -> tuple[int, int] | None:
        """(w, h) of a photograph, as its file has it or as the user gave it; None when neither is known."""
        if self.photographs is None:
            return self.size
        try:
            return image_size(self.photographs.find(name))
        except ImageError:
            return self.size

    def beside(self, folder: str) -> "ReadOptions":
        """The same for files in a folder below that of the photographs, whose own photographs come before others."""
        if self.photographs is None or not folder:
            return self
        own = replace(self)
        own.__dict__["photographs"] = self.photographs.beside(folder)  # which shares what was found there
        return own

    @cached_property
    def photographs(self) -> PhotographFolder | None:
        """The photographs in ``images``."""
        return None if self.images is None else PhotographFolder(self.images)


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What reading met.

    ``labels``: how many regions have each of the tool's labels, the empty one for none. ``lesions``: what each label
    became, empty where it was left out. ``left_out``: a sentence for each kind of thing that was drawn and is not read.
    ``notes``: a sentence for what was guessed, and for what is no drawing. ``photographs``: of each photograph that is
    left out whole, its name and a sentence. ``whole``: what ``left_out`` says of these. ``attributed``: how many
    regions have the attribute that holds the label. ``folder_labels`` and ``folder_attribute``: what a
    ``coarsekit.toml`` said of labels, as `ReadOptions` has it. ``models``: whose predictions could be asked for.
    """

    labels: Mapping[str, int] = field(default_factory=dict)
    lesions: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    photographs: tuple[tuple[str, str], ...] = ()
    whole: tuple[str, ...] = ()
    attributed: int = 0
    folder_labels: Mapping[str, str | None] = field(default_factory=dict)
    folder_attribute: str | None = None
    models: frozenset[str] = frozenset()

    def __add__(self, other: "ReadReport") -> "ReadReport":
        return ReadReport(
            Counter(self.labels) + Counter(other.labels),
            {**self.lesions, **other.lesions},
            self.left_out + other.left_out,
            self.notes + other.notes,
            self.photographs + other.photographs,
            self.whole + other.whole,
            self.attributed + other.attributed,
            completed(self.folder_labels, other.folder_labels),
            self.folder_attribute or other.folder_attribute,
            self.models | other.models,
        )

    def all_notes(self, options: ReadOptions) -> list[str]:
        """The notes, what was done with labels that are no lesion or unknown, and what was told in vain."""
        table = Labels(completed(options.labels, self.folder_labels))
        notes = [*self.notes, *table.notes(self.labels, self.lesions)]
        attribute = self.folder_attribute if options.label_attribute is None else options.label_attribute
        if attribute is not None and not self.attributed:
            notes.append(f"No region has the attribute {attribute!r}.")
        return notes


class ReadResult(NamedTuple):
    """The annotations of a file in its order, and the report of reading them."""

    annotations: list[Annotation]
    report: ReadReport


def one_file_each(path: Path, annotations: Sequence[Annotation], suffix: str) -> dict[Path, Annotation]:
    """Where a format that has one photograph a file puts each: at ``path`` if that has the suffix, else below it.

    Where several annotators drew on one photograph, each gets a folder.

    Raises `AnnotationError` for several photographs and one file, and for two photographs that get the same one.
    """
    if path.suffix.lower() == suffix:
        if len(annotations) != 1:
            raise AnnotationError(
                f"{path}: this format has one photograph a file and there are {len(annotations)}; name a folder"
            )
        return {path: annotations[0]}
    places: dict[Path, Annotation] = {}
    for annotation, place in zip(annotations, _places(path, annotations, suffix), strict=True):
        if place in places:
            raise AnnotationError(f"{place}: two photographs, one of them {annotation.image}, would be written here")
        places[place] = annotation
    return places


def without_shared_places(
    path: Path, found: Sequence[tuple[Path, Annotation]], suffix: str
) -> tuple[list[tuple[Path, Annotation]], list[str]]:
    """Annotations with their files, without those that `one_file_each` would put at one place; and a sentence for each.

    They are of photographs that differ in the suffix, as ``001.jpg`` and ``001.png``.
    """
    if path.suffix.lower() == suffix:
        return list(found), []
    shared: dict[Path, list[tuple[Path, Annotation]]] = {}
    for pair, place in zip(found, _places(path, [one for _, one in found], suffix), strict=True):
        shared.setdefault(place, []).append(pair)
    sentences = [
        f"{' and '.join(one.image for _, one in several)}: {place} would be written for each; rename one of them, or "
        "write a format that has all photographs in one file"
        for place, several in shared.items()
        if len(several) > 1
    ]
    out = {id(one) for several in shared.values() if len(several) > 1 for _, one in several}
    return [(file, one) for file, one in found if id(one) not in out], sentences


def _places(path: Path, annotations: Sequence[Annotation], suffix: str) -> list[Path]:
    """The file of each below the folder ``path``."""
    return [
        path / folder / f"{stem_of(photograph_name(annotation.image))}{suffix}"
        for annotation, folder in zip(annotations, folders_of(annotations), strict=True)
    ]
