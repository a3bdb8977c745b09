"""What a photograph says of its own marks: the direction in colour in which they differ from their surroundings.

The marks of one label in one photograph have one *signature*, as spectral target detection calls it: the mean colour
deviation of what was circled, pooled over their windows. Each window then gets planes that show how far every
pixel deviates from the window's own background in that direction, whatever the colours and the class are: the adaptive
matched filter (Robey et al., A CFAR Adaptive Matched Filter Detector, 1992), beside the distance from the background
in any direction (Reed and Yu, the RX detector, 1990).

Every function takes NumPy's arrays and torch's tensors alike, and gives what it was given: networks need tensors, and a
photograph is looked at without torch.
"""

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", "NDArray[np.float32]", "Tensor")

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


class Background(NamedTuple, Generic[Array]):
    """Colours (b, 3, p) of the p pixels of windows as deviations from their background, and what it was measured by.

    ``precision``: the inverse of the background's shrunk covariance (b, 3, 3). ``retina``: (b, p), 0 or 1.
    ``squared``: the squared Mahalanobis distance of each pixel (b, p). ``deviation``: standard deviations (b, 3).
    """

    colours: Array
    precision: Array
    retina: Array
    squared: Array
    deviation: Array


def background(image: Array, coarse: Array) -> Background[Array]:
    """Measure the background of windows: retina outside the drawing, without what stands out there.

    Args:
        image: (b, 3, s, s) float in 0–1, RGB.
        coarse: (b, 1, s, s) float, 0 or 1; it may be empty, and it may fill the window.

    Returns:
        The background; of a window without retina all deviations are measured from black.
    """
    xp, (windows, _, height, width) = _library(image), image.shape
    smooth = _smooth(image).reshape(windows, 3, height * width)
    smooth = smooth - smooth.mean(2)[..., None]  # sums of small numbers, or rounding would be seen in the answers
    retina = _float(xp.amax(image, 1) > RETINA).reshape(windows, height * width)
    outside = retina * (1 - _float(coarse).reshape(windows, height * width))
    few = outside.sum(1)[:, None] < LEAST_OUTSIDE * height * width
    weight = outside = xp.where(few, retina, outside)
    for _ in range(3):
        total = weight.sum(1).clip(min=1)
        mean = (smooth @ weight[:, :, None])[..., 0] / total[:, None]
        colours = smooth - mean[:, :, None]
        covariance = (colours * weight[:, None]) @ colours.mT / total[:, None, None]
        variance = xp.diagonal(covariance, 0, 1, 2)
        least = (SHRINKAGE * variance.mean(1) + FLOOR)[:, None]
        precision = _inverse(covariance, least)
        squared = (precision @ colours * colours).sum(1).clip(min=0)
        weight = outside * xp.exp(-squared / OUTLIER)
    return Background(colours, precision, retina, squared, xp.sqrt(variance + least))


def deviations(image: Array, coarse: Array, attention: Array | None = None) -> Array:
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
    behind, xp = background(image, coarse), _library(image)
    inside = _float(depth(coarse) ** 2 if attention is None else attention).reshape(behind.retina.shape)
    weight = behind.retina * inside * behind.squared
    delta = (behind.colours @ weight[:, :, None])[..., 0] / weight.sum(1)[:, None].clip(min=_TINY)
    length = xp.sqrt((delta**2).sum(1))[:, None].clip(min=_TINY)
    return delta / length * _strength(delta, behind.precision).clip(max=MOST)


def planes(image: Array, coarse: Array, signature: Array) -> Array:
    """How far each pixel deviates from the background of its window.

    Args:
        image: (b, 3, s, s) float in 0–1, RGB.
        coarse: (b, 1, s, s) float, 0 or 1.
        signature: (b, 3): the direction in colour to look for, of any length; of 0 only the third plane says anything.

    Returns:
        (b, 3, s, s) float32: in the direction of the signature, in the background's noise; in the green channel, in
        its noise and with the sign of the signature; and in any direction. Each is through asinh, and 0 off the retina.
    """
    behind, xp = background(image, coarse), _library(image)
    signature = _float(signature)
    whitened = xp.einsum("bcd,bd->bc", behind.precision, signature)
    whitened = whitened / _strength(signature, behind.precision).clip(min=_TINY)
    matched = xp.einsum("bc,bcp->bp", whitened, behind.colours)
    green = behind.colours[:, 1] / behind.deviation[:, 1:2] * xp.sign(signature[:, 1:2])
    stacked = xp.stack([matched, green, xp.sqrt(behind.squared)], 1) * behind.retina[:, None]
    return xp.arcsinh(stacked).reshape(image.shape)


def depth(coarse: Array) -> Array:
    """How deep each pixel lies in the drawing (b, 1, s, s): its distance to the rim over the largest one, 0–1."""
    masks: Any = coarse[:, 0]
    drawn = masks if isinstance(masks, np.ndarray) else masks.cpu().numpy()
    padded = np.pad(drawn.astype(np.uint8), ((0, 0), (1, 1), (1, 1)))
    distance = np.stack([cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1] for mask in padded])
    deep: Any = (distance / np.maximum(distance.max(axis=(1, 2), keepdims=True), _TINY))[:, None]
    return deep if isinstance(masks, np.ndarray) else _library(coarse).from_numpy(deep).to(masks.device)


def _strength(vectors: Array, precision: Array) -> Array:
    """√(vᵀS⁻¹v) of vectors (b, 3), as (b, 1)."""
    xp = _library(vectors)
    return xp.sqrt(xp.einsum("bc,bcd,bd->b", vectors, precision, vectors).clip(min=0))[:, None]


def _inverse(covariance: Array, least: Array) -> Array:
    """The inverses (b, 3, 3) of covariances with ``least`` (b, 1) added to their variances.

    By the adjugate, which exported networks can compute, too; `SHRINKAGE` keeps the matrices far from singular.
    """
    red, green, blue = (covariance[:, place, place] + least[:, 0] for place in range(3))
    red_green, red_blue, green_blue = covariance[:, 0, 1], covariance[:, 0, 2], covariance[:, 1, 2]
    rr, gg, bb = green * blue - green_blue**2, red * blue - red_blue**2, red * green - red_green**2
    rg, rb = red_blue * green_blue - red_green * blue, red_green * green_blue - red_blue * green
    gb = red_green * red_blue - red * green_blue
    determinant = red * rr + red_green * rg + red_blue * rb
    adjugate = _library(covariance).stack([rr, rg, rb, rg, gg, gb, rb, gb, bb], 1)
    return adjugate.reshape(covariance.shape) / determinant[:, None, None]


def _smooth(image: Array) -> Array:
    """The mean colour of each pixel and its neighbours, as many as there are."""
    given: Any = image
    if not isinstance(given, np.ndarray):
        from torch.nn import functional

        smooth: Any = functional.avg_pool2d(_float(given), 3, 1, 1, count_include_pad=False)
    else:
        sums = np.stack([_sums(window) for window in _float(given).transpose(0, 2, 3, 1)])
        smooth = sums.transpose(0, 3, 1, 2) / _sums(np.ones(given.shape[2:], np.float32))
    return smooth


def _sums(pixels: NDArray[np.float32]) -> Any:
    """Of each pixel and its neighbours."""
    return cv2.boxFilter(np.ascontiguousarray(pixels), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)


def _float(array: Any) -> Any:
    return array.astype(np.float32, copy=False) if isinstance(array, np.ndarray) else array.float()


def _library(array: object) -> Any:
    """Whose functions an array is worked on with; torch is never imported for NumPy's."""
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch
