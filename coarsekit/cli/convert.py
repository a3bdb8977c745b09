"""``coarsekit convert``."""

import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import click

from coarsekit.annotations import FORMATS, annotation_files, format_named, read_all, writable_formats
from coarsekit.annotations.annotators import check_one_each
from coarsekit.annotations.details import not_held
from coarsekit.annotations.reading import ReadOptions, one_file_each
from coarsekit.cli.completion import complete_formats
from coarsekit.cli.console import AS_JSON, FORCE, QUIET, emit, label_table, reading, say, say_report, table
from coarsekit.datasets.base import list_images
from coarsekit.errors import AnnotationError, OutputError, ParameterError
from coarsekit.storage.outputs import at_work, claim_outputs
from coarsekit.types import KINDS, Annotation

_BY_SUFFIX = {".xml": "cvat", ".csv": "via"}


@click.command("convert")
@click.argument("source", metavar="IN")
@click.argument("out")
@click.option(
    "--to",
    "to",
    metavar="FORMAT",
    shell_complete=complete_formats,
    help="Format of OUT.  [default: cvat for .xml, via for .csv, else native]",
)
@click.option("--approximate", is_flag=True, help="Write what comes nearest to a shape that the format cannot hold.")
@reading
@click.option("--images", metavar="FOLDER", help="The photographs, for files that do not hold their sizes (VIA, ROC).")
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    out: str,
    to: str | None,
    approximate: bool,
    labels: tuple[str, ...],
    label_attribute: str | None,
    annotator: str | None,
    strict: bool,
    images: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Convert the annotation file IN, or all those in the folder IN, to OUT.

    IN is recognised by its content: coarsekit, CVAT for images 1.1, Label Studio, VIA 2 and 3, LabelMe, COCO,
    DIARETDB1 or the Retinopathy Online Challenge, each alone or in a ZIP.
    FORMAT is one of native, cvat, labelstudio, via, labelme and coco. OUT is a file, or, for native and labelme, which
    hold one photograph a file, a folder. What FORMAT cannot hold is an error, or with --approximate a named
    approximation; what cannot be used (a malformed region or file) is left out, named, and makes the exit code 1. A
    label keeps its name in OUT unless --labels gives it another; the usual names of lesions are known. A folder or a
    ZIP may have several annotators.
    """
    path, folder = Path(out), None if images is None else Path(images)
    if folder is not None and not folder.is_dir():
        raise ParameterError(f"{folder}: no such folder; --images names the folder of the photographs")
    name = to or _BY_SUFFIX.get(path.suffix.lower(), "native")
    if name in FORMATS and name not in writable_formats():
        raise ParameterError(f"{name} can only be read; write one of {', '.join(writable_formats())}")
    target = format_named(name)
    options = ReadOptions(
        label_table(labels), folder, label_attribute=label_attribute, annotator=annotator, strict=strict
    )
    root = Path(source) if Path(source).is_dir() else None
    found, report = read_all(annotation_files(source, apart=path), options, root)
    annotations = [annotation for _, annotation in found]
    notes = say_report(report, options, quiet)
    if not annotations:
        named = "; what was left out is named above" if report.left_out and not quiet else ""
        raise AnnotationError(
            f"{source}: has no photograph that could be converted{named}; export the annotation again"
        )
    if not target.ONE_FILE_EACH and name != "labelstudio":
        check_one_each(annotations, target.TITLE)
    places = list(one_file_each(path, annotations, ".json")) if target.ONE_FILE_EACH else [path]
    if path.is_dir() and not target.ONE_FILE_EACH:
        raise OutputError(f"{path} is a folder; name the file to write")
    claim_outputs(places, force, inputs=[source, *(list_images(folder) if folder else ())])
    if target.ONE_FILE_EACH and len({one.image for one in annotations}) < len(annotations):
        say("Several annotated the same photographs, each gets a folder; --annotator chooses one.", quiet)
    folder_of_files = path.parent if path.suffix.lower() == ".json" else path
    with at_work(folder_of_files) if target.ONE_FILE_EACH else nullcontext():
        made = target.write(path, annotations, approximate, folder)
    rows = _rows(annotations)
    lost = not_held(annotations, target.TITLE, target.HOLDS)
    for sentence in (*(f"Approximated: {text}" for text in made), *(f"Not held: {text}" for text in lost)):
        say(sentence, quiet)
    if as_json:
        head = {"source": source, "out": out, "format": name, "photographs": len({one.image for one in annotations})}
        files = [str(place) for place in places]
        said = {"approximated": made, "not_held": lost, "left_out": list(report.left_out), "notes": notes}
        emit({**head, "files": files, "rows": rows, **said})
    elif not quiet:
        table(f"{source} → {out}: {target.TITLE}", rows)
    say(f"{_count(annotations)} written to {out}", quiet)
    if report.left_out:
        sys.exit(1)


def _count(annotations: list[Annotation]) -> str:
    """How many photographs, and how many annotations, where some have several."""
    number = len({one.image for one in annotations})
    several = f", {len(annotations)} annotations," if len(annotations) > number else ""
    return f"{number} photograph{'s'[: number > 1]}{several}"


def _rows(annotations: list[Annotation]) -> list[dict[str, object]]:
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
