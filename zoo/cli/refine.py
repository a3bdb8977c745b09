"""``zoo refine``."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from coarsekit.annotations import annotation_files, check_marks, read_annotations, read_drawn
from coarsekit.annotations.reading import ReadOptions, ReadReport
from coarsekit.cli.console import AS_JSON, FORCE, LABELS, QUIET, SEED, SPLIT, label_table, progress, say, table
from coarsekit.datasets import open_source
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.images import read_image
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import style_named
from coarsekit.types import Annotation
from zoo.checkpoints.folder import DEFAULT
from zoo.output import Refining
from zoo.refiner import check_size


@click.command("refine")
@click.argument("source", metavar="IMAGE|FOLDER|SOURCE")
@click.argument("annotation", required=False)
@click.option(
    "--refiner",
    "name",
    default=DEFAULT,
    show_default=True,
    help="Bundled, a checkpoint folder, or ORG/NAME on the Hub.",
)
@click.option("-o", "--out", default="refined", show_default=True, metavar="FOLDER", help="Folder to write to.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ….")
@click.option(
    "--style", "style_name", default="human", show_default=True, help="For a SOURCE: how its ellipses are drawn."
)
@click.option("--reduction", default=1.0, show_default=True, help="For a SOURCE: components / ellipses.")
@LABELS
@SPLIT
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
    style_name: str,
    reduction: float,
    labels: tuple[str, ...],
    split: str | None,
    seed: int,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Refine the ellipses drawn on photographs into pixel masks.

    IMAGE ANNOTATION refines one photograph with what was drawn on it in a file of any format that 'coarsekit
    convert' reads; in a file of several photographs it is found by its name. FOLDER ANNOTATION refines every photograph
    of a file, or of a folder of files, that lies in FOLDER; one that cannot be refined is named, the others are, and
    the exit code is 1. A SOURCE (sample, or READER:PATH) has ellipses drawn around its fine masks first, as 'coarsekit
    simulate' does.

    For a photograph p.png, --out gets a mask p_LESION.png for each lesion class, p_overlay.jpg with the outlines at
    full size, p_preview.jpg with close-ups, and p.json, the line of what was done that --json prints. A photograph
    that the same refiner refined there from the same ellipses is not refined again.
    """
    from zoo.loading import from_pretrained, on_device

    refining = Refining(on_device(from_pretrained(name), device), Path(out), force)
    failed = 0
    if annotation is None:
        if ":" not in source and source != "sample":
            raise click.UsageError(f"{source} needs an annotation: write 'zoo refine {source} ellipses.json'")
        records = _dataset(refining, source, split, reduction, style_name, seed, quiet)
    elif Path(source).is_dir():
        records, failed = _folder(refining, Path(source), annotation, label_table(labels), quiet)
    else:
        image, drawn, report = read_drawn(source, annotation, label_table(labels))
        for sentence in report.left_out:
            say(f"Left out: {sentence}", quiet)
        with progress("Refining", len(drawn.marks), quiet) as advance:
            records = [refining.refine(Path(source).stem, image, drawn, advance)]
    if as_json:
        for record in records:
            click.echo(json.dumps(record))
    elif not quiet:
        lines = [_line(record, mask) for record in records for mask in record["masks"]]
        table(f"Refined by {refining.refiner.name}", lines)
    say(f"Masks and pictures of {len(records)} photograph{'s'[: len(records) != 1]} are in {out}", quiet)
    if failed:
        say(f"{failed} photograph{'s'[: failed > 1]} could not be refined", quiet=False)
        sys.exit(1)


def _dataset(
    refining: Refining, source: str, split: str | None, reduction: float, style_name: str, seed: int, quiet: bool
) -> list[dict[str, Any]]:
    dataset, style = open_source(source), style_named(style_name)
    keys, records = dataset.keys(split), []
    with progress("Refining", len(keys), quiet) as advance:
        for key in keys:
            fundus = dataset.read(key)
            drawn = annotate(fundus, reduction, style, seed, dataset.name)
            records.append(refining.refine(key, fundus.image, drawn))
            advance(1)
    return records


def _folder(
    refining: Refining, photographs: Path, path: str, labels: dict[str, str], quiet: bool
) -> tuple[list[dict[str, Any]], int]:
    """Refine all photographs of the annotation files; gives the records, and how many could not be refined."""
    report, drawings = ReadReport(), []
    for file in annotation_files(path):
        annotations, own = read_annotations(file, ReadOptions(labels, photographs))
        report += own
        drawings += [(file, one) for one in annotations]
    if not drawings:
        raise AnnotationError(f"{path}: holds no photograph; export the annotation again")
    for sentence in report.left_out:
        say(f"Left out: {sentence}", quiet)
    # Outputs are named by the stem, so two photographs of one stem would write over one another.
    twice = [stem for stem, times in Counter(Path(one.image).stem for _, one in drawings).items() if times > 1]
    if twice:
        raise AnnotationError(f"{path}: {twice[0]} is annotated more than once; keep one annotation of it")
    records, failed = [], 0
    with progress("Refining", len(drawings), quiet) as advance:
        for file, drawn in drawings:
            try:
                records.append(_one(refining, photographs / drawn.image, drawn, file))
            except (AnnotationError, ImageError) as error:
                say(f"Failed: {error}", quiet=False)
                failed += 1
            advance(1)
    return records, failed


def _one(refining: Refining, photograph: Path, drawn: Annotation, file: Path) -> dict[str, Any]:
    image = read_image(photograph)
    check_size(image, check_marks(drawn, file))
    return refining.refine(photograph.stem, image, drawn)


def _line(record: dict[str, Any], mask: dict[str, Any]) -> dict[str, Any]:
    kept = 100 * mask["refined_pixels"] / mask["coarse_pixels"] if mask["coarse_pixels"] else 0.0
    shown = {name: mask[name] for name in ("lesion", "ellipses", "refined_pixels")}
    return {"image": record["image"], **shown, "percent_of_drawn": kept}
