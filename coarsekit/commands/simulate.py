"""``coarsekit simulate``."""

from pathlib import Path

import click

from coarsekit.annotations import native
from coarsekit.console import AS_JSON, FORCE, OUT, QUIET, SEED, SPLIT, emit, progress, say, table
from coarsekit.dataset import Dataset
from coarsekit.errors import OutputError
from coarsekit.images import write_image
from coarsekit.preview import preview
from coarsekit.readers import open_source
from coarsekit.simulate import annotate
from coarsekit.styles import STYLES, style_named
from coarsekit.summary import Line, measure, rows
from coarsekit.types import Annotation, Fundus

ELLIPSES, PREVIEW = "ellipses.json", "preview.jpg"


@click.command("simulate")
@click.argument("source", default="sample")
@SPLIT
@click.option("--reduction", default=1.0, show_default=True, help="Ellipses are components / reduction.")
@click.option("--style", "style_name", default="paper", show_default=True, help=f"How to draw: {' or '.join(STYLES)}.")
@SEED
@OUT
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    split: str | None,
    reduction: float,
    style_name: str,
    seed: int,
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw coarse ellipses around the fine masks of SOURCE, as an annotator would have.

    SOURCE is the bundled 'sample', or READER:PATH such as idrid:data/idrid (see 'coarsekit readers'). For each
    photograph --out gets a folder with ellipses.json and a preview picture; without --out they go to
    simulated/READER-STYLE-REDUCTION-SEED. What an interrupted run has finished is kept and not made again.
    """
    style = style_named(style_name)
    dataset = open_source(source)
    folder = Path(out or f"simulated/{dataset.name}-{style.name}-{reduction:g}-{seed}")
    lines: list[Line] = []
    keys = dataset.keys(split)
    with progress("Simulating", len(keys), quiet) as advance:
        for key in keys:
            fundus = dataset.read(key)
            annotation = annotate(fundus, reduction, style, seed, dataset.name)
            _write(folder / key, fundus, annotation, force)
            lines += measure(fundus, annotation)
            advance(1)
    result = rows(lines, dataset.lesions)
    if as_json:
        emit(_document(source, split, reduction, style.name, result, lines))
    elif not quiet:
        table(f"{dataset.title}: style {style.name}, reduction {reduction:g}, floor in percent", result)
    say(f"{_photographs(len(keys), dataset)} drawn; {ELLIPSES} and {PREVIEW} of each are in {folder}", quiet)


def _write(folder: Path, fundus: Fundus, annotation: Annotation, force: bool) -> None:
    """Write what is missing; the same annotation found there is left, another one is an error unless forced."""
    ellipses, picture = folder / ELLIPSES, folder / PREVIEW
    text = native.dumps(annotation)
    if ellipses.exists() and not force and ellipses.read_text(encoding="utf-8", errors="replace") != text:
        raise OutputError(f"{ellipses} holds another annotation; use --force to write over it, or another --out")
    if force or not picture.exists():
        write_image(picture, preview(fundus.image, annotation, fundus.fine))
    if force or not ellipses.exists():
        native.write(ellipses, annotation)


def _document(
    source: str, split: str | None, reduction: float, style: str, result: list[dict[str, object]], lines: list[Line]
) -> dict[str, object]:
    images = [{name: value for name, value in line._asdict().items() if name != "floor"} for line in lines]
    head = {"source": source, "split": split or "all", "reduction": reduction, "style": style}
    return head | {"rows": result, "images": images}


def _photographs(count: int, dataset: Dataset) -> str:
    return f"{count} photograph{'' if count == 1 else 's'} of {dataset.name}"
