"""How coarse a simulated annotation is: components, ellipses, and the floor, per photograph and per lesion class."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.types import Annotation, Fundus


class Coarseness(NamedTuple):
    """One lesion class on one photograph; ``floor`` is the IoU of coarse against fine, 0–1."""

    image: str
    lesion: str
    components: int
    ellipses: int
    floor: float


def coarseness_of(fundus: Fundus, annotation: Annotation) -> list[Coarseness]:
    """Compare an annotation made by `annotate` with its photograph's fine masks; a class without marks is left out."""
    components = annotation.provenance["components"]
    lines = []
    for lesion in annotation.lesions:
        shapes = annotation.of(lesion)
        floor = iou(count(draw(shapes, fundus.shape), fundus.fine[lesion]))
        lines.append(Coarseness(fundus.key, lesion, components[lesion], len(shapes), floor))
    return lines


def coarseness_table(lines: Sequence[Coarseness], lesions: Sequence[str]) -> list[dict[str, Any]]:
    """Per lesion class: photographs, components, ellipses, and the floor's mean and standard deviation in percent.

    The standard deviation is the population's, over photographs. A class that no photograph shows gives no row.
    """
    table = []
    for lesion in lesions:
        own = [line for line in lines if line.lesion == lesion]
        if own:
            floors = 100 * np.array([line.floor for line in own])
            table.append(
                {
                    "lesion": lesion,
                    "images": len(own),
                    "components": sum(line.components for line in own),
                    "ellipses": sum(line.ellipses for line in own),
                    "floor_iou": float(floors.mean()),
                    "floor_iou_std": float(floors.std()),
                }
            )
    return table
