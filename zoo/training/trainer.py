"""The training loop."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from math import cos, isfinite, pi
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from coarsekit.errors import ParameterError
from coarsekit.storage.files import atomic_write
from zoo.checkpoints import weights
from zoo.checkpoints.folder import STATE, locate, read_record, weights_sha256
from zoo.models.base import Network, build, network_class
from zoo.models.layers.appearance_buffers import AppearanceBuffers
from zoo.refiner import no_progress
from zoo.training.averaging import STATISTICS, averaged, measure_statistics
from zoo.training.data.sampling import batches, example, loader
from zoo.training.distributed.devices import Devices
from zoo.training.losses import refinement_loss
from zoo.training.progress import Progress
from zoo.training.recipe import MOST_PROCESSES, Recipe, check_whole
from zoo.training.sources import TrainingSource
from zoo.training.state import STATEFUL, changes, read_state
from zoo.training.validation import Validation, in_history
from zoo.variants import REFINING_VERSION


class Run:
    """A network in training: its optimiser, its epochs so far, and the folder ``out`` that keeps the best checkpoint.

    ``trained_on``: the name of the data, for the record; ``source``: the dataset as it describes itself. ``launch``:
    how the training was started, kept in its state for whoever resumes it. Only the main process of ``devices`` writes.

    Raises `RefinerError` for a wrong field, or weights to start from of which none fits.
    """

    def __init__(
        self,
        recipe: Recipe,
        training_source: TrainingSource,
        out: Path,
        trained_on: str,
        source: Mapping[str, Any] | None,
        launch: Mapping[str, Any],
        devices: Devices,
        workers: int,
    ) -> None:
        check_whole("workers", workers, 0, MOST_PROCESSES)
        torch.manual_seed(recipe.seed)
        self.launch = dict(launch)
        self.recipe, self.training_source, self.out, self.devices = recipe, training_source, out, devices
        self.source = source
        self.content = {
            "photograph_sha256": training_source.photograph_sha256,
            **training_source.content,
            "refining_version": {"": str(REFINING_VERSION)},
        }
        self.parent: dict[str, Any] | None = None  # the record of the training that this one starts from
        self.reinitialised: list[str] = []  # the tensors that it could not take from there
        self.network = build(network_class(recipe.variant), recipe.config)
        if recipe.pretrained:
            self.network.initialise()
        if recipe.start:
            self.reinitialised = weights.load_shared(self.network, self.network.lesions, locate(recipe.start))
            self.parent = read_record(locate(recipe.start))
            self.content["start_sha256"] = {recipe.start: weights_sha256(locate(recipe.start))}
        self.network.trained_on = trained_on
        if isinstance(appearance := getattr(self.network, "appearance", None), AppearanceBuffers):
            marks = training_source.appearance(recipe, self.network.lesions)
            appearance.put(appearance.get().measured(marks))
        self.pairs = training_source.pairs(recipe, self.network, devices)
        self._check_filled()
        pin = devices.device.type == "cuda"
        self.loader = loader(self.pairs, recipe.batch, devices.rank, devices.world_size, workers, pin)
        self.module = devices.prepare(
            self.network, example(self.network.config.size, recipe.batch // devices.world_size)
        )
        self.average = averaged(self.network, recipe.ema)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=recipe.learning_rate)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, mode="max", factor=0.5, patience=recipe.patience, threshold=0.1, threshold_mode="abs"
        )
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.best = float("-inf")

    @property
    def kept(self) -> Network:
        """The network that is validated and saved: the running average, where there is one."""
        return cast("Network", self.average.module) if self.recipe.ema else self.network

    def one_epoch(self, report: Callable[[Progress], None]) -> float:
        """Train on the pairs of one epoch; gives the mean loss over all processes.

        Raises `ParameterError` when they do not fill one batch, and when the loss or what would be kept is not finite.
        """
        self.pairs.start_epoch(self.epoch)
        self._check_filled()
        torch.manual_seed(self.recipe.seed + self.epoch)
        self.network.train()
        if self.recipe.schedule == "cosine":
            share = 0.5 * (1 + cos(pi * self.epoch / self.recipe.epochs))
            self.optimizer.param_groups[0]["lr"] = share * self.recipe.learning_rate
        total, done = 0.0, 0
        for batch in batches(self.loader):
            loss = self._step(*(part.to(self.devices.device, non_blocking=True) for part in batch))
            if not isfinite(loss):
                raise self._diverged(f"batch {done // len(batch[0]) + 1}: the loss is {loss}")
            total += loss * len(batch[0])
            done += len(batch[0])
            everywhere = done * self.devices.world_size
            report(
                Progress(self.epoch + 1, self.recipe.epochs, everywhere, max(len(self.pairs), everywhere), total / done)
            )
        if self.recipe.ema:
            measured = islice(batches(self.loader), STATISTICS)
            measure_statistics(self.kept, measured, self.devices.device, self.devices.autocast())
        for module in (self.network, self.kept):
            if (wrong := weights.not_finite(module.state_dict())) is not None:
                raise self._diverged(f"after its last batch: the tensor {wrong} is not finite")
        self.epoch += 1
        everyones, pairs = self.devices.all_reduce_sum([total, done])
        return everyones / pairs

    def validate(self) -> Validation | None:
        """Score what would be kept on the held-out photographs, and let a plateau halve the learning rate.

        None where no photograph is held out.
        """
        if not self.training_source.validation_keys:
            return None
        scores = self.training_source.validate(self.kept, self.devices)
        if self.recipe.schedule == "plateau":
            self.scheduler.step(scores.iou)
        return scores

    def keep(self, scores: Validation | None) -> None:
        """Save the checkpoint, if none was better, or there is nothing to choose by; and in any case the record.

        The record is no part of what the weights are known by, so that it has the curve beyond the best epoch, too.
        """
        better = scores is None or scores.iou > self.best
        if scores is not None and better:
            self.best = scores.iou
            self.kept.config = replace(self.kept.config, threshold=scores.threshold)
        if self.devices.is_main and better:
            self.kept.save(self.out, self.record())
        elif self.devices.is_main:
            weights.save_record(self.out, self.record())

    def record(self) -> dict[str, Any]:
        """The training record: data, recipe, splits and the validation curve."""
        return {
            "data": self.network.trained_on,
            **({"source": dict(self.source)} if self.source else {}),
            "parent": self.parent,
            "reinitialised": self.reinitialised,
            "recipe": self.recipe.parameters(),
            "devices": self.devices.describe(),
            "training_images": self.training_source.training_keys,
            "validation_images": self.training_source.validation_keys,
            "training_lesions": self.training_source.training_lesions,
            **self.content,
            "best_validation_iou": round(self.best, 3) if isfinite(self.best) else None,
            "history": self.history,
        }

    def save(self) -> None:
        """Save the state, whole or not at all."""
        state = {
            "recipe": self.recipe.parameters(),
            "launch": self.launch,
            "content": self.content,
            "epoch": self.epoch,
            "best": self.best,
            "history": self.history,
            "scaler": self.devices.scaler.state_dict(),
            **{name: getattr(self, name).state_dict() for name in STATEFUL},
        }
        if self.devices.is_main:
            with atomic_write(self.out / STATE) as temporary:
                torch.save(state, temporary)

    def restore(self) -> None:
        """Go back to the state that was saved last; what a killed process wrote in part is removed.

        Raises `OutputError` when there is none, `ParameterError` when it is of another recipe or other content.
        """
        state = self.devices.from_main(lambda: read_state(self.out))
        ours, theirs = ({**own, **own["config"], "config": None} for own in (self.recipe.parameters(), state["recipe"]))
        changed = sorted(name for name in ours | theirs if name != "epochs" and ours.get(name) != theirs.get(name))
        if changed:
            raise ParameterError(
                f"{self.out}: {changed[0]} differs from the interrupted training there; resume with the same parameters"
            )
        if said := changes(self.content, state.get("content", {})):
            raise ParameterError(
                f"{self.out}: {said} differ from the interrupted training there; put back what was there, or train "
                "anew with force=True"
            )
        for part in self.out.glob(".*.part") if self.devices.is_main else ():
            part.unlink(missing_ok=True)
        self.epoch, self.best, self.history = state["epoch"], state["best"], state["history"]
        for name in STATEFUL:
            getattr(self, name).load_state_dict(state[name])
        if state["scaler"]:
            self.devices.scaler.load_state_dict(state["scaler"])

    def _check_filled(self) -> None:
        if len(self.pairs) < self.recipe.batch:
            raise ParameterError(
                f"the {len(self.pairs)} pairs of an epoch do not fill a batch of {self.recipe.batch}; choose a smaller "
                "batch"
            )

    def _diverged(self, what: str) -> ParameterError:
        precision = ", or with the precision 'full'" if self.devices.amp_dtype else ""
        return ParameterError(
            f"epoch {self.epoch + 1}, {what}; nothing of this epoch is kept: train with a learning_rate smaller than "
            f"{self.recipe.learning_rate:g}{precision}"
        )

    def _step(self, image: Tensor, coarse: Tensor, fine: Tensor, lesion: Tensor, signature: Tensor) -> float:
        with self.devices.autocast():
            logits = self.module(image, coarse, lesion, signature)
        loss = refinement_loss(logits.float(), fine)
        self.devices.step(loss, self.optimizer)
        if self.recipe.ema:
            self.average.update_parameters(self.network)
        return float(loss.detach())


def train(
    recipe: Recipe,
    training_source: TrainingSource,
    out: Path,
    *,
    trained_on: str = "",
    source: Mapping[str, Any] | None = None,
    launch: Mapping[str, Any] = MappingProxyType({}),
    resume: bool = False,
    devices: Devices | None = None,
    workers: int = 0,
    report: Callable[[Progress], None] = no_progress,
    log: Callable[[dict[str, Any]], None] = no_progress,
) -> dict[str, Any]:
    """Train a network and keep in ``out`` the checkpoint that was best on the validation photographs, or the last.

    After each epoch the whole state is saved. All randomness follows from the seed and the epoch, so a training that
    was interrupted and resumed has the weights of one that was not.

    Args:
        recipe: What to train, and how.
        training_source: The pairs to learn from and the photographs held out, as `zoo.training.sources` gives them.
        out: Folder of the checkpoint and the state.
        trained_on: Name of the data, for the record and the card.
        source: The dataset as it describes itself (`Dataset.describe`), for the licence and the citation in the card.
        launch: How the training was started, for `read_state`.
        resume: Go on from the state in ``out``.
        devices: Where to compute; None for the processor.
        workers: Processes that prepare pairs; 0 prepares them in this one.
        report: Called after each batch.
        log: Called after each epoch with its line of the history.

    Returns:
        The training record, as in training.json; its ``history`` has a line for each epoch, whether or not it was kept.

    Raises:
        OutputError: There is nothing to resume.
        ParameterError: The recipe or the content of what is trained on is not that of the state (the number of epochs
            may grow), the batch does not fit the processes or the pairs, or the loss or a weight is not finite: the
            sentence says in which epoch and batch, and what is not finite is never kept.
        RefinerError: A wrong field of the network, or weights to start from of which none fits.
    """
    run = Run(recipe, training_source, out, trained_on, source, launch, devices or Devices(), workers)
    if resume:
        run.restore()
    else:
        run.save()  # from now on the folder is known as this training's, and it can be resumed
    while run.epoch < recipe.epochs:
        began = time.monotonic()
        loss = run.one_epoch(report)
        scores = run.validate()
        line = {
            "epoch": run.epoch,
            "loss": round(loss, 5),
            "learning_rate": run.optimizer.param_groups[0]["lr"],
            **in_history(scores),
            "seconds": round(time.monotonic() - began, 1),
        }
        run.history.append(line)
        run.keep(scores)
        run.save()
        log(line)
    return run.record()
