"""``zoo train``."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import AS_JSON, FORCE, QUIET, SEED, emit, progress, say
from coarsekit.datasets import open_source
from coarsekit.errors import OutputError, ParameterError
from coarsekit.simulation.styles import style_named
from coarsekit.storage.outputs import at_work, claim_outputs
from zoo.checkpoints.folder import CACHE, CONFIG, RECORD, STATE, WEIGHTS, is_checkpoint, locate
from zoo.refiner import no_progress
from zoo.training.exported_source import Export, is_export
from zoo.training.recipe import MOST_PROCESSES, Recipe

KEPT = ("source", "split", "device", "precision", "compiling", "threads", "workers", "tensorboard")
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

    On several GPUs or machines: accelerate launch -m zoo train …, or torchrun -m zoo train …; the recipe's batch is
    that of all processes together.
    """
    from zoo.training.recipe_files import make_recipe, parse_settings, read_recipe

    folder, settings, content = Path(out), parse_settings(options["settings"]), None
    if options["resume"]:
        content = _resumed(folder, options)
    if options["source"] is None:
        raise click.UsageError("SOURCE is missing; name a dataset, such as sample or idrid:PATH")
    if _given("seed"):
        settings["seed"] = options["seed"]
    source = Export(options["source"]) if is_export(options["source"]) else open_source(options["source"])
    drawn = (source.style,) if isinstance(source, Export) else ()
    recipe = make_recipe(content or read_recipe(options["recipe"]), settings, drawn)
    if not options["resume"]:
        places = [folder / name for name in (CONFIG, WEIGHTS, RECORD, STATE)]
        claim_outputs(
            places,
            options["force"],
            inputs=[place for place in (options["recipe"],) if place.endswith((".json", ".toml"))]
            + ([locate(recipe.start)] if recipe.start else []),
            own=lambda _: is_checkpoint(folder) or _is_training(folder),
        )
    if not drawn and len({style_named(name).name for name in recipe.styles}) < len(set(recipe.styles)):
        raise ParameterError(
            f"styles {', '.join(recipe.styles)} name one style twice; give each TOML file a name of its own"
        )
    record = (_fit if recipe.variant == "shrink" else _train)(source, folder, recipe, options)
    if options["as_json"] and record:
        emit(record)


def _given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _is_training(folder: Path) -> bool:
    """Whether the folder has the state of a training that has no checkpoint yet."""
    from zoo.training.state import read_state

    try:
        return bool(read_state(folder))
    except OutputError:
        return False


def _resumed(folder: Path, options: dict[str, Any]) -> dict[str, Any] | None:
    """Fill the options that are not given from the interrupted training; its recipe, or None where one is given."""
    from zoo.training.recipe_files import checked
    from zoo.training.state import read_state

    state = read_state(folder)
    options |= {name: value for name, value in state["launch"].items() if name in KEPT and not _given(name)}
    return None if _given("recipe") else checked(state["recipe"], str(folder / STATE))


def _train(source: Any, folder: Path, recipe: Recipe, options: dict[str, Any]) -> dict[str, Any]:
    """Train as all processes do; the record is the main process's, and that of any other empty."""
    import torch

    from zoo.models.base import build, network_class
    from zoo.training.distributed.devices import connected
    from zoo.training.progress import watched
    from zoo.training.sources import training_source
    from zoo.training.tensorboard import event_log
    from zoo.training.trainer import train

    if options["threads"]:
        torch.set_num_threads(options["threads"])
    build(network_class(recipe.variant), recipe.config)  # a wrong field is an error before the photographs are read

    def show(sentence: str) -> None:
        say(sentence, quiet)

    quiet, split = options["quiet"], options["split"]
    with ExitStack() as stack:
        devices = stack.enter_context(connected(options["device"], options["precision"], options["compiling"], show))
        quiet = quiet or not devices.is_main
        if devices.is_main:
            stack.enter_context(at_work(folder, CACHE))
        write: Callable[[dict[str, Any]], None] = no_progress
        if options["tensorboard"] and devices.is_main:
            write = stack.enter_context(event_log(folder / "tensorboard"))
        with devices.main_first(), progress("Reading photographs", len(source.keys(split)), quiet) as advance:
            photographs = training_source(source, split, recipe, folder / CACHE, advance)
        if kept := getattr(photographs, "kept", 0):
            show(f"{kept} of {len(photographs.photograph_sha256)} photographs were in {folder / CACHE}, unchanged.")
        view = stack.enter_context(watched(recipe.epochs, show, quiet))

        def log(line: dict[str, Any]) -> None:
            view.log(line)
            write(line)

        record = train(
            recipe,
            photographs,
            folder,
            trained_on=f"{source.name} {split}",
            source=source.describe(),
            launch={name: options[name] for name in KEPT},
            resume=options["resume"],
            devices=devices,
            workers=options["workers"],
            report=view.report,
            log=log,
        )
    count = len(record["reinitialised"])
    without = f"; {count} of its tensors are not in {recipe.start} and were initialised" if count else ""
    best = record["best_validation_iou"]
    chosen = "No photograph was held out" if best is None else f"Best validation IoU {best:.1f} %"
    say(f"{chosen}; the checkpoint is in {folder}{without}", quiet)
    return record if devices.is_main else {}


def _fit(dataset: Any, folder: Path, recipe: Recipe, options: dict[str, Any]) -> dict[str, Any]:
    from zoo.baselines.fit_shrink import fit_shrink, save_shrink

    if isinstance(dataset, Export):
        raise ParameterError(f"the rule shrink is fitted to a dataset, not to exported pairs; got {options['source']}")
    if options["resume"]:
        raise click.UsageError("the fit of shrink keeps no state; leave --resume out")
    others = Recipe("shrink", styles=recipe.styles, seed=recipe.seed).parameters()
    ignored = [name for name, value in recipe.parameters().items() if value != others[name]]
    if ignored:
        raise ParameterError(f"{ignored[0]} does nothing for the rule shrink; a recipe for it has styles and seed only")
    with (
        at_work(folder),
        progress("Fitting", len(dataset.keys(options["split"])), options["quiet"]) as advance,
    ):
        styles = [style_named(name) for name in recipe.styles]
        fit = fit_shrink(dataset, options["split"], styles, recipe.seed, advance)
        trained_on = f"{dataset.name} {options['split']}"
        save_shrink(fit, folder, trained_on, dataset.describe(), recipe.seed)
    fitted = json.dumps(fit.training_iou)
    say(f"Fitted: training IoU {fitted} in percent; the rule is in {folder}", options["quiet"])
    return {"data": trained_on, "seed": recipe.seed, "training_iou": fit.training_iou}
