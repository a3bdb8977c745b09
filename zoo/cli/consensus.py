"""``zoo consensus``."""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from statistics import mean

import click

from coarsekit.annotations.drawings import annotated_by_several, find_drawings, read_drawings
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.console import emit, progress, say, say_left_out, say_report, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, label_table, reading
from zoo.cli.options import DEVICE, ENGINE, REFINER, SCALE, load_refiner


@click.command("consensus")
@click.argument("images", metavar="IMAGES")
@click.argument("annotators", nargs=-1, required=True, metavar="ANNOTATOR ANNOTATOR...")
@REFINER
@click.option("-o", "--out", default="consensus", show_default=True, metavar="FOLDER", help="Folder to write to.")
@DEVICE
@ENGINE
@SCALE
@reading
@FORCE
@AS_JSON
@QUIET
def command(
    images: str,
    annotators: tuple[str, ...],
    name: str,
    out: str,
    device: str,
    engine: str | None,
    field_of_view: float | None,
    labels: tuple[str, ...],
    label_attribute: str | None,
    annotator: str | None,
    strict: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make one mask a class of what several people drew on the same photographs.

    IMAGES is the folder of the photographs. Each ANNOTATOR is a folder or a file with what one person drew on them, in
    any format that 'coarsekit convert' reads. Drawings are matched by the photograph in IMAGES that their names find,
    however each tool spells them. What each drew is refined.
    For a photograph p, --out gets p_LESION_majority.png, the pixels that more than half of its annotators have, and
    p_LESION_staple.png, by STAPLE (Warfield et al., 2004), which weighs people by how well they agree with all others.

    A lesion is a connected part of what all together marked. consensus_lesions.csv has a row for each: who saw it, how
    far they agree (the mean IoU of every two), and its area; those that only one person saw are told apart.

    A photograph that one person annotated alone is left out, and so is one that a person annotated twice, of that
    person's. Photographs that are not found, those of several people that nobody else annotated, and what was drawn and
    cannot be used are named, and the exit code is 1. What was done before from the same content is kept.
    """
    from zoo.output.consensus_to_folder import consensus_to_folder

    files = find_drawings(annotators)
    options = ReadOptions(
        label_table(labels), Path(images), label_attribute=label_attribute, annotator=annotator, strict=strict
    )
    with progress("Reading", len(files), quiet) as advance:
        drawings, read = read_drawings(files, options, advance)
    notes = say_report(read, options, quiet)
    photographs, missing = annotated_by_several(Path(images), drawings)
    refiner = load_refiner(name, device, engine, quiet)
    with progress("Refining", len(photographs), quiet) as advance:
        report = consensus_to_folder(
            refiner,
            photographs,
            drawings,
            Path(out),
            force=force,
            field_of_view=field_of_view,
            advance=advance,
            on_failure=lambda sentence: say(f"Failed: {sentence}", quiet=False),
        )
    for note in report.notes:
        say(note, quiet)
    left_out = [*read.left_out, *missing, *report.left_out]
    if as_json:
        emit({**asdict(report), "left_out": left_out, "notes": [*notes, *report.notes]})
    elif not quiet:
        table(f"{len(drawings)} annotators, {len(report.records)} photographs", _lines(report.records))
    done = f"{len(report.records)} photograph{'s'[: len(report.records) != 1]}"
    say(f"Masks of {done} are in {out}, all lesions in {report.table}", quiet)
    for sentence in (*missing, *report.left_out):
        say_left_out(sentence)
    if left_out or read.photographs or report.failures:
        sys.exit(1)


def _lines(records: list[dict]) -> list[dict[str, object]]:
    """A line for each class: its lesions, by how many saw them, and how far these agree."""
    found: dict[str, list[dict]] = {}
    for record in records:
        for lesion, own in record["lesions"].items():
            found.setdefault(lesion, []).extend(own)
    lines = []
    for lesion, own in found.items():
        seen = Counter(min(len(one["seen_by"]), 2) for one in own)
        shared = [one["agreement"] for one in own if len(one["seen_by"]) > 1]
        counts = {"lesions": len(own), "seen by one": seen[1], "shared": seen[2]}
        lines.append({"lesion": lesion, **counts, "agreement": 100 * mean(shared) if shared else None})
    return lines
