"""``zoo evaluate``."""

from contextlib import nullcontext
from pathlib import Path

import click

from coarsekit.cli.console import AS_JSON, FORCE, QUIET, SEED, emit, numbers, progress, say, table
from coarsekit.datasets import open_source
from coarsekit.errors import OutputError
from coarsekit.simulation.styles import Style, style_named
from coarsekit.storage.outputs import at_work
from zoo.checkpoints.folder import CACHE
from zoo.cli.options import DEVICE, REFINERS
from zoo.evaluation.cache import ScoreCache
from zoo.evaluation.protocols import PROTOCOLS, REDUCTIONS, SAME, check_protocol, classes_to_score
from zoo.evaluation.results import RESULTS, DatasetRecord, EvaluationRecord, Results, read_evaluation, write_results
from zoo.variants import REFINING_VERSION


@click.command("evaluate")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--split",
    "splits",
    multiple=True,
    metavar="NAME",
    help="Only this split; once, or for each SOURCE.  [default: all]",
)
@REFINERS
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
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
@DEVICE
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Photographs at a time, a process each."
)
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
    Photographs without fine masks are for 'zoo agreement'.

    --split held-out takes the photographs that the networks were validated on, to choose between networks without
    looking at the test split.

    --out keeps every score as soon as it is there, so that an interrupted evaluation goes on where it was; 'zoo report'
    makes tables and figures of it.
    """
    from zoo.evaluation.evaluate import EvaluationConfig, evaluate
    from zoo.evaluation.refiners import BLIND, FLOOR, blind_rule, floor, load_for_evaluation, select_split

    named = tuple(dict.fromkeys(names))
    if FLOOR in named:
        raise click.UsageError("--refiner floor: the floor is a row of every table already; leave it out")
    kinds, reductions = _styles(styles), tuple(dict.fromkeys(numbers(reduction or REDUCTIONS[protocol])))
    if len(splits) not in (0, 1, len(sources)):
        raise click.UsageError(f"--split is given {len(splits)} times for {len(sources)} SOURCEs; give it once or each")
    each = splits if len(splits) == len(sources) else (splits or ("all",)) * len(sources)
    chosen = [select_split(open_source(source), split, names) for source, split in zip(sources, each, strict=True)]
    own = [load_for_evaluation(name, device) for name in named]  # the rule too, since a folder may have its name
    refiners = [floor(), blind_rule(), *(refiner for refiner in own if refiner.info.name != BLIND)]
    infos = tuple(refiner.info for refiner in refiners)
    check_protocol(
        protocol, [info for info in infos if info.name in named], [dataset for dataset, _ in chosen], lesions
    )
    record = EvaluationRecord(
        protocol=protocol,
        datasets=tuple(
            DatasetRecord(source, dataset.name, dataset.reader, split or "all", dataset.lesions)
            for source, (dataset, split) in zip(sources, chosen, strict=True)
        ),
        styles={kind.name: kind.parameters() for kind in kinds},
        reductions=reductions,
        lesions=lesions,
        seed=seed,
        refiners=infos,
        named=named,
        refining_version=REFINING_VERSION,
    )
    work = [
        (dataset, EvaluationConfig(split, kinds, reductions, seed, classes_to_score(protocol, infos, dataset, lesions)))
        for dataset, split in chosen
    ]
    folder = Path(out) if out else None
    earlier = read_evaluation(folder) if folder and not force and (folder / RESULTS).exists() else record
    if differing := earlier.differs_in(record):
        raise OutputError(
            f"{out}/{RESULTS} is of another evaluation (other {', '.join(differing)}); use --force to write over it, "
            "which keeps its cached scores, or another --out"
        )
    total = sum(config.refinements * len(dataset.keys(config.split)) for dataset, config in work)
    with at_work(folder, CACHE) if folder else nullcontext():
        with progress("Evaluating", total, quiet) as advance:
            parts = {
                dataset.name: evaluate(refiners, dataset, config, ScoreCache(folder), jobs, advance)
                for dataset, config in work
            }
        scores = tuple(score for part in parts.values() for score in part.scores)
        results = Results(record, scores, {name: part.contents for name, part in parts.items()})
        if folder:
            write_results(folder, results)
    if folder:
        scored, cached = (sum(getattr(part, what) for part in parts.values()) for what in ("scored", "cached"))
        kept = f" ({scored} drawings refined, {cached} taken from its cache)" if cached else ""
        say(f"{len(scores)} scores are in {out}{kept}; 'zoo report {out}' makes tables and figures of them", quiet)
    _show(results, as_json, quiet)


def _show(results: Results, as_json: bool, quiet: bool) -> None:
    from zoo.evaluation.scoreboard import ScoreTable
    from zoo.evaluation.tables import average_rows, pins, protocol_tables, score_rows

    board = ScoreTable(results)
    if as_json:
        emit({"protocol": results.record.protocol, "rows": score_rows(board), "averages": average_rows(board)})
    elif not quiet:
        for title, lines in protocol_tables(board):
            table(title, lines)
        for sentence in pins(board):
            click.echo(sentence)


def _styles(names: tuple[str, ...]) -> tuple[Style, ...]:
    styles = tuple(style_named(name) for some in names for name in some.split(","))
    if len({kind.name for kind in styles}) < len(styles):
        raise click.UsageError("--style names one style twice; give each TOML file a name of its own")
    return styles
