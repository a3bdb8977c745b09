"""The record of a whole evaluation, ``results.json``: what was asked, and every score."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from coarsekit.errors import ResultsError
from coarsekit.files import write_text
from coarsekit.metrics import dice, iou, precision, recall
from zoo.evaluation.cache import UNITS, Units
from zoo.evaluation.scoring import FORMAT, Measured

RESULTS = "results.json"
_PLACE = ("refiner", "dataset", "split", "image", "lesion", "reduction", "style", "seed", "unit")


@dataclass(frozen=True, slots=True)
class RefinerInfo:
    """What a table says of a refiner. ``digest``: the hash of its weights, or of a rule's configuration.

    ``trained``: whether it learned from masks, rather than being a rule. ``seen``: the lesion classes that it was
    trained on; None for a rule, and for a network whose record does not say, which counts as having seen all.
    """

    name: str
    variant: str
    trained_on: str
    digest: str
    trained: bool
    seen: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset that refiners were tested on: the SOURCE that opens it, its name, split and lesion classes in order."""

    source: str
    name: str
    split: str
    lesions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """What an evaluation was asked: by it two runs are the same.

    ``styles``: the parameters of each by name. ``lesions``: only these classes, empty for all. ``refiners``: all that
    took part, the floor first; ``named``: those that were asked for.
    """

    protocol: str
    datasets: tuple[DatasetRecord, ...]
    styles: Mapping[str, Any]
    reductions: tuple[float, ...]
    lesions: tuple[str, ...]
    seed: int
    refiners: tuple[RefinerInfo, ...]
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One refiner on one lesion class of one photograph (``image``: its key); ``unit`` names the file that holds it."""

    refiner: str
    dataset: str
    split: str
    image: str
    lesion: str
    reduction: float
    style: str
    seed: int
    unit: str
    measured: Measured


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """A whole evaluation: what was asked, and every score."""

    asked: EvaluationRecord
    scores: tuple[Score, ...]


def write_results(folder: Path, results: Results) -> None:
    """Write ``results.json``: what was asked, and a line for each score, 0–1; null where it is not defined."""
    lines = [json.dumps(_line(score), allow_nan=False) for score in results.scores]
    head = json.dumps({"format": FORMAT, "asked": asdict(results.asked)}, indent=2)
    body = ",\n    ".join(lines)
    write_text(folder / RESULTS, f'{head[:-2]},\n  "scores": [\n    {body}\n  ]\n}}\n')


def read_asked(folder: Path) -> EvaluationRecord:
    """What the evaluation in a folder was asked.

    Raises `ResultsError` when there is none, or it cannot be read.
    """
    return _asked(_content(folder), folder)


def read_results(folder: Path) -> Results:
    """Read what `write_results` wrote, and the units that it names.

    Raises `ResultsError` when there are none, they cannot be read, or a unit is missing.
    """
    content, units = _content(folder), Units(folder)
    asked = _asked(content, folder)
    kept: dict[str, dict[str, Measured]] = {}
    scores = []
    for line in content["scores"]:
        name = line["unit"]
        if name not in kept:
            found = units.read(name)
            if found is None:
                raise ResultsError(f"{folder}: {UNITS}/{name}.json is missing or damaged; run 'zoo evaluate' again")
            kept[name] = found
        scores.append(Score(**{field: line[field] for field in _PLACE}, measured=kept[name][line["lesion"]]))
    return Results(asked, tuple(scores))


def _line(score: Score) -> dict[str, Any]:
    counts = score.measured.counts
    numbers = {
        "iou": iou(counts),
        "dice": dice(counts),
        "precision": precision(counts),
        "recall": recall(counts),
        "boundary_f": score.measured.boundary,
    }
    defined = {name: None if np.isnan(number) else number for name, number in numbers.items()}
    return {name: getattr(score, name) for name in _PLACE} | defined


def _content(folder: Path) -> dict[str, Any]:
    path = folder / RESULTS
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"{folder}: no {RESULTS} there; 'zoo evaluate SOURCE -o {folder}' writes it") from None
    except (OSError, ValueError) as cause:
        raise ResultsError(f"{path}: cannot be read ({cause}); run 'zoo evaluate' again") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ResultsError(f"{path}: not the results of this version; run 'zoo evaluate' again with --force")
    return content


def _asked(content: dict[str, Any], folder: Path) -> EvaluationRecord:
    try:
        return TypeAdapter(EvaluationRecord).validate_python(content["asked"])
    except (KeyError, ValidationError) as cause:
        first = str(cause).splitlines()[0]
        raise ResultsError(f"{folder / RESULTS}: what was asked cannot be read ({first}); evaluate again") from None
