"""A whole training: a recipe and a source by name, to a checkpoint folder."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure
from coarsekit.errors import OutputError, ParameterError
from coarsekit.simulation.styles import style_named
from coarsekit.storage.files import given_path
from coarsekit.storage.outputs import at_work, claim_outputs
from zoo.baselines.fit_shrink import fit_shrink, save_shrink
from zoo.checkpoints.folder import CACHE, CONFIG, RECORD, STATE, WEIGHTS, is_checkpoint, locate
from zoo.models.base import build, network_class
from zoo.refiner import no_progress
from zoo.training import trainer
from zoo.training.distributed.devices import connected
from zoo.training.exported_source import Export, is_export
from zoo.training.progress import Progress
from zoo.training.recipe import MOST_PROCESSES, Recipe, check_whole
from zoo.training.recipe_files import checked, make_recipe, read_recipe
from zoo.training.sources import TrainingSource, note_on_start, training_source
from zoo.training.state import read_state
from zoo.training.tensorboard import event_log


def train(
    recipe: str | os.PathLike[str] | Recipe | None,
    source: str,
    out: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] = MappingProxyType({}),
    split: str = "train",
    device: str | None = None,
    precision: str = "auto",
    compiling: bool = False,
    threads: int | None = None,
    workers: int = 0,
    tensorboard: bool = False,
    cache: str | os.PathLike[str] | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Callable[[int, int], None] = no_progress,
    report: Callable[[Progress], None] = no_progress,
    log: Callable[[dict[str, Any]], None] = no_progress,
    say: Callable[[str], None] = no_progress,
    on_failure: OnFailure | None = None,
) -> dict[str, Any]:
    """Train a refiner, and keep the checkpoint that refines the held-out photographs best.

    Args:
        recipe: The name of a bundled recipe, a TOML file, the training.json of another training, or a recipe.
            None for the paper's, or when resuming for that of the interrupted training.
        source: A dataset, ``sample`` or ``READER:PATH``, which is drawn anew in every epoch; or exported pairs,
            ``pairs:FOLDER`` or ``hub:ORG/NAME``.
        out: The checkpoint folder to write: config.json, model.safetensors and training.json; and state.pt, to go on
            from.
        settings: Values by field that replace those of a recipe by name, or of its network: ``{"epochs": 2}``.
        split: The split to train and validate on.
        device: Where to compute: ``cpu``, ``cuda``, …; None for a GPU where there is one.
        precision: ``full`` for floats of 32 bits, ``mixed`` with 16, ``auto`` for mixed on a GPU.
        compiling: Whether torch compiles the network, where it can.
        threads: Processor threads of this process's torch from now on; None leaves them.
        workers: Processes that prepare pairs beside the training.
        tensorboard: Whether to log to ``out``/tensorboard, too.
        cache: The folder of decoded photographs, which several trainings can share; None for ``out``/cache.
        resume: Whether to go on exactly where the training in ``out`` was interrupted.
        force: Whether another training in ``out`` may be written over.
        progress: Called with the photographs read so far and in all.
        report: Called after each batch.
        log: Called after each epoch with its line of the history.
        say: Called with a sentence for what was kept, for what is done otherwise than asked, and for photographs
            without masks.
        on_failure: Called with the key and the reason, a sentence, of each photograph of a dataset that cannot be used
            as it is and is left out; None raises an error for the first.

    Returns:
        What training.json says: the data, the recipe, the history, the best validation IoU in percent. In all processes
        of several but the main one it is empty, and nothing is called.

    Raises:
        ParameterError: When recipe, source or split do not fit, and when the loss is not finite.
        ImageError, SourceError: When a photograph or a mask cannot be read, see ``on_failure``; and when none can.
        RefinerError: When the network has no such field, or the recipe starts from a refiner that there is not.
        OutputError: When ``out`` may not be written, or there is nothing to resume.

    Examples:
        >>> settings = {"epochs": 1, "samples": 4, "batch": 4, "width": 2, "size": 64, "only_lesions": ["SE"]}
        >>> record = zoo.train("unet", "sample", "network", settings=settings, split="validation")
        >>> len(record["history"])
        1
    """
    folder, data, files = given_path(out, "out"), _opened(source), []
    decoded = Path(cache) if cache is not None else folder / CACHE
    if isinstance(recipe, Recipe):
        if settings:
            raise ParameterError("settings are for a recipe by name; change the fields of the recipe instead")
    else:
        if recipe is None and resume:
            content = checked(read_state(folder)["recipe"], str(folder / STATE))
        else:
            name = "paper" if recipe is None else str(given_path(recipe, "recipe"))
            files = [name] if name.endswith((".json", ".toml")) else []
            content = read_recipe(name)
        recipe = make_recipe(content, settings, (data.style,) if isinstance(data, Export) else ())
    _check_styles(recipe, data)
    if not resume:
        _claim(folder, [*files, *([locate(recipe.start)] if recipe.start else [])], force)
    if recipe.variant == "shrink":
        _say_notes(data, split, say)
        return _fit(data, folder, recipe, split, resume, progress, on_failure)
    if threads is not None:
        check_whole("threads", threads, 1, MOST_PROCESSES)
        torch.set_num_threads(threads)
    _check_network(recipe, resume)
    with ExitStack() as stack:
        devices = stack.enter_context(connected(device, precision, compiling, say))
        if not devices.is_main:
            progress = report = log = say = no_progress
        write: Callable[[dict[str, Any]], None] = no_progress
        if devices.is_main:
            stack.enter_context(at_work(folder, CACHE))
            if tensorboard:
                write = stack.enter_context(event_log(folder / "tensorboard"))
        with devices.main_first():
            advance, read_all = _counted(progress, len(data.keys(split)))
            photographs = training_source(data, split, recipe, decoded, advance, on_failure)
            read_all()
        _say_notes(data, split, say)
        for note in _notes(photographs, decoded, recipe.start):
            say(note)

        def log_line(line: dict[str, Any]) -> None:
            log(line)
            write(line)

        record = trainer.train(
            recipe,
            photographs,
            folder,
            trained_on=f"{data.name} {split}",
            source=data.describe(),
            launch={
                "source": source,
                "split": split,
                "device": device,
                "precision": precision,
                "compiling": compiling,
                "threads": threads,
                "workers": workers,
                "tensorboard": tensorboard,
            },
            resume=resume,
            devices=devices,
            workers=workers,
            report=report,
            log=log_line,
        )
        return record if devices.is_main else {}


def _opened(source: str) -> Dataset | Export:
    return Export(source) if is_export(source) else open_source(source)


def _say_notes(data: Dataset | Export, split: str, say: Callable[[str], None]) -> None:
    for note in data.notes(data.keys(split)) if isinstance(data, Dataset) else ():
        say(note)


def _notes(photographs: TrainingSource, decoded: Path, start: str) -> Iterator[str]:
    """What is said before the first epoch."""
    if kept := getattr(photographs, "kept", 0):
        yield f"{kept} of {len(photographs.photograph_sha256)} photographs were in {decoded}, unchanged."
    if note := note_on_start(start, photographs):
        yield note


def _check_styles(recipe: Recipe, data: Dataset | Export) -> None:
    if isinstance(data, Dataset) and len({style_named(name).name for name in recipe.styles}) < len(set(recipe.styles)):
        raise ParameterError(
            f"styles {', '.join(recipe.styles)} name one style twice; give each TOML file a name of its own"
        )


def _check_network(recipe: Recipe, resume: bool) -> None:
    """A wrong field, or pretrained features that are missing, is an error before the photographs are read."""
    network = build(network_class(recipe.variant), recipe.config)
    if recipe.pretrained and not resume:
        network.initialise()


def _claim(folder: Path, inputs: Sequence[str | Path], force: bool) -> None:
    claim_outputs(
        [folder / name for name in (CONFIG, WEIGHTS, RECORD, STATE)],
        force,
        inputs=inputs,
        own=lambda _: is_checkpoint(folder) or _is_training(folder),
    )


def _is_training(folder: Path) -> bool:
    """Whether the folder has the state of a training that has no checkpoint yet."""
    try:
        return bool(read_state(folder))
    except OutputError:
        return False


def _counted(progress: Callable[[int, int], None], total: int) -> tuple[Callable[[int], None], Callable[[], None]]:
    """What counts photographs for ``progress``, and what says that all are read, as pairs are read all at once."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if done < total:
            progress(done, total)

    progress(0, total)
    return advance, lambda: progress(total, total)


