"""``zoo evaluate``."""

from pathlib import Path

import click

from coarsekit.cli.console import AS_JSON, FORCE, LABELS, QUIET, SEED, emit, numbers, progress, refuse, say, table
from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.errors import OutputError
from coarsekit.simulation.styles import Style, style_named
from zoo.checkpoints.folder import DEFAULT
from zoo.evaluation.cache import Units
from zoo.evaluation.protocols import PROTOCOLS, REDUCTIONS, SAME, check, classes_asked
from zoo.evaluation.results import RESULTS, DatasetRecord, EvaluationRecord, Results, read_asked, write_results

AGREEMENT = "agreement"
"""Between annotators, before and after refinement."""


@click.command("evaluate")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--split",
    "splits",
    multiple=True,
    metavar="NAME",
    help="Only this split; once, or for each SOURCE.  [default: all]",
)
@click.option(
    "--refiner", "names", multiple=True, default=[DEFAULT], show_default=True, help="Refiner; may be repeated."
)
@click.option(
    "--protocol",
    type=click.Choice([*PROTOCOLS, AGREEMENT]),
    default=SAME,
    show_default=True,
    help="The paper's experiment.",
)
@click.option("--reduction", help="Reduction factors: 1.5, 1,1.5,2 or a sweep.  [default: 1.0, or 1.0:2.0:0.1]")
@click.option(
    "--style",
    "styles",
    multiple=True,
    default=["human"],
    show_default=True,
    help="As human,paper: presets, TOML files.",
)
@click.option("--lesion", "lesions", multiple=True, help="Only this lesion class; may be repeated.  [default: all]")
@click.option("-o", "--out", metavar="RESULTS", help="Folder to keep the scores in, and to go on from.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ….")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Photographs at a time, a process each."
)
@LABELS
@SEED
@FORCE
@AS_JSON
@QUIET
def command(
    sources: tuple[str, ...],
    splits: tuple[str, ...],
    names: tuple[str, ...],
    protocol: str,
    reduction: str | None,
    styles: tuple[str, ...],
    lesions: tuple[str, ...],
    out: str | None,
    device: str,
    jobs: int,
    labels: tuple[str, ...],
    seed: int,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score refiners on the photographs of SOURCE (sample, or READER:PATH such as idrid:data/idrid).

    The coarse annotation is simulated from the fine masks, whole photographs are refined, and the IoU with the fine
    masks is averaged over photographs, in percent, with its standard deviation and a bootstrap interval. floor: the
    coarse annotation as drawn. shrink: the image-blind rule; what a refiner scores above it is what it saw in the
    photograph.

    The protocols are the paper's: same (Table 1); cross-dataset, several SOURCEs (Table 2); cross-class, each network
    only on classes that it was not trained on; reduction, a sweep of the reduction factor (Figure 3).
    For photographs without fine masks, agreement takes IMAGES ANNOTATOR ANNOTATOR … in place of SOURCE, as 'zoo
    agreement' does, and only --refiner, --device and --labels.

    --split held-out takes the photographs that the networks were validated on, to choose between networks without
    looking at the test split.

    In --out every finished photograph, refiner, style and reduction is kept by its content, and an interrupted
    evaluation goes on from there; 'zoo report' makes tables and figures of it.
    """
    from zoo.evaluation.evaluate import EvaluationConfig, evaluate
    from zoo.evaluation.refiners import BLIND, FLOOR, HELD_OUT, floor, held_out, load_for_evaluation

    if protocol == AGREEMENT:
        from zoo.cli.agreement import command as agreement

        refuse(
            "annotators are compared as they drew", "splits", "reduction", "styles", "lesions", "out", "jobs", "seed"
        )
        context = click.get_current_context()
        given = {"names": names, "device": device, "labels": labels, "as_json": as_json, "quiet": quiet}
        context.invoke(agreement, images=sources[0], annotators=sources[1:], **given)
        return
    refuse("fine masks have no labels", "labels")
    kinds, reductions = _styles(styles), tuple(dict.fromkeys(numbers(reduction or REDUCTIONS[protocol])))
    datasets = [open_source(source) for source in sources]
    if splits == (HELD_OUT,):
        datasets = [held_out(dataset, names) for dataset in datasets]
    parts = _splits(splits, datasets)
    named = tuple(dict.fromkeys(names))
    if FLOOR in named:
        raise click.UsageError("--refiner floor: the floor is a row of every table already; leave it out")
    contestants = [floor(), *(load_for_evaluation(name, device) for name in dict.fromkeys([BLIND, *named]))]
    abouts = tuple(entrant.about for entrant in contestants)
    check(protocol, [about for about in abouts if about.name in named], datasets, lesions)
    places = zip(sources, datasets, parts, strict=True)
    asked = EvaluationRecord(
        protocol=protocol,
        datasets=tuple(DatasetRecord(source, own.name, part or "all", own.lesions) for source, own, part in places),
        styles={kind.name: kind.parameters() for kind in kinds},
        reductions=reductions,
        lesions=lesions,
        seed=seed,
        refiners=abouts,
        named=named,
    )
    questions = [
        EvaluationConfig(part, kinds, reductions, seed, classes_asked(protocol, abouts, dataset, lesions))
        for dataset, part in zip(datasets, parts, strict=True)
    ]
    units = _units(Path(out) if out else None, asked, force)
    work = list(zip(datasets, questions, strict=True))
    total = sum(question.units * len(dataset.keys(question.split)) for dataset, question in work)
    with progress("Evaluating", total, quiet) as advance:
        scores = [
            score
            for dataset, question in work
            for score in evaluate(contestants, dataset, question, units, jobs, advance)
        ]
    results = Results(asked, tuple(scores))
    if units.folder:
        write_results(units.folder, results)
        say(f"{len(scores)} scores are in {out}; 'zoo report {out}' makes tables and figures of them", quiet)
    _show(results, as_json, quiet)


def _show(results: Results, as_json: bool, quiet: bool) -> None:
    from zoo.evaluation.scoreboard import ScoreTable
    from zoo.evaluation.tables import averages, rows, tables

    board = ScoreTable(results)
    if as_json:
        emit({"protocol": results.asked.protocol, "rows": rows(board), "averages": averages(board)})
    elif not quiet:
        for title, lines in tables(board):
            table(title, lines)


def _styles(names: tuple[str, ...]) -> tuple[Style, ...]:
    styles = tuple(style_named(name) for some in names for name in some.split(","))
    if len({kind.name for kind in styles}) < len(styles):
        raise click.UsageError("--style names one style twice; give each TOML file a name of its own")
    return styles


def _splits(splits: tuple[str, ...], datasets: list[Dataset]) -> list[str | None]:
    """The split of each dataset: one for all, or one for each; ``all`` is every split, where none is called so."""
    if len(splits) not in (0, 1, len(datasets)):
        raise click.UsageError(
            f"--split is given {len(splits)} times for {len(datasets)} SOURCEs; give it once or each"
        )
    each = splits * len(datasets) if len(splits) == 1 else splits or ("all",) * len(datasets)
    parts = [
        None if part == "all" and "all" not in dataset.splits() else part
        for part, dataset in zip(each, datasets, strict=True)
    ]
    for part, dataset in zip(parts, datasets, strict=True):
        dataset.keys(part)
    return parts


def _units(folder: Path | None, asked: EvaluationRecord, force: bool) -> Units:
    """The units of a folder, which must not hold the results of another evaluation; those of the same are renewed."""
    if folder and not force and (folder / RESULTS).exists() and read_asked(folder) != asked:
        raise OutputError(
            f"{folder / RESULTS} is of another evaluation; use --force to write over it and go on from its units, or "
            "another --out"
        )
    units = Units(folder)
    units.tidy()
    return units
