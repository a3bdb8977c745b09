"""How far to trust what was found for a mark: the IoU with its fine mask that is to be expected.

A logistic regression on what can be seen of the answer alone, fitted for each refiner on photographs that it did not
learn from, so that 0.8 means about 0.8. Where nothing was found, the expectation is 0.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Strict
from scipy.ndimage import binary_dilation
from scipy.optimize import minimize

from coarsekit.errors import ParameterError, RefinerError
from coarsekit.storage.files import write_text
from coarsekit.types import Image, Mask, Raster
from coarsekit.validation import validated
from zoo.checkpoints.folder import DOUBT, weights_sha256
from zoo.marks.mark_masks import MarkMask, cut_raster

OTHER = ""
"""Stands for every class that was not fitted."""
_MARGIN = 6
"""Px around drawing and answer that are looked at, on a photograph 4288 px wide."""
_LEAST = 1e-3
"""Of shares whose logarithm is taken."""
_FEWEST = 20
"""Marks to fit on."""
_RIDGE = 1e-3
"""How much the regression prefers small weights: of the mean squared weight of a standardised feature."""


@dataclass(frozen=True, slots=True)
class DoubtModel:
    """Expected IoU = 1 / (1 + exp(−(bias of the class + Σ weight · feature))).

    ``weights``: by name of `mark_features`; a feature without one does not count. ``biases``: by lesion class, and for
    `OTHER`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    weights: Mapping[str, Annotated[float, Strict()]]
    biases: Mapping[str, Annotated[float, Strict()]]

    def expected_iou(self, lesion: str, features: Mapping[str, float]) -> float:
        """The IoU, 0–1, that is to be expected of an answer of these features; 0 without any."""
        if not features:
            return 0.0
        total = self.biases.get(lesion, self.biases[OTHER])
        total += sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + exp(-float(np.clip(total, -50, 50))))


class _FittedOn(BaseModel):
    weights_sha256: str


class _DoubtFile(BaseModel):
    """What is read of doubt.json."""

    fitted_on: _FittedOn
    model: Any


