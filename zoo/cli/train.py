"""``zoo train``."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from coarsekit.cli.console import AS_JSON, FORCE, QUIET, SEED, emit, numbers, progress, say
from coarsekit.datasets import open_source
from coarsekit.files import refuse_overwrite
from coarsekit.simulation.styles import style_named
from zoo.checkpoints.folder import CONFIG, locate, read_config
from zoo.refiner import no_progress
from zoo.training.exported_source import Export, is_export
from zoo.training.recipe import Recipe
from zoo.variants import variant_named

DEFAULTS = Recipe("unet")
RUN = ("device", "precision", "compiling", "threads", "workers", "resume", "tensorboard", "force", "as_json", "quiet")
"""Options that say how to run; all others are what is trained."""


@click.command("train")
@click.argument("source")
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Checkpoint folder to write.")
@click.option("--variant", default=DEFAULTS.variant, show_default=True, help="Kind of network, or shrink.")
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="A field of its configuration: width=32.")
@click.option("--pretrained", is_flag=True, help="Start from ImageNet features, where the variant has them.")
@click.option(
    "--start",
    default="",
    metavar="REFINER",
    help="Fine-tune this refiner: its variant and fields, unless others are given, and the weights that fit.",
)
@click.option("--split", default="train", show_default=True, help="Split to train and validate on.")
@click.option(
    "--style",
    help=f"Styles to train for: presets, TOML files.  [default: {','.join(DEFAULTS.styles)}; an export's own]",
)
@click.option("--reduction", default="1.0", show_default=True, help="Reduction factors: 1.5, 1,1.5,2 or 1.0:2.0:0.1.")
@click.option("--lesion", "lesions", multiple=True, help="Train on this lesion class only; may be repeated.")
@click.option("--epochs", default=DEFAULTS.epochs, show_default=True)
@click.option("--samples", type=int, help="Pairs per epoch.  [default: one per drawn window]")
@click.option("--batch", default=DEFAULTS.batch, show_default=True, help="Pairs per step.")
@click.option("--learning-rate", default=DEFAULTS.learning_rate, show_default=True, help="Adam's, at first.")
@click.option("--patience", default=DEFAULTS.patience, show_default=True, help="Epochs without gain before it halves.")
@click.option("--balance", default=DEFAULTS.balance, show_default=True, help="0: classes as they occur; 1: equally.")
@click.option(
    "--cameras", default=DEFAULTS.camera_augmentation, show_default=True, help="Share as if by another camera."
)
@click.option("--negatives", default=DEFAULTS.negatives, show_default=True, help="Share moved to where nothing is.")
@click.option("--untold", default=DEFAULTS.class_dropout, show_default=True, help="Share whose class is hidden.")
@click.option(
    "--strange", default=DEFAULTS.color_scramble, show_default=True, help="Share of those in strange colours."
)
@click.option("--schedule", default=DEFAULTS.schedule, show_default=True, help="Learning rate: plateau or cosine.")
@click.option("--ema", default=DEFAULTS.ema, show_default=True, help="Decay of the weights' running average; 0: none.")
@click.option("--validation", default=DEFAULTS.validation, show_default=True, help="Share of images held out.")
@click.option("--device", help="cpu, cuda, ….  [default: a GPU where there is one]")
@click.option(
    "--precision",
    type=click.Choice(["auto", "full", "mixed"]),
    default="auto",
    show_default=True,
    help="Floats of 32 bits, or mixed with 16; auto: mixed on a GPU.",
)
@click.option("--compile", "compiling", is_flag=True, help="Let torch compile the network, where it can.")
@click.option("--threads", type=int, help="Processor threads.  [default: torch's]")
@click.option("--workers", default=0, show_default=True, help="Processes that prepare pairs beside the training.")
@click.option("--resume", is_flag=True, help="Go on exactly where the training in --out was interrupted.")
@click.option("--tensorboard", is_flag=True, help="Log to --out/tensorboard, too, for TensorBoard.")
@SEED
@FORCE
@AS_JSON
@QUIET
def command(
    source: str, out: str, fields: tuple[str, ...], split: str, style: str | None, reduction: str, **options: Any
) -> None:
    """Train a refiner on the pairs of SOURCE.

    SOURCE is sample, or READER:PATH such as idrid:data/idrid: every epoch sees each photograph drawn anew. Or it holds
    pairs that 'coarsekit export' has drawn: pairs:FOLDER, or hub:ORG/NAME, which is streamed from the Hugging Face Hub.

    The checkpoint that refines the held-out photographs best is kept in --out: config.json, model.safetensors, and
    training.json with the data, splits, parameters and validation curve. The defaults are the paper's recipe; on a CPU
    choose a smaller --batch, --samples and --set width=16.

    On several GPUs or machines: accelerate launch -m zoo train …, or torchrun -m zoo train …; --batch is that of all
    processes together.

    The variant shrink is no network but the image-blind rule: it is fitted to the whole split, and takes only --style
    and --seed.
    """
    run, folder = {name: options.pop(name) for name in RUN}, Path(out)
    if not run["resume"]:
        refuse_overwrite([folder / CONFIG], run["force"])
    names = tuple((style or ",".join(DEFAULTS.styles)).split(","))
    if options["variant"] == "shrink":
        record = _fit(source, split, names, folder, options["seed"], run["quiet"])
    else:
        config = _settings(fields)
        if options["start"]:
            stored = read_config(locate(options["start"]))
            if not variant_named(stored["variant"]).is_network:
                raise click.UsageError(f"--start {options['start']} names a rule, which has no weights; name a network")
            context = click.get_current_context()
            if context.get_parameter_source("variant") is ParameterSource.DEFAULT:
                options["variant"] = stored["variant"]
            if options["variant"] == stored["variant"]:
                config = stored["config"] | config
        opened = Export(source) if is_export(source) else open_source(source)
        if isinstance(opened, Export) and style is None:
            names = (opened.style,)
        if not isinstance(opened, Export):
            _check_styles(names)
        recipe = Recipe(config=config, styles=names, reductions=numbers(reduction), **options)
        record = _train(opened, split, folder, recipe, run)
    if run["as_json"] and record:
        emit(record)


def _train(source: Any, split: str, folder: Path, recipe: Recipe, run: dict[str, Any]) -> dict[str, Any]:
    """Train as all processes do; the record is the main process's, and that of any other empty."""
    import torch

    from zoo.models.base import build, network_class
    from zoo.training.distributed.devices import connected
    from zoo.training.progress import watched
    from zoo.training.sources import training_source
    from zoo.training.tensorboard import event_log
    from zoo.training.trainer import train_on

    if run["threads"]:
        torch.set_num_threads(run["threads"])
    build(network_class(recipe.variant), recipe.config)  # a wrong field is said before the photographs are read

    def warn(sentence: str) -> None:
        say(sentence, run["quiet"])

    with ExitStack() as stack:
        devices = stack.enter_context(connected(run["device"], run["precision"], run["compiling"], warn))
        quiet = run["quiet"] = run["quiet"] or not devices.is_main
        write: Callable[[dict[str, Any]], None] = no_progress
        if run["tensorboard"] and devices.is_main:
            write = stack.enter_context(event_log(folder / "tensorboard"))
        with devices.main_first(), progress("Reading photographs", len(source.keys(split)), quiet) as advance:
            photographs = training_source(source, split, recipe, folder / "cache", advance)
        view = stack.enter_context(watched(recipe.epochs, quiet))

        def log(line: dict[str, Any]) -> None:
            view.log(line)
            write(line)

        record = train_on(
            recipe,
            photographs,
            folder,
            trained_on=f"{source.name} {split}",
            resume=run["resume"],
            devices=devices,
            workers=run["workers"],
            report=view.report,
            log=log,
        )
    count = len(record["reinitialised"])
    anew = f"; of its tensors {count} were not to be had from {recipe.start} and began anew" if count else ""
    say(f"Best validation IoU {record['best_validation_iou']:.1f} %; the checkpoint is in {folder}{anew}", quiet)
    return record if devices.is_main else {}


def _fit(source: str, split: str, names: tuple[str, ...], folder: Path, seed: int, quiet: bool) -> dict[str, Any]:
    from zoo.baselines.fit_shrink import fit_shrink, save_shrink

    _check_styles(names)
    dataset = open_source(source)
    with progress("Fitting", len(dataset.keys(split)), quiet) as advance:
        shrink, fitted = fit_shrink(dataset, split, [style_named(name) for name in names], seed, advance)
    save_shrink(shrink, folder, f"{dataset.name} {split}", fitted, seed)
    say(f"Fitted: training IoU {json.dumps(fitted)} in percent; the rule is in {folder}", quiet)
    return {"data": f"{dataset.name} {split}", "seed": seed, "training_iou": fitted}


def _check_styles(names: tuple[str, ...]) -> None:
    """Raise `UsageError` for two styles of one name, and what `style_named` does."""
    if len({style_named(name).name for name in names}) < len(names):
        raise click.UsageError(
            f"--style {','.join(names)} names one style twice; give each TOML file a name of its own"
        )


def _settings(fields: tuple[str, ...]) -> dict[str, Any]:
    settings = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            raise click.UsageError(f"--set expects FIELD=VALUE, got {field!r}")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings
