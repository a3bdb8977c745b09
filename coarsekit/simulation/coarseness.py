"""How coarse a simulated annotation is: components, ellipses, and the floor, per photograph and per lesion class."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.types import Annotation, Fundus


class Line(NamedTuple):
    """One lesion class on one photograph; ``floor`` is the IoU of coarse against fine, 0–1."""

    image: str
    lesion: str
    components: int
    ellipses: int
    floor: float


def measure(fundus: Fundus, annotation: Annotation) -> list[Line]:
    """Hold an annotation made by `annotate` against its photograph's fine masks; classes without marks give no line."""
    components = annotation.provenance["components"]
    return [
        Line(
            fundus.key,
            lesion,
            components[lesion],
            len(annotation.of(lesion)),
            iou(count(draw(annotation.of(lesion), fundus.shape), fundus.fine[lesion])),
        )
        for lesion in annotation.lesions
    ]


def rows(lines: Sequence[Line], lesions: Sequence[str]) -> list[dict[str, Any]]:
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
