"""``zoo train``."""

import json
from pathlib import Path
from typing import Any

import click

from coarsekit.console import AS_JSON, FORCE, QUIET, SEED, emit, numbers, progress, say
from coarsekit.files import claim
from coarsekit.readers import open_source
from coarsekit.styles import style_named


@click.command("train")
@click.argument("source")
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Checkpoint folder to write.")
@click.option("--variant", "variant_name", default="unet", show_default=True, help="Kind of network.")
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="A field of the variant's config, e.g. width=32."
)
@click.option("--pretrained", is_flag=True, help="Start from ImageNet features, where the variant has them.")
@click.option(
    "--split", default="train", show_default=True, help="Split to train on and hold validation images out of."
)
@click.option(
    "--style", "style_names", default="paper,human", show_default=True, help="Styles of drawing to train for."
)
@click.option("--reduction", default="1.0", show_default=True, help="Reduction factors: 1.5, 1,1.5,2 or 1.0:2.0:0.1.")
@click.option("--epochs", default=120, show_default=True)
@click.option("--samples", type=int, help="Pairs per epoch.  [default: one per drawn window]")
@click.option("--batch", default=64, show_default=True, help="Pairs per step.")
@click.option("--learning-rate", default=1e-4, show_default=True, help="Adam's initial learning rate.")
@click.option(
    "--patience", default=5, show_default=True, help="Epochs without a better validation before it is halved."
)
@click.option(
    "--balance", default=0.0, show_default=True, help="0: lesion classes as they occur; 1: all equally often."
)
@click.option("--ema", default=0.0, show_default=True, help="Decay of the running average of the weights; 0 for none.")
@click.option("--validation", default=0.2, show_default=True, help="Share of the images held out to choose by.")
@click.option("--device", help="cpu, cuda, ….  [default: a GPU where there is one]")
@click.option("--threads", type=int, help="Processor threads.  [default: torch's]")
@click.option("--workers", default=0, show_default=True, help="Processes that prepare pairs beside the training.")
@click.option("--resume", is_flag=True, help="Go on exactly where the training in --out was interrupted.")
@SEED
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    out: str,
    variant_name: str,
    settings: tuple[str, ...],
    pretrained: bool,
    split: str,
    style_names: str,
    reduction: str,
    epochs: int,
    samples: int | None,
    batch: int,
    learning_rate: float,
    patience: int,
    balance: float,
    ema: float,
    validation: float,
    device: str | None,
    threads: int | None,
    workers: int,
    resume: bool,
    seed: int,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a refiner on the pairs simulated from SOURCE (sample, or READER:PATH such as idrid:data/idrid).

    Every epoch sees each photograph drawn anew. The checkpoint that refines the held-out photographs best is kept in
    --out: config.json, model.safetensors, and training.json with the data, splits, parameters and validation curve.
    The defaults are the paper's recipe; on a CPU choose a smaller --batch, --samples and --set width=16.
    """
    import torch

    from zoo.recipe import Recipe, hold_out
    from zoo.store import store
    from zoo.training import STATE, Progress, train

    if threads:
        torch.set_num_threads(threads)
    styles = [style_named(name) for name in style_names.split(",")]
    recipe = Recipe(
        variant=variant_name,
        config=_settings(settings),
        pretrained=pretrained,
        styles=tuple(style.name for style in styles),
        reductions=numbers(reduction),
        epochs=epochs,
        samples=samples,
        batch=batch,
        learning_rate=learning_rate,
        balance=balance,
        ema=ema,
        patience=patience,
        validation=validation,
        seed=seed,
    )
    folder = Path(out)
    if not resume:
        claim([folder / STATE, folder / "config.json"], force)
    dataset = open_source(source)
    keys, held_out = hold_out(dataset.keys(split), validation)
    with progress("Reading photographs", len(keys) + len(held_out), quiet) as advance:
        training = store(dataset, keys, folder / "cache", styles, recipe.reductions, advance)
        validating = store(dataset, held_out, folder / "cache", styles, (1.0,), advance)

    def log(line: dict[str, Any]) -> None:
        say(
            f"epoch {line['epoch']}: loss {line['loss']:.4f}, validation IoU {line['validation_iou']:.1f} %, "
            f"{line['seconds']:.0f} s  {json.dumps(line['validation'])}",
            quiet,
        )

    bar: dict[str, Any] = {"epoch": 0, "done": 0}
    with progress("Training", recipe.epochs * (samples or 1), quiet) as advance:

        def report(progress: Progress) -> None:
            done = progress.done if progress.epoch != bar["epoch"] else progress.done - bar["done"]
            bar.update(epoch=progress.epoch, done=progress.done)
            advance(done)

        record = train(
            recipe,
            training,
            validating,
            folder,
            trained_on=f"{dataset.name} {split}",
            resume=resume,
            device=device or ("cuda" if torch.cuda.is_available() else "cpu"),
            workers=workers,
            report=report,
            log=log,
        )
    say(f"Best validation IoU {record['best_validation_iou']:.1f} %; the checkpoint is in {folder}", quiet)
    if as_json:
        emit(record)


def _settings(settings: tuple[str, ...]) -> dict[str, Any]:
    fields = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set expects FIELD=VALUE, got {setting!r}")
        try:
            fields[name] = json.loads(value)
        except ValueError:
            fields[name] = value
    return fields
