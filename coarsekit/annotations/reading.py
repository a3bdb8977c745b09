"""What every annotation format is told when it reads and asks when it writes: labels, sizes, file names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coarsekit.errors import AnnotationError
from coarsekit.images import image_size
from coarsekit.types import Annotation, Mark, Shape


@dataclass(slots=True)
class Reading:
    """What the user says of the files that are read, and what reading them left out.

    ``labels``: lesion class by the tool's label; a label without one is taken as it is. ``images``: the folder of the
    photographs, for formats that do not hold sizes; ``size``: (w, h) in px of those that are not found there. ``seen``
    collects the tool's labels, and ``left_out`` a sentence for everything that has no place in a coarse annotation,
    such as lines and points.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None
    size: tuple[int, int] | None = None
    seen: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)

    def mark(self, label: str, shape: Shape) -> Mark:
        """A mark of the lesion class that the label stands for."""
        self.seen.add(label)
        return Mark(self.labels.get(label, label), shape)

    def size_of(self, name: str) -> tuple[int, int] | None:
        """(w, h) of a photograph, as its file has it or as the user gave it; None when neither is known."""
        path = None if self.images is None else self.images / name
        return image_size(path) if path is not None and path.is_file() else self.size


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
    """Where a format that holds one photograph a file puts each: at ``path`` if that has the suffix, else in it.

    Raises `AnnotationError` for several photographs and one file, and for two photographs that get the same one.
    """
    if path.suffix.lower() == suffix:
        if len(annotations) != 1:
            raise AnnotationError(
                f"{path}: this format holds one photograph a file and there are {len(annotations)}; name a folder"
            )
        return {path: annotations[0]}
    places: dict[Path, Annotation] = {}
    for annotation in annotations:
        place = path / f"{Path(file_name(annotation.image)).stem}{suffix}"
        if place in places:
            raise AnnotationError(f"{place}: two photographs, one of them {annotation.image}, would be written here")
        places[place] = annotation
    return places
