"""Finished units of work, a file each, named by their content.

A unit is one photograph's drawing refined by one refiner. Its name is the hash of all that its result depends on, so
that an interrupted evaluation goes on, and nothing is taken for the result of other weights or other data.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from coarsekit.annotations import native
from coarsekit.files import write_text
from coarsekit.types import Annotation, Fundus
from zoo.evaluation.scoring import FORMAT, Measured, from_json, to_json

UNITS = "units"


class Units:
    """The finished units of a folder; without a folder none is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def tidy(self) -> None:
        """Remove the temporary files that a killed run left behind."""
        if self.folder is not None:
            for left in (self.folder / UNITS).glob(".*.part"):
                left.unlink(missing_ok=True)

    def read(self, name: str) -> dict[str, Measured] | None:
        """What was measured by lesion class; None for a unit that is not finished, or whose file is damaged."""
        if self.folder is None:
            return None
        try:
            content = json.loads((self.folder / UNITS / f"{name}.json").read_text(encoding="utf-8"))
            return {lesion: from_json(measured) for lesion, measured in content["lesions"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, name: str, measured: Mapping[str, Measured], about: Mapping[str, Any]) -> None:
        """Keep a finished unit; ``about`` is for people who open the file."""
        if self.folder is not None:
            content = {**about, "lesions": {lesion: to_json(own) for lesion, own in measured.items()}}
            write_text(self.folder / UNITS / f"{name}.json", json.dumps(content) + "\n")


def photograph_digest(fundus: Fundus) -> str:
    """The hash of a photograph's pixels and of its fine masks, whatever their files and names."""
    digest = sha256(np.ascontiguousarray(fundus.image).data)
    for lesion, mask in sorted(fundus.fine.items()):
        digest.update(f"{lesion} {mask.shape}".encode())
        digest.update(np.packbits(mask).data)
    return digest.hexdigest()


def unit_name(refiner: str, photograph: str, annotation: Annotation) -> str:
    """The name of a unit: of the refiner's digest, the photograph's, the drawing, and the version of the scores."""
    parts = (str(FORMAT), refiner, photograph, native.dumps(annotation))
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
