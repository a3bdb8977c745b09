"""``zoo robustness``."""

from dataclasses import asdict
from math import isnan
from statistics import mean
from typing import TYPE_CHECKING, Any

import click

from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import emit, exit_naming, progress, rows_of, say_notes, table
from coarsekit.cli.options import AS_JSON, QUIET, SEED, SPLIT, STYLE
from coarsekit.datasets import open_source
from coarsekit.errors import did_you_mean
from coarsekit.simulation.styles import style_named
from zoo.checkpoints.metrics import AVERAGE
from zoo.cli.options import DEVICE, REFINERS, RESULTS, keeping_scores

if TYPE_CHECKING:
    from zoo.evaluation.robustness import RobustnessRow


@click.command("robustness")
@click.argument("source", shell_complete=complete_sources)
@SPLIT
@REFINERS
@STYLE
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Only this row of the table, such as 'crop of 1200 px'; may be repeated.  [default: all]",
)
@RESULTS
@DEVICE
@SEED
@AS_JSON
@QUIET
def command(
    source: str,
    split: str | None,
    names: tuple[str, ...],
    style_name: str,
    only: tuple[str, ...],
    out: str | None,
    device: str,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score refiners on SOURCE as other cameras would have taken it, and on ellipses around nothing.

    Each photograph is refined as it is, 1500 and 768 px wide, cut to its middle and to crops around the median mark, in
    other colours, blurred and compressed, with the same ellipses, and as it is under labels that say nothing, and under
    those of the opposite kind; IoU in percent, image level, at reduction 1.0, with 95 % intervals; lost: against the
    masks of the photograph as it is, cut or scaled alike. Last, each ellipse is moved to retina without any lesion,
    where the right answer is nothing: what is found in its window, in percent of its area.

    --split held-out takes the photographs that the networks were validated on, to choose between networks without
    looking at the test split.

    --out keeps every score as soon as it is there, so that an interrupted run goes on where it was.

    A photograph that cannot be used as it is, or whose mask cannot, is left out and named; the exit code is 1.
    """
    from zoo.evaluation.cache import NumberCache
    from zoo.evaluation.corruptions import CORRUPTIONS, EMPTY
    from zoo.evaluation.refiners import select_split
    from zoo.evaluation.robustness import robustness
    from zoo.loading import from_pretrained, on_device

    known = (*CORRUPTIONS, EMPTY)
    for name in only:
        if name not in known:
            raise click.UsageError(f"no row {name!r}; choose one of {', '.join(known)}{did_you_mean(name, known)}")
    rows_wanted = only or known
    changes = {name: change for name, change in CORRUPTIONS.items() if name in rows_wanted}
    style = style_named(style_name)
    dataset = open_source(source)
    dataset, split = select_split(dataset, split, names)
    refiners = [on_device(from_pretrained(name), device) for name in dict.fromkeys(names)]
    failures: dict[str, str] = {}
    with (
        keeping_scores(out, quiet) as folder,
        progress("Scoring", len(dataset.keys(split)), quiet) as advance,
    ):
        rows = robustness(
            refiners,
            dataset,
            split,
            style,
            seed,
            changes,
            EMPTY in rows_wanted,
            advance,
            failures.__setitem__,
            NumberCache(folder),
        )
    say_notes(dataset, split, quiet)
    if as_json:
        where: dict[str, Any] = {"dataset": dataset.name, "reader": dataset.reader, "split": split or "all"}
        where |= {"style": style.name, "seed": seed}
        emit({"rows": [where | asdict(row) for row in rows], "failures": rows_of(failures)})
    elif not quiet:
        for refiner in refiners:
            own = [row for row in rows if row.refiner == refiner.name]
            title = f"{refiner.name} on {dataset.name}, {split or 'all splits'}, style {style.name}: IoU in percent"
            if lines := _lines([row for row in own if row.corruption != EMPTY]):
                table(title, lines)
            title = f"{refiner.name} on {EMPTY}: what is found, in percent of an ellipse's area"
            if lines := _answered([row for row in own if row.corruption == EMPTY]):
                table(title, lines)
            for row in own[:1]:
                click.echo(_pins(row))
    exit_naming(failures)


def _pins(row: "RobustnessRow") -> str:
    """What a refiner's rows are of, by digest."""
    seen = "an unknown number" if row.dataset_images_seen is None else str(row.dataset_images_seen)
    return (
        f"Data {row.dataset_sha256[:12]}, {row.dataset_images} photographs, {seen} of them seen in training; drawn "
        f"{row.style_sha256[:12]}; weights {row.weights_sha256[:12]}; refining version {row.refining_version}."
    )


def _lines(rows: list["RobustnessRow"]) -> list[dict[str, Any]]:
    """One line for each corruption: a column for each class, their average, and what it lost, with intervals."""
    lesions = [lesion for lesion in dict.fromkeys(row.lesion for row in rows) if lesion != AVERAGE]
    lines: list[dict[str, Any]] = []
    for average in rows:
        if average.lesion == AVERAGE and average.iou is not None and average.whole_iou is not None:
            own = {row.lesion: row.iou for row in rows if row.corruption == average.corruption}
            lines.append(
                {
                    "corruption": average.corruption,
                    **{lesion: own.get(lesion) for lesion in lesions},
                    AVERAGE: average.iou,
                    "95 %": _interval(average.iou_low, average.iou_high),
                    "lost": average.whole_iou - average.iou,
                    "95 % of it": _interval(average.lost_low, average.lost_high),
                }
            )
    return lines


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None or isnan(low) else f"{low:.1f} to {high:.1f}"


def _answered(rows: list["RobustnessRow"]) -> list[dict[str, Any]]:
    """The one line of empty retina: a column for each class, and their average."""
    own = {row.lesion: row.false_positive_area for row in rows if row.false_positive_area is not None}
    return [{"corruption": rows[0].corruption, **own, "average": mean(own.values())}] if own else []
