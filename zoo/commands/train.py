"""``zoo train``."""

import json
from pathlib import Path
from typing import Any

import click

from coarsekit.console import AS_JSON, FORCE, QUIET, SEED, emit, numbers, progress, say
from coarsekit.dataset import Dataset
from coarsekit.files import claim
from coarsekit.readers import open_source
from coarsekit.styles import Style, style_named
from zoo.bundled import CONFIG, locate, read_config
from zoo.recipe import Recipe, hold_out

DEFAULTS = Recipe("unet")


@click.command("train")
@click.argument("source")
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Checkpoint folder to write.")
@click.option("--variant", default=DEFAULTS.variant, show_default=True, help="Kind of network, or shrink.")
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="A field of its configuration: width=32.")
@click.option("--pretrained", is_flag=True, help="Start from ImageNet features, where the variant has them.")
@click.option("--start", default="", metavar="REFINER", help="Fine-tune this refiner: its variant, fields and weights.")
@click.option("--split", default="train", show_default=True, help="Split to train and validate on.")
@click.option(
    "--style", default=",".join(DEFAULTS.styles), show_default=True, help="Styles to train for: presets, TOML files."
)
@click.option("--reduction", default="1.0", show_default=True, help="Reduction factors: 1.5, 1,1.5,2 or 1.0:2.0:0.1.")
@click.option("--lesion", "lesions", multiple=True, help="Train on this lesion class only; may be repeated.")
@click.option("--epochs", default=DEFAULTS.epochs, show_default=True)
@click.option("--samples", type=int, help="Pairs per epoch.  [default: one per drawn window]")
@click.option("--batch", default=DEFAULTS.batch, show_default=True, help="Pairs per step.")
@click.option("--learning-rate", default=DEFAULTS.learning_rate, show_default=True, help="Adam's, at first.")
@click.option("--patience", default=DEFAULTS.patience, show_default=True, help="Epochs without gain before it halves.")
@click.option("--balance", default=DEFAULTS.balance, show_default=True, help="0: classes as they occur; 1: equally.")
@click.option("--cameras", default=DEFAULTS.cameras, show_default=True, help="Share as if by another camera.")
@click.option("--negatives", default=DEFAULTS.negatives, show_default=True, help="Share moved to where nothing is.")
@click.option("--untold", default=DEFAULTS.untold, show_default=True, help="Share whose class is hidden.")
@click.option("--schedule", default=DEFAULTS.schedule, show_default=True, help="Learning rate: plateau or cosine.")
@click.option("--ema", default=DEFAULTS.ema, show_default=True, help="Decay of the weights' running average; 0: none.")
@click.option("--validation", default=DEFAULTS.validation, show_default=True, help="Share of images held out.")
@click.option("--device", help="cpu, cuda, ….  [default: a GPU where there is one]")
@click.option("--threads", type=int, help="Processor threads.  [default: torch's]")
@click.option("--workers", default=0, show_default=True, help="Processes that prepare pairs beside the training.")
@click.option("--resume", is_flag=True, help="Go on exactly where the training in --out was interrupted.")
@SEED
@FORCE
@AS_JSON
@QUIET
def command(
    source: str, out: str, fields: tuple[str, ...], split: str, style: str, reduction: str, **options: Any
) -> None:
    """Train a refiner on the pairs simulated from SOURCE (sample, or READER:PATH such as idrid:data/idrid).

    Every epoch sees each photograph drawn anew. The checkpoint that refines the held-out photographs best is kept in
    --out: config.json, model.safetensors, and training.json with the data, splits, parameters and validation curve.
    The defaults are the paper's recipe; on a CPU choose a smaller --batch, --samples and --set width=16.

    The variant shrink is no network but the image-blind rule: it is fitted to the whole split, and takes only --style
    and --seed.
    """
    run = {name: options.pop(name) for name in ("device", "threads", "workers", "resume", "force", "as_json", "quiet")}
    styles = [style_named(name) for name in style.split(",")]
    if len({kind.name for kind in styles}) < len(styles):
        raise click.UsageError(f"--style {style} names one style twice; give each TOML file a name of its own")
    folder, dataset = Path(out), open_source(source)
    if not run["resume"]:
        claim([folder / CONFIG], run["force"])
    if options["variant"] == "shrink":
        record = _fit(dataset, split, styles, folder, options["seed"], run["quiet"])
    else:
        names, factors = tuple(style.split(",")), numbers(reduction)
        config = _settings(fields)
        if options["start"]:
            stored = read_config(locate(options["start"]))
            options["variant"], config = stored["variant"], stored["config"] | config
        recipe = Recipe(config=config, styles=names, reductions=factors, **options)
        record = _train(dataset, split, styles, folder, recipe, run)
    if run["as_json"]:
        emit(record)


def _train(
    dataset: Dataset, split: str, styles: list[Style], folder: Path, recipe: Recipe, run: dict[str, Any]
) -> dict[str, Any]:
    import torch

    from zoo.network import build
    from zoo.store import store
    from zoo.training import Progress, train
    from zoo.variants import variant

    if run["threads"]:
        torch.set_num_threads(run["threads"])
    unknown = [lesion for lesion in recipe.lesions if lesion not in dataset.lesions]
    if unknown:
        raise click.UsageError(
            f"{dataset.name} has no lesion class {unknown[0]!r}; it has {', '.join(dataset.lesions)}"
        )
    build(variant(recipe.variant), recipe.config)  # a wrong field is said before the photographs are read
    keys, held_out = hold_out(dataset.keys(split), recipe.validation)
    with progress("Reading photographs", len(keys) + len(held_out), run["quiet"]) as advance:
        cache, lesions = folder / "cache", recipe.lesions
        training = store(dataset, keys, cache, styles, recipe.reductions, lesions, advance)
        validating = store(dataset, held_out, cache, styles, (1.0,), lesions, advance)

    def log(line: dict[str, Any]) -> None:
        scores = "; ".join(
            f"{style} " + ", ".join(f"{lesion} {iou:.1f}" for lesion, iou in classes.items())
            for style, classes in line["validation"].items()
        )
        head = f"epoch {line['epoch']}: loss {line['loss']:.4f}, validation IoU {line['validation_iou']:.1f} %"
        say(f"{head} ({scores}), {line['seconds']:.0f} s", run["quiet"])

    with progress("Training", recipe.epochs * 1000, run["quiet"]) as advance:
        shown = 0

        def report(progress: Progress) -> None:
            nonlocal shown
            now = round(1000 * (progress.epoch - 1 + progress.done / progress.total))
            advance(now - shown)
            shown = now

        record = train(
            recipe,
            training,
            validating,
            folder,
            trained_on=f"{dataset.name} {split}",
            resume=run["resume"],
            device=run["device"] or ("cuda" if torch.cuda.is_available() else "cpu"),
            workers=run["workers"],
            report=report,
            log=log,
        )
    say(f"Best validation IoU {record['best_validation_iou']:.1f} %; the checkpoint is in {folder}", run["quiet"])
    return record


def _fit(dataset: Dataset, split: str, styles: list[Style], folder: Path, seed: int, quiet: bool) -> dict[str, Any]:
    from zoo.fitting import fit_shrink, save_shrink

    with progress("Fitting", len(dataset.keys(split)), quiet) as advance:
        shrink, fitted = fit_shrink(dataset, split, styles, seed, advance)
    save_shrink(shrink, folder, f"{dataset.name} {split}", fitted, seed)
    say(f"Fitted: training IoU {json.dumps(fitted)} in percent; the rule is in {folder}", quiet)
    return {"data": f"{dataset.name} {split}", "seed": seed, "training_iou": fitted}


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
