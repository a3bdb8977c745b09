"""Validation by image during training: whole photographs, every style, one number to choose by."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coarsekit.metrics import count, iou
from coarsekit.simulate import draw_by_hand, generator
from coarsekit.styles import Style
from zoo.inference import photograph_probability
from zoo.network import Network
from zoo.store import Stored

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Candidates for a network's threshold."""
SEED = 0
"""Validation draws the same annotations every time, so that epochs and refiners can be compared."""


class Validation(NamedTuple):
    """Mean image-level IoU in percent at the best threshold: over styles, and by style and lesion class."""

    iou: float
    threshold: float
    rows: dict[str, dict[str, float]]


def validate(network: Network, photographs: Sequence[Stored], styles: Sequence[Style]) -> Validation:
    """Refine the photographs at reduction 1.0 under each style, and score every class with a fine mask.

    A style's IoU is the mean over lesion classes of the mean over photographs: the paper's Table 1 measure.
    """
    scores: dict[tuple[str, str], list[list[float]]] = {}
    for photograph in photographs:
        shape = (photograph.image.shape[0], photograph.image.shape[1])
        for style in styles:
            drawn = draw_by_hand(photograph.outlines[style.name, 1.0], style, generator(SEED, photograph.key), shape)
            for lesion, ellipses in drawn.items():
                probability = photograph_probability(network, photograph.image, ellipses, lesion=lesion)
                fine = np.asarray(photograph.fine[lesion])
                scores.setdefault((style.name, lesion), []).append(
                    [iou(count(probability >= threshold, fine)) for threshold in THRESHOLDS]
                )
    means = {key: np.mean(values, axis=0) for key, values in scores.items()}
    by_threshold = np.mean(
        [np.mean([means[key] for key in means if key[0] == style.name], axis=0) for style in styles], axis=0
    )
    best = int(by_threshold.argmax())
    rows: dict[str, dict[str, float]] = {}
    for (style_name, lesion), values in means.items():
        rows.setdefault(style_name, {})[lesion] = round(100 * float(values[best]), 2)
    return Validation(100 * float(by_threshold[best]), THRESHOLDS[best], rows)
