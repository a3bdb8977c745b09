"""``zoo evaluate``."""

import click

from coarsekit.cli.console import emit, exit_naming, growing_progress, rows_of, say, say_notes, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, SEED, numbers
from coarsekit.datasets import open_source
from zoo.cli.options import DEVICE, REFINERS
from zoo.evaluation.protocols import PROTOCOLS, SAME


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

    A photograph that cannot be used as it is, or whose mask cannot, is left out and named; the exit code is 1.

    --split held-out takes the photographs that the networks were validated on, to choose between networks without
    looking at the test split.

    --out keeps every score as soon as it is there, so that an interrupted evaluation goes on where it was; 'zoo report'
    makes tables and figures of it.
    """
    from zoo.evaluation.run import evaluate
    from zoo.evaluation.scoreboard import ScoreTable
    from zoo.evaluation.tables import pins

    with growing_progress("Evaluating", quiet) as show:
        found = evaluate(
            sources,
            names,
            split=splits or "all",
            protocol=protocol,
            reductions=numbers(reduction) if reduction else (),
            styles=[style for some in styles for style in some.split(",")],
            lesions=lesions,
            seed=seed,
            device=device,
            jobs=jobs,
            out=out,
            force=force,
            progress=show,
        )
    each = splits if len(splits) == len(sources) else (splits or ("all",))[:1] * len(sources)
    for source, split in zip(sources, each, strict=True):
        say_notes(open_source(source), split, quiet)
    if out:
        kept = f" ({found.scored} drawings refined, {found.cached} taken from its cache)" if found.cached else ""
        say(f"{len(found.results.scores)} scores are in {out}{kept}; 'zoo report {out}' makes tables of them", quiet)
    if as_json:
        emit(
            {"protocol": protocol, "rows": found.rows, "averages": found.averages, "failures": rows_of(found.failures)}
        )
    elif not quiet:
        for title, lines in found.tables:
            table(title, lines)
        for sentence in pins(ScoreTable(found.results)):
            click.echo(sentence)
    exit_naming(found.failures)
