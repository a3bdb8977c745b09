"""Lesions that no photograph has, painted on retina: for networks that are to find what they never saw.

A blob, or smooth noise cut at some height, lies inside a smaller, displaced copy of the ellipse that was drawn, in a
colour that deviates from its surroundings in a random direction and by a random number of their standard deviations.
"""

from dataclasses import replace
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import draw, extent
from coarsekit.simulation.negatives import DARK
from coarsekit.types import Ellipse, Image, Mask

STRENGTHS = (1.5, 7.0)
"""Standard deviations of the surroundings by which the colour of a lesion differs from theirs."""
SIZES = (0.25, 1.0)
"""Size of the area with lesion over that of the ellipse."""
SOFTNESS = (0.5, 3.0)
"""Standard deviations, px on a photograph 4288 px wide, by which a camera blurs the edge of a lesion: small ones look
softer, since their patches are enlarged."""
DISPLACEMENT = 0.35
"""How far the middle of the area may lie from that of the ellipse, in semi-axes."""
_REACH = 1.6
"""Size of the part of the patch that is painted on, over that of the ellipse: what a displaced lesion reaches."""
_MOST_SOFT = 0.3
"""Most blur, over the ellipse's smaller semi-axis: more would show nothing of a small lesion."""
_WAVES = 5
"""Waves around the rim of a blob, at most."""


def paint_lesion(
    patch: Image, ellipse: Ellipse, rng: np.random.Generator, enlargement: float = 1.0
) -> tuple[Image, Mask]:
    """Paint one lesion inside an ellipse.

    Args:
        patch: (s, s, 3) uint8 RGB, retina.
        ellipse: What is to be drawn around the lesion, px of the patch.
        rng: Where all random numbers come from.
        enlargement: Px of the patch for one of a photograph 4288 px wide, above 0.

    Returns:
        The patch with the lesion, and the lesion's mask (s, s); the mask is empty where the lesion lies off the patch.
    """
    x0, y0, x1, y1 = extent(ellipse)
    softness = max(SOFTNESS[0], min(rng.uniform(*SOFTNESS) * enlargement, _MOST_SOFT * min(ellipse.rx, ellipse.ry)))
    reach = ceil(_REACH * max(x1 - x0, y1 - y0) / 2) + ceil(4 * softness)
    left, top = (max(0, round(middle) - reach) for middle in (ellipse.cx, ellipse.cy))
    part = np.s_[top : max(0, round(ellipse.cy) + reach), left : max(0, round(ellipse.cx) + reach)]
    painted, mask = patch.copy(), np.zeros(patch.shape[:2], dtype=bool)
    near, one = patch[part], replace(ellipse, cx=ellipse.cx - left, cy=ellipse.cy - top)
    if not near.size:
        return painted, mask
    retina = near.max(axis=2) >= DARK
    mask[part] = _shape(one, retina.shape, rng) & retina
    edge = cv2.GaussianBlur(mask[part].astype(np.float32), (0, 0), softness)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    surroundings = near[retina & ~draw([one], retina.shape)]
    spread = max(2.0, float(surroundings.std(axis=0).mean())) if surroundings.size else 8.0
    texture = 1 + 0.25 * _smooth_noise(retina.shape, max(2.0, ellipse.rx / 2), rng)
    lesion = (edge * texture * retina)[..., None] * direction * spread * rng.uniform(*STRENGTHS)
    painted[part] = (near + lesion).clip(0, 255).round().astype(np.uint8)
    return painted, mask


def _shape(ellipse: Ellipse, size: tuple[int, int], rng: np.random.Generator) -> Mask:
    """The pixels (h, w) of a lesion."""
    scale = np.exp(rng.uniform(*np.log(SIZES)))
    shift = rng.uniform(-DISPLACEMENT, DISPLACEMENT, 2)
    # In the frame of the ellipse, whose rim is the unit circle.
    y, x = np.arange(size[0])[:, None] + 0.5, np.arange(size[1]) + 0.5
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


def _smooth_noise(size: tuple[int, int], scale: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise (h, w) of mean 0 and standard deviation 1 whose spots are about ``scale`` px wide."""
    coarse = tuple(max(3, round(side / max(scale, 1.0))) for side in size)
    noise = rng.normal(size=coarse).astype(np.float32)
    return np.asarray(cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
