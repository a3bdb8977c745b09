"""What annotation formats share: the options and the report of a reading, file names, one file for each photograph."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from coarsekit.errors import AnnotationError
from coarsekit.images import image_size
from coarsekit.types import Annotation, Mark, Shape


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says of annotation files before they are read.

    Args:
        labels: Lesion class by the tool's label. A label that is not in it keeps its own name.
        images: The folder of the photographs, for formats that do not store sizes.
        size: (w, h) in px of the photographs that are not found in ``images``.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None
    size: tuple[int, int] | None = None

    def size_of(self, name: str) -> tuple[int, int] | None:
        """(w, h) of a photograph, as its file has it or as the user gave it; None when neither is known."""
        path = None if self.images is None else self.images / name
        return image_size(path) if path is not None and path.is_file() else self.size


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What reading met: the tool's labels, and a sentence for each kind of thing that was left out."""

    labels: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()

    def __add__(self, other: "ReadReport") -> "ReadReport":
        return ReadReport(self.labels | other.labels, self.left_out + other.left_out)


class ReadResult(NamedTuple):
    """The annotations of a file in its order, and the report of reading them."""

    annotations: list[Annotation]
    report: ReadReport


class Recorder:
    """Collects the report while a format reads one file."""

    def __init__(self, options: ReadOptions | None) -> None:
        self.options = options or ReadOptions()
        self._labels: set[str] = set()
        self._left_out: dict[tuple[Path, str], list[str]] = {}

    def mark(self, label: str, shape: Shape) -> Mark:
        """A mark of the lesion class that the label stands for."""
        self._labels.add(label)
        return Mark(self.options.labels.get(label, label), shape)

    def leave_out(self, path: Path, place: str, what: str) -> None:
        """Record something that is not read: ``what`` it is, without its place, is its kind."""
        self._left_out.setdefault((path, what), []).append(place)

    def result(self, annotations: list[Annotation]) -> ReadResult:
        """The annotations with the report."""
        return ReadResult(annotations, ReadReport(frozenset(self._labels), self._sentences()))

    def _sentences(self) -> tuple[str, ...]:
        """One for each kind of thing in a file: where it is, or how often, and the first places."""
        return tuple(
            f"{path}: {places[0]}: {what}"
            if len(places) == 1
            else f"{path}: {what}: {len(places):,} times ({_first(places)})"
            for (path, what), places in self._left_out.items()
        )


def _first(places: list[str]) -> str:
    different = list(dict.fromkeys(places))
    return "; ".join(different[:3]) + (" …" if len(different) > 3 else "")


def climbs(text: str) -> bool:
    """Whether a name has a part that leads out of its folder."""
    return ".." in re.split(r"[/\\]", text)


def file_name(text: str) -> str:
    """The file name of a photograph, without the folders that tools put before it.

    Raises `AnnotationError` when there is none, it climbs out of its folder, or it could not name a file.
    """
    name = re.split(r"[/\\]", text)[-1]
    if climbs(text) or name in ("", ".") or len(name) > 200 or any(ord(character) < 32 for character in name):
        raise AnnotationError(f"expected the file name of a photograph, got {text[:80]!r}; rename it in the annotation")
    return name


def one_file_each(path: Path, annotations: Sequence[Annotation], suffix: str) -> dict[Path, Annotation]:
    """Where a format that has one photograph a file puts each: at ``path`` if that has the suffix, else in it.

    Raises `AnnotationError` for several photographs and one file, and for two photographs that get the same one.
    """
    if path.suffix.lower() == suffix:
        if len(annotations) != 1:
            raise AnnotationError(
                f"{path}: this format has one photograph a file and there are {len(annotations)}; name a folder"
            )
        return {path: annotations[0]}
    places: dict[Path, Annotation] = {}
    for annotation in annotations:
        place = path / f"{Path(file_name(annotation.image)).stem}{suffix}"
        if place in places:
            raise AnnotationError(f"{place}: two photographs, one of them {annotation.image}, would be written here")
        places[place] = annotation
    return places
