"""``zoo agreement``."""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from coarsekit.annotations.annotators import Drawings, find_drawings, read_drawings
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.console import AS_JSON, LABELS, QUIET, emit, label_table, progress, say, table
from coarsekit.datasets.base import list_images
from coarsekit.errors import ParameterError
from coarsekit.images import read_image
from zoo.cli.options import DEVICE, REFINERS


@click.command("agreement")
@click.argument("images", metavar="IMAGES")
@click.argument("annotators", nargs=-1, required=True, metavar="ANNOTATOR ANNOTATOR...")
@REFINERS
@DEVICE
@LABELS
@AS_JSON
@QUIET
def command(
    images: str,
    annotators: tuple[str, ...],
    names: tuple[str, ...],
    device: str,
    labels: tuple[str, ...],
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

    if len(annotators) < 2:
        raise ParameterError("one annotator alone agrees with nobody; name a second ANNOTATOR")
    files, options = find_drawings(annotators), ReadOptions(label_table(labels), Path(images))
    with progress("Reading", len(files), quiet) as advance:
        drawings, report = read_drawings(files, options, advance)
    for sentence in report.left_out:
        say(f"Left out: {sentence}", quiet)
    photographs, missing = _photographs(Path(images), drawings)
    refiners = [on_device(from_pretrained(name), device) for name in dict.fromkeys(names)]
    lines = []
    with progress("Refining", len(refiners) * len(photographs), quiet) as advance:
        for refiner in refiners:
            pairs = ((key, read_image(path)) for key, path in photographs.items())
            rows = agreement(refiner, pairs, drawings, advance)
            lines += [{"refiner": refiner.name} | asdict(row) for row in rows]
    if as_json:
        emit({"protocol": "agreement", "annotators": list(annotators), "rows": lines})
    elif not quiet:
        table(f"{len(annotators)} annotators, {len(photographs)} photographs: IoU in percent", lines)
    if missing:
        say(f"Left out: no photograph in {images} for {', '.join(missing)}", quiet)
        sys.exit(1)


def _photographs(folder: Path, drawings: Drawings) -> tuple[dict[str, Path], list[str]]:
    """The photographs that two or more annotated, and the names of those that are not in the folder."""
    shared = [key for key, number in Counter(key for own in drawings.values() for key in own).items() if number > 1]
    if not shared:
        raise ParameterError(
            "no photograph (matched by its file name) was annotated by two; check that the annotators belong together"
        )
    there = {path.stem: path for path in list_images(folder)}
    found = {key: there[key] for key in sorted(shared) if key in there}
    if not found:
        raise ParameterError(f"{folder}: no photograph in it that two annotated, such as {min(shared)}; check IMAGES")
    return found, sorted(set(shared) - set(found))
