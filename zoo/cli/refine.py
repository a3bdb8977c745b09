"""``zoo refine``."""

import sys
from dataclasses import asdict
from typing import Any

import click

from coarsekit.cli.completion import complete_sources, complete_styles
from coarsekit.cli.console import emit, growing_progress, say, say_left_out, say_notes, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, SEED, SPLIT, label_table, reading
from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.simulation.styles import style_named
from zoo.cli.options import DEVICE, ENGINE, REFINER, SCALE, load_refiner
from zoo.cli.tool_options import for_tools
from zoo.output.folder_run import RefineReport
from zoo.output.refine_to_folder import refine_to_folder
from zoo.output.tool_files import ToolOptions


@click.command("refine")
@click.argument("source", metavar="IMAGE|FOLDER|SOURCE", shell_complete=complete_sources)
@click.argument("annotation", required=False)
@REFINER
@click.option("-o", "--out", default="refined", show_default=True, metavar="FOLDER", help="Folder to write to.")
@DEVICE
@ENGINE
@click.option(
    "--style",
    "style_name",
    default="human",
    show_default=True,
    shell_complete=complete_styles,
    help="For a SOURCE: how its ellipses are drawn.",
)
@click.option("--reduction", default=1.0, show_default=True, help="For a SOURCE: components / ellipses.")
@reading
@click.option("--points/--no-points", default=True, show_default=True, help="Take points, as clicks on lesions.")
@click.option("--lines/--no-lines", default=True, show_default=True, help="Take lines, as strokes on lesions.")
@click.option("--keep-specks", is_flag=True, help="Keep tiny components beside a larger answer.")
@click.option("--keep-unlikely", is_flag=True, help="Keep components that are unlikely as a whole.")
@click.option("--keep-overlaps", is_flag=True, help="Let a pixel be of several classes.")
@click.option("--ignore-name", is_flag=True, help="Take the only annotation of a file whatever photograph it names.")
@SCALE
@SPLIT
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Photographs at a time, a process each."
)
@for_tools
@SEED
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    annotation: str | None,
    name: str,
    out: str,
    device: str,
    engine: str | None,
    style_name: str,
    reduction: float,
    labels: tuple[str, ...],
    label_attribute: str | None,
    annotator: str | None,
    strict: bool,
    points: bool,
    lines: bool,
    keep_specks: bool,
    keep_unlikely: bool,
    keep_overlaps: bool,
    ignore_name: bool,
    field_of_view: float | None,
    split: str | None,
    seed: int,
    jobs: int,
    formats: tuple[str, ...],
    shape: str,
    with_drawing: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Refine what was drawn on photographs into pixel masks: ellipses, polygons, boxes, masks, clicks and strokes.

    IMAGE ANNOTATION refines one photograph with what was drawn on it in a file of any format that 'coarsekit
    convert' reads; in a file of several photographs it is found by its name. FOLDER ANNOTATION refines every photograph
    of a file, or of a folder of files, that lies in FOLDER. A SOURCE (sample, or READER:PATH) has ellipses drawn around
    its fine masks first, as 'coarsekit simulate' does. A region, a file of drawings or a photograph that cannot be used
    is left out and named, also with --quiet, the others are refined, and the exit code is 1.

    A point, and a circle whose size most marks of its label share to the pixel, is a click; a line is a stroke. Either
    says where a lesion is, not how large: the answer touches the mark, and may reach beyond it.

    Lesions are looked for at the scale of the photograph: by the circle in which the camera shows the retina, where its
    rim is seen, also when it is cut off; else by the sizes of the marks, which is said. --scale says it for all.

    lite leaves out components of less than 8 px, on a photograph 4288 px wide, beside a larger answer for the same
    mark, and leaves a pixel that several classes claim to the likeliest; --keep-specks and --keep-overlaps do not.

    Photographs in folders below FOLDER are found, and their results lie in the same folders below --out. Where several
    annotated one photograph, each gets a folder there, or --annotator chooses.

    For a photograph p.png, --out gets a mask p_LESION.png for each lesion class, p_overlay.jpg with the outlines at
    full size, p_preview.jpg with close-ups, and p.json, the record of what was done. What was refined there before from
    the same pixels, marks and scale, by the same weights, is kept. --json prints the records, and what was kept, left
    out, guessed, and not refined.

    --to writes one file of all photographs for a tool (for labelme and native a folder of files) to --out, with a mask
    for each mark: its id, group, attributes and label are kept, colours where the tool's own export has them. CVAT is
    told that a machine made them (source auto); Label Studio gets predictions with the refiner as their model, and the
    labelling configuration that shows them.

    --engine onnx needs no torch (pip install 'coarsekit[onnx]'); the answers are the same but for rounding. It computes
    bundled networks, and any network that 'zoo export-onnx' made a file of: --refiner FILE.onnx.

    --split held-out takes the photographs of a SOURCE that the network was validated on.
    """
    from zoo.evaluation.refiners import select_split

    refiner = load_refiner(name, device, engine, quiet)
    refiner.keep_specks, refiner.keep_unlikely, refiner.keep_overlaps = keep_specks, keep_unlikely, keep_overlaps
    opened: str | Dataset = source
    if annotation is None:
        if ":" not in source and source != "sample":
            raise click.UsageError(f"{source} needs an annotation: write 'zoo refine {source} ellipses.json'")
        opened, split = select_split(open_source(source), split, [name])
    with growing_progress("Refining", quiet) as show:
        report = refine_to_folder(
            refiner,
            opened,
            annotation,
            out,
            labels=label_table(labels),
            label_attribute=label_attribute,
            annotator=annotator,
            strict=strict,
            points=points,
            lines=lines,
            ignore_name=ignore_name,
            field_of_view=field_of_view,
            split=split,
            style=style_named(style_name),
            reduction=reduction,
            seed=seed,
            force=force,
            jobs=jobs,
            for_tools=ToolOptions(formats, shape, with_drawing),
            progress=show,
            on_photograph=lambda line: say(line, quiet or sys.stderr.isatty()),  # where no bar is shown
            on_note=lambda sentence: say(sentence, quiet),
            on_left_out=say_left_out,
            on_failure=lambda sentence: say(f"Failed: {sentence}", quiet=False),
        )
    if not isinstance(opened, str):
        say_notes(opened, split, quiet)
    _show(report, refiner.name, out, as_json, quiet)


def _show(report: RefineReport, name: str, out: str, as_json: bool, quiet: bool) -> None:
    if as_json:
        failures = [{"photograph": photograph, "reason": reason} for photograph, reason in report.failures]
        emit({**asdict(report), "failures": failures})
    elif report.records and not quiet:
        table(f"Refined by {name}", [_line(record, mask) for record in report.records for mask in record["masks"]])
    count, failed = len(report.records), len(report.failures)
    say(f"Masks and pictures of {count} photograph{'s'[: count != 1]} are in {out}", quiet)
    for file in report.for_tools:
        say(f"For a tool: {file}", quiet)
    if failed:
        say(f"{failed} photograph{'s'[: failed > 1]} could not be refined", quiet=False)
    if failed or report.left_out:
        sys.exit(1)


def _line(record: dict[str, Any], mask: dict[str, Any]) -> dict[str, Any]:
    kept = 100 * mask["refined_pixels"] / mask["coarse_pixels"] if mask["coarse_pixels"] else 0.0
    shown = {name: mask[name] for name in ("lesion", "ellipses", "refined_pixels")}
    return {"image": record["image"], **shown, "percent_of_drawn": kept}
