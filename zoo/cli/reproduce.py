"""``zoo reproduce``."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coarsekit.cli.completion import complete_sources, complete_styles
from coarsekit.cli.console import emit, exit_naming, growing_progress, progress, say, say_notes, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, SEED
from zoo.training.recipe import MOST_PROCESSES

if TYPE_CHECKING:
    from coarsekit.datasets.base import Dataset
    from zoo.reproduction.plan import Plan, Training
    from zoo.reproduction.report import Evaluated
    from zoo.reproduction.status import Status
    from zoo.training.progress import View


@click.command("reproduce")
@click.argument("experiment", metavar="EXPERIMENT")
@click.argument("source", shell_complete=complete_sources)
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Folder of trainings, scores and reports.")
@click.option("--plan", "plan_only", is_flag=True, help="Only say what would be done, and how long it would take.")
@click.option("--methods", metavar="A,B", help="Only these: resnet18, hrnet18, unet, proto, proto-superpixel, lite.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="SOURCE",
    shell_complete=complete_sources,
    help="For table2: another dataset to test on, such as ddr:PATH; may be repeated.",
)
@click.option(
    "--style",
    default="paper",
    show_default=True,
    shell_complete=complete_styles,
    help="How training and test photographs are drawn on: paper, human, …, a TOML file.",
)
@click.option(
    "--recipe",
    default="equal-budget",
    show_default=True,
    metavar="NAME|FILE",
    help="How all networks are trained: a bundled recipe, such as paper, or a TOML file.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="A field of the recipe of every training: epochs=1."
)
@click.option("--split", default="", help="Split to train and validate on.  [default: train, or the only one]")
@click.option("--test-split", default="", help="Split to test on.  [default: test, or the photographs held out]")
@click.option("--device", help="cpu, cuda, ….  [default: a GPU where there is one]")
@click.option("--threads", type=click.IntRange(1, MOST_PROCESSES), help="Processor threads.  [default: torch's]")
@SEED
@FORCE
@AS_JSON
@QUIET
def command(experiment: str, source: str, out: str, **options: Any) -> None:
    """Run one of the paper's experiments on SOURCE, from training to report.

    \b
    table1   all networks, trained and tested on one dataset
    table2   the same on other datasets (--target), and each lesion class left
             out of a training and tested on
    figure3  the networks of table1 at reduction factors from 1 to 2
    figure4  lesions, and what the networks of table1 made of them

    The paper's five networks and the architecture of the default refiner are trained alike: from scratch, on the same
    pairs, and on as many. At first a short trial of each tells how long all of it will take; --plan stops there. Then
    what is not trained yet is trained, everything is scored, and a report stands in --out/STYLE/EXPERIMENT:
    report.md, report.json, and the figure, with the paper's numbers beside those found.

    Experiments in one folder share their trainings. The same command goes on where it was interrupted. A photograph
    that cannot be used as it is, or whose mask cannot, is left out and named; the exit code is 1.
    """  # noqa: D301 — click's \b keeps the lines of the list
    import torch

    from coarsekit.datasets import open_source
    from coarsekit.storage.outputs import at_work
    from zoo.checkpoints.folder import CACHE
    from zoo.reproduction.run import claim_report, evaluate_one, write_report
    from zoo.reproduction.status import check_recipes, status_of

    quiet, force, folder = options["quiet"], options["force"], Path(out)
    device = options["device"] or ("cuda" if torch.cuda.is_available() else "cpu")
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    dataset = open_source(source)
    plan = _plan(experiment, source, dataset, folder, options)
    found = {training.folder: status_of(training) for training in plan.trainings}
    if not options["plan_only"]:
        check_recipes(found, force)
        claim_report(plan, force)
    if options["plan_only"] or not quiet:
        _announce(plan, found, dataset, device, options)
    if options["plan_only"]:
        return
    with at_work(folder, CACHE):
        _check_data(plan, found, dataset, force, quiet)
        for own in (dataset, *map(open_source, options["targets"])):
            say_notes(own, None, quiet)
        failures: dict[str, str] = {}
        for training in plan.trainings:
            _train(training, plan, folder, found[training.folder], device, options, failures)
        scored = []
        for evaluation in plan.evaluations:
            with growing_progress(f"Evaluating, {evaluation.protocol}", quiet) as show:
                leave_out = failures.__setitem__
                scored.append(
                    evaluate_one(evaluation, plan, device=device, force=force, progress=show, on_failure=leave_out)
                )
        files = write_report(plan, scored, device)
    _finish(plan, scored, files, options)
    exit_naming(failures)


def _plan(experiment: str, source: str, dataset: "Dataset", out: Path, options: dict[str, Any]) -> "Plan":
    from coarsekit.simulation.styles import style_named
    from zoo.reproduction.plan import EQUAL_BUDGET, make_plan
    from zoo.reproduction.run import data_of, target_of
    from zoo.training.recipe import Recipe
    from zoo.training.recipe_files import parse_settings, read_recipe

    content, settings = read_recipe(options["recipe"]), parse_settings(options["settings"])
    share = settings.get("validation", content.get("validation", Recipe().validation))
    return make_plan(
        experiment,
        data_of(dataset, source, options["split"], options["test_split"], share),
        out,
        content,
        equal_budget=options["recipe"] == EQUAL_BUDGET,
        settings=settings,
        methods=[name for name in (options["methods"] or "").split(",") if name],
        style=(options["style"], style_named(options["style"]).name),
        seed=options["seed"],
        targets=[target_of(target) for target in options["targets"]],
    )


def _announce(
    plan: "Plan", found: "dict[Path, Status]", dataset: "Dataset", device: str, options: dict[str, Any]
) -> None:
    """Say what will be done and how long it will take: the result of --plan, and else a message."""
    from zoo.reproduction.trial import duration, estimate, measure, steps

    quiet = options["quiet"]
    with progress("Trying each network", len({one.method.name for one in plan.trainings}), quiet) as advance:
        trial = measure(plan, dataset, device, advance)
    seconds = estimate(plan, trial, found)
    rows = steps(plan, found, seconds)
    if options["plan_only"] and options["as_json"]:
        speeds = {name: asdict(speed) for name, speed in trial.speeds.items()}
        head = {"experiment": plan.experiment, "seconds": seconds.seconds, "rests_on": trial.rests_on}
        emit({**head, "speeds": speeds, "steps": rows, "left_out": plan.left_out})
    elif options["plan_only"]:
        shown = [{**row, "seconds": duration(row["seconds"])} for row in rows]
        table(f"{plan.experiment} on {plan.data.source}, style {plan.style}", shown)
    say(f"{plan.experiment} will take about {duration(seconds.seconds)}, by {trial.rests_on}.", quiet)
    for what in plan.left_out:
        say(f"Left out: {what}.", quiet)


def _check_data(plan: "Plan", found: "dict[Path, Status]", dataset: "Dataset", force: bool, quiet: bool) -> None:
    """Refuse trainings on other data than there are now; with ``force`` they count as others, to train anew."""
    from zoo.reproduction.status import check_content, content_of

    if not any(own.started for own in found.values()):
        return
    split, count = plan.data.trained_on
    with progress("Reading photographs", count, quiet) as advance:
        content = content_of(plan.trainings, dataset, split, advance)
    found |= check_content(found, content, force)


def _train(
    training: "Training",
    plan: "Plan",
    out: Path,
    found: "Status",
    device: str,
    options: dict[str, Any],
    failures: dict[str, str],
) -> None:
    """Train one network, unless that is done; photographs that it leaves out are added to ``failures``."""
    from zoo.reproduction.run import train_one
    from zoo.training.progress import watched

    quiet, number = options["quiet"], f"{plan.trainings.index(training) + 1} of {len(plan.trainings)}"
    if found.started and found.epochs >= training.recipe.epochs:
        say(f"Training {number}, {training.name}: kept as it is in {training.folder}", quiet)
        return
    say(f"Training {number}, {training.name}", quiet)
    view: View | None = None
    with ExitStack() as stack:
        show = stack.enter_context(growing_progress("Reading photographs", quiet))

        def reading(done: int, total: int) -> None:
            nonlocal view
            show(done, total)
            if done == total:
                view = stack.enter_context(watched(lambda sentence: say(sentence, quiet), quiet))

        train_one(
            training,
            plan,
            out,
            found,
            device=device,
            threads=options["threads"],
            reading=reading,
            report=lambda step: view.report(step) if view else None,
            log=lambda line: view.log(line) if view else None,
            on_failure=failures.__setitem__,
        )


def _finish(plan: "Plan", scored: "list[Evaluated]", files: list[str], options: dict[str, Any]) -> None:
    from zoo.evaluation.tables import protocol_tables
    from zoo.reproduction.report import comparison_tables, numbers

    if options["as_json"]:
        emit({**numbers(plan, scored), "folder": str(plan.folder), "files": files})
    elif not options["quiet"]:
        tables = comparison_tables(plan, scored) or protocol_tables(scored[0].board)
        for title, lines in tables:
            table(title, lines)
    trained = f"{len(plan.trainings)} networks are in {plan.folder.parent / 'trainings'}"
    say(f"{trained}; {', '.join(files)} are in {plan.folder}", options["quiet"])