def _fit(
    data: Dataset | Export,
    folder: Path,
    recipe: Recipe,
    split: str,
    resume: bool,
    progress: Callable[[int, int], None],
    on_failure: OnFailure | None,
) -> dict[str, Any]:
    """The rule shrink has two numbers a class, which are fitted, not trained."""
    if not isinstance(data, Dataset):
        raise ParameterError(f"the rule shrink is fitted to a dataset, not to exported pairs; got {data.name}")
    if resume:
        raise ParameterError("the fit of shrink keeps no state; do not resume it")
    others = Recipe("shrink", styles=recipe.styles, seed=recipe.seed).parameters()
    ignored = [name for name, value in recipe.parameters().items() if value != others[name]]
    if ignored:
        raise ParameterError(f"{ignored[0]} does nothing for the rule shrink; a recipe for it has styles and seed only")
    with at_work(folder):
        advance, read_all = _counted(progress, len(data.keys(split)))
        styles = [style_named(name) for name in recipe.styles]
        fit = fit_shrink(data, split, styles, recipe.seed, advance, on_failure)
        read_all()
        trained_on = f"{data.name} {split}"
        save_shrink(fit, folder, trained_on, data.describe(), recipe.seed)
    return {"data": trained_on, "seed": recipe.seed, "training_iou": fit.training_iou}
