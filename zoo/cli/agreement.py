"""``zoo agreement``."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coarsekit.annotations.drawings import annotated_by_several, find_drawings, read_drawings
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.console import emit, progress, say, say_report, table
from coarsekit.cli.options import AS_JSON, QUIET, label_table, reading
from coarsekit.images import read_image
from coarsekit.scale import shared_scale
from coarsekit.storage.digests import drawing_sha256, photograph_sha256, sha256_of
from coarsekit.types import Annotation
from zoo.cli.options import DEVICE, REFINERS, SCALE
from zoo.variants import REFINING_VERSION

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
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure how well annotators agree before and after refinement, where there are no fine masks to compare with.

    IMAGES is the folder of the photographs. Each ANNOTATOR is a folder or a file with what one person drew on them, in
    any format that 'coarsekit convert' reads; photographs are matched by their file names. For each lesion class, the
    IoU of two annotators' masks is averaged over photographs and pairs of annotators, in percent: coarse is as drawn,
    refined is what the refiner makes of it. A pair of whom neither drew the class is left out; one of whom one did
    scores 0.

    Annotators who agree better after refinement were brought nearer to what both saw, or to one habit of the refiner's:
    how good the masks are against fine ones is what 'zoo evaluate' measures.
    """
    from zoo.evaluation.agreement import agreement
    from zoo.loading import from_pretrained, on_device
    from zoo.output.notes import notes_before, notes_on_scales

    files = find_drawings(annotators)
    options = ReadOptions(
        label_table(labels), Path(images), label_attribute=label_attribute, annotator=annotator, strict=strict
    )
    with progress("Reading", len(files), quiet) as advance:
        drawings, report = read_drawings(files, options, advance)
    notes = say_report(report, options, quiet)
    photographs, missing = annotated_by_several(Path(images), drawings)
    refiners = [on_device(from_pretrained(name), device) for name in dict.fromkeys(names)]
    rows: dict[Refiner, list[AgreementRow]] = {}
    with progress("Refining", len(refiners) * len(photographs), quiet) as advance:
        for refiner in refiners:
            pairs = ((key, read_image(path)) for key, path in photographs.items())
            rows[refiner] = agreement(refiner, pairs, drawings, advance, field_of_view)
    digests, scales, drawn = [], [], []
    for key, path in photographs.items():
        image, own = read_image(path), [each[key] for each in drawings.values() if key in each]
        digests.append(photograph_sha256(image))
        scales.append({"image": key, "scale_from": shared_scale(image, own, field_of_view).source})
        drawn += own
    images_sha256, drawings_sha256 = sha256_of(sorted(digests)), sha256_of(sorted(map(drawing_sha256, drawn)))
    guessed = [note for refiner in refiners for note in notes_before(refiner, _lesions(drawn))]
    for note in (guessed := [*guessed, *notes_on_scales(scales)]):
        say(note, quiet)
    if as_json:
        content = {"photographs_sha256": images_sha256, "drawings_sha256": drawings_sha256}
        lines = [_pins(refiner) | asdict(row) for refiner, own in rows.items() for row in own]
        emit(
            {
                "protocol": "agreement",
                "annotators": list(drawings),
                **content,
                "rows": lines,
                "left_out": list(report.left_out),
                "notes": [*notes, *guessed],
            }
        )
    elif not quiet:
        shown = [{"refiner": refiner.name} | asdict(row) for refiner, own in rows.items() for row in own]
        table(f"{len(drawings)} annotators, {len(photographs)} photographs: IoU in percent", shown)
        weights = ", ".join(f"{refiner.name} {refiner.weights_sha256[:12]}" for refiner in rows)
        click.echo(f"Data: photographs {images_sha256[:12]}, drawings {drawings_sha256[:12]}.")
        click.echo(f"Weights: {weights}; refining version {REFINING_VERSION}.")
    for sentence in missing:
        say(f"Left out: {sentence}", quiet)
    if missing:
        sys.exit(1)


def _lesions(drawn: list[Annotation]) -> list[str]:
    return [lesion for annotation in drawn for lesion in annotation.lesions]


def _pins(refiner: "Refiner") -> dict[str, Any]:
    """Which refiner a row is of, by content."""
    weights = {"weights_sha256": refiner.weights_sha256, "refining_version": REFINING_VERSION}
    return {"refiner": refiner.name, **weights}
