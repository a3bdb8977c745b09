"""The edge of a reproduction: datasets are opened, networks trained, scores and the report written."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure
from coarsekit.images import write_image
from coarsekit.storage.files import atomic_write, write_text
from coarsekit.storage.outputs import claim_outputs
from zoo.checkpoints.folder import CACHE
from zoo.evaluation.refiners import HELD_OUT
from zoo.evaluation.run import evaluate
from zoo.evaluation.scoreboard import ScoreTable
from zoo.refiner import no_progress
from zoo.reports.pictures import PatchRenderer, comparison
from zoo.reports.report import CAPTIONS, COMPARISON, SWEEP
from zoo.reproduction.plan import Data, Evaluation, Plan, Training
from zoo.reproduction.report import HEADING, Evaluated, numbers, report
from zoo.reproduction.status import Status
from zoo.training import run as training_run

REPORT, NUMBERS = "report.md", "report.json"
TRAIN, TEST = "train", "test"
_PICTURES = {"figure3": SWEEP, "figure4": COMPARISON}


def data_of(dataset: Dataset, source: str, split: str, test_split: str, validation: float) -> Data:
    """What a plan needs to know of a dataset.

    Args:
        dataset: The opened dataset.
        source: The SOURCE that opens it.
        split: The split to train on; empty for ``train``, or for the only one.
        test_split: The split to test on; empty for ``test``, or where there is none for the photographs held out.
        validation: The share of the photographs that the recipe holds out.

    Returns:
        Its names, classes, splits, and how many photographs they have.

    Raises:
        ParameterError: When it has no such split.
    """
    splits = dataset.splits()
    only = next(iter(splits)) if len(splits) == 1 else TRAIN
    split = split or (TRAIN if TRAIN in splits else only)
    images = len(dataset.keys(split))
    test_split = test_split or (TEST if TEST in splits else HELD_OUT)
    if test_split == HELD_OUT and HELD_OUT not in splits:
        tested = max(1, round(validation * images))
    else:
        tested = len(dataset.keys(test_split))
    return Data(source, dataset.name, dataset.reader, dataset.lesions, test_split, tested, (split, images))


def target_of(source: str) -> Data:
    """What a plan needs to know of a target: its test split, or all of it where it has none."""
    dataset = open_source(source)
    split = TEST if TEST in dataset.splits() else "all"
    images = len(dataset.keys(None if split == "all" else split))
    return Data(source, dataset.name, dataset.reader, dataset.lesions, split, images)


def train_one(
    training: Training,
    plan: Plan,
    out: Path,
    status: Status,
    *,
    device: str,
    threads: int | None,
    reading: Callable[[int, int], None] = no_progress,
    report: Callable[[Any], None] = no_progress,
    log: Callable[[dict[str, Any]], None] = no_progress,
    on_failure: OnFailure | None = None,
) -> None:
    """Train a network of a plan, or go on with it; what ``status`` calls another training is written over.

    ``out`` keeps the decoded photographs of all trainings. The other arguments, and what is raised, are those of
    `zoo.train`.
    """
    training_run.train(
        training.recipe,
        plan.data.source,
        training.folder,
        split=plan.data.trained_on[0],
        device=device,
        threads=threads,
        cache=out / CACHE,
        resume=status.started,
        force=bool(status.other),
        progress=reading,
        report=report,
        log=log,
        on_failure=on_failure,
    )


def evaluate_one(
    evaluation: Evaluation,
    plan: Plan,
    *,
    device: str,
    force: bool,
    progress: Callable[[int, int], None] = no_progress,
    on_failure: OnFailure = no_progress,
) -> Evaluated:
    """Score the networks of an evaluation, as `zoo.evaluate` does; what was scored before is taken from there.

    ``on_failure``: called for each photograph that was left out.
    """
    found = evaluate(
        [data.source for data in evaluation.data],
        [str(training.folder) for training in evaluation.trainings],
        split=[data.split for data in evaluation.data],
        protocol=evaluation.protocol,
        styles=[plan.style],
        seed=plan.seed,
        device=device,
        out=evaluation.folder,
        force=force,
        progress=progress,
    )
    for key, reason in found.failures.items():
        on_failure(key, reason)
    return Evaluated(evaluation, ScoreTable(found.results))


def claim_report(plan: Plan, force: bool) -> None:
    """Check that the report may be written.

    Raises `OutputError` when there is one already and ``force`` is not set.
    """
    claim_outputs([plan.folder / name for name in _files(plan)], force, own=lambda _: _is_report(plan.folder / REPORT))


def write_report(plan: Plan, found: Sequence[Evaluated], device: str) -> list[str]:
    """Write the report, its numbers and its picture; the names of the files, the report first."""
    drawn: dict[str, str] = {}
    if kind := _PICTURES.get(plan.experiment):
        [evaluated] = found
        path = plan.folder / f"{kind}.png"
        if kind == SWEEP:
            _draw_sweep(evaluated, path)
        else:
            _draw_lesions(evaluated, path, device)
        drawn[f"{kind}.png"] = CAPTIONS[kind]
    write_text(plan.folder / NUMBERS, json.dumps(numbers(plan, found), indent=2) + "\n")
    write_text(plan.folder / REPORT, report(plan, found, drawn))
    return _files(plan)


def _draw_sweep(evaluated: Evaluated, path: Path) -> None:
    from zoo.reports.figures import sweep_figure  # with matplotlib, which the other experiments do not need

    board = evaluated.board
    with atomic_write(path) as temporary:
        temporary.write_bytes(sweep_figure(board, board.settings[0].dataset))


def _draw_lesions(evaluated: Evaluated, path: Path, device: str) -> None:
    board = evaluated.board
    renderer = PatchRenderer(board, open_source(evaluated.evaluation.data[0].source), board.settings[0], device)
    write_image(path, comparison(board, board.settings[0], renderer))


def _files(plan: Plan) -> list[str]:
    kind = _PICTURES.get(plan.experiment)
    return [REPORT, NUMBERS, *([f"{kind}.png"] if kind else [])]


def _is_report(path: Path) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(HEADING)
