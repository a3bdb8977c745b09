"""``zoo agreement``."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coarsekit.annotations.drawings import annotated_by_several, find_drawings, read_drawings
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.console import emit, progress, say, say_left_out, say_report, table
from coarsekit.cli.options import AS_JSON, QUIET, label_table, reading
from coarsekit.images import depth_guessed, read_image
from coarsekit.storage.digests import sha256_of
from zoo.cli.options import DEVICE, REFINERS, RESULTS, SCALE, keeping_scores

if TYPE_CHECKING:
    from zoo.evaluation.agreement import AgreementRow
    from zoo.refiner import Refiner


@click.command("agreement")
@click.argument("images", metavar="IMAGES")
@click.argument("annotators", nargs=-1, required=True, metavar="ANNOTATOR ANNOTATOR...")
@REFINERS
@DEVICE
@SCALE
@reading
@RESULTS
@AS_JSON
@QUIET
def command(
    images: str,
    annotators: tuple[str, ...],
    names: tuple[str, ...],
    device: str,
    field_of_view: float | None,
    labels: tuple[str, ...],
    label_attribute: str | None,
    annotator: str | None,
    strict: bool,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure how well annotators agree before and after refinement, where there are no fine masks to compare with.

    IMAGES is the folder of the photographs. Each ANNOTATOR is a folder or a file with what one person drew on them, in
    any format that 'coarsekit convert' reads. Drawings are matched by the photograph in IMAGES that their names find,
    however each tool spells them. For each lesion class, the IoU of two annotators' masks is averaged over photographs
    and pairs of annotators, in percent: coarse is as drawn, refined is what the refiner makes of it. A pair of whom
    neither drew the class is left out; one of whom one did scores 0.

    A photograph that cannot be read, or that a drawing does not fit, is named and left out, and so is what 'zoo
    consensus' leaves out, and what was drawn and cannot be used; the exit code is 1.

    --out keeps every score as soon as it is there, so that an interrupted run goes on where it was.

    Annotators who agree better after refinement were brought nearer to what both saw, or to one habit of the refiner's:
    how good the masks are against fine ones is what 'zoo evaluate' measures.
    """
    from zoo.evaluation.agreement import agreement, comparable
    from zoo.evaluation.cache import NumberCache
    from zoo.loading import from_pretrained, on_device
    from zoo.output.notes import notes_before, notes_on_depths, notes_on_scales

    files = find_drawings(annotators)
    options = ReadOptions(
        label_table(labels), Path(images), label_attribute=label_attribute, annotator=annotator, strict=strict
    )
    with progress("Reading", len(files), quiet) as advance:
        drawings, report = read_drawings(files, options, advance)
    notes = say_report(report, options, quiet)
    photographs, missing = annotated_by_several(Path(images), drawings)
    refiners = [on_device(from_pretrained(name), device) for name in dict.fromkeys(names)]
    found = comparable(
        photographs, drawings, field_of_view, on_failure=lambda sentence: say(f"Failed: {sentence}", quiet=False)
    )
    for sentence in found.notes:
        say(sentence, quiet)
    for sentence in found.left_out:
        say_left_out(sentence)
    rows: dict[Refiner, list[AgreementRow]] = {}
    with (
        keeping_scores(out, quiet) as folder,
        progress("Refining", len(refiners) * len(found.photographs), quiet) as advance,
    ):
        for refiner in refiners:
            pairs = ((key, read_image(path)) for key, path in found.photographs.items())
            rows[refiner] = agreement(refiner, pairs, found.drawings, advance, field_of_view, NumberCache(folder))
    images_sha256 = sha256_of(sorted(pins.photograph_sha256 for pins in found.pins.values()))
    drawings_sha256 = sha256_of(sorted(one for pins in found.pins.values() for one in pins.drawings_sha256))
    shown = [
        {"image": key, "scale_from": pins.scale_from, "depth_guessed": depth_guessed(found.photographs[key])}
        for key, pins in found.pins.items()
    ]
    lesions = [lesion for own in found.drawings.values() for one in own.values() for lesion in one.lesions]
    guessed = [note for refiner in refiners for note in notes_before(refiner, lesions)]
    for note in (guessed := [*guessed, *notes_on_scales(shown), *notes_on_depths(shown)]):
        say(note, quiet)
    if as_json:
        content = {"photographs_sha256": images_sha256, "drawings_sha256": drawings_sha256}
        lines = [_pins(refiner, lesions) | asdict(row) for refiner, own in rows.items() for row in own]
        emit(
            {
                "protocol": "agreement",
                "annotators": list(drawings),
                **content,
                "rows": lines,
                "left_out": [*report.left_out, *missing, *found.left_out],
                "notes": [*notes, *found.notes, *guessed],
                "failures": [{"photograph": key, "reason": reason} for key, reason in found.failures],
            }
        )
    elif not quiet:
        shown = [{"refiner": refiner.name} | asdict(row) for refiner, own in rows.items() for row in own]
        table(f"{len(drawings)} annotators, {len(found.photographs)} photographs: IoU in percent", shown)
        weights = ", ".join(f"{refiner.name} {refiner.weights_sha256[:12]}" for refiner in rows)
        versions = ", ".join(dict.fromkeys(str(refiner.code_version(lesions)) for refiner in rows))
        click.echo(f"Data: photographs {images_sha256[:12]}, drawings {drawings_sha256[:12]}.")
        click.echo(f"Weights: {weights}; refining version {versions}.")
    for sentence in missing:
        say_left_out(sentence)
    if missing or report.left_out or report.photographs or found.left_out or found.failures:
        sys.exit(1)


def _pins(refiner: "Refiner", lesions: Sequence[str]) -> dict[str, Any]:
    """Which refiner a row is of, by content; ``lesions``: the labels that were drawn."""
    weights = {"weights_sha256": refiner.weights_sha256, "refining_version": refiner.code_version(lesions)}
    return {"refiner": refiner.name, **weights}
