"""One file per annotation format, listed in `FORMATS`; a format is imported when it is asked for.

Every format has ``TITLE``, ``ONE_FILE_EACH``, ``recognise(document)``, ``read(source, options)`` and, unless it is read
only, ``write(path, annotations, approximate, images)``; see `Format`.
"""

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from coarsekit.annotations.documents import Document, error_context, load
from coarsekit.annotations.reading import ReadOptions, ReadReport, ReadResult, file_name
from coarsekit.errors import AnnotationError, ParameterError, did_you_mean
from coarsekit.geometry import extent
from coarsekit.images import read_image
from coarsekit.types import KINDS, Annotation, Image, check_drawn_on

SUFFIXES = (".json", ".xml", ".csv")
"""Of annotation files, which find them in a folder; their content says which format they are in."""


class Format(Protocol):
    """What a module of this folder offers."""

    TITLE: str
    """The format as people call it."""
    ONE_FILE_EACH: bool
    """Whether each photograph has a file of its own."""

    def recognise(self, document: Document) -> bool:
        """Whether a file that was opened is of this format, by its content."""

    def read(self, source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
        """All photographs in a file, in its order, and the report.

        Raises `AnnotationError` when the file is missing or malformed; the sentence names the field.
        """

    def write(
        self, path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
    ) -> list[str]:
        """Write a file, or a folder of files, whole or not at all; ``images`` is the folder of the photographs.

        Returns a sentence for each approximation that was made. Raises `AnnotationError` for what the format cannot
        hold, unless ``approximate``.
        """


FORMATS = ("coco", "cvat", "diaretdb1", "labelme", "labelstudio", "native", "via")
"""Names of all formats: each is a module of this folder that offers what `Format` asks for."""


def writable_formats() -> tuple[str, ...]:
    """Names of the formats that can be written."""
    return tuple(name for name in FORMATS if hasattr(format_named(name), "write"))


def format_named(name: str) -> Format:
    """The format of that name, one of `FORMATS`.

    Raises `ParameterError` for any other.
    """
    if name not in FORMATS:
        raise ParameterError(
            f"no annotation format {name!r}; choose one of {', '.join(FORMATS)}{did_you_mean(name, FORMATS)}"
        )
    return cast("Format", import_module(f"{__name__}.{name}"))


def recognise(document: Document) -> str:
    """The name of the format that a file is in, by its content.

    Raises `AnnotationError` when it is in none that is known.
    """
    for name in FORMATS:
        if format_named(name).recognise(document):
            return name
    raise AnnotationError(
        f"{document.path}: not an annotation in a format that is known; expected one of "
        f"{', '.join(format_named(name).TITLE for name in FORMATS)}"
    )


def read_annotations(path: str | os.PathLike[str], options: ReadOptions | None = None) -> ReadResult:
    """Read all photographs in an annotation file of any format.

    Args:
        path: The file; its content says which format it is in.
        options: Labels, photographs and sizes; see `ReadOptions`.

    Returns:
        The annotations in the file's order, and the report of what was left out.

    Raises:
        AnnotationError: When the file is missing, in no known format or malformed; the sentence names the field.
    """
    document = load(Path(path))
    return format_named(recognise(document)).read(document, options)


def annotation_files(source: str | os.PathLike[str]) -> list[Path]:
    """The file itself, or the annotation files in a folder, by name.

    Raises `AnnotationError` for a folder without any.
    """
    folder = Path(source)
    if not folder.is_dir():
        return [folder]
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise AnnotationError(f"{folder}: no annotation file in this folder; expected {', '.join(SUFFIXES)}")
    return files


def read_annotation(
    path: str | os.PathLike[str], photograph: str | None = None, options: ReadOptions | None = None
) -> Annotation:
    """Read the annotation of one photograph from a file of any format, and check that every mark reaches into it.

    Args:
        path: The annotation file.
        photograph: The photograph's file name, which finds it in a file of several.
        options: Labels, photographs and sizes; see `ReadOptions`.

    Returns:
        The annotation; without marks where nothing was drawn.

    Raises:
        AnnotationError: When the file is missing or malformed (the sentence names the field), does not say which of
            several annotations is meant, or has a mark wholly outside its photograph.
    """
    return check_marks(_choose(read_annotations(path, options).annotations, path, photograph), path)


def read_drawn(
    photograph: str | os.PathLike[str], path: str | os.PathLike[str], labels: Mapping[str, str]
) -> tuple[Image, Annotation, ReadReport]:
    """Read a photograph and what was drawn on it.

    Args:
        photograph: The image file; its name finds the annotation in a file of several.
        path: The annotation file.
        labels: Lesion class by the tool's label.

    Returns:
        The photograph, its annotation, and the report of what was left out.

    Raises:
        ImageError: As `read_image`.
        AnnotationError: As `read_annotation`, and when the annotation was drawn on an image of another size.
    """
    image, file = read_image(photograph), Path(photograph)
    options = ReadOptions(labels, file.parent, (image.shape[1], image.shape[0]))
    annotations, report = read_annotations(path, options)
    annotation = check_marks(_choose(annotations, path, file.name), path)
    with error_context(str(path)):
        check_drawn_on(annotation, image.shape[:2], str(photograph))
    return image, annotation, report


def check_marks(annotation: Annotation, path: str | os.PathLike[str]) -> Annotation:
    """The annotation itself, once every mark is seen to reach into its photograph; ``path`` is where it was read.

    Raises `AnnotationError` for the first mark that lies wholly outside.
    """
    width, height = annotation.width, annotation.height
    places: dict[str, int] = {}
    for mark in annotation.marks:
        shape = mark.shape
        kind = KINDS[type(shape)]
        place = places[kind] = places.get(kind, -1) + 1
        x0, y0, x1, y1 = extent(shape)
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            raise AnnotationError(
                f"{path}: {kind}.{place} lies wholly outside the photograph of {width} × {height} px "
                f"(its centre is {(x0 + x1) / 2:g}, {(y0 + y1) / 2:g}); remove or move it"
            )
    return annotation


def _choose(annotations: list[Annotation], path: str | os.PathLike[str], photograph: str | None) -> Annotation:
    if len(annotations) == 1:
        return annotations[0]
    if not annotations:
        raise AnnotationError(f"{path}: has no photograph; export the annotation again")
    if photograph is None:
        raise AnnotationError(f"{path}: has {len(annotations)} photographs; say which by its file name")
    name = file_name(photograph)
    own = [annotation for annotation in annotations if annotation.image == name]
    if len(own) > 1:
        raise AnnotationError(f"{path}: has {len(own)} annotations of {name}; keep one of them in the file")
    if not own:
        known = [annotation.image for annotation in annotations]
        shown = ", ".join(known[:3]) + (", …" if len(known) > 3 else "")
        raise AnnotationError(f"{path}: has no annotation of {name}, but of {shown}{did_you_mean(name, known)}")
    return own[0]
