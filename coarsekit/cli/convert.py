"""``coarsekit convert``."""

import sys

import click

from coarsekit.annotations import format_named
from coarsekit.annotations.convert import ConvertReport, convert
from coarsekit.cli.completion import complete_formats
from coarsekit.cli.console import emit, say, say_left_out, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, label_table, reading


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
    report = convert(
        source,
        out,
        to=to,
        images=images,
        labels=label_table(labels),
        label_attribute=label_attribute,
        annotator=annotator,
        strict=strict,
        approximate=approximate,
        force=force,
        on_left_out=say_left_out,
        on_note=lambda text: say(text, quiet),
    )
    for text in report.approximated:
        say(f"Approximated: {text}", quiet)
    for text in report.not_held:
        say(f"Not held: {text}", quiet)
    if as_json:
        head = {"source": source, "out": out, "format": report.format, "photographs": report.photographs}
        said = {"approximated": report.approximated, "not_held": report.not_held, "left_out": report.left_out}
        files = [str(file) for file in report.files]
        emit({**head, "files": files, "rows": report.rows, **said, "notes": report.notes})
    elif not quiet:
        table(f"{source} → {out}: {format_named(report.format).TITLE}", report.rows)
    say(f"{_count(report)} written to {out}", quiet)
    if report.left_out:
        sys.exit(1)


def _count(report: ConvertReport) -> str:
    """How many photographs, and how many annotations, where some have several."""
    number = report.photographs
    several = f", {report.annotations} annotations," if report.annotations > number else ""
    return f"{number} photograph{'s'[: number > 1]}{several}"
