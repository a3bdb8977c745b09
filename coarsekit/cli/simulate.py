"""``coarsekit simulate``."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from coarsekit.annotations import native
from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import emit, exit_naming, progress, rows_of, say, say_notes, table
from coarsekit.cli.options import AS_JSON, FORCE, OUT, QUIET, REDUCTION, SEED, SPLIT, STYLE
from coarsekit.datasets import open_source
from coarsekit.datasets.readable import readable
from coarsekit.errors import OutputError
from coarsekit.images import write_image
from coarsekit.simulation.coarseness import Coarseness, coarseness_of, coarseness_table
from coarsekit.simulation.simulate import annotate_sweep, check_reduction
from coarsekit.simulation.styles import style_named
from coarsekit.storage.digests import photograph_sha256
from coarsekit.storage.outputs import at_work, claim_outputs
from coarsekit.types import Annotation, Fundus
from coarsekit.visualize.sheets import preview

ELLIPSES, PREVIEW = "ellipses.json", "preview.jpg"


@click.command("simulate")
@click.argument("source", default="sample", shell_complete=complete_sources)
@SPLIT
@REDUCTION
@STYLE
@SEED
@OUT
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    split: str | None,
    reductions: tuple[float, ...],
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
    simulated/NAME-STYLE-REDUCTION-SEED. Of several reduction factors each has a folder: --out has reduction-1.1, ….
    What an interrupted run has finished is kept and not made again. A photograph that cannot be used as it is, or whose
    mask cannot, is left out and named; the exit code is 1.
    """
    style = style_named(style_name)
    for reduction in reductions:
        check_reduction(reduction)
    dataset = open_source(source)
    sweep = len(reductions) > 1
    folders = {
        reduction: Path(out, f"reduction-{reduction:g}" if sweep else "")
        if out
        else Path(f"simulated/{dataset.name}-{style.name}-{reduction:g}-{seed}")
        for reduction in reductions
    }
    lines: dict[float, list[Coarseness]] = {reduction: [] for reduction in reductions}
    failures: dict[str, str] = {}
    keys = dataset.keys(split)
    places = [folder / key / name for folder in folders.values() for key in keys for name in (ELLIPSES, PREVIEW)]
    # What an earlier run drew is compared with what would be drawn, one by one.
    claim_outputs(places, force=True, inputs=[file for key in keys for file in dataset.input_files(key)])
    with ExitStack() as stack:
        for folder in folders.values():
            stack.enter_context(at_work(folder, "*"))
        advance = stack.enter_context(progress("Simulating", len(keys) * len(reductions), quiet))

        def leave_out(key: str, reason: str) -> None:
            failures[key] = reason
            advance(len(reductions))

        for fundus in readable(dataset, keys, leave_out):
            annotations = annotate_sweep(fundus, reductions, style, seed, dataset.name)
            content = {"photograph_sha256": photograph_sha256(fundus.image)}  # of what the picture shows
            for reduction, drawn in zip(reductions, annotations, strict=True):
                annotation = replace(drawn, provenance={**drawn.provenance, **content})
                _write(folders[reduction] / fundus.key, fundus, annotation, force)
                lines[reduction] += coarseness_of(fundus, annotation)
                advance(1)
    result = {reduction: coarseness_table(own, dataset.lesions) for reduction, own in lines.items()}
    if as_json:
        images = {reduction: [_without_floor(line) for line in own] for reduction, own in lines.items()}
        asked = list(reductions) if sweep else reductions[0]
        head = {"source": source, "split": split or "all", "reduction": asked, "style": style.name}
        emit(head | {"rows": _rows(result), "images": _rows(images), "failures": rows_of(failures)})
    elif not quiet:
        factors = ", ".join(f"{reduction:g}" for reduction in reductions)
        table(f"{dataset.title}: style {style.name}, reduction {factors}, floor in percent", _rows(result))
    say_notes(dataset, split, quiet)
    where = str(folders[reductions[0]]) + (f" … {folders[reductions[-1]]}" if sweep else "")
    count = len(keys) - len(failures)
    done = f"{count} photograph{'s'[: count != 1]} of {dataset.name} drawn"
    say(f"{done}; {ELLIPSES} and {PREVIEW} of each are in {where}", quiet)
    exit_naming(failures)


def _write(folder: Path, fundus: Fundus, annotation: Annotation, force: bool) -> None:
    """Write what is missing; the same annotation found there is left, another one is an error unless forced."""
    ellipses, picture = folder / ELLIPSES, folder / PREVIEW
    text = native.dumps(annotation)
    same = ellipses.exists() and ellipses.read_text(encoding="utf-8", errors="replace") == text
    if ellipses.exists() and not same and not force:
        raise OutputError(f"{ellipses} has another annotation; give --force to write over it, or another --out")
    if ellipses.exists() and force:
        picture.unlink(missing_ok=True)  # first, so that an interrupted run leaves no picture of another annotation
    if force or not same:
        native.write(ellipses, [annotation])
    if not picture.exists():
        write_image(picture, preview(fundus.image, annotation, fundus.fine))


def _without_floor(line: Coarseness) -> dict[str, Any]:
    return {name: value for name, value in line._asdict().items() if name != "floor"}


def _rows(by_reduction: dict[float, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of one reduction factor as they are; of several, each says its own."""
    if len(by_reduction) == 1:
        return next(iter(by_reduction.values()))
    return [{"reduction": reduction} | row for reduction, own in by_reduction.items() for row in own]
