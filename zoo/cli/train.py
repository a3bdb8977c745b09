"""``zoo train``."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import emit, exit_naming, growing_progress, say
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, SEED
from zoo.training.recipe import MOST_PROCESSES

if TYPE_CHECKING:
    from zoo.training.progress import View

KEPT = ("split", "device", "precision", "compiling", "threads", "workers", "tensorboard")
"""What a resumed training takes from the interrupted one, where it is not given."""


@click.command("train")
@click.argument("source", required=False, shell_complete=complete_sources)
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Checkpoint folder to write.")
@click.option(
    "--recipe",
    default="paper",
    show_default=True,
    metavar="NAME|FILE",
    help="A bundled recipe, a TOML file, or the training.json of another training.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="A field of the recipe or its network: width=32."
)
@click.option("--split", default="train", show_default=True, help="Split to train and validate on.")
@click.option("--device", help="cpu, cuda, ….  [default: a GPU where there is one]")
@click.option(
    "--precision",
    type=click.Choice(["auto", "full", "mixed"]),
    default="auto",
    show_default=True,
    help="Floats of 32 bits, or mixed with 16; auto: mixed on a GPU.",
)
@click.option("--compile", "compiling", is_flag=True, help="Let torch compile the network, where it can.")
@click.option("--threads", type=click.IntRange(1, MOST_PROCESSES), help="Processor threads.  [default: torch's]")
@click.option(
    "--workers",
    type=click.IntRange(0, MOST_PROCESSES),
    default=0,
    show_default=True,
    help="Processes that prepare pairs beside the training.",
)
@click.option("--resume", is_flag=True, help="Go on exactly where the training in --out was interrupted.")
@click.option("--tensorboard", is_flag=True, help="Log to --out/tensorboard, too, for TensorBoard.")
@SEED
@FORCE
@AS_JSON
@QUIET
def command(out: str, **options: Any) -> None:
    """Train a refiner on the pairs of SOURCE.

    SOURCE is sample, or READER:PATH such as idrid:data/idrid: every epoch draws each photograph again. Or it has pairs
    that 'coarsekit export' has drawn: pairs:FOLDER, or hub:ORG/NAME, which is streamed from the Hugging Face Hub.

    The checkpoint that refines the held-out photographs best is kept in --out: config.json, model.safetensors, and
    training.json with the data, splits, recipe and validation curve. On a CPU take a bundled recipe other than the
    paper's, or a smaller one: --set batch=16 --set samples=2000 --set width=16.

    --resume needs --out only; for more epochs add --set epochs=N.

    A photograph that cannot be used as it is, or whose mask cannot, is left out and named; the exit code is 1.

    On several GPUs or machines: accelerate launch -m zoo train …, or torchrun -m zoo train …; the recipe's batch is
    that of all processes together.
    """
    from zoo.training.progress import watched
    from zoo.training.recipe_files import parse_settings
    from zoo.training.run import train

    settings, quiet = parse_settings(options["settings"]), options["quiet"]
    if options["resume"]:
        _fill(options, Path(out))
    if options["source"] is None:
        raise click.UsageError("SOURCE is missing; name a dataset, such as sample or idrid:PATH")
    if _given("seed"):
        settings["seed"] = options["seed"]
    view: View | None = None
    failures: dict[str, str] = {}
    with ExitStack() as stack:
        show = stack.enter_context(growing_progress("Reading photographs", quiet))

        def reading(done: int, total: int) -> None:
            nonlocal view
            show(done, total)
            if done == total:
                view = stack.enter_context(watched(lambda sentence: say(sentence, quiet), quiet))

        record = train(
            None if options["resume"] and not _given("recipe") else options["recipe"],
            options["source"],
            out,
            settings=settings,
            **{name: options[name] for name in (*KEPT, "resume", "force")},
            progress=reading,
            report=lambda step: view.report(step) if view else None,
            log=lambda line: view.log(line) if view else None,
            say=lambda sentence: say(sentence, quiet),
            on_failure=failures.__setitem__,
        )
    if record:
        say(_summary(record, out), quiet)
        if options["as_json"]:
            emit(record)
        exit_naming(failures)


def _given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _fill(options: dict[str, Any], folder: Path) -> None:
    """Fill the options that are not given from the interrupted training."""
    from zoo.training.state import read_state

    launch = read_state(folder)["launch"]
    options |= {name: value for name, value in launch.items() if name in (*KEPT, "source") and not _given(name)}


def _summary(record: dict[str, Any], out: str) -> str:
    if "training_iou" in record:
        return f"Fitted: training IoU {json.dumps(record['training_iou'])} in percent; the rule is in {out}"
    count = len(record["reinitialised"])
    start = record["recipe"]["start"]
    without = f"; {count} of its tensors are not in {start} and were initialised" if count else ""
    best = record["best_validation_iou"]
    chosen = "No photograph was held out" if best is None else f"Best validation IoU {best:.1f} %"
    return f"{chosen}; the checkpoint is in {out}{without}"
