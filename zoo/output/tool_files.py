"""What was refined, written for the tool that the drawing came from: a mask or a polygon for each mark."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coarsekit.annotations import Format, format_named, writable_formats
from coarsekit.annotations.annotators import check_one_each
from coarsekit.annotations.details import not_held
from coarsekit.annotations.labelstudio_config import labelling_config
from coarsekit.annotations.reading import one_file_each
from coarsekit.annotations.tool_frame import by_file, in_tool_frame
from coarsekit.annotations.written import as_written, note_written
from coarsekit.errors import ParameterError, did_you_mean
from coarsekit.images import read_mask
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import claim_outputs
from coarsekit.types import Annotation
from zoo.output.earlier_files import apart, no_longer_in, no_longer_in_table, still_in
from zoo.output.label_maps import files_of, write_label_maps
from zoo.output.marks_found import MASK, SHAPES, refined_annotation
from zoo.output.marks_table import row_of, table_of
from zoo.output.photograph_result import PhotographResult, check_apart
from zoo.refiner import Refiner

TABLE, LABEL_MAPS = OWN = ("csv", "labelmap")
"""Not tools' formats: a table with a row for each mark, and one PNG for each photograph whose values are classes."""
_NAMES = {"cvat": "refined_cvat.xml", "labelme": "refined_labelme", "native": "refined_native"}
_NAMES |= {TABLE: "refined_marks.csv", LABEL_MAPS: "refined_labelmap"}
_CONFIG = "refined_labelstudio_config.xml"


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """What to write for tools.

    ``formats``: names of formats that can be written, see `coarsekit.annotations.writable_formats`, and those of `OWN`.
    ``shape``: `MASK` or `POLYGON`. ``with_drawing``: whether what was drawn is written, too.

    Raises `ParameterError` for a format that cannot be written, and for another shape.

    Examples:
        >>> zoo.ToolOptions(("cvat", "coco")).shape
        'mask'
    """

    formats: tuple[str, ...] = ()
    shape: str = MASK
    with_drawing: bool = False

    def __post_init__(self) -> None:
        for name in self.formats:
            if name not in (known := (*writable_formats(), *OWN)):
                raise ParameterError(
                    f"no tool's format {name!r} that can be written; choose of {', '.join(known)}"
                    f"{did_you_mean(name, known)}"
                )
        if self.shape not in SHAPES:
            raise ParameterError(f"the parameter shape must be one of {', '.join(SHAPES)}, got {self.shape!r}")


NO_TOOLS = ToolOptions()
"""Nothing is written for a tool."""


def made_by(refiner: Refiner) -> str:
    """What a tool shows in the place of an annotator: the refiner and the first digits of its weights' digest."""
    return f"{Path(refiner.name).name or refiner.variant} {refiner.weights_sha256[:8]}".strip()


@dataclass(frozen=True, slots=True)
class ToWrite:
    """What was refined of one photograph.

    ``stem``: the name of its results, with folders. ``annotation``: what was drawn. ``record``: what was found, with
    the masks as they are now; a ``decision`` of its ``marks`` is what a reviewer decided, see `refined_annotation`.
    ``masks``: the file of each mask by lesion class that tells what was found for each mark, since a review may have
    merged others; None for those of the record.
    """

    stem: str
    annotation: Annotation
    record: Mapping[str, Any]
    masks: Mapping[str, Path] | None = None

    @property
    def files(self) -> dict[str, str | Path]:
        """The file of the mask that tells marks apart, by lesion class."""
        return dict(self.masks or {mask["lesion"]: mask["file"] for mask in self.record["masks"]})


def check_tool_files(folder: Path, options: ToolOptions, force: bool, stems: Sequence[str] = ()) -> None:
    """Raise `OutputError` before any work when a file for a tool may not be written over; see `write_for_tools`.

    ``stems``: the names of the results, as far as they are known; label maps are called after them.
    """
    places = dict(zip(options.formats, _places(folder, options), strict=True))
    maps = files_of(places[LABEL_MAPS], stems) if stems and LABEL_MAPS in places else []
    _claim([*(place for place in places.values() if place.suffix), *maps], folder, force)


def check_results(
    results: Sequence[PhotographResult], inputs: Iterable[Path], folder: Path, options: ToolOptions, force: bool
) -> None:
    """Raise `OutputError` before any work where results would share files with others, or with what is in their way."""
    check_apart(results, inputs)
    stems = [(result.folder / result.stem).relative_to(folder).as_posix() for result in results]
    check_tool_files(folder, options, force, stems)


def check_one_annotation_each(annotations: Sequence[Annotation], options: ToolOptions) -> None:
    """Raise `AnnotationError` before any work when a format holds one annotation of a photograph, and has several."""
    for name in options.formats:
        if name not in (*OWN, "labelstudio") and not (target := format_named(name)).ONE_FILE_EACH:
            check_one_each(annotations, target.TITLE)


