"""Fits the ``shrink`` rule on a training split: the best score without looking at the photograph."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure, readable
from coarsekit.errors import ParameterError
from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import Style
from coarsekit.storage.digests import photograph_sha256
from coarsekit.storage.files import write_texts
from coarsekit.windows import REFERENCE_WIDTH
from zoo.baselines.shrink import Amount, Shrink
from zoo.checkpoints.folder import CHECKPOINT_FORMAT, CONFIG, RECORD, STATE, WEIGHTS
from zoo.refiner import no_progress

AMOUNTS = tuple(Amount(factor, pixels) for factor, pixels in product((1.0, 0.85, 0.7, 0.55, 0.4, 0.3), range(0, 36, 6)))
"""The candidates."""


class Fit(NamedTuple):
    """The rule, and what it was fitted to.

    ``training_iou``: the IoU in percent that it has there, by style and class. ``photograph_sha256``: the digest of
    each photograph by key.
    """

    shrink: Shrink
    training_iou: dict[str, dict[str, float]]
    photograph_sha256: dict[str, str]


def fit_shrink(
    dataset: Dataset,
    split: str | None,
    styles: Sequence[Style],
    seed: int,
    advance: Callable[[int], None] = no_progress,
    on_failure: OnFailure | None = None,
) -> Fit:
    """Fit an amount for each style and lesion class: the candidate of highest mean IoU over the photographs.

    Args:
        dataset: A dataset with fine masks.
        split: Name of the split, None for all photographs.
        styles: Styles to draw in, at the reduction factor 1.0.
        seed: Seed of the drawings.
        advance: Called with the number of photographs just finished.
        on_failure: Called for each photograph that cannot be used as it is and is left out, see `readable`.

    Returns:
        The rule, whose amount ``other`` of a style is best on average over the classes, and what it was fitted to.

    Raises:
        ParameterError: The dataset has no such split, or no photograph of it shows a lesion.
    """
    scores: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
    digests: dict[str, str] = {}
    for fundus in readable(dataset, dataset.keys(split), on_failure):
        digests[fundus.key] = photograph_sha256(fundus.image)
        for style in styles:
            annotation = annotate(fundus, 1.0, style, seed)
            for lesion in annotation.lesions:
                fine, ellipses = fundus.fine[lesion], annotation.of(lesion)
                scale = annotation.width / REFERENCE_WIDTH
                tried = [draw((a.shrink(e, scale) for e in ellipses), fine.shape) for a in AMOUNTS]
                scores.setdefault((style.name, lesion), []).append(np.array([iou(count(t, fine)) for t in tried]))
        advance(1)
    if not scores:
        raise ParameterError(f"{dataset.name}: no photograph shows a lesion to fit the rule to; choose another split")
    amounts: dict[str, dict[str, Amount]] = {}
    fitted: dict[str, dict[str, float]] = {}
    for style in styles:
        means = {lesion: np.mean(lines, axis=0) for (name, lesion), lines in scores.items() if name == style.name}
        means["other"] = np.mean(list(means.values()), axis=0)
        amounts[style.name] = {lesion: AMOUNTS[int(line.argmax())] for lesion, line in means.items()}
        fitted[style.name] = {lesion: round(100 * float(line.max()), 2) for lesion, line in means.items()}
    return Fit(Shrink(amounts), fitted, digests)


def save_shrink(fit: Fit, folder: Path, trained_on: str, source: dict[str, Any], seed: int) -> None:
    """Write the rule as a checkpoint folder; ``source``: the dataset as it describes itself, see `Dataset.describe`.

    What an earlier training of a network left there is removed.
    """
    config = {
        "format": CHECKPOINT_FORMAT,
        "variant": "shrink",
        "trained_on": trained_on,
        "config": {"amounts": fit.shrink.amounts},
    }
    record = {
        "data": trained_on,
        "source": source,
        "training_images": list(fit.photograph_sha256),
        "photograph_sha256": fit.photograph_sha256,
        "reduction": 1.0,
        "seed": seed,
        "training_iou": fit.training_iou,
    }
    contents = {folder / RECORD: record, folder / CONFIG: config}
    write_texts({path: json.dumps(content, indent=2, default=asdict) + "\n" for path, content in contents.items()})
    for name in (WEIGHTS, STATE):
        (folder / name).unlink(missing_ok=True)
