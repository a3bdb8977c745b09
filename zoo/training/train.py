"""Training: pairs in, the best checkpoint by validation out; interrupted anywhere, it resumes exactly."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from zoo.refiner import ignore
from zoo.training.devices import Devices
from zoo.training.material import Material, Photographs
from zoo.training.recipe import Recipe
from zoo.training.run import Progress, Run
from zoo.training.store import Stored


def train(
    recipe: Recipe,
    training: Sequence[Stored],
    validation: Sequence[Stored],
    out: Path,
    *,
    trained_on: str = "",
    resume: bool = False,
    devices: Devices | None = None,
    workers: int = 0,
    report: Callable[[Progress], None] = ignore,
    log: Callable[[dict[str, Any]], None] = ignore,
) -> dict[str, Any]:
    """`train_on` photographs, whose pairs are simulated in the recipe's styles."""
    return train_on(
        recipe,
        Photographs(training, validation, recipe.styles),
        out,
        trained_on=trained_on,
        resume=resume,
        devices=devices,
        workers=workers,
        report=report,
        log=log,
    )


def train_on(
    recipe: Recipe,
    material: Material,
    out: Path,
    *,
    trained_on: str = "",
    resume: bool = False,
    devices: Devices | None = None,
    workers: int = 0,
    report: Callable[[Progress], None] = ignore,
    log: Callable[[dict[str, Any]], None] = ignore,
) -> dict[str, Any]:
    """Train a network and keep in ``out`` the checkpoint that was best on the validation photographs.

    After each epoch the whole state is saved; ``resume`` goes on from it as if nothing had happened, because all
    randomness follows from the seed and the epoch. ``devices``: None for the processor. ``workers``: processes that
    prepare pairs. ``report`` hears of each batch, and ``log`` of each epoch. Returns the training record, whose
    ``history`` has a line an epoch.

    Raises `OutputError` when there is nothing to resume, `ParameterError` when the recipe is not the one that was
    begun (its number of epochs may grow), or its batch does not fit.
    """
    run = Run(recipe, material, out, trained_on, devices or Devices(), workers)
    if resume:
        run.restore()
    while run.epoch < recipe.epochs:
        began = time.monotonic()
        loss = run.one_epoch(report)
        scores = run.validate()
        line = {
            "epoch": run.epoch,
            "loss": round(loss, 5),
            "learning_rate": run.optimizer.param_groups[0]["lr"],
            "validation_iou": round(scores.iou, 3),
            "threshold": scores.threshold,
            "validation": scores.rows,
            "seconds": round(time.monotonic() - began, 1),
        }
        run.history.append(line)
        run.keep_if_best(scores.iou, scores.threshold)
        run.save()
        log(line)
    return run.record()