def mark_features(
    image: Image,
    found: MarkMask,
    mask: Mask,
    probability: NDArray[np.float32] | None,
    scale: float,
    by_content: bool = False,
) -> dict[str, float]:
    """What can be seen of the answer for a mark.

    Args:
        image: (h, w, 3) uint8 RGB.
        found: What was found for the mark.
        mask: (h, w) boolean, what was found for its class.
        probability: (h, w), 0–1; None of a refiner that has none.
        scale: As in `zoo.refiner.Refiner.refine`.
        by_content: Whether the mark was refined as what it looks like, and not as its label says.

    Returns:
        Numbers by name; empty where nothing was found. ``share``: log of the answer's area over the drawing's;
        ``size``: log of its area, px on a photograph 4288 px wide; ``outside``: share of it outside of the drawing;
        ``contrast``: log of the distance between its mean colour and that of what is around it, over the spread there;
        ``by_content``. With a probability: ``soft_iou``, log odds of the IoU that it expects itself, and
        ``mean_probability``, log odds of its mean in the answer.
    """
    if found.mask is None:
        return {}
    left, top, shape = _window(found, image.shape, max(1, round(_MARGIN * scale)))
    there = (slice(top, top + shape[0]), slice(left, left + shape[1]))
    own = cut_raster(found.mask, left, top, shape)
    near = own | cut_raster(found.drawn, left, top, shape)
    near = binary_dilation(near, iterations=max(1, round(_MARGIN * scale) // 2)) & ~(mask[there] & ~own)
    around, area = near & ~own, int(own.sum())
    colours = image[there].astype(np.float32)
    inside, outside = colours[own], colours[around] if around.any() else colours[own]
    apart = float(np.linalg.norm(inside.mean(0) - outside.mean(0))) / (float(outside.std(0).mean()) + 2)
    features = {
        "share": log(max(area / max(found.drawn_pixels, 1), _LEAST)),
        "size": log(area / scale**2),
        "outside": found.outside_pixels / area,
        "contrast": log(apart + 0.05),
        "by_content": float(by_content),
    }
    if probability is not None:
        p = probability[there].astype(np.float64)
        features["soft_iou"] = _log_odds(p[own].sum() / (area + p[around].sum()))
        features["mean_probability"] = _log_odds(p[own].mean())
    return features


Rows = Sequence[tuple[str, Mapping[str, float], float]]
"""Lesion class, features and IoU, 0–1, of marks for which something was found."""


def fit_doubt(rows: Rows, around_nothing: Rows = ()) -> DoubtModel:
    """The logistic regression that predicts IoUs best.

    The weights are fitted on all marks. Then scale and biases are fitted again on those that are around lesions, since
    how many are not is nothing that a fit could know.

    Args:
        rows: Marks around lesions.
        around_nothing: Marks on retina without lesions, whose IoU is 0.

    Returns:
        The model, with a bias for each class, and the mean of them for `OTHER`.

    Raises:
        ParameterError: When there are fewer than 20 marks around lesions.
    """
    if len(rows) < _FEWEST:
        raise ParameterError(
            f"doubt is fitted on {_FEWEST} marks or more for which something was found, got {len(rows)}"
        )
    first = _regression([*rows, *around_nothing])
    classes = dict.fromkeys(lesion for lesion, _, _ in rows)

    def told(features: Mapping[str, float]) -> float:
        return sum(weight * features[name] for name, weight in first.weights.items())

    second = _regression([(lesion, {"told": told(features)}, iou) for lesion, features, iou in rows])
    scale = second.weights.get("told", 0.0)
    weights = {name: round(scale * weight, 5) for name, weight in first.weights.items()}
    return DoubtModel(weights, {lesion: second.biases[lesion] for lesion in (*classes, OTHER)})


def _regression(rows: Rows) -> DoubtModel:
    """A ridge regression in which classes count alike, however many marks they have."""
    names, classes = list(rows[0][1]), list(dict.fromkeys(lesion for lesion, _, _ in rows))
    values = np.array([[features[name] for name in names] for _, features, _ in rows])
    mean, spread = values.mean(0), values.std(0)
    used = spread > 1e-9
    names, mean, spread = [name for name, use in zip(names, used, strict=True) if use], mean[used], spread[used]
    x = (values[:, used] - mean) / spread
    which = np.eye(len(classes))[[classes.index(lesion) for lesion, _, _ in rows]]
    design, target = np.hstack([x, which]), np.array([iou for _, _, iou in rows])
    weight = (which / which.sum(0)).sum(1) / len(classes)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = design @ parameters
        ridge = np.where(np.arange(len(parameters)) < len(names), _RIDGE, 0) * parameters
        value = weight @ (np.logaddexp(0, logits) - target * logits) + 0.5 * ridge @ parameters
        return float(value), design.T @ (weight * (1 / (1 + np.exp(-logits)) - target)) + ridge

    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    slopes = found[: len(names)] / spread
    biases = found[len(names) :] - slopes @ mean
    return DoubtModel(
        dict(zip(names, np.round(slopes, 5).tolist(), strict=True)),
        {**dict(zip(classes, np.round(biases, 5).tolist(), strict=True)), OTHER: round(float(biases.mean()), 5)},
    )


def read_doubt(folder: Path, weights: str) -> tuple[DoubtModel | None, str]:
    """The model of a checkpoint folder.

    Args:
        folder: The folder.
        weights: The digest of its weights, see `zoo.checkpoints.folder.weights_sha256`.

    Returns:
        The model; None where it has none, or one that was fitted to other weights. And a sentence that says so of the
        latter; empty otherwise.

    Raises:
        RefinerError: When the file is damaged.
    """
    path = folder / DOUBT
    if not path.is_file():
        return None, ""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as cause:
        raise RefinerError(f"{path}: cannot be read ({cause}); fit it again with 'zoo doubt --fit'") from None
    file: _DoubtFile = validated(_DoubtFile, content, str(path), error=RefinerError)
    model = doubt_model(file.model, str(path))
    fitted_to = file.fitted_on.weights_sha256
    if fitted_to == weights:
        return model, ""
    return None, (
        f"{path} was fitted to the weights {fitted_to[:10]}…, and these are {weights[:10]}…, so answers have no "
        "expected IoU; fit it again with 'zoo doubt --fit'"
    )


def stored_doubt(folder: Path) -> dict[str, Any] | None:
    """What doubt.json of a checkpoint folder says, if it was fitted to the weights there; else None."""
    if read_doubt(folder, weights_sha256(folder))[0] is None:
        return None
    content: dict[str, Any] = json.loads((folder / DOUBT).read_text(encoding="utf-8"))
    return content


def store_doubt(folder: Path, content: Mapping[str, Any]) -> None:
    """Write `stored_doubt` beside the same weights in another folder, whose files may have other bytes."""
    fitted = {**content["fitted_on"], "weights_sha256": weights_sha256(folder)}
    write_text(folder / DOUBT, json.dumps({**content, "fitted_on": fitted}, indent=1) + "\n")


def doubt_model(content: object, where: str) -> DoubtModel:
    """The model from its JSON; ``where``: the file, or the place in it, for errors.

    Raises `RefinerError` when it is damaged.
    """
    model: DoubtModel = validated(DoubtModel, content, where, error=RefinerError, strict=None)
    if OTHER not in model.biases:
        raise RefinerError(f"{where}: biases: expected one for the empty text; fit it again with 'zoo doubt --fit'")
    return model


def _window(found: MarkMask, size: tuple[int, ...], margin: int) -> tuple[int, int, tuple[int, int]]:
    """Left, top and (h, w) of the box around answer and drawing, inside the photograph."""
    boxes = [_box(raster) for raster in (found.mask, found.drawn) if raster is not None]
    left, top = (max(min(box[place] for box in boxes) - margin, 0) for place in (0, 1))
    right, bottom = (
        min(max(box[place] for box in boxes) + margin, length) for place, length in ((2, size[1]), (3, size[0]))
    )
    return left, top, (bottom - top, right - left)


def _box(raster: Raster) -> tuple[int, int, int, int]:
    height, width = raster.crop.shape
    return raster.left, raster.top, raster.left + width, raster.top + height


def _log_odds(share: float) -> float:
    within = min(max(float(share), _LEAST), 1 - _LEAST)
    return log(within / (1 - within))
