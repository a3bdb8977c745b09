"""Annotation files from one format to another: what is read of them, what is written, and what a format cannot hold."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from coarsekit.annotations import annotation_files, format_named, read_all, writable_formats
from coarsekit.annotations.annotators import annotated_once, check_one_each
from coarsekit.annotations.details import not_held
from coarsekit.annotations.reading import ReadOptions, ReadReport, one_file_each, without_shared_places
from coarsekit.annotations.tool_frame import by_file, in_tool_frame
from coarsekit.errors import AnnotationError, OutputError, ParameterError
from coarsekit.images import PHOTOGRAPHS
from coarsekit.storage.files import given_path
from coarsekit.storage.outputs import at_work, claim_outputs
from coarsekit.types import KINDS, Annotation

_BY_SUFFIX = {".xml": "cvat", ".csv": "via"}


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What `write_annotations` did.

    ``format``: the name of the format. ``files``: the files that were written. ``approximated``: a sentence for each
    approximation of a shape. ``not_held``: a sentence for each kind of detail that the format has no place for.
    """

    format: str
    files: list[Path] = field(default_factory=list)
    approximated: list[str] = field(default_factory=list)
    not_held: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """What `convert` did.

    ``format``, ``files``, ``approximated``, ``not_held``: as in `WriteReport`. ``photographs``, ``annotations``: how
    many there are; where several people annotated a photograph there are more annotations. ``rows``: for each lesion
    class the photographs that show it, and the shapes of each kind. ``left_out``: a sentence for each kind of thing
    that was drawn and is not read. ``notes``: a sentence for what was guessed.
    """

    format: str
    photographs: int
    annotations: int
    files: list[Path] = field(default_factory=list)
    rows: list[dict[str, str | int]] = field(default_factory=list)
    approximated: list[str] = field(default_factory=list)
    not_held: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def convert(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    to: str | None = None,
    images: str | os.PathLike[str] | None = None,
    labels: Mapping[str, str | None] = MappingProxyType({}),
    label_attribute: str | None = None,
    annotator: str | None = None,
    strict: bool = False,
    approximate: bool = False,
    force: bool = False,
    on_left_out: Callable[[str], None] | None = None,
    on_note: Callable[[str], None] = lambda _: None,
) -> ConvertReport:
    """Convert an annotation file, or all those in a folder, to another format.

    Args:
        source: The file, of any format that is read, or a ZIP or a folder of such files.
        out: The file to write, or, for native and labelme, which hold one photograph a file, a folder. What goes back
            to the tool that it came from is in that tool's pixels and under its names.
        to: The format of ``out``: native, cvat, labelstudio, via, labelme or coco; None for cvat where ``out`` ends in
            ``.xml``, via where it ends in ``.csv``, and else native.
        images: The folder of the photographs, for files that do not hold their sizes (VIA, ROC).
        labels: The lesion class by label of the annotation, before the names that are known; this and
        label_attribute: the attribute that holds the label,
        annotator: whose drawings to take, and
        strict: whether nothing may be left out, are as in `coarsekit.annotations.reading.ReadOptions`.
        approximate: Whether to write what comes nearest to a shape that the format cannot hold.
        force: Whether to write over files that are there; an input never is.
        on_left_out: Called with each sentence of ``left_out``, before anything is written. Without it, the error where
            nothing is left has the first of them.
        on_note: Called with each sentence of ``notes``, and with one where several people annotated a photograph and
            each gets a folder, before anything is written.

    Returns:
        What was written, and what was left out, approximated or has no place in the format.

    Raises:
        ParameterError: For a format that is not known or can only be read, and when ``images`` is no folder.
        AnnotationError: When nothing can be read; when the format cannot hold a shape and ``approximate`` is not set;
            when several people annotated a photograph and the format holds one annotation of each.
        OutputError: When an output is an input, or is there and ``force`` is not set.

    Examples:
        >>> report = coarsekit.convert("annotations.xml", "coco.json", to="coco", approximate=True)
        >>> report.format, report.photographs, report.left_out
        ('coco', 1, [])
    """
    path, folder = given_path(out, "out"), None if images is None else given_path(images, "images")
    if folder is not None and not folder.is_dir():
        raise ParameterError(f"{folder}: no such folder; images=… names the folder of the photographs")
    name = _format_of(path, to)
    options = ReadOptions(labels, folder, label_attribute=label_attribute, annotator=annotator, strict=strict)
    root = Path(source) if Path(source).is_dir() else None
    found, report = read_all(annotation_files(source, apart=path), options, root)
    if name != "labelstudio":  # whose tasks hold several annotations of anyone
        found, twice = annotated_once(found)
        if twice and strict:
            raise AnnotationError(twice[0][1])
        report += ReadReport(left_out=tuple(sentence for _, sentence in twice))
    if format_named(name).ONE_FILE_EACH:
        found, sharing = without_shared_places(path, found, ".json")
        if sharing and strict:
            raise AnnotationError(sharing[0])
        report += ReadReport(left_out=tuple(sharing))
    annotations = [annotation for _, annotation in found]
    notes = report.all_notes(options)
    for sentence in notes:
        on_note(sentence)
    if on_left_out is not None:
        for sentence in report.left_out:
            on_left_out(sentence)
    if not annotations:
        nothing = f"{source}: has no photograph that could be converted"
        if report.left_out and on_left_out is None:
            raise AnnotationError(f"{nothing}: {report.left_out[0]}")
        named = "; what was left out is named above" if report.left_out else ""
        raise AnnotationError(f"{nothing}{named}; export the annotation again")
    written = _write(annotations, path, name, approximate, folder, force, [source], on_note)
    return ConvertReport(
        name,
        len({one.image for one in annotations}),
        len(annotations),
        written.files,
        _rows(annotations),
        written.approximated,
        written.not_held,
        list(report.left_out),
        notes,
    )


