"""How long a plan will take: a short trial of every network on this machine, and the sum that follows from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import torch

from coarsekit.datasets.base import Dataset, Subset
from coarsekit.datasets.readable import readable
from coarsekit.errors import ParameterError
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import style_named
from coarsekit.types import Annotation, Fundus
from zoo.evaluation.evaluate import refine_and_score
from zoo.evaluation.refiners import blind_rule, floor
from zoo.refiner import no_progress
from zoo.reproduction.plan import Evaluation, Plan, Training
from zoo.reproduction.status import Status
from zoo.training.averaging import STATISTICS
from zoo.training.distributed.devices import Devices
from zoo.training.sources import TrainingSource, training_source
from zoo.training.trainer import Run

Clock = Callable[[], float]
"""Gives seconds: of the wall, or of the processor's work for one thread, which other programs do not lengthen."""
BATCHES = 2
"""Batches that a network is tried on; the first one warms up and is not counted."""
_PICTURED = 8
"""About how many photographs Figure 4 refines again: two lesions of each class."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of one network.

    ``window``: a window in training; ``averaging``: one by which the averaged weights' batch norms are measured;
    ``drawing``: a photograph refined and scored, in validation and in evaluation.
    """

    window: float
    averaging: float
    drawing: float


@dataclass(frozen=True, slots=True)
class Trial:
    """Seconds as measured.

    ``reading``: a photograph read and outlined for training; ``testing``: one read for evaluation; ``baselines``: one
    drawn, and scored as drawn and by the image-blind rule. ``windows``: how many a photograph has, for recipes that
    take all. ``speeds``: by method. ``rests_on``: what was measured, a sentence.
    """

    reading: float
    testing: float
    baselines: float
    windows: float
    speeds: Mapping[str, Speed]
    rests_on: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds by the folder of each training, and by the protocol of each evaluation."""

    trainings: Mapping[Path, float]
    evaluations: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Of all together."""
        return sum(self.trainings.values()) + sum(self.evaluations.values())


def measure(plan: Plan, dataset: Dataset, device: str, advance: Callable[[int], None] = no_progress) -> Trial:
    """Try every network of a plan on a few batches and two photographs; nothing is kept.

    Args:
        plan: What will be trained and evaluated.
        dataset: That of the plan.
        device: Where to compute.
        advance: Called with 1 after each network.

    Returns:
        What was measured.

    Raises:
        ParameterError: When the dataset has fewer than two photographs with lesions, or does not suit the recipe.
        RefinerError: When a network has no such field.
    """
    split, count = plan.data.trained_on
    keys = _two_with_lesions(dataset, split)
    firsts: dict[str, Training] = {}
    for training in plan.trainings:
        firsts.setdefault(training.method.name, training)
    any_recipe = replace(next(iter(firsts.values())).recipe, only_lesions=())
    threads = torch.get_num_threads()
    alone = device == "cpu" and threads == 1
    clock = process_time if alone else perf_counter
    with TemporaryDirectory() as folder:
        began = clock()
        source = training_source(Subset(dataset, split, keys), split, any_recipe, Path(folder), no_progress)
        reading = (clock() - began) / len(keys)
        began = clock()
        fundus = dataset.read(keys[0])
        testing, began = clock() - began, clock()
        drawn = annotate(fundus, 1.0, style_named(plan.style), plan.seed, dataset.name)
        for baseline in (floor(), blind_rule()):
            refine_and_score(baseline.load(), fundus.image, fundus.fine, drawn)
        baselines = clock() - began
        speeds, windows = {}, 0.0
        for name, training in firsts.items():
            speeds[name], windows = _try(training, source, fundus, drawn, Path(folder), device, clock)
            advance(1)
    shared = f"{threads} threads of the processor as busy as it is" if device == "cpu" else device
    where = "one core, had it nothing else to do" if alone else shared
    return Trial(
        reading,
        testing,
        baselines,
        windows,
        speeds,
        f"a trial just now on {where}: a batch of each network after a first one, and the "
        f"photographs {' and '.join(keys)} of {count}",
    )


def estimate(plan: Plan, trial: Trial, found: Mapping[Path, Status]) -> Estimate:
    """What a plan will take, from what a trial took and how far the trainings are. Pure."""
    return Estimate(
        {one.folder: _training_seconds(one, plan, trial, found[one.folder]) for one in plan.trainings},
        {one.protocol: _evaluation_seconds(one, trial, plan.experiment == "figure4") for one in plan.evaluations},
    )


