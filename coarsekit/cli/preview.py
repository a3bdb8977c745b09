"""``coarsekit preview``."""

import sys
from pathlib import Path
from typing import Any

import click

from coarsekit.annotations import read_drawn
from coarsekit.annotations.photograph_names import stem_of
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import emit, exit_naming, progress, refuse, rows_of, say, say_notes, say_report
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, REDUCTION, SEED, SPLIT, STYLE, label_table, reading
from coarsekit.datasets import open_source
from coarsekit.datasets.readable import readable
from coarsekit.export.pairs import some_pairs_of
from coarsekit.images import write_image
from coarsekit.simulation.simulate import annotate, check_reduction
from coarsekit.simulation.styles import Style, style_named
from coarsekit.storage.outputs import claim_outputs
from coarsekit.types import Annotation, Pair
from coarsekit.visualize.sheets import captioned_pairs, drawing_sheet, preview

_PATCH = 192


@click.command("preview")
@click.argument("source", metavar="SOURCE|IMAGE", default="sample", shell_complete=complete_sources)
@click.argument("annotation", required=False)
@click.option("-o", "--out", default="preview", show_default=True, metavar="FOLDER", help="Folder to write to.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=4, show_default=True, help="For a SOURCE: photographs to show."
)
@SPLIT
@REDUCTION
@STYLE
@SEED
@reading
@click.option("--ignore-name", is_flag=True, help="Take the only annotation of a file whatever photograph it names.")
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    annotation: str | None,
    out: str,
    limit: int,
    split: str | None,
    reductions: tuple[float, ...],
    style_name: str,
    seed: int,
    labels: tuple[str, ...],
    label_attribute: str | None,
    annotator: str | None,
    strict: bool,
    ignore_name: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw contours by class, coarse and fine side by side, and a grid of pairs, as PNG.

    Of a SOURCE ('sample', or READER:PATH) the first photographs are shown: KEY_preview.png has the ellipses that
    'coarsekit simulate' draws beside the fine masks, and NAME_pairs.png a grid of pairs. A photograph that cannot be
    used as it is, or whose mask cannot, is left out and named; the exit code is 1.

    IMAGE ANNOTATION shows one photograph as it is beside what was drawn on it, in a file of any format that 'coarsekit
    convert' reads, as IMAGE_preview.png; in a file of several photographs it is found by its name. What of it cannot be
    used is left out, named, and makes the exit code 1.
    """
    folder, failures = Path(out), dict[str, str]()
    if annotation is not None:
        refuse("an annotation shows what is in it", "limit", "split", "reductions", "style_name", "seed")
        options = ReadOptions(label_table(labels), label_attribute=label_attribute, annotator=annotator, strict=strict)
        result = _drawing(Path(source), annotation, options, ignore_name, folder, force, quiet)
    else:
        if Path(source).is_file():
            raise click.UsageError(f"{source} needs an annotation: write 'coarsekit preview {source} ellipses.json'")
        refuse("fine masks are no annotation", "labels", "label_attribute", "annotator", "strict", "ignore_name")
        if len(reductions) > 1:
            raise click.UsageError("--reduction: pictures are of one reduction factor; give one number")
        check_reduction(reductions[0])
        result, failures = _dataset(
            source, split, limit, reductions[0], style_named(style_name), seed, folder, force, quiet
        )
    if as_json:
        emit(result)
    exit_naming(failures)
    if result.get("left_out"):
        sys.exit(1)


def _drawing(
    photograph: Path, path: str, options: ReadOptions, ignore_name: bool, folder: Path, force: bool, quiet: bool
) -> dict[str, Any]:
    file = folder / f"{stem_of(photograph.name)}_preview.png"
    claim_outputs([file], force, inputs=[photograph, path])
    image, annotation, report = read_drawn(photograph, path, options, ignore_name)
    notes = say_report(report, options, quiet)
    write_image(file, drawing_sheet(image, annotation))
    say(f"{photograph.name} and what was drawn on it are in {file}", quiet)
    head = {"image": str(photograph), "annotation": path, "width": annotation.width, "height": annotation.height}
    said = {"left_out": list(report.left_out), "notes": notes}
    return {**head, "marks": _counts(annotation), "file": str(file), **said}


def _dataset(
    source: str,
    split: str | None,
    limit: int,
    reduction: float,
    style: Style,
    seed: int,
    folder: Path,
    force: bool,
    quiet: bool,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Draw the pictures of a dataset; give what ``--json`` says, and why photographs were left out, by key."""
    dataset = open_source(source)
    keys = dataset.keys(split)
    files = {key: folder / f"{key}_preview.png" for key in keys[:limit]}
    grid = folder / f"{dataset.name}_pairs.png"
    claim_outputs([*files.values(), grid], force, [file for key in keys for file in dataset.input_files(key)])
    pairs: list[Pair] = []
    shown = []
    failures: dict[str, str] = {}
    with progress("Drawing", len(files), quiet) as advance:

        def leave_out(key: str, reason: str) -> None:
            failures[key] = reason
            advance(1)

        for fundus in readable(dataset, files, leave_out):
            file = files[fundus.key]
            annotation = annotate(fundus, reduction, style, seed, dataset.name)
            write_image(file, preview(fundus.image, annotation, fundus.fine))
            pairs += some_pairs_of(fundus, annotation, _PATCH)
            shown.append({"photograph": fundus.key, "marks": _counts(annotation), "file": str(file)})
            advance(1)
    if pairs:
        order = {lesion: place for place, lesion in enumerate(dataset.lesions)}
        write_image(grid, captioned_pairs(sorted(pairs, key=lambda pair: order[pair.lesion]), size=_PATCH))
    else:
        say("There is no grid of pairs, for none of these photographs shows a lesion.", quiet)
    say_notes(dataset, split, quiet)
    left = len(keys) - len(files)
    more = f"; {left} more were left out, see --limit" if left else ""
    say(f"Pictures of {len(shown)} photograph{'s'[: len(shown) > 1]} of {dataset.name} are in {folder}{more}", quiet)
    head = {"source": source, "split": split or "all", "style": style.name, "reduction": reduction, "seed": seed}
    written = {"photographs": shown, "pairs": str(grid) if pairs else None}
    return head | written | {"photographs_left_out": left, "failures": rows_of(failures)}, failures


def _counts(annotation: Annotation) -> dict[str, int]:
    return {lesion: len(annotation.of(lesion)) for lesion in annotation.lesions}
