"""Collecting what a format reads, and what it has to leave out, while it reads a file."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from coarsekit.annotations.in_pixels import are_shares
from coarsekit.annotations.labels import LEFT_OUT, Labels, known, label_of, usable
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.reading import ReadOptions, ReadReport, ReadResult
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.geometry import is_flat
from coarsekit.images import image_size
from coarsekit.types import Annotation, Line, Mark, Point, Shape


class Recorder:
    """Collects the report while a format reads the file at ``path``."""

    def __init__(self, path: Path, options: ReadOptions | None) -> None:
        self.path, self.options = path, options or ReadOptions()
        self.table = Labels(self.options.labels)
        self._labels: Counter[str] = Counter()
        self._lesions: dict[str, str] = {}
        self._left_out: dict[str, tuple[str, list[str]]] = {}
        self._notes: dict[str, tuple[str, list[str]]] = {}
        self._whole: dict[str, tuple[str, list[str]]] = {}
        self._photographs: list[tuple[str, str]] = []
        self._attributed = 0
        self._names: dict[str, str] = {}
        self.models: set[str] = set()
        """Names of the models whose predictions the file has."""

    def marks(self, label: str, shape: Shape, place: str, details: Mapping[str, Any] | None = None) -> tuple[Mark, ...]:
        """The mark of the lesion class that a label stands for, or none when the region is left out.

        Args:
            label: The tool's label; empty for a region without one.
            shape: What was drawn.
            place: Where the region is in the file.
            details: What else the tool says of it; see `Mark`. What is None or empty is passed over.
        """
        given, label = label, label.strip()
        lesion = self.table.lesion(label)
        if lesion is None:
            self.leave_out(
                place,
                "it has no label; name the class of such regions by labels=…, such as '=MA', or the attribute that "
                "holds it by label_attribute=…",
            )
        if lesion == LEFT_OUT and self.table.told(label) is None and self.options.strict:
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
        if label and given != lesion and self.table.told(label) is None:
            kept = {"label": given, **kept}
        return (Mark(lesion, shape, kept),)

    def _taken(self, label: str, shape: Shape, place: str) -> bool:
        """Whether the user wants shapes of this kind; one that is not wanted is noted."""
        switches = {Point: ("point", self.options.points), Line: ("line", self.options.lines)}
        kind, taken = switches.get(type(shape), ("", True))
        if not taken:
            self.note(place, f"the {kind} {label!r} is not taken, since {kind}s do not count here")
        return taken

    def marked(self, mark: Mark, place: str = "") -> tuple[Mark, ...]:
        """The mark itself, whose class was chosen when it was written, or in the class that the user says.

        A class may be called as what is no lesion, since the user may have said so; a known lesion's name is known,
        unless it is what can name a file of another label, as ``MA-`` is of ``MA?``.
        """
        label = mark.details.get("label", mark.lesion)
        told = next((told for name in (label, mark.lesion) if (told := self.table.told(name)) is not None), None)
        own = mark.lesion if label != usable(label) == mark.lesion else known(mark.lesion) or mark.lesion
        self._count(label, own if told is None else told)
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
            self.leave_out_photograph(name, name, self.why_unknown(name, what))
        return size

    def why_unknown(self, name: str, otherwise: str) -> str:
        """Why the size of a photograph is not known: its file in the folder, or ``otherwise`` without a folder."""
        if self.options.photographs is not None:
            try:
                image_size(self.options.photographs.find(name))
            except ImageError as error:
                return str(error)
        return otherwise

    def attribute(self, attributes: Mapping[str, object]) -> str | None:
        """The label in the attribute that the user says holds it, whatever its case; None where nobody says so."""
        if self.options.label_attribute is None:
            return None
        wanted = self.options.label_attribute.strip().casefold()
        found = [value for name, value in attributes.items() if name.strip().casefold() == wanted]
        self._attributed += bool(found)
        return label_of(found[0]) if found else ""

    def asks_for(self, attribute: object) -> bool:
        """Whether the user says that this attribute holds the label."""
        wanted = self.options.label_attribute
        return wanted is not None and str(attribute).strip().casefold() == wanted.strip().casefold()

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
        if are_shares(annotations):
            self.note(
                "all coordinates",
                "they lie between 0 and 1, and are taken for px; if they are shares of the photograph's width and "
                "height, multiply them by these, or export it again in px",
            )
        left_out, whole, notes = (
            tuple(f"{self.path}: {text}" for text in _sentences(each))
            for each in (self._left_out, self._whole, self._notes)
        )
        photographs = tuple(self._photographs)
        report = ReadReport(self._labels, self._lesions, left_out + whole, notes, photographs, whole, self._attributed)
        return ReadResult(annotations, replace(report, models=frozenset(self.models)))


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
