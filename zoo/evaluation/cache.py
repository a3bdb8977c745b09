"""The cache of scores: a file for every drawing that was refined and scored.

A file is named by the hash of all that its scores depend on, so that an interrupted evaluation goes on where it was,
and scores of other weights or other data are never taken.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from coarsekit.annotations import native
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Fundus
from zoo.evaluation.scoring import SCORES_FORMAT, MaskScore, from_json, to_json

CACHE_FOLDER = "cache"


class ScoreCache:
    """The cached scores in a folder of results; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def remove_partial_files(self) -> None:
        """Remove the temporary files that a killed run left behind."""
        if self.folder is not None:
            for left in (self.folder / CACHE_FOLDER).glob(".*.part"):
                left.unlink(missing_ok=True)

    def read(self, key: str) -> dict[str, MaskScore] | None:
        """The scores by lesion class; None where there are none, or the file is damaged."""
        if self.folder is None:
            return None
        try:
            content = json.loads((self.folder / CACHE_FOLDER / f"{key}.json").read_text(encoding="utf-8"))
            return {lesion: from_json(score) for lesion, score in content["lesions"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, key: str, scores: Mapping[str, MaskScore], origin: Mapping[str, Any]) -> None:
        """Keep scores; ``origin``: refiner, photograph and so on, for people who open the file."""
        if self.folder is not None:
            content = {**origin, "lesions": {lesion: to_json(score) for lesion, score in scores.items()}}
            write_text(self.folder / CACHE_FOLDER / f"{key}.json", json.dumps(content) + "\n")


def photograph_digest(fundus: Fundus) -> str:
    """The hash of a photograph's pixels and of its fine masks, whatever their files and names."""
    digest = sha256(np.ascontiguousarray(fundus.image).data)
    for lesion, mask in sorted(fundus.fine.items()):
        digest.update(f"{lesion} {mask.shape}".encode())
        digest.update(np.packbits(mask).data)
    return digest.hexdigest()


def cache_key(refiner: str, photograph: str, annotation: Annotation) -> str:
    """The name of a cached file: from the refiner's digest, the photograph's, the drawing, and `SCORES_FORMAT`."""
    parts = (str(SCORES_FORMAT), refiner, photograph, native.dumps(annotation))
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
