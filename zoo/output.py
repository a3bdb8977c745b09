"""What refining a photograph leaves on disk: masks, two pictures, and the record of what was done."""

import json
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from coarsekit.annotations import native
from coarsekit.files import refuse_overwrite, write_text
from coarsekit.geometry import draw
from coarsekit.images import write_image
from coarsekit.types import Annotation, Image, Mask
from coarsekit.visualize.sheets import overlay, preview
from zoo.refiner import Advance, Refiner, no_progress


@dataclass(frozen=True, slots=True)
class Refining:
    """Refines photographs into a folder; ``force`` writes over what another refiner or drawing left there."""

    refiner: Refiner
    folder: Path
    force: bool = False

    def refine(self, stem: str, image: Image, annotation: Annotation, advance: Advance = no_progress) -> dict[str, Any]:
        """Refine one photograph, write its files, named by ``stem``, and return the record of what was done.

        The record is written last: where one of the same refiner and annotation lies already, nothing is left to do.

        Raises `OutputError` when other files lie there and `force` is not set.
        """
        masks = {lesion: self.folder / f"{stem}_{lesion}.png" for lesion in annotation.lesions}
        pictures = {"overlay": self.folder / f"{stem}_overlay.jpg", "preview": self.folder / f"{stem}_preview.jpg"}
        line = self.folder / f"{stem}.json"
        drawn = sha256(native.dumps(annotation).encode()).hexdigest()
        done = _done(line, self.refiner, drawn)
        if done is not None and not self.force and all(p.exists() for p in (*masks.values(), *pictures.values())):
            return done
        refuse_overwrite([*masks.values(), *pictures.values(), line], self.force)
        began = time.perf_counter()
        refined = self.refiner.refine(image, annotation, advance)
        seconds = time.perf_counter() - began
        for lesion, mask in refined.items():
            write_image(masks[lesion], mask)
        write_image(pictures["overlay"], overlay(image, annotation, refined))
        write_image(pictures["preview"], preview(image, annotation, refined))
        record = {
            "image": annotation.image,
            "width": annotation.width,
            "height": annotation.height,
            "refiner": self.refiner.name,
            "trained_on": self.refiner.trained_on,
            "weights_sha256": self.refiner.weights_sha256,
            "annotation_sha256": drawn,
            "seconds": round(seconds, 2),
            "masks": [_count(lesion, annotation, mask, masks[lesion]) for lesion, mask in refined.items()],
            **{what: str(path) for what, path in pictures.items()},
        }
        write_text(line, json.dumps(record) + "\n")
        return record


def _done(line: Path, refiner: Refiner, drawn: str) -> dict[str, Any] | None:
    """The record of an earlier run that did the same; None where there is none."""
    try:
        record = json.loads(line.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = {"refiner": refiner.name, "weights_sha256": refiner.weights_sha256, "annotation_sha256": drawn}
    return record if isinstance(record, dict) and record.items() >= same.items() else None


def _count(lesion: str, annotation: Annotation, mask: Mask, file: Path) -> dict[str, Any]:
    ellipses = annotation.of(lesion)
    return {
        "lesion": lesion,
        "ellipses": len(ellipses),
        "coarse_pixels": int(np.count_nonzero(draw(ellipses, mask.shape))),
        "refined_pixels": int(np.count_nonzero(mask)),
        "file": str(file),
    }
