"""What several annotators drew on the same photographs: found and read, by annotator."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from coarsekit.annotations import read_all
from coarsekit.annotations.annotators import annotator_of
from coarsekit.annotations.documents import SUFFIXES
from coarsekit.annotations.photographs import PhotographFolder, stem_of
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.errors import ImageError, ParameterError
from coarsekit.types import Annotation

Drawings: TypeAlias = dict[str, dict[str, Annotation]]
"""By annotator, and by photograph: its file name without the suffix, or its path where some share a file name."""


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
        own = [path for path in paths if path.suffix.lower() in (*SUFFIXES, ".zip")]
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

    Where one of them has drawings of several people on a photograph, each of these is an annotator.

    Raises `AnnotationError` where nothing can be read, and `ParameterError` when an annotator drew on a photograph
    twice.
    """
    read: dict[str, list[Annotation]] = {}
    report = ReadReport()
    for annotator in dict.fromkeys(name for name, _ in files):
        own_files = [path for name, path in files if name == annotator]
        found, own = read_all(own_files, options, advance=advance, given=Path(annotator))
        read[annotator] = [annotation for _, annotation in found]
        report += own
    split: dict[str, list[Annotation]] = {}
    for annotator, annotations in read.items():
        several = len({one.image for one in annotations}) < len(annotations) and any(map(annotator_of, annotations))
        if not several:
            split[annotator] = []
        for one in annotations:
            split.setdefault(f"{annotator} ({annotator_of(one)})" if several else annotator, []).append(one)
    return _by_photograph(split), report


def annotated_by_several(folder: Path, drawings: Drawings) -> tuple[dict[str, Path], list[str]]:
    """The photographs that two or more annotated, by their key, and for each other key that they share a sentence.

    Raises `ParameterError` when one annotator is alone, nobody shares a photograph, or none of these is there.
    """
    if len(drawings) < 2:
        raise ParameterError("one annotator alone agrees with nobody; name a second one")
    shared = [key for key, number in Counter(key for own in drawings.values() for key in own).items() if number > 1]
    if not shared:
        raise ParameterError(
            "no photograph (matched by its file name) was annotated by two; check that the annotators belong together"
        )
    photographs, found, left_out = PhotographFolder(folder), {}, []
    for key in sorted(shared):
        files: dict[Path, None] = {}
        for image in dict.fromkeys(own[key].image for own in drawings.values() if key in own):
            with suppress(ImageError):
                files[photographs.find(image)] = None
        if len(files) == 1:
            found[key] = next(iter(files))
        elif files:
            names = " and ".join(path.relative_to(folder).as_posix() for path in files)
            left_out.append(f"{key}: annotators drew on different photographs of that name, {names}")
        else:
            left_out.append(f"{key}: no photograph of that name in {folder}")
    if not found:
        raise ParameterError(f"{folder}: no photograph in it that two annotated ({left_out[0]}); check it")
    return found, left_out


def _by_photograph(read: Mapping[str, Sequence[Annotation]]) -> Drawings:
    """The drawings by photograph: by its file name alone, as folders may differ, unless some share it."""
    ambiguous = {
        Path(image).stem
        for annotations in read.values()
        for image, times in Counter(Path(stem_of(one.image)).name for one in annotations).items()
        if times > 1
    }
    drawings: Drawings = {annotator: {} for annotator in read}
    for annotator, annotations in read.items():
        for one in annotations:
            stem = stem_of(one.image)
            key = stem if Path(stem).name in ambiguous else Path(stem).name
            if key in drawings[annotator]:
                raise ParameterError(f"a second drawing of {one.image} in {annotator}; keep one a folder")
            drawings[annotator][key] = one
    return drawings
