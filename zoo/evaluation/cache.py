"""The cache of what was measured: a file for every drawing that was refined and scored.

A file is named by the hash of all that its scores depend on, so that an interrupted evaluation goes on where it was,
and scores of other weights or other data are never taken.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from coarsekit.storage.digests import drawing_sha256, sha256_of
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation
from zoo.checkpoints.folder import CACHE
from zoo.evaluation.scoring import SCORES_FORMAT, MaskScore, from_json, to_json
from zoo.refiner import Refiner

T = TypeVar("T")


class Cache(Generic[T]):
    """What was measured, by lesion class, in a folder of results; without a folder nothing is kept.

    Args:
        folder: The folder of results, or None.
        from_json: Undoes ``to_json``; raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for anything
            else.
        to_json: What was measured of one class as JSON.
    """

    def __init__(self, folder: Path | None, from_json: Callable[[Any], T], to_json: Callable[[T], Any]) -> None:
        self._folder, self._from_json, self._to_json = folder, from_json, to_json

    def read(self, key: str) -> dict[str, T] | None:
        """What was measured, by lesion class; None where there is nothing, or the file is damaged."""
        if self._folder is None:
            return None
        try:
            content = json.loads((self._folder / CACHE / f"{key}.json").read_text(encoding="utf-8"))
            return {lesion: self._from_json(measured) for lesion, measured in content["lesions"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, key: str, measured: Mapping[str, T], origin: Mapping[str, Any]) -> None:
        """Keep what was measured; ``origin``: refiner, photograph and so on, for people who open the file."""
        if self._folder is not None:
            lesions = {lesion: self._to_json(own) for lesion, own in measured.items()}
            write_text(self._folder / CACHE / f"{key}.json", json.dumps({**origin, "lesions": lesions}) + "\n")


class NumberCache(Cache[Sequence[float]]):
    """Numbers by lesion class."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder, lambda numbers: [float(number) for number in numbers], list)


class ScoreCache(Cache[MaskScore]):
    """Scores by lesion class."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder, from_json, to_json)


def cache_key(refiner: Refiner, weights: str, photograph: str, masks: str, drawn: Annotation) -> str:
    """The name of a cached file: from the digests of weights, photograph, masks and drawing, and the versions."""
    version = refiner.code_version(drawn.lesions)
    parts = (SCORES_FORMAT, version, weights, photograph, masks, drawing_sha256(drawn))
    return sha256_of(parts)[:32]
