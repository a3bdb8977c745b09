"""``zoo doubt``."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import emit, exit_naming, progress, rows_of, say, say_notes, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, SEED, SPLIT, STYLE
from coarsekit.datasets import open_source
from coarsekit.errors import ParameterError
from coarsekit.simulation.styles import style_named
from coarsekit.storage.digests import sha256_of
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import claim_outputs
from zoo.checkpoints.folder import list_refiners, locate, read_config
from zoo.cli.options import DEVICE, REFINERS, RESULTS, keeping_scores
from zoo.variants import variant_named


@click.command("doubt")
@click.argument("source", shell_complete=complete_sources)
@SPLIT
@REFINERS
@STYLE
@DEVICE
@SEED
@click.option("--fit", "fit_file", metavar="FILE", help="Fit the expectation of one refiner on SOURCE, and write it.")
@RESULTS
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    split: str | None,
    names: tuple[str, ...],
    style_name: str,
    device: str,
    seed: int,
    fit_file: str | None,
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure on SOURCE, which has fine masks, how well the expected IoU of marks tells which answers to trust.

    The marks of every photograph are refined as drawn, and moved to retina without lesions. For each class and for all
    marks: the mean IoU of the fifth with the lowest expectation and of the rest, the calibration error, Spearman's rho,
    and how many of the moved marks lie in that fifth.

    --fit FILE fits the expectation anew, on photographs that the refiner did not learn from: doubt.json in a refiner's
    folder is what zoo refine goes by. --split held-out takes the photographs that the network was validated on, and
    for a rule those of the bundled networks. The table is then that of the photographs that it was fitted on.

    --out keeps every score as soon as it is there, so that an interrupted run goes on where it was.

    A photograph that cannot be used as it is, or whose mask cannot, is left out and named; the exit code is 1.
    """
    from zoo.evaluation.doubt import MarkScoreCache, doubt_rows, fit, mark_scores
    from zoo.evaluation.refiners import select_split
    from zoo.loading import from_pretrained, on_device

    style, names = style_named(style_name), tuple(dict.fromkeys(names))
    if fit_file is not None:
        if len(names) > 1:
            raise ParameterError(f"one refiner is fitted at a time, got {', '.join(names)}; name one")
        claim_outputs([Path(fit_file)], force)
    rules = not any(variant_named(read_config(locate(name))["variant"]).is_network for name in names)
    dataset = open_source(source)
    dataset, split = select_split(dataset, split, list_refiners() if rules else names)
    refiners = [on_device(from_pretrained(name), device) for name in names]
    for refiner in refiners:
        if fit_file is None and refiner.doubt is None:
            none = f"{refiner.name} has no doubt.json; 'zoo doubt --fit' writes one"
            raise ParameterError(refiner.doubt_left_out or none)
    rows, failures = [], dict[str, str]()
    with (
        keeping_scores(out, quiet) as folder,
        progress("Refining", len(dataset.keys(split)) * len(refiners), quiet) as advance,
    ):
        kept = MarkScoreCache(folder)
        for refiner in refiners:
            scores = mark_scores(refiner, dataset, split, style, seed, advance, failures.__setitem__, kept)
            model = fit(scores) if fit_file is not None or refiner.doubt is None else refiner.doubt
            rows += doubt_rows(refiner, model, scores, dataset.lesions)
    if fit_file is not None:
        fitted = {"dataset": dataset.name, "split": split or "all", "style": style.name, "seed": seed}
        fitted |= {"style_sha256": sha256_of(style.parameters()), "weights_sha256": refiners[0].weights_sha256}
        write_text(Path(fit_file), json.dumps({"fitted_on": fitted, "model": asdict(model)}, indent=1) + "\n")
    say_notes(dataset, split, quiet)
    if as_json:
        found = [{"dataset": dataset.name, "split": split or "all"} | asdict(row) for row in rows]
        emit({"rows": found, "failures": rows_of(failures)})
    elif not quiet:
        for refiner in refiners:
            own = [asdict(row) for row in rows if row.refiner == refiner.name]
            columns = [name for name in asdict(rows[0]) if name not in ("refiner", "weights_sha256")]
            title = f"{refiner.name} on {dataset.name}, {split or 'all splits'}, style {style.name}"
            table(title, [{name: row[name] for name in columns} for row in own])
    if fit_file is not None:
        say(f"Fitted: {fit_file}", quiet)
    exit_naming(failures)