def _training_seconds(training: Training, plan: Plan, trial: Trial, status: Status) -> float:
    recipe, speed, images = training.recipe, trial.speeds[training.method.name], plan.data.trained_on[1]
    left = recipe.epochs - status.epochs
    if left <= 0:
        return 0.0
    held = max(1, round(recipe.validation * images)) if recipe.validation else 0
    samples = recipe.samples or round(trial.windows * (images - held))
    averaged = min(STATISTICS * recipe.batch, samples) if recipe.ema else 0
    epoch = samples * speed.window + averaged * speed.averaging + held * speed.drawing
    return images * trial.reading + left * epoch


def _evaluation_seconds(evaluation: Evaluation, trial: Trial, pictured: bool) -> float:
    images = sum(data.images for data in evaluation.data)
    drawings = len(evaluation.reductions) * images
    networks = [trial.speeds[name].drawing for name in dict.fromkeys(one.method.name for one in evaluation.trainings)]
    # The networks of a method that leave a class out each refine one class: all of them together a drawing.
    again = (min(images, _PICTURED) if pictured else 0) * sum(networks)
    return images * trial.testing + drawings * (trial.baselines + sum(networks)) + again


def _try(
    training: Training,
    source: TrainingSource,
    fundus: Fundus,
    drawn: Annotation,
    folder: Path,
    device: str,
    clock: Clock,
) -> tuple[Speed, float]:
    """The speed of a network, and the windows of a photograph."""
    recipe = training.recipe
    wanted = replace(recipe, samples=BATCHES * recipe.batch, epochs=1, only_lesions=(), pretrained=False)
    run = Run(wanted, source, folder, "", None, {}, Devices(device), 0)
    whole = len(source.pairs(replace(wanted, samples=None), run.network, run.devices))
    ends: list[float] = []
    run.one_epoch(lambda _: ends.append(clock()))
    window = (ends[-1] - ends[0]) / ((len(ends) - 1) * recipe.batch)
    averaging, began = (clock() - ends[-1]) / (BATCHES * recipe.batch), clock()
    refine_and_score(run.kept, fundus.image, fundus.fine, drawn)
    return Speed(window, averaging, clock() - began), whole / len(source.training_keys)


def _two_with_lesions(dataset: Dataset, split: str) -> tuple[str, ...]:
    """The first two photographs of a split, from its middle on, that show lesions."""
    keys = dataset.keys(split)
    middle = len(keys) // 2
    found: list[str] = []
    for fundus in readable(dataset, keys[middle:] + keys[:middle], lambda *_: None):  # the training names them
        if any(mask.any() for mask in fundus.fine.values()):
            found.append(fundus.key)
        if len(found) == 2:
            return tuple(found)
    raise ParameterError(
        f"training needs two photographs with lesions or more; {dataset.name} {split} has {len(found)}"
    )


def steps(plan: Plan, found: Mapping[Path, Status], seconds: Estimate) -> list[dict[str, Any]]:
    """A row for each training and each evaluation: what it is, how much of what, how far it is, and its seconds.

    ``count``: windows of a training, None where its recipe takes all; drawings of an evaluation.
    """
    rows = []
    for training in plan.trainings:
        recipe, own = training.recipe, found[training.folder]
        state = (
            f"{own.epochs} of {recipe.epochs} epochs done"
            if own.started
            else "another is there"
            if own.other
            else "new"
        )
        rows.append(
            {
                "step": f"train {training.name}",
                "count": recipe.epochs * recipe.samples if recipe.samples else None,
                "of": "windows",
                "state": "another is there" if own.other else state,
                "seconds": seconds.trainings[training.folder],
                "folder": str(training.folder),
            }
        )
    for evaluation in plan.evaluations:
        images = sum(data.images for data in evaluation.data)
        rows.append(
            {
                "step": f"evaluate {evaluation.protocol} on {', '.join(data.name for data in evaluation.data)}",
                "count": images * len(evaluation.reductions) * len({one.method.name for one in evaluation.trainings}),
                "of": "drawings",
                "state": "",
                "seconds": seconds.evaluations[evaluation.protocol],
                "folder": str(evaluation.folder),
            }
        )
    return rows


def duration(seconds: float) -> str:
    """Seconds for people: ``40 s``, ``12 min``, ``5.3 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
