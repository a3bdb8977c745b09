"""Validation during training: one number to choose by, at the threshold that is best for it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import ParameterError
from coarsekit.geometry import draw
from coarsekit.metrics import count, iou
from coarsekit.simulation.simulate import draw_marks, generator
from coarsekit.simulation.styles import Style
from coarsekit.types import Annotation, Mark, Mask
from coarsekit.windows import REFERENCE_WIDTH
from zoo.marks.groups import BY_LABEL, Group
from zoo.models.base import Network
from zoo.models.inference import lesion_probability
from zoo.training.data.photograph_store import CachedPhotograph

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Candidates for a network's threshold."""
SEED = 0
"""Validation draws the same annotations every time, so that epochs and refiners can be compared."""


class Scored(NamedTuple):
    """One lesion class of one photograph or patch in one style.

    ``ious``: IoU, 0–1, at each of `THRESHOLDS`; NaN if undefined. ``floor``: that of the drawing as it is.
    """

    style: str
    lesion: str
    ious: list[float]
    floor: float


class Validation(NamedTuple):
    """Mean IoU in percent at the best threshold: over styles, and by style and lesion class.

    ``floor``: that of the drawings as they are, over styles; what is above it was refined.
    """

    iou: float
    threshold: float
    rows: dict[str, dict[str, float]]
    floor: float


def score_photograph(network: Network, photograph: CachedPhotograph, styles: Sequence[Style]) -> list[Scored]:
    """Refine a whole photograph at reduction 1.0 under each style, and score every class with a fine mask."""
    height, width = photograph.image.shape[:2]
    scale = width / REFERENCE_WIDTH
    scores = []
    for style in styles:
        rng = generator(SEED, photograph.key)
        drawn = draw_marks(photograph.outlines[style.name, 1.0], photograph.fine, style, rng)
        for lesion, shapes in drawn.items():
            marks = tuple(Mark(lesion, shape) for shape in shapes)
            own = Annotation(photograph.key, width, height, marks)
            group = Group(lesion, lesion, BY_LABEL, tuple(range(len(marks))))
            probability = lesion_probability(network, photograph.image, own, lesion, [group], scale)
            fine = np.asarray(photograph.fine[lesion])
            floor = iou(count(draw(own.of(lesion), (height, width)), fine))
            scores.append(Scored(style.name, lesion, at_thresholds(probability, fine), floor))
    return scores


def at_thresholds(probability: NDArray[np.float32], fine: Mask) -> list[float]:
    """IoU, 0–1, of a probability (h, w) against a fine mask (h, w) at each of `THRESHOLDS`; NaN if both are empty."""
    return [iou(count(probability >= threshold, fine)) for threshold in THRESHOLDS]


def summary(scores: Sequence[Scored]) -> Validation:
    """What scores amount to: of each style the mean over lesion classes of the mean over photographs or patches.

    Over photographs that is the measure of the paper's Table 1.

    Raises `ParameterError` when there is nothing to score.
    """
    gathered: dict[tuple[str, str], list[list[float]]] = {}
    floors: dict[tuple[str, str], list[float]] = {}
    for style, lesion, ious, floor in scores:
        if not np.isnan(ious).all():
            gathered.setdefault((style, lesion), []).append(ious)
            floors.setdefault((style, lesion), []).append(floor)
    # A class whose IoU is undefined at one of the thresholds, as where nothing is there to find, chooses none of them.
    gathered = {key: values for key, values in gathered.items() if not np.isnan(values).all(axis=0).any()}
    if not gathered:
        raise ParameterError("the photographs held out show no lesion to validate on; choose another seed")
    means = {key: np.nanmean(values, axis=0) for key, values in gathered.items()}
    rows: dict[str, dict[str, float]] = {style: {} for style, _ in means}
    by_style = [np.mean([means[key] for key in means if key[0] == style], axis=0) for style in rows]
    by_threshold = np.mean(by_style, axis=0)
    best = int(by_threshold.argmax())
    for (style, lesion), values in means.items():
        rows[style][lesion] = round(100 * float(values[best]), 2)
    by_style_floor = [np.mean([np.nanmean(floors[key]) for key in means if key[0] == style]) for style in rows]
    return Validation(100 * float(by_threshold[best]), THRESHOLDS[best], rows, 100 * float(np.mean(by_style_floor)))


def in_history(scores: Validation | None) -> dict[str, Any]:
    """What a line of the history says of the validation; nothing where there was none."""
    if scores is None:
        return {}
    return {
        "validation_iou": round(scores.iou, 3),
        "validation_floor": round(scores.floor, 3),
        "threshold": scores.threshold,
        "validation": scores.rows,
    }
