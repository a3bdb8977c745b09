"""One file per annotation format, listed in `FORMATS`; a format is imported when it is asked for.

Every format has ``TITLE``, ``ONE_FILE_EACH``, ``recognise(document)``, ``read(source, options)`` and, unless it is read
only, ``write(path, annotations, approximate, images)``; see `Format`.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from coarsekit.annotations.annotators import chosen
from coarsekit.annotations.documents import SUFFIXES, Document, error_context, open_files
from coarsekit.annotations.exports_over_time import without_earlier
from coarsekit.annotations.fitting import absolute, check_marks, check_name, fitted, the_one_of
from coarsekit.annotations.folder_labels import with_folder_labels
from coarsekit.annotations.labels import Labels
from coarsekit.annotations.photograph_names import also_of
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.reading import ReadOptions, ReadReport, ReadResult
from coarsekit.annotations.spellings import spelt_as_one
from coarsekit.annotations.tool_frame import with_files
from coarsekit.annotations.written import drawings_first, is_record, passed_over
from coarsekit.errors import AnnotationError, ParameterError, did_you_mean
from coarsekit.images import read_image
from coarsekit.types import Annotation, Image


class Format(Protocol):
    """What a module of this folder offers."""

    TITLE: str
    """The format as people call it."""
    ONE_FILE_EACH: bool
    """Whether each photograph has a file of its own."""
    HOLDS: frozenset[str]
    """Fields of `Mark.details` and `Annotation.provenance` that it can write; see `coarsekit.annotations.details`."""

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


FORMATS = ("coco", "cvat", "diaretdb1", "labelme", "labelstudio", "native", "roc", "via", "via3")
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


class UnknownFormatError(AnnotationError):
    """The file at ``path`` is no annotation in a format that is known."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)  # the argument alone, so that it can be pickled: another process may raise it
        self.path = path

    def __str__(self) -> str:
        titles = ", ".join(format_named(name).TITLE.partition(" (")[0] for name in FORMATS)
        return f"{self.path}: not an annotation in a format that is known; expected one of {titles}"


def recognise(document: Document) -> str:
    """The name of the format that a file is in, by its content.

    Raises `UnknownFormatError` when it is in none that is known.
    """
    for name in FORMATS:
        if format_named(name).recognise(document):
            return name
    raise UnknownFormatError(document.path)


def read_annotations(path: str | os.PathLike[str], options: ReadOptions | None = None) -> ReadResult:
    """Read all photographs in an annotation file of any format, or in a ZIP or a folder of such files.

    Args:
        path: The file or the folder; a file's content says which format it is in.
        options: Labels, photographs and sizes; see `ReadOptions`.

    Returns:
        The annotations in the file's order, and the report: what was left out, and what was guessed.

    Raises:
        AnnotationError: When the file is missing, in no known format or malformed as a whole; the sentence names the
            field.
    """
    root = Path(path) if Path(path).is_dir() else None
    found, report = read_all(annotation_files(path), options or ReadOptions(), root)
    return ReadResult([annotation for _, annotation in found], report)


def read_all(
    files: Iterable[Path],
    options: ReadOptions,
    root: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
    given: Path | None = None,
) -> tuple[list[tuple[Path, Annotation]], ReadReport]:
    """Read annotation files, and choose among what they have by the annotator.

    Args:
        files: Files of any format, or ZIPs of them. What cannot be used of several files is left out and named. What a
            refiner wrote among drawings, and what is no annotation, is passed over, and said.
        options: Labels, photographs and sizes; see `ReadOptions`. A ``coarsekit.toml`` may complete them; see
            `coarsekit.annotations.folder_labels`.
        root: The folder that the files lie in; None for single ones.
        advance: Called with 1 for each file.
        given: The file or folder beside or in which ``coarsekit.toml`` lies; None for ``root``, or else the files.

    Returns:
        Each annotation with the file that has it, and the report.

    Raises:
        AnnotationError: When no file can be read, for the first that cannot where the options are strict, and for a
            ``coarsekit.toml`` that does not fit.
    """
    place = given or root
    files, written = drawings_first(list(files), place)
    options, report = with_folder_labels(options, files if place is None else [place])
    found: list[tuple[Path, Annotation]] = []
    refused: list[AnnotationError] = []
    passed: list[Path] = []
    read, drawn = 0, False
    photographs = options.photographs or (PhotographFolder(root) if root else None)
    for file in files:
        if file in written and drawn:
            passed.append(file)
            advance(1)
            continue
        folder = _folder_below(root or options.images, file)
        for document in open_files(file, folder):
            try:
                if isinstance(document, AnnotationError):
                    raise document
                if is_record(document):
                    passed.append(document.path)
                    continue
                annotations, own = format_named(recognise(document)).read(document, options.beside(document.folder))
            except AnnotationError as error:
                if options.strict:
                    raise
                refused.append(error)
                drawn |= file not in written  # what a refiner made of a damaged drawing does not stand for it
                continue
            read, drawn = read + 1, drawn or file not in written
            near = photographs and photographs.beside(document.folder)
            for annotation in annotations:
                image = near.path_of(annotation.image) if near else annotation.image
                found.append((document.path, replace(annotation, image=image)))
            report += own
        advance(1)
    if refused and not read:
        more = f" (and {len(refused) - 1} more files)" if len(refused) > 1 else ""
        raise AnnotationError(f"{refused[0]}{more}")
    if passed and not read:
        raise AnnotationError(f"{passed[0]}: says what a refiner found, not what was drawn; give the annotation itself")
    notes = passed_over(passed, "that a refiner wrote")
    # A table of patients beside the drawings is no loss; a drawing that is cut short is.
    strange = [error.path for error in refused if isinstance(error, UnknownFormatError)]
    notes += passed_over(strange, "in no format that is known")
    lost = tuple(str(error) for error in refused if not isinstance(error, UnknownFormatError))
    report += ReadReport(left_out=lost, notes=tuple(notes))
    found, report = spelt_as_one(found, report, Labels(options.labels))
    found, earlier = without_earlier(with_files(found), options.photographs)
    report += ReadReport(notes=tuple(earlier))
    if options.annotator is not None and found:
        found = chosen(found, options.annotator, report.models)
    return found, report


