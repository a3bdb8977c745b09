"""``coarsekit convert``."""

import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import click

from coarsekit.annotations import FORMATS, annotation_files, format_named, read_annotations, writable_formats
from coarsekit.annotations.reading import ReadOptions, ReadReport, one_file_each
from coarsekit.cli.console import AS_JSON, FORCE, LABELS, QUIET, emit, label_table, say, table
from coarsekit.datasets.base import list_images
from coarsekit.errors import AnnotationError, OutputError, ParameterError
from coarsekit.storage.outputs import at_work, claim_outputs
from coarsekit.types import KINDS, Annotation

_BY_SUFFIX = {".xml": "cvat", ".csv": "via"}


@click.command("convert")
@click.argument("source", metavar="IN")
@click.argument("out")
@click.option(
    "--to", "to", metavar="FORMAT", help="Format of OUT.  [default: cvat for .xml, via for .csv, else native]"
)
@click.option("--approximate", is_flag=True, help="Write what comes nearest to a shape that the format cannot hold.")
@LABELS
@click.option("--images", metavar="FOLDER", help="The photographs, for formats that do not hold their sizes (VIA).")
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    out: str,
    to: str | None,
    approximate: bool,
    labels: tuple[str, ...],
    images: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Convert the annotation file IN, or all those in the folder IN, to OUT.

    IN is recognised by its content: coarsekit, CVAT for images 1.1, Label Studio, VIA 2, LabelMe, COCO or DIARETDB1.
    FORMAT is one of native, cvat, labelstudio, via, labelme and coco. OUT is a file, or, for native and labelme, which
    hold one photograph a file, a folder. What FORMAT cannot hold is an error, or with --approximate a named
    approximation; what has no area (lines, points) is left out, named, and makes the exit code 1.
    """
    path, folder = Path(out), None if images is None else Path(images)
    if folder is not None and not folder.is_dir():
        raise ParameterError(f"{folder}: no such folder; --images names the folder of the photographs")
    name = to or _BY_SUFFIX.get(path.suffix.lower(), "native")
    if name in FORMATS and name not in writable_formats():
        raise ParameterError(f"{name} can only be read; write one of {', '.join(writable_formats())}")
    target = format_named(name)
    options, report, annotations = ReadOptions(label_table(labels), folder), ReadReport(), []
    for file in annotation_files(source):
        found, own = read_annotations(file, options)
        annotations += found
        report += own
    if not annotations:
        raise AnnotationError(f"{source}: has no photograph that could be converted; export the annotation again")
    places = list(one_file_each(path, annotations, ".json")) if target.ONE_FILE_EACH else [path]
    if path.is_dir() and not target.ONE_FILE_EACH:
        raise OutputError(f"{path} is a folder; name the file to write")
    claim_outputs(places, force, inputs=[source, *(list_images(folder) if folder else ())])
    with at_work(places[0].parent) if target.ONE_FILE_EACH else nullcontext():
        made = target.write(path, annotations, approximate, folder)
    rows = _rows(annotations)
    for label in sorted(set(options.labels) - report.labels):
        say(f"No region has the label {label!r}.", quiet)
    for sentence in (*(f"Approximated: {text}" for text in made), *(f"Left out: {text}" for text in report.left_out)):
        say(sentence, quiet)
    if as_json:
        head = {"source": source, "out": out, "format": name, "photographs": len(annotations)}
        files = [str(place) for place in places]
        emit({**head, "files": files, "rows": rows, "approximated": made, "left_out": list(report.left_out)})
    elif not quiet:
        table(f"{source} → {out}: {target.TITLE}", rows)
    say(f"{len(annotations)} photograph{'s'[: len(annotations) > 1]} written to {out}", quiet)
    if report.left_out:
        sys.exit(1)


def _rows(annotations: list[Annotation]) -> list[dict[str, object]]:
    """A row for each lesion class: photographs that show it, and shapes of each kind."""
    kinds: dict[str, Counter[str]] = {}
    for annotation in annotations:
        for lesion in annotation.lesions:
            kinds.setdefault(lesion, Counter())["photographs"] += 1
        for mark in annotation.marks:
            kinds[mark.lesion][KINDS[type(mark.shape)]] += 1
    columns = ("photographs", *KINDS.values())
    return [{"lesion": lesion, **{column: counts[column] for column in columns}} for lesion, counts in kinds.items()]
