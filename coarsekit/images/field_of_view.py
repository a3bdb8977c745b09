"""The field of view: the circle in which a fundus camera shows the retina, on black."""

import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.measure import CircleModel, ransac

from coarsekit.types import Image, Mask

_SIDE = 1600
"""The longer side on which it is looked for, px: a rim needs no more."""
_DARK, _SHARE = 12, 0.12
"""The black around the retina is darker than this in every channel, or than this share of the retina's brightness."""
_TOLERANCE = 3.0
"""How far from the circle a point of the rim may be, px of `_SIDE`."""
_TRIALS = 100
_INLIERS = 0.5
"""Least share of the border between bright and dark that must lie on the circle."""
_SAGITTA = 20.0
"""How much the visible rim must bend, in standard deviations of its points: less says too little of the diameter."""
_EDGE = 2
"""What lies within so many px of the photograph's edge is no rim."""


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """The circle ``cx, cy, diameter``, px; much of it may lie outside the photograph."""

    cx: float
    cy: float
    diameter: float


def find_field_of_view(image: Image) -> FieldOfView | None:
    """Fit a circle to the visible rim of the retina, also where the photograph or the camera cuts it off.

    Args:
        image: (h, w, 3) uint8 RGB.

    Returns:
        The circle; None where no rim is seen: the retina fills the photograph, or it shows something else.
    """
    height, width = image.shape[:2]
    shrink = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    brightest = cv2.resize(image, size, interpolation=cv2.INTER_AREA).max(2)
    points = _rim(_retina(brightest))
    if len(points) < 3 * _SAGITTA:
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No inliers found")  # of a straight border: there is no circle to warn of
        found, on_circle = ransac(points, CircleModel, 3, _TOLERANCE, max_trials=_TRIALS, rng=0)
    if found is None or on_circle is None or on_circle.mean() < _INLIERS:
        return None
    circle = CircleModel.from_estimate(points[on_circle])
    close = points[circle.residuals(points) < _TOLERANCE / 2] if circle else points[:0]
    circle = CircleModel.from_estimate(close)
    if not circle or not _bends(circle, close) or 2 * circle.radius < max(size) / 4:
        return None
    (x, y), radius = circle.center, circle.radius
    return FieldOfView(float((x + 0.5) / shrink), float((y + 0.5) / shrink), float(2 * radius / shrink))


def _retina(brightest: NDArray[np.uint8]) -> Mask:
    """The largest bright region (h, w), without holes."""
    smooth = cv2.GaussianBlur(brightest, (0, 0), 1.5)
    level = max(_DARK, _SHARE * float(np.percentile(smooth, 95)))
    bright = (smooth > level).astype(np.uint8)
    count, labels, measured, _ = cv2.connectedComponentsWithStats(bright)
    if count < 2:
        return np.zeros(brightest.shape, bool)
    largest = labels == 1 + measured[1:, cv2.CC_STAT_AREA].argmax()
    # The photograph is framed by black, so that all that is outside is one region.
    _, outside = cv2.connectedComponents(np.pad(~largest, 1, constant_values=True).astype(np.uint8))
    return np.asarray(outside != outside[0, 0])[1:-1, 1:-1]


def _rim(retina: Mask) -> NDArray[np.float64]:
    """The x, y (n, 2) of the retina's border, without the photograph's own edge."""
    inner = cv2.erode(retina.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1).astype(bool)
    border = retina & ~inner
    border[:_EDGE], border[-_EDGE:], border[:, :_EDGE], border[:, -_EDGE:] = False, False, False, False
    return np.argwhere(border)[:, ::-1].astype(np.float64)


def _bends(circle: CircleModel, points: NDArray[np.float64]) -> bool:
    """Whether the arc of the points is far from a straight line, as its height over its chord says."""
    apart = points - points.mean(0)
    across = apart @ np.linalg.svd(apart, full_matrices=False)[2].T
    spread = max(float(np.sqrt(np.mean(circle.residuals(points) ** 2))), 0.3)
    return float(np.ptp(across[:, 1])) > _SAGITTA * spread