def write_for_tools(
    folder: Path,
    options: ToolOptions,
    refined: Sequence[ToWrite],
    made_by: str,
    images: Path | None = None,
    force: bool = False,
) -> tuple[list[Path], list[str]]:
    """Write the files for tools.

    Args:
        folder: The folder of the results.
        options: What to write.
        refined: What was drawn on each photograph, and what was found.
        made_by: As for `refined_annotation`.
        images: The folder of the photographs, if they have one: VIA knows them by their bytes.
        force: Whether to write over files that were changed since they were written for a tool, or were not.

    Returns:
        The files and folders, and a sentence for what they do not hold.

    Raises:
        OutputError: When a file is in the way.
    """
    drawn, found, rows = [], [], []
    records = {one.stem: one.record for one in refined}
    nothing: Counter[str] = Counter()
    for photograph in refined:
        annotation, record = photograph.annotation, photograph.record
        rows += [row_of(annotation, row) for row in record["marks"]]
        masks = {lesion: read_mask(file) for lesion, file in photograph.files.items()}
        trust = {row["mark"]: row["expected_iou"] for row in record["marks"] if row["expected_iou"] is not None}
        decisions = {row["mark"]: row["decision"] for row in record["marks"] if row.get("decision")}
        one, without = refined_annotation(annotation, masks, made_by, options.shape, trust, decisions)
        drawn.append(annotation)
        found.append(one)
        nothing += without
    written: list[Path] = []
    notes: list[str] = []
    for name, place in zip(options.formats, _places(folder, options), strict=False):
        if name in OWN:
            files = [place] if name == TABLE else files_of(place, records)
            _claim(files, folder, force)
            if name == TABLE:
                notes += no_longer_in_table(place, [one.image for one in drawn])
                write_text(place, table_of(rows))
            else:
                write_label_maps(place, records)
                notes += still_in(place, files, folder)
            note_written(files, folder)
            written.append(place)
            continue
        target = format_named(name)
        together = _together(drawn, found, apart=name == "labelstudio") if options.with_drawing else found
        together = [in_tool_frame(one, name) for one in together]
        places = _files_of(place, target, name, together)
        config = [folder / _CONFIG] if name == "labelstudio" else []
        _claim([*places, *config], folder, force)
        if target.ONE_FILE_EACH:
            notes += _lost(target, together, target.write(place, together, True, images))
        else:
            notes += apart(place, places)
            for file, several in places.items():
                notes += no_longer_in(file, target, several)
                file.parent.mkdir(parents=True, exist_ok=True)
                notes += _lost(target, several, target.write(file, several, True, images))
        for file in config:
            write_text(file, labelling_config(together))
        notes += still_in(place.with_suffix(""), places, folder)
        note_written([*places, *config], folder)
        written += [place if len(places) == 1 or target.ONE_FILE_EACH else place.with_suffix(""), *config]
    if nothing:
        count, each = sum(nothing.values()), ", ".join(f"{lesion} {number}" for lesion, number in nothing.items())
        held = "with what was drawn alone" if options.with_drawing else "not in the files for tools"
        notes.append(f"Nothing was found for {count} mark{'s'[: count > 1]} ({each}): {held}.")
    return written, notes


def _files_of(
    place: Path, target: Format, name: str, annotations: Sequence[Annotation]
) -> dict[Path, Sequence[Annotation]]:
    """The files of a format, with what each has: one of all photographs where they can be told apart in the tool."""
    if target.ONE_FILE_EACH:
        return {file: [one] for file, one in one_file_each(place, annotations, ".json").items()}
    files = by_file(annotations, name)
    if len(files) == 1:
        return {place: annotations}
    below = place.with_suffix("")
    return {
        below / (source if source.endswith(place.suffix) else f"{source}{place.suffix}") if source else place: several
        for source, several in files.items()
    }


def _lost(target: Format, annotations: Sequence[Annotation], made: Iterable[str]) -> list[str]:
    """A sentence for each kind of approximation that was made, of all photographs, and of detail that is not held."""
    counts: Counter[str] = Counter()
    for text in made:
        place, _, what = text.rpartition(" × ")
        counts[what] += int(place.rpartition(" ")[2])
    approximated = [f"{target.TITLE} has {count} × {what}" for what, count in counts.items()]
    return approximated + not_held(annotations, target.TITLE, target.HOLDS)


def _places(folder: Path, options: ToolOptions) -> list[Path]:
    """For each format the file, or the folder of files."""
    return [folder / _NAMES.get(name, f"refined_{name}.json") for name in options.formats]


def _together(drawn: Sequence[Annotation], found: Sequence[Annotation], apart: bool) -> list[Annotation]:
    """What was drawn and what was found; ``apart``: as annotations of their own, of a person and of a model."""
    if apart:
        return [one for pair in zip(drawn, found, strict=True) for one in pair]
    together = []
    for own, more in zip(drawn, found, strict=True):
        there = set(map(id, own.marks))  # a mark that a reviewer left as it was drawn is in both
        together.append(replace(own, marks=own.marks + tuple(mark for mark in more.marks if id(mark) not in there)))
    return together


def _claim(files: Sequence[Path], folder: Path, force: bool) -> None:
    """Check that each file is not there, or was written for a tool and not changed since, unless ``force``."""
    own = set() if force else as_written(files, folder)
    claim_outputs([file for file in files if file not in own], force, own=lambda _: False)
