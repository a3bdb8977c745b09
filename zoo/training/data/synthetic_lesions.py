"""Lesions that no photograph has, painted on retina: for networks that are to find what they never saw.

A blob, or smooth noise cut at some height, lies inside a smaller, displaced copy of the ellipse that was drawn, in a
colour that deviates from its surroundings in a random direction and by a random number of their standard deviations.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import draw
from coarsekit.simulation.negatives import DARK
from coarsekit.types import Ellipse, Image, Mask

STRENGTHS = (1.5, 7.0)
"""Standard deviations of the surroundings by which the colour of a lesion differs from theirs."""
SIZES = (0.35, 1.0)
"""Size of the area with lesion over that of the ellipse."""
SOFTNESS = (0.5, 3.0)
"""Standard deviations, px of the patch, by which the edge of a lesion is blurred."""
DISPLACEMENT = 0.35
"""How far the middle of the area may lie from that of the ellipse, in semi-axes."""
_WAVES = 5
"""Waves around the rim of a blob, at most."""


def paint_lesion(patch: Image, ellipse: Ellipse, rng: np.random.Generator) -> tuple[Image, Mask]:
    """Paint one lesion inside an ellipse.

    Args:
        patch: (s, s, 3) uint8 RGB, retina.
        ellipse: What is to be drawn around the lesion, px of the patch.
        rng: Where all random numbers come from.

    Returns:
        The patch with the lesion, and the lesion's mask (s, s); the mask is empty where the lesion lies off the patch.
    """
    retina = patch.max(axis=2) >= DARK
    mask = _shape(ellipse, patch.shape[0], rng) & retina
    edge = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(*SOFTNESS))
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    surroundings = patch[retina & ~draw([ellipse], mask.shape)]
    spread = max(2.0, float(surroundings.std(axis=0).mean())) if surroundings.size else 8.0
    texture = 1 + 0.25 * _smooth_noise(patch.shape[0], max(2.0, ellipse.rx / 2), rng)
    painted = patch + (edge * texture * retina)[..., None] * direction * spread * rng.uniform(*STRENGTHS)
    return painted.clip(0, 255).round().astype(np.uint8), mask


def _shape(ellipse: Ellipse, size: int, rng: np.random.Generator) -> Mask:
    """The pixels (size, size) of a lesion."""
    scale = np.exp(rng.uniform(*np.log(SIZES)))
    shift = rng.uniform(-DISPLACEMENT, DISPLACEMENT, 2)
    # In the frame of the ellipse, whose rim is the unit circle.
    y, x = np.mgrid[:size, :size] + 0.5
    cos, sin = np.cos(np.radians(ellipse.angle)), np.sin(np.radians(ellipse.angle))
    across, down = x - ellipse.cx, y - ellipse.cy
    u = (across * cos + down * sin) / ellipse.rx - shift[0] * (1 - scale / 2)
    v = (down * cos - across * sin) / ellipse.ry - shift[1] * (1 - scale / 2)
    distance, turn = np.hypot(u, v) / scale, np.arctan2(v, u)
    if rng.random() < 0.5:
        waves = rng.normal(scale=0.25, size=_WAVES) / np.arange(1, _WAVES + 1)
        phases = rng.uniform(0, 2 * np.pi, _WAVES)
        orders = np.arange(2, _WAVES + 2)
        rim = 1 + sum(wave * np.sin(n * turn + phase) for wave, n, phase in zip(waves, orders, phases, strict=True))
        return np.asarray(distance < 0.85 * rim)
    noise = _smooth_noise(size, scale * min(ellipse.rx, ellipse.ry) * rng.uniform(0.15, 0.5), rng)
    inside = distance < 1
    if not inside.any():
        return inside
    return np.asarray(inside & (noise > np.quantile(noise[inside], rng.uniform(0.1, 0.8))))


def _smooth_noise(size: int, scale: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise (size, size) of mean 0 and standard deviation 1 whose spots are about ``scale`` px wide."""
    coarse = max(3, round(size / max(scale, 1.0)))
    noise = rng.normal(size=(coarse, coarse)).astype(np.float32)
    return np.asarray(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
