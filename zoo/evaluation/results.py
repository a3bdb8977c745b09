"""A whole evaluation on disk, ``results.json``: its record, and every score."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isnan
from pathlib import Path
from typing import Any

from coarsekit.errors import ResultsError
from coarsekit.storage.files import write_text
from coarsekit.validation import validated
from zoo.checkpoints.folder import CACHE, read_json
from zoo.evaluation.cache import ScoreCache
from zoo.evaluation.measures import PER_PHOTOGRAPH
from zoo.evaluation.scoring import SCORES_FORMAT, MaskScore

RESULTS = "results.json"


@dataclass(frozen=True, slots=True)
class RefinerInfo:
    """What tables say of a refiner.

    ``weights_sha256``: see `zoo.checkpoints.folder.weights_sha256`. ``trained``: whether it is a network that learned
    from masks, not a baseline. ``seen``: the lesion classes that it was trained on; None for a baseline, and for a
    network whose record does not say, which counts as having seen all. ``photographs_seen``: the digests of the
    photographs that it was trained or validated on; None where that is not known. ``sources``: the names of the
    datasets that it was trained on.
    """

    name: str
    variant: str
    trained_on: str
    weights_sha256: str
    trained: bool
    seen: tuple[str, ...] | None
    photographs_seen: tuple[str, ...] | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset that refiners were tested on: the SOURCE that opens it, its names, split, and lesion classes in order.

    ``reader``: as in ``READER:PATH``; ``name``: the dataset's own.
    """

    source: str
    name: str
    reader: str
    split: str
    lesions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """The options of an evaluation: two runs with equal records give the same scores.

    ``styles``: the parameters of each by name. ``lesions``: only these classes, empty for all. ``refiners``: all that
    were scored, the floor first; ``named``: those that the user named. ``refining_version``: see `zoo.variants`.
    """

    protocol: str
    datasets: tuple[DatasetRecord, ...]
    styles: Mapping[str, Any]
    reductions: tuple[float, ...]
    lesions: tuple[str, ...]
    seed: int
    refiners: tuple[RefinerInfo, ...]
    named: tuple[str, ...]
    refining_version: int

    def differs_in(self, other: "EvaluationRecord") -> list[str]:
        """The names of the fields in which two records differ."""
        return [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]


@dataclass(frozen=True, slots=True)
class ScoreOrigin:
    """Which refiner was scored on which lesion class of which photograph (``image``: its key), drawn how.

    ``cache_key``: the name of the cached file that has the `MaskScore`.
    """

    refiner: str
    dataset: str
    split: str
    image: str
    lesion: str
    reduction: float
    style: str
    seed: int
    cache_key: str


@dataclass(frozen=True, slots=True, eq=False)
class Score(ScoreOrigin):
    """One refiner on one lesion class of one photograph."""

    mask_score: MaskScore


@dataclass(frozen=True, slots=True)
class PhotographContent:
    """The digests of a photograph's pixels and of its fine masks."""

    photograph_sha256: str
    masks_sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """A whole evaluation: its record, every score, and of what content the photographs were.

    ``contents``: by the dataset's name and the photograph's key.
    """

    record: EvaluationRecord
    scores: tuple[Score, ...]
    contents: Mapping[str, Mapping[str, PhotographContent]]


@dataclass(frozen=True, slots=True)
class _ResultsFile:
    format: int
    evaluation: EvaluationRecord
    photographs: Mapping[str, Mapping[str, PhotographContent]]
    scores: tuple[ScoreOrigin, ...]


def write_results(folder: Path, results: Results) -> None:
    """Write ``results.json``: the record, and a line for each score with its measures, 0–1; null where not defined."""
    lines = [json.dumps(_line(score), allow_nan=False) for score in results.scores]
    contents = {name: {key: asdict(content) for key, content in own.items()} for name, own in results.contents.items()}
    fields_before = {"format": SCORES_FORMAT, "evaluation": asdict(results.record), "photographs": contents}
    head = json.dumps(fields_before, indent=2)
    body = ",\n    ".join(lines)
    write_text(folder / RESULTS, f'{head[:-2]},\n  "scores": [\n    {body}\n  ]\n}}\n')


def read_evaluation(folder: Path) -> EvaluationRecord:
    """The record of the evaluation in a folder.

    Raises `ResultsError` when there is none, or it cannot be read.
    """
    return _read(folder).evaluation


def read_results(folder: Path) -> Results:
    """Read what `write_results` wrote, and the cached scores that it names.

    Args:
        folder: The folder that ``zoo evaluate`` wrote to.

    Returns:
        The record and every score, in the order of the file.

    Raises:
        ResultsError: When there is no ``results.json``, it cannot be read, or a cached file is missing or damaged.
    """
    content, cache = _read(folder), ScoreCache(folder)
    kept: dict[str, dict[str, MaskScore]] = {}
    scores = []
    for origin in content.scores:
        key = origin.cache_key
        kept[key] = kept.get(key) or cache.read(key) or {}
        if origin.lesion not in kept[key]:
            raise ResultsError(f"{folder}: {CACHE}/{key}.json is missing or damaged; run 'zoo evaluate' again")
        scores.append(Score(**asdict(origin), mask_score=kept[key][origin.lesion]))
    return Results(content.evaluation, tuple(scores), content.photographs)


def _line(score: Score) -> dict[str, Any]:
    origin = {field.name: getattr(score, field.name) for field in fields(ScoreOrigin)}
    values = {measure.name: measure.value(score.mask_score) for measure in PER_PHOTOGRAPH}
    return origin | {name: None if isnan(value) else value for name, value in values.items()}


def _read(folder: Path) -> _ResultsFile:
    path = folder / RESULTS
    if not path.exists():
        raise ResultsError(f"{folder}: no {RESULTS} there; 'zoo evaluate SOURCE -o {folder}' writes it")
    content = read_json(path, dict[str, Any], "run 'zoo evaluate' again with force=True", ResultsError)
    if content.get("format") != SCORES_FORMAT:
        raise ResultsError(f"{path}: not the results of this version; run 'zoo evaluate' again with force=True")
    return validated(_ResultsFile, content, f"{path}: cannot be read", error=ResultsError, strict=False)
