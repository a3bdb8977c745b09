"""What several annotators drew on the same photographs: found and read, by annotator."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from coarsekit.annotations import SUFFIXES, read_annotations
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.errors import ParameterError
from coarsekit.types import Annotation

Drawings: TypeAlias = dict[str, dict[str, Annotation]]
"""By annotator, and by photograph: its file name without the suffix."""


def find_drawings(annotators: Sequence[str]) -> list[tuple[str, Path]]:
    """The annotation files of each annotator, who is named by a file or by a folder with files anywhere in it.

    Raises `ParameterError` when an annotator is named twice or has no annotation file.
    """
    for annotator, times in Counter(annotators).items():
        if times > 1:
            raise ParameterError(f"{annotator} is named twice; name the drawings of each annotator once")
    found = []
    for annotator in annotators:
        place = Path(annotator)
        paths = [place] if place.is_file() else sorted(place.rglob("*.*"))
        own = [path for path in paths if path.suffix.lower() in SUFFIXES]
        if not own:
            raise ParameterError(
                f"{annotator}: no annotation ({', '.join(SUFFIXES)}) in it; expected one annotator's drawings, "
                "a folder or a file"
            )
        found += [(annotator, path) for path in own]
    return found


def read_drawings(
    files: Sequence[tuple[str, Path]], options: ReadOptions, advance: Callable[[int], None] = lambda _: None
) -> tuple[Drawings, ReadReport]:
    """Read the annotators and files of `find_drawings`; ``advance``: called with 1 for each file.

    Raises `AnnotationError` for a file that cannot be read, and `ParameterError` when an annotator drew on a
    photograph twice.
    """
    drawings: Drawings = {annotator: {} for annotator, _ in files}
    report = ReadReport()
    for annotator, path in files:
        annotations, own = read_annotations(path, options)
        report += own
        for annotation in annotations:
            photograph = Path(annotation.image).stem
            if photograph in drawings[annotator]:
                raise ParameterError(
                    f"{path}: a second drawing of {annotation.image} in {annotator}; keep one a folder"
                )
            drawings[annotator][photograph] = annotation
        advance(1)
    return drawings, report