def _folder_below(root: Path | None, file: Path) -> str:
    """The folders between a root and a file, with ``/`` between them; empty for none, and for a file elsewhere."""
    place, base = file.absolute().parent, None if root is None else root.absolute()  # a link is where it lies
    return "" if base is None or base not in place.parents else place.relative_to(base).as_posix()


def annotation_files(source: str | os.PathLike[str], apart: Path | None = None) -> list[Path]:
    """The file itself, or the annotation files in a folder and the folders below it, by name.

    ``apart``: a folder whose files are passed over, since results are written there.

    Raises `AnnotationError` for a folder without any.
    """
    if source == "":
        raise AnnotationError("an empty text is no path of an annotation; give that of a file, or '.' for this folder")
    folder = Path(source)
    if not folder.is_dir():
        return [folder]
    results = None if apart is None or apart.resolve() == folder.resolve() else apart.resolve()
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in (*SUFFIXES, ".zip")
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and (results is None or results not in path.resolve().parents)
    ]
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
        options: Labels, photographs and sizes; see `ReadOptions`. None is strict: what cannot be used is an error.

    Returns:
        The annotation; without marks where nothing was drawn. What was left out of the file is in its provenance,
        under ``left_out``.

    Raises:
        AnnotationError: When the file is missing or malformed (the sentence names the field), does not say which of
            several annotations is meant, or has a mark wholly outside its photograph.

    Examples:
        >>> annotation = coarsekit.read_annotation("annotations.xml", "image.png")
        >>> annotation.lesions, len(annotation.marks)
        (('MA', 'HE'), 6)
    """
    annotations, report = read_annotations(path, ReadOptions(strict=True) if options is None else options)
    annotation = check_marks(the_one_of(annotations, path, photograph), path)
    if not report.left_out:
        return annotation
    return replace(annotation, provenance={**annotation.provenance, "left_out": list(report.left_out)})


def read_drawn(
    photograph: str | os.PathLike[str],
    path: str | os.PathLike[str],
    options: ReadOptions | None = None,
    ignore_name: bool = False,
) -> tuple[Image, Annotation, ReadReport]:
    """Read a photograph and what was drawn on it.

    Args:
        photograph: The image file; its name finds the annotation in a file of several.
        path: The annotation file.
        options: What the user says of labels and annotators; the photograph gives its folder and its size.
        ignore_name: Whether the only annotation of a file is taken whatever photograph it names.

    Returns:
        The photograph, its annotation in the photograph's pixels, and the report of what was left out.

    Raises:
        ImageError: As `read_image`.
        AnnotationError: As `read_annotation`, when the annotation was drawn on an image of other proportions, and when
            it is plainly of another photograph.
    """
    image, file = read_image(photograph), Path(photograph)
    own = replace(options or ReadOptions(), images=file.parent, size=(image.shape[1], image.shape[0]))
    annotations, report = read_annotations(path, own)
    whole = str(absolute(file))
    annotation = the_one_of(annotations, path, whole, report)
    if not annotation.marks and report.left_out and len(annotations) == 1:
        raise AnnotationError(f"{report.left_out[0]}; nothing else is drawn on {file.name}")
    notes = [] if ignore_name else check_name(annotation, file, path)
    if others := also_of(annotations, annotation, whole):
        notes.append(
            f"{path}: {annotation.image} is taken, and not what was drawn under the name {' or '.join(others)}."
        )
    with error_context(str(path)):
        annotation, more = fitted(annotation, image.shape, str(photograph), own.strict)
    return image, annotation, report + more + ReadReport(notes=tuple(notes))