def write_annotations(
    annotations: Annotation | Sequence[Annotation],
    out: str | os.PathLike[str],
    *,
    to: str | None = None,
    images: str | os.PathLike[str] | None = None,
    approximate: bool = False,
    force: bool = False,
) -> WriteReport:
    """Write annotations in one of the formats of annotation tools, whole or not at all.

    Args:
        annotations: One annotation, or those of several photographs.
        out: The file to write, or, for native and labelme, which hold one photograph a file, a folder.
        to: The format, as `convert` takes it.
        images: The folder of the photographs, for formats that say more of a photograph than its name and its size.
        approximate: Whether to write what comes nearest to a shape that the format cannot hold.
        force: Whether to write over files that are there; a photograph never is.

    Returns:
        The files, and what was approximated or has no place in the format.

    Raises:
        ParameterError: For a format that is not known or can only be read, and when ``images`` is no folder.
        AnnotationError: When there is no annotation; when the format cannot hold a shape and ``approximate`` is not
            set; when several people annotated a photograph and the format holds one annotation of each.
        OutputError: When a file is there and ``force`` is not set.

    Examples:
        >>> fundus = coarsekit.open_source("sample").read("IDRiD_46")
        >>> annotation = coarsekit.annotate(fundus, reduction=1.0, style=coarsekit.HUMAN)
        >>> report = coarsekit.write_annotations(annotation, "drawn.xml")
        >>> report.format, coarsekit.read_annotation("drawn.xml").lesions == annotation.lesions
        ('cvat', True)
    """
    path, folder = given_path(out, "out"), None if images is None else given_path(images, "images")
    if folder is not None and not folder.is_dir():
        raise ParameterError(f"{folder}: no such folder; images=… names the folder of the photographs")
    several = [annotations] if isinstance(annotations, Annotation) else list(annotations)
    name = _format_of(path, to)
    if not several:
        raise AnnotationError(f"{path}: there is no annotation to write; give one or more")
    return _write(several, path, name, approximate, folder, force)


def _format_of(path: Path, to: str | None) -> str:
    """The name of the format to write, as asked for, or by the suffix of the file."""
    name = to or _BY_SUFFIX.get(path.suffix.lower(), "native")
    format_named(name)  # says which there are
    if name not in writable_formats():
        raise ParameterError(f"{name} can only be read; write one of {', '.join(writable_formats())}")
    return name


def _write(
    annotations: list[Annotation],
    path: Path,
    name: str,
    approximate: bool,
    images: Path | None,
    force: bool,
    inputs: Iterable[str | os.PathLike[str]] = (),
    on_note: Callable[[str], None] = lambda _: None,
) -> WriteReport:
    target = format_named(name)
    if not target.ONE_FILE_EACH and name != "labelstudio":
        check_one_each(annotations, target.TITLE)
    places = list(one_file_each(path, annotations, ".json")) if target.ONE_FILE_EACH else [path]
    if path.is_dir() and not target.ONE_FILE_EACH:
        raise OutputError(f"{path} is a folder; name the file to write")
    photographs = [] if images is None else [each for each in images.iterdir() if each.suffix.lower() in PHOTOGRAPHS]
    claim_outputs(places, force, [*inputs, *photographs])
    if target.ONE_FILE_EACH and len({one.image for one in annotations}) < len(annotations):
        on_note("Several annotated the same photographs, each gets a folder; annotator=… chooses one.")
    own = [in_tool_frame(one, name) for one in annotations]
    if len(by_file(own, name)) == 1:
        annotations = own
    elif own != annotations:
        on_note(
            f"Photographs of several files share names or numbers in {target.TITLE}, and keep the names and sizes that "
            "they have here; convert one file at a time to have the tool's."
        )
    folder_of_files = path.parent if path.suffix.lower() == ".json" else path
    with at_work(folder_of_files) if target.ONE_FILE_EACH else nullcontext():
        made = target.write(path, annotations, approximate, images)
    return WriteReport(name, places, made, not_held(annotations, target.TITLE, target.HOLDS))


def _rows(annotations: list[Annotation]) -> list[dict[str, str | int]]:
    """A row for each lesion class: photographs that show it, and shapes of each kind."""
    kinds: dict[str, Counter[str]] = {}
    for annotation in annotations:
        for lesion in annotation.lesions:
            kinds.setdefault(lesion, Counter())["photographs"] += 1
        for mark in annotation.marks:
            kinds[mark.lesion][KINDS[type(mark.shape)]] += 1
    drawn = {kind for counts in kinds.values() for kind in counts}
    columns = ("photographs", *(kind for kind in KINDS.values() if kind in drawn or kind not in ("points", "lines")))
    return [{"lesion": lesion, **{column: counts[column] for column in columns}} for lesion, counts in kinds.items()]
