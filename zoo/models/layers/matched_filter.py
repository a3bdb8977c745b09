"""What a photograph says of its own marks: the direction in colour in which they differ from their surroundings.

The marks of one label in one photograph have one *signature*, as spectral target detection calls it: the mean colour
deviation of what was circled, pooled over their windows. Each window then gets planes that show how far every
pixel deviates from the window's own background in that direction, whatever the colours and the class are: the adaptive
matched filter (Robey et al., A CFAR Adaptive Matched Filter Detector, 1992), beside the distance from the background
in any direction (Reed and Yu, the RX detector, 1990).
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

PLANES = 3
"""Planes of `planes`: the matched filter, the green channel, and the distance from the background."""
RETINA = 0.08
"""A pixel is retina where its brightest channel, 0–1, is above this; below it lies the border of the photograph."""
LEAST_OUTSIDE = 0.03
"""Least share of the window that must lie outside the drawing; else the background is measured on all its retina."""
SHRINKAGE, FLOOR = 0.3, 0.008**2
"""The covariance gives way by this share of its mean variance, and never falls below this variance: full whitening
would amplify the noise that JPEG leaves between the colours."""
OUTLIER = 12.0
"""A pixel at Mahalanobis distance m counts exp(−m²/12) for the background: other lesions and vessels count little."""
MOST = 30.0
"""Largest strength of one window in the pooled signature."""
_TINY = 1e-6


class Background(NamedTuple):
    """Colours (b, 3, p) of the p pixels of windows as deviations from their background, and what it was measured by.

    ``precision``: the inverse of the background's shrunk covariance (b, 3, 3). ``retina``: (b, p), 0 or 1.
    ``squared``: the squared Mahalanobis distance of each pixel (b, p). ``deviation``: standard deviations (b, 3).
    """

    colours: Tensor
    precision: Tensor
    retina: Tensor
    squared: Tensor
    deviation: Tensor


def background(image: Tensor, coarse: Tensor) -> Background:
    """Measure the background of windows: retina outside the drawing, without what stands out there.

    Args:
        image: (b, 3, s, s) float in 0–1, RGB.
        coarse: (b, 1, s, s) float, 0 or 1; it may be empty, and it may fill the window.

    Returns:
        The background; of a window without retina all deviations are measured from black.
    """
    smooth = functional.avg_pool2d(image.float(), 3, 1, 1, count_include_pad=False).flatten(2)
    retina = (image.float().amax(1) > RETINA).flatten(1).float()
    outside = retina * (1 - coarse.float().flatten(1))
    few = outside.sum(1, keepdim=True) < LEAST_OUTSIDE * outside.shape[1]
    weight = outside = torch.where(few, retina, outside)
    for _ in range(3):
        total = weight.sum(1).clamp(min=1)
        mean = (smooth @ weight[:, :, None])[..., 0] / total[:, None]
        colours = smooth - mean[:, :, None]
        covariance = (colours * weight[:, None]) @ colours.mT / total[:, None, None]
        variance = covariance.diagonal(dim1=1, dim2=2)
        least = SHRINKAGE * variance.mean(1) + FLOOR
        precision = torch.linalg.inv(covariance + torch.diag_embed(least[:, None].expand(-1, 3)))
        squared = (precision @ colours * colours).sum(1).clamp(min=0)
        weight = outside * torch.exp(-squared / OUTLIER)
    return Background(colours, precision, retina, squared, (variance + least[:, None]).sqrt())


def deviations(image: Tensor, coarse: Tensor, attention: Tensor | None = None) -> Tensor:
    """In which direction, and how strongly, what was marked deviates from its surroundings, window by window.

    It is the mean deviation of what was drawn, each pixel weighted by its squared Mahalanobis distance, so that what
    stands out counts and the retina that was circled with it does not, and by its ``attention``.

    Args:
        image: (b, 3, s, s) float in 0–1, RGB.
        coarse: (b, 1, s, s) float, 0 or 1: what was drawn, and hence no background.
        attention: (b, 1, s, s) float, 0 or more: where to look; None for the squared `depth` in the drawing, since
            people put the lesion in the middle of what they draw, and what is at its rim is often something else.

    Returns:
        (b, 3): unit vectors in colour times their strength √(δᵀS⁻¹δ), at most `MOST`; 0 where nothing of the retina is
        looked at. The mean over the windows of a label is its signature.
    """
    behind = background(image, coarse)
    inside = (depth(coarse) ** 2 if attention is None else attention).float().flatten(1)
    weight = behind.retina * inside * behind.squared
    delta = (behind.colours @ weight[:, :, None])[..., 0] / weight.sum(1, keepdim=True).clamp(min=_TINY)
    return functional.normalize(delta, dim=1, eps=_TINY) * _strength(delta, behind.precision).clamp(max=MOST)


def planes(image: Tensor, coarse: Tensor, signature: Tensor) -> Tensor:
    """How far each pixel deviates from the background of its window.

    Args:
        image: (b, 3, s, s) float in 0–1, RGB.
        coarse: (b, 1, s, s) float, 0 or 1.
        signature: (b, 3): the direction in colour to look for, of any length; of 0 only the third plane says anything.

    Returns:
        (b, 3, s, s) float32: in the direction of the signature, in the background's noise; in the green channel, in
        its noise and with the sign of the signature; and in any direction. Each is through asinh, and 0 off the retina.
    """
    behind = background(image, coarse)
    signature = signature.float()
    whitened = torch.einsum("bcd,bd->bc", behind.precision, signature)
    whitened = whitened / _strength(signature, behind.precision).clamp(min=_TINY)
    matched = torch.einsum("bc,bcp->bp", whitened, behind.colours)
    green = behind.colours[:, 1] / behind.deviation[:, 1:2] * signature[:, 1:2].sign()
    stacked = torch.stack([matched, green, behind.squared.sqrt()], dim=1) * behind.retina[:, None]
    return stacked.asinh().reshape(len(image), PLANES, *image.shape[-2:])


def depth(coarse: Tensor) -> Tensor:
    """How deep each pixel lies in the drawing (b, 1, s, s): its distance to the rim over the largest one, 0–1."""
    padded = np.pad(coarse[:, 0].cpu().numpy().astype(np.uint8), ((0, 0), (1, 1), (1, 1)))
    distance = np.stack([cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1] for mask in padded])
    largest = np.maximum(distance.max(axis=(1, 2), keepdims=True), _TINY)
    return torch.from_numpy(distance / largest)[:, None].to(coarse.device)


def _strength(vectors: Tensor, precision: Tensor) -> Tensor:
    """√(vᵀS⁻¹v) of vectors (b, 3), as (b, 1)."""
    return torch.einsum("bc,bcd,bd->b", vectors, precision, vectors).clamp(min=0).sqrt()[:, None]
