"""What annotation formats share: the options and the report of a reading, and one file for each photograph."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from coarsekit.annotations.annotators import folders_of
from coarsekit.annotations.labels import LEFT_OUT, Labels, completed, known, label_of
from coarsekit.annotations.photographs import PhotographFolder, photograph_name, stem_of
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.geometry import is_flat
from coarsekit.images import image_size
from coarsekit.types import Annotation, Line, Mark, Point, Shape


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
    ``coarsekit.toml`` said of labels, as `ReadOptions` has it.
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


class Recorder:
    """Collects the report while a format reads the file at ``path``."""

    def __init__(self, path: Path, options: ReadOptions | None) -> None:
        self.path, self.options = path, options or ReadOptions()
        self._table = Labels(self.options.labels)
        self._labels: Counter[str] = Counter()
        self._lesions: dict[str, str] = {}
        self._left_out: dict[str, tuple[str, list[str]]] = {}
        self._notes: dict[str, tuple[str, list[str]]] = {}
        self._whole: dict[str, tuple[str, list[str]]] = {}
        self._photographs: list[tuple[str, str]] = []
        self._attributed = 0
        self._names: dict[str, str] = {}

    def marks(self, label: str, shape: Shape, place: str, details: Mapping[str, Any] | None = None) -> tuple[Mark, ...]:
        """The mark of the lesion class that a label stands for, or none when the region is left out.

        Args:
            label: The tool's label; empty for a region without one.
            shape: What was drawn.
            place: Where the region is in the file.
            details: What else the tool says of it; see `Mark`. What is None or empty is passed over.
        """
        label = label.strip()
        lesion = self._table.lesion(label)
        if lesion is None:
            self.leave_out(
                place,
                "it has no label; name the class of such regions by labels=…, such as '=MA', or the attribute that "
                "holds it by label_attribute=…",
            )
        if lesion == LEFT_OUT and self._table.told(label) is None and self.options.strict:
            self.leave_out(
                place, f"the label {label!r} is no lesion; name a class by labels=…, or leave it out by none"
            )
        if lesion and is_flat(shape):
            self.leave_out(place, f"the region {label!r} has no area")
            return ()
        self._count(label, lesion or LEFT_OUT)
        if not lesion or not self._taken(label, shape, place):
            return ()
        kept = {name: value for name, value in (details or {}).items() if value is not None and value not in ("", {})}
        if label and label != lesion and self._table.told(label) is None:
            kept = {"label": label, **kept}
        return (Mark(lesion, shape, kept),)

    def _taken(self, label: str, shape: Shape, place: str) -> bool:
        """Whether the user wants shapes of this kind; one that is not wanted is noted."""
        switches = {Point: ("point", self.options.points), Line: ("line", self.options.lines)}
        kind, taken = switches.get(type(shape), ("", True))
        if not taken:
            self.note(place, f"the {kind} {label!r} is not taken, since {kind}s do not count here")
        return taken

    def marked(self, mark: Mark, place: str = "") -> tuple[Mark, ...]:
        """The mark itself, whose class was chosen when it was written, or in the class that the user says."""
        label = mark.details.get("label", mark.lesion)
        told = next((told for name in (label, mark.lesion) if (told := self._table.told(name)) is not None), None)
        self._count(label, (known(mark.lesion) or mark.lesion) if told is None else told)
        lesion, details = self._lesions[label], dict(mark.details)
        if told is not None:
            details.pop("label", None)
        if not lesion or not self._taken(label, mark.shape, place):
            return ()
        return (replace(mark, lesion=lesion, details=details),)

    def _count(self, label: str, lesion: str) -> None:
        self._labels[label] += 1
        self._lesions[label] = lesion

    def photograph(self, text: str, name: str | None = None) -> str:
        """The name of a photograph in the file, by `photograph_name` unless ``name`` is given.

        Raises `AnnotationError` when it has none, and when two that the file tells apart would have the same.
        """
        name = photograph_name(text) if name is None else name
        if self._names.setdefault(name, text) != text:
            raise AnnotationError(
                f"{text[:80]!r} and {self._names[name][:80]!r} would both be {name}; use paths below the folder of the "
                "photographs in the annotation"
            )
        return name

    def size_of(self, name: str) -> tuple[int, int] | None:
        """(w, h) of a photograph whose file has none; None leaves the photograph out."""
        size = self.options.size_of(name)
        if size is None:
            what = "its size is not known; give the folder of the photographs as images=…"
            self.leave_out_photograph(name, name, what)
        return size

    def attribute(self, attributes: Mapping[str, object]) -> str | None:
        """The label in the attribute that the user says holds it, whatever its case; None where nobody says so."""
        if self.options.label_attribute is None:
            return None
        wanted = self.options.label_attribute.strip().casefold()
        found = [value for name, value in attributes.items() if name.strip().casefold() == wanted]
        self._attributed += bool(found)
        return label_of(found[0]) if found else ""

    def leave_out(self, place: str, what: str) -> None:
        """Record a drawing that is not read: ``what`` it is, or is wrong with it, without its place.

        Raises `AnnotationError` where the options are strict.
        """
        if self.options.strict:
            raise AnnotationError(f"{self.path}: {place}: {what}")
        _add(self._left_out, place, what)

    def leave_out_photograph(self, name: str, place: str, what: str) -> None:
        """Record a photograph of which nothing is read; see `leave_out`."""
        if self.options.strict:
            self.leave_out(place, what)
        _add(self._whole, place, what)
        self._photographs.append((name, f"{self.path}: {_sentence(place, what)}"))

    def note(self, place: str, what: str) -> None:
        """Record what is said, but is no loss of a drawing."""
        _add(self._notes, place, what)

    @contextmanager
    def forgiving(self, place: str, photograph: str | None = None) -> Iterator[None]:
        """Leave out the region of which the block raises an `AnnotationError`; raise it where that is not allowed.

        ``photograph``: the name of the photograph, where all of it is left out; None for a region alone.
        """
        try:
            yield
        except AnnotationError as error:
            sentence = str(error)
            if self.options.strict and sentence.startswith(str(self.path)):
                raise
            if not sentence.startswith(place):
                sentence = f"{place}: {sentence}"
            if self.options.strict:
                raise AnnotationError(f"{self.path}: {sentence}") from None
            what = sentence.removeprefix(place)
            what = what if what.startswith(".") else what.lstrip(": ")
            if photograph is None:
                self.leave_out(place, what)
            else:
                self.leave_out_photograph(photograph, place, what)

    def result(self, annotations: list[Annotation]) -> ReadResult:
        """The annotations with the report."""
        left_out, whole, notes = (
            tuple(f"{self.path}: {text}" for text in _sentences(each))
            for each in (self._left_out, self._whole, self._notes)
        )
        photographs = tuple(self._photographs)
        return ReadResult(
            annotations,
            ReadReport(self._labels, self._lesions, left_out + whole, notes, photographs, whole, self._attributed),
        )


def _add(kinds: dict[str, tuple[str, list[str]]], place: str, what: str) -> None:
    """Things that differ by numbers alone are of one kind, which is called as its first."""
    kinds.setdefault(re.sub(r"-?\d[\d.,e+-]*", "#", what), (what, []))[1].append(place)


def _sentences(kinds: Mapping[str, tuple[str, list[str]]]) -> list[str]:
    """One for each kind of thing in a file: where it is, or how often, and the first places."""
    return [
        _sentence(places[0], what)
        if len(places) == 1
        else f"{what.removeprefix('.')}: {len(places):,} times ({_first(places)})"
        for what, places in kinds.values()
    ]


def _sentence(place: str, what: str) -> str:
    """``what`` of a field of the place begins with a dot."""
    return f"{place}{'' if what.startswith('.') else ': '}{what}"


def _first(places: list[str]) -> str:
    different = list(dict.fromkeys(places))
    return "; ".join(different[:3]) + (" …" if len(different) > 3 else "")


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
    for annotation, folder in zip(annotations, folders_of(annotations), strict=True):
        place = path / folder / f"{stem_of(photograph_name(annotation.image))}{suffix}"
        if place in places:
            raise AnnotationError(f"{place}: two photographs, one of them {annotation.image}, would be written here")
        places[place] = annotation
    return places
