"""``zoo evaluate``."""

from dataclasses import asdict
from statistics import mean
from typing import Any

import click

from coarsekit.console import AS_JSON, QUIET, SEED, SPLIT, emit, numbers, progress, table
from coarsekit.readers import open_source
from coarsekit.styles import style_named
from zoo.bundled import DEFAULT


@click.command("evaluate")
@click.argument("source")
@SPLIT
@click.option(
    "--refiner", "names", multiple=True, default=[DEFAULT], show_default=True, help="Refiner; may be repeated."
)
@click.option("--reduction", default="1.0", show_default=True, help="Reduction factors: 1.5, 1,1.5,2 or 1.0:2.0:0.1.")
@click.option(
    "--style", "style_name", default="human", show_default=True, help="Style of drawing: human, paper or a TOML file."
)
@click.option("--lesion", "lesions", multiple=True, help="Only this lesion class; may be repeated.  [default: all]")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ….")
@SEED
@AS_JSON
@QUIET
def command(
    source: str,
    split: str | None,
    names: tuple[str, ...],
    reduction: str,
    style_name: str,
    lesions: tuple[str, ...],
    device: str,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score refiners on the photographs of SOURCE (sample, or READER:PATH such as idrid:data/idrid).

    The coarse annotation is simulated from the fine masks, whole photographs are refined, and the IoU with the fine
    masks is averaged over photographs, in percent. floor: the coarse annotation as drawn. shrink: the image-blind rule;
    what a refiner scores above it is what it saw in the photograph.
    """
    from zoo.evaluation import evaluate
    from zoo.pretrained import from_pretrained, on_device

    style, reductions = style_named(style_name), numbers(reduction)
    refiners = [on_device(from_pretrained(name), device) for name in names]
    dataset = open_source(source)
    unknown = [lesion for lesion in lesions if lesion not in dataset.lesions]
    if unknown:
        raise click.UsageError(
            f"{dataset.name} has no lesion class {unknown[0]!r}; it has {', '.join(dataset.lesions)}"
        )
    with progress("Evaluating", len(dataset.keys(split)), quiet) as advance:
        rows = evaluate(refiners, dataset, split, reductions, style, seed, lesions, advance)
    if as_json:
        emit({"rows": [asdict(row) for row in rows]})
    elif not quiet:
        for factor in reductions:
            shown = [row for row in rows if row.reduction == factor]
            title = f"{dataset.name}, {split or 'all splits'}, style {style.name}, reduction {factor:g}: IoU in percent"
            table(title, [line for name in names for line in _lines([row for row in shown if row.refiner == name])])


def _lines(rows: list[Any]) -> list[dict[str, Any]]:
    """One line a lesion class, and their average."""
    fields = ("floor_iou", "floor_iou_std", "shrink_iou", "iou", "iou_std")
    lines = [
        {"refiner": row.refiner, "lesion": row.lesion, "images": row.images}
        | {name: getattr(row, name) for name in fields}
        for row in rows
    ]
    average = {name: mean(getattr(row, name) for row in rows) for name in fields} if rows else {}
    return [*lines, {"refiner": rows[0].refiner, "lesion": "average", "images": ""} | average] if rows else []
