"""The cache of what was measured: a file for every drawing that was refined and scored.

A file is named by the hash of all that its scores depend on, so that an interrupted evaluation goes on where it was,
and scores of other weights or other data are never taken.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from coarsekit.storage.digests import drawing_sha256, sha256_of
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation
from zoo.checkpoints.folder import CACHE
from zoo.evaluation.scoring import SCORES_FORMAT, MaskScore, from_json, to_json
from zoo.refiner import Refiner

T = TypeVar("T")


class NumberCache:
    """The cached numbers in a folder of results, lists by lesion class; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._files = _Files(folder)

    def read(self, key: str) -> dict[str, list[float]] | None:
        """The numbers by lesion class; None where there are none, or the file is damaged."""
        return self._files.read(key, lambda numbers: [float(number) for number in numbers])

    def write(self, key: str, numbers: Mapping[str, Sequence[float]], origin: Mapping[str, Any]) -> None:
        """Keep numbers; ``origin``: refiner, photograph and so on, for people who open the file."""
        self._files.write(key, {lesion: list(own) for lesion, own in numbers.items()}, origin)


class ScoreCache:
    """The cached scores in a folder of results; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._files = _Files(folder)

    def read(self, key: str) -> dict[str, MaskScore] | None:
        """The scores by lesion class; None where there are none, or the file is damaged."""
        return self._files.read(key, from_json)

    def write(self, key: str, scores: Mapping[str, MaskScore], origin: Mapping[str, Any]) -> None:
        """Keep scores; ``origin``: refiner, photograph and so on, for people who open the file."""
        self._files.write(key, {lesion: to_json(score) for lesion, score in scores.items()}, origin)


class _Files:
    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, key: str, from_json: Callable[[Any], T]) -> dict[str, T] | None:
        if self._folder is None:
            return None
        try:
            content = json.loads((self._folder / CACHE / f"{key}.json").read_text(encoding="utf-8"))
            return {lesion: from_json(measured) for lesion, measured in content["lesions"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, key: str, measured: Mapping[str, Any], origin: Mapping[str, Any]) -> None:
        if self._folder is not None:
            content = json.dumps({**origin, "lesions": measured})
            write_text(self._folder / CACHE / f"{key}.json", content + "\n")


def cache_key(refiner: Refiner, weights: str, photograph: str, masks: str, drawn: Annotation) -> str:
    """The name of a cached file: from the digests of weights, photograph, masks and drawing, and the versions."""
    version = refiner.code_version(drawn.lesions)
    parts = (SCORES_FORMAT, version, weights, photograph, masks, drawing_sha256(drawn))
    return sha256_of(parts)[:32]
