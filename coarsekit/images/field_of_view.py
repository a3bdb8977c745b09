"""The field of view: the circle in which a fundus camera shows the retina, on black."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Image, Mask

_SIDE = 1600
"""The longer side on which it is looked for, px: a rim needs no more."""
_DARK, _SHARE = 12, 0.12
"""The black around the retina is darker than this in every channel, or than this share of the retina's brightness."""
_TOLERANCE = 3.0
"""How far from the circle a point of the rim may be, px of `_SIDE`."""
_TRIALS = 100
_SURE = float(np.finfo(float).eps)
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


class _Circle(NamedTuple):
    x: float
    y: float
    radius: float

    def inside(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far inside of the circle each point (n, 2) lies; below 0 for those outside."""
        return np.asarray(self.radius - np.sqrt((points[:, 0] - self.x) ** 2 + (points[:, 1] - self.y) ** 2))


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
    on_circle = _on_one_circle(points)
    if on_circle is None or on_circle.mean() < _INLIERS:
        return None
    circle = _fit(points[on_circle])
    close = points[circle.inside(points) < _TOLERANCE / 2] if circle else points[:0]
    circle = _fit(close)
    if circle is None or not _bends(circle, close) or 2 * circle.radius < max(size) / 4:
        return None
    x, y, radius = circle
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


def _on_one_circle(points: NDArray[np.float64]) -> Mask | None:
    """Which of the points (n, 2) lie on the circle on which most do, of those through three of them (RANSAC).

    None where no three points tried lie on a circle. The same points give the same answer.
    """
    rng, best, found = np.random.default_rng(0), (0, -np.inf), None
    done, trials = 0, float(_TRIALS)
    while done < trials:
        done += 1
        circle = _fit(points[rng.choice(len(points), 3, replace=False)])
        if circle is None:
            continue
        off = circle.inside(points)
        close = np.abs(off) < _TOLERANCE
        score = int(np.count_nonzero(close)), -float(off @ off)
        if score[0] and score > best:
            best, found = score, close
            # So many that three points of the circle were among them, as surely as floats can say.
            missed = np.clip(1 - (score[0] / len(points)) ** 3, _SURE, 1 - _SURE)
            trials = min(trials, np.ceil(np.log(_SURE) / np.log(missed)))
    return found


def _fit(points: NDArray[np.float64]) -> _Circle | None:
    """The circle of least squares through points (n, 2), from the linear |p|² = 2 c·p + constant; None for a line."""
    if len(points) < 3:
        return None
    origin = points.mean(0)
    scale = float((points - origin).std())
    if scale == 0:
        return None
    unit = (points - origin) / scale
    terms = np.hstack([2 * unit, np.ones((len(unit), 1))])
    solution, _, rank, _ = np.linalg.lstsq(terms, (unit**2).sum(1), rcond=None)
    if rank < 3:
        return None
    centre = solution[:2]
    radius = np.sqrt(np.mean(np.sqrt(((unit - centre) ** 2).sum(1)) ** 2))
    x, y = (centre * scale + origin).tolist()
    return _Circle(x, y, float(radius) * scale)


def _bends(circle: _Circle, points: NDArray[np.float64]) -> bool:
    """Whether the arc of the points is far from a straight line, as its height over its chord says."""
    apart = points - points.mean(0)
    across = apart @ np.linalg.svd(apart, full_matrices=False)[2].T
    spread = max(float(np.sqrt(np.mean(circle.inside(points) ** 2))), 0.3)
    return float(np.ptp(across[:, 1])) > _SAGITTA * spread
