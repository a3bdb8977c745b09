"""Training: pairs in, the best checkpoint by validation out; interrupted anywhere, it resumes exactly."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import cos, pi
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from coarsekit.errors import OutputError, ParameterError
from coarsekit.files import whole
from coarsekit.styles import style_named
from zoo import checkpoint
from zoo.bundled import RECORD, locate
from zoo.losses import refinement_loss
from zoo.network import Network, build
from zoo.pairs import SimulatedPairs
from zoo.recipe import Recipe
from zoo.refiner import ignore
from zoo.store import Stored
from zoo.validation import validate
from zoo.variants import variant

STATE = "state.pt"
STATISTICS = 24
"""Batches by which the batch norms of averaged weights are measured."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run reports after each batch: the epoch, pairs done of all in it, and the running mean of the loss."""

    epoch: int
    done: int
    total: int
    loss: float


def train(
    recipe: Recipe,
    training: Sequence[Stored],
    validation: Sequence[Stored],
    out: Path,
    *,
    trained_on: str = "",
    resume: bool = False,
    device: str = "cpu",
    workers: int = 0,
    report: Callable[[Progress], None] = ignore,
    log: Callable[[dict[str, Any]], None] = ignore,
) -> dict[str, Any]:
    """Train a network and keep in ``out`` the checkpoint that was best on the validation photographs.

    After each epoch the whole state is saved; ``resume`` goes on from it as if nothing had happened, because all
    randomness follows from the seed and the epoch. Returns the training record, whose ``history`` has a line an epoch.

    Raises `OutputError` when there is nothing to resume, `ParameterError` when the recipe is not the one that was
    begun (its number of epochs may grow).
    """
    run = _Run(recipe, training, out, trained_on, device, workers)
    if resume:
        run.restore()
    styles = [style_named(name) for name in recipe.styles]
    while run.epoch < recipe.epochs:
        began = time.monotonic()
        loss = run.one_epoch(report)
        scores = validate(run.kept, validation, styles)
        if recipe.schedule == "plateau":
            run.scheduler.step(scores.iou)
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
        run.keep_if_best(scores.iou, scores.threshold, [photograph.key for photograph in validation])
        run.save()
        log(line)
    return run.record([photograph.key for photograph in validation])


@torch.no_grad()
def measure_statistics(network: Network, batches: Iterable[list[Tensor]], device: str) -> None:
    """Measure the batch norms' statistics anew: those met on the way do not fit an average of weights."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    network.train()
    for image, coarse, _, lesion in batches:
        network(image.to(device), coarse.to(device), lesion.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


class _Run:
    """The state of a run: all that must be saved to go on exactly."""

    def __init__(
        self, recipe: Recipe, training: Sequence[Stored], out: Path, trained_on: str, device: str, workers: int
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.out, self.device = recipe, out, device
        self.before: dict[str, Any] | None = None  # the record of the training that this one starts from
        self.network = build(variant(recipe.variant), recipe.config)
        if recipe.pretrained:
            self.network.initialise()
        if recipe.start:
            checkpoint.load_into(self.network, locate(recipe.start))
            self.before = json.loads((locate(recipe.start) / RECORD).read_text(encoding="utf-8"))
        self.network.trained_on = trained_on
        self.network.to(device).to(memory_format=torch.channels_last)
        average = get_ema_multi_avg_fn(recipe.ema)  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.average = AveragedModel(self.network, multi_avg_fn=average)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=recipe.learning_rate)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, mode="max", factor=0.5, patience=recipe.patience, threshold=0.1, threshold_mode="abs"
        )
        self.keys = [photograph.key for photograph in training]
        self.pairs = SimulatedPairs(
            training,
            [style_named(name) for name in recipe.styles],
            recipe.reductions,
            self.network.config,
            recipe.seed,
            recipe.samples,
            recipe.balance,
            told=self.network.lesions,
            cameras=recipe.cameras,
            negatives=recipe.negatives,
            untold=recipe.untold,
        )
        self.loader = DataLoader(self.pairs, batch_size=recipe.batch, num_workers=workers, drop_last=True)
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.best = float("-inf")

    @property
    def kept(self) -> Network:
        """The network that is validated and saved: the running average, where there is one."""
        return cast("Network", self.average.module) if self.recipe.ema else self.network

    def one_epoch(self, report: Callable[[Progress], None]) -> float:
        self.pairs.start_epoch(self.epoch)
        torch.manual_seed(self.recipe.seed + self.epoch)
        self.network.train()
        if self.recipe.schedule == "cosine":
            share = 0.5 * (1 + cos(pi * self.epoch / self.recipe.epochs))
            self.optimizer.param_groups[0]["lr"] = share * self.recipe.learning_rate
        total, done = 0.0, 0
        for batch in self.loader:
            total += self._step(*(part.to(self.device, non_blocking=True) for part in batch)) * len(batch[0])
            done += len(batch[0])
            report(Progress(self.epoch + 1, done, len(self.pairs), total / done))
        if self.recipe.ema:
            measure_statistics(self.kept, islice(self.loader, STATISTICS), self.device)
        self.epoch += 1
        return total / max(done, 1)

    def _step(self, image: Tensor, coarse: Tensor, fine: Tensor, lesion: Tensor) -> float:
        loss = refinement_loss(self.network(image, coarse, lesion), fine)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.optimizer.step()
        if self.recipe.ema:
            self.average.update_parameters(self.network)
        return float(loss.detach())

    def keep_if_best(self, iou: float, threshold: float, held_out: list[str]) -> None:
        if iou <= self.best:
            return
        self.best = iou
        self.kept.config = replace(self.kept.config, threshold=threshold)
        checkpoint.save(self.kept, self.out, self.record(held_out))

    def record(self, held_out: list[str]) -> dict[str, Any]:
        return {
            "data": self.network.trained_on,
            "before": self.before,
            "recipe": self.recipe.parameters(),
            "training_images": self.keys,
            "validation_images": held_out,
            "best_validation_iou": round(self.best, 3),
            "history": self.history,
        }

    def save(self) -> None:
        state = {
            "recipe": self.recipe.parameters(),
            "keys": self.keys,
            "epoch": self.epoch,
            "best": self.best,
            "history": self.history,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        with whole(self.out / STATE) as temporary:
            torch.save(state, temporary)

    def restore(self) -> None:
        path = self.out / STATE
        if not path.exists():
            raise OutputError(f"{self.out}: no training to resume there; expected {STATE}, so leave --resume out")
        state = torch.load(path, map_location=self.device, weights_only=True)
        ours, theirs = self.recipe.parameters(), state["recipe"]
        changed = sorted(name for name in ours if name != "epochs" and ours[name] != theirs.get(name))
        if changed or state["keys"] != self.keys:
            what = changed[0] if changed else "the training photographs"
            raise ParameterError(
                f"{self.out}: {what} differs from the run begun there; resume with the same parameters"
            )
        self.epoch, self.best, self.history = state["epoch"], state["best"], state["history"]
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
