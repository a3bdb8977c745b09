"""``zoo refine``."""

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import numpy as np

from coarsekit.annotations import native, read_annotation
from coarsekit.console import AS_JSON, FORCE, LABELS, QUIET, SEED, SPLIT, label_table, progress, say, table
from coarsekit.errors import AnnotationError
from coarsekit.exchange import Reading
from coarsekit.files import claim, write_text
from coarsekit.geometry import draw
from coarsekit.images import read_image, write_image
from coarsekit.preview import overlay, preview
from coarsekit.readers import open_source
from coarsekit.simulate import annotate
from coarsekit.styles import style_named
from coarsekit.types import Annotation, Image, Mask
from zoo.bundled import DEFAULT
from zoo.refiner import Advance, Refiner, check_size, ignore


@click.command("refine")
@click.argument("source", metavar="IMAGE|SOURCE")
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
    """Refine the ellipses drawn on a photograph into pixel masks.

    IMAGE ANNOTATION refines one photograph with what was drawn on it in a file of any format that 'coarsekit
    convert' reads; in a file of several photographs it is found by its name. A SOURCE (sample, or READER:PATH) has
    ellipses drawn around its fine masks first, as 'coarsekit simulate' does.

    For a photograph p.png, --out gets a mask p_LESION.png for each lesion class, p_overlay.jpg with the outlines at
    full size, p_preview.jpg with close-ups, and p.json, the line of what was done that --json prints. A photograph
    that the same refiner refined there from the same ellipses is not refined again.
    """
    refiner = _load(name, device)
    folder = Path(out)
    if annotation is not None:
        image = read_image(source)
        size = (image.shape[1], image.shape[0])
        reading = Reading(label_table(labels), Path(source).parent, size)
        drawn = read_annotation(annotation, Path(source).name, reading)
        for sentence in reading.left_out:
            say(f"Left out: {sentence}", quiet)
        _check(image, drawn, annotation)
        with progress("Refining", len(drawn.marks), quiet) as advance:
            records = [_refine(refiner, Path(source).stem, image, drawn, folder, force, advance)]
    else:
        if ":" not in source and source != "sample":
            raise click.UsageError(f"{source} needs an annotation: write 'zoo refine {source} ellipses.json'")
        dataset, style = open_source(source), style_named(style_name)
        keys, records = dataset.keys(split), []
        with progress("Refining", len(keys), quiet) as advance:
            for key in keys:
                fundus = dataset.read(key)
                drawn = annotate(fundus, reduction, style, seed, dataset.name)
                records.append(_refine(refiner, key, fundus.image, drawn, folder, force, ignore))
                advance(1)
    if as_json:
        for record in records:
            click.echo(json.dumps(record))
    elif not quiet:
        table(f"Refined by {refiner.name}", [_line(record, mask) for record in records for mask in record["masks"]])
    say(f"Masks and pictures of {len(records)} photograph{'s'[: len(records) > 1]} are in {folder}", quiet)


def _load(name: str, device: str) -> Refiner:
    from zoo.pretrained import from_pretrained, on_device

    return on_device(from_pretrained(name), device)


def _check(image: Image, annotation: Annotation, path: str) -> None:
    try:
        check_size(image, annotation)
    except AnnotationError as error:
        raise AnnotationError(f"{path}: {error}") from None


def _refine(
    refiner: Refiner, stem: str, image: Image, annotation: Annotation, folder: Path, force: bool, advance: Advance
) -> dict[str, Any]:
    """Refine one photograph, write its files, and return the record of what was done.

    The record is written last: where one of the same refiner and annotation lies already, nothing is left to do.
    """
    masks = {lesion: folder / f"{stem}_{lesion}.png" for lesion in annotation.lesions}
    pictures = {"overlay": folder / f"{stem}_overlay.jpg", "preview": folder / f"{stem}_preview.jpg"}
    line = folder / f"{stem}.json"
    drawn = sha256(native.dumps(annotation).encode()).hexdigest()
    done = _done(line, refiner.name, drawn)
    if done is not None and not force and all(path.exists() for path in (*masks.values(), *pictures.values())):
        return done
    claim([*masks.values(), *pictures.values(), line], force)
    began = time.perf_counter()
    refined = refiner.refine(image, annotation, advance)
    seconds = time.perf_counter() - began
    for lesion, mask in refined.items():
        write_image(masks[lesion], mask)
    write_image(pictures["overlay"], overlay(image, annotation, refined))
    write_image(pictures["preview"], preview(image, annotation, refined))
    record = {
        "image": annotation.image,
        "width": annotation.width,
        "height": annotation.height,
        "refiner": refiner.name,
        "trained_on": refiner.trained_on,
        "annotation_sha256": drawn,
        "seconds": round(seconds, 2),
        "masks": [_count(lesion, annotation, mask, masks[lesion]) for lesion, mask in refined.items()],
        **{what: str(path) for what, path in pictures.items()},
    }
    write_text(line, json.dumps(record) + "\n")
    return record


def _done(line: Path, refiner: str, drawn: str) -> dict[str, Any] | None:
    """The record of an earlier run that did the same; None where there is none."""
    try:
        record = json.loads(line.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(record, dict) and (record.get("refiner"), record.get("annotation_sha256")) == (refiner, drawn)
    return record if same else None


def _count(lesion: str, annotation: Annotation, mask: Mask, file: Path) -> dict[str, Any]:
    ellipses = annotation.of(lesion)
    return {
        "lesion": lesion,
        "ellipses": len(ellipses),
        "coarse_pixels": int(np.count_nonzero(draw(ellipses, mask.shape))),
        "refined_pixels": int(np.count_nonzero(mask)),
        "file": str(file),
    }


def _line(record: dict[str, Any], mask: dict[str, Any]) -> dict[str, Any]:
    kept = 100 * mask["refined_pixels"] / mask["coarse_pixels"] if mask["coarse_pixels"] else 0.0
    shown = {name: mask[name] for name in ("lesion", "ellipses", "refined_pixels")}
    return {"image": record["image"], **shown, "percent_of_drawn": kept}
