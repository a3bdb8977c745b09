"""Clicks and strokes: marks on a lesion that say nothing of its size. Each is refined as circles of several sizes.

A network has learned from shapes around lesions, so a click is shown to it as the middle of a circle, and a stroke as
that of a capsule; of several sizes the surest answer is taken, and of this only what touches the mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from coarsekit.geometry import components, draw, moved
from coarsekit.types import Image, Line, Mask, Point, Shape, Window, sized
from coarsekit.windows import REFERENCE_WIDTH, blend, window_around, windows_around
from zoo.models.config import Config
from zoo.models.patches import BATCH, PatchRefiner, patch_probabilities
from zoo.models.signature import photograph_signature
from zoo.refiner import Advance, no_progress

RADII = (36.0, 52.0, 76.0, 110.0, 160.0)
"""Radii of the circles around a click, and of the capsules around a stroke, px on a photograph as wide as
`REFERENCE_WIDTH`."""
TOLERANCE = 4.0
"""How far from a mark what is answered may be and still touch it, px likewise: hands and rims are a little off."""
_SURE = 0.15
"""By how much the threshold is raised and lowered to see how sure an answer is."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was answered for a mark from circles of one size: ``probability`` (h, w) from ``left``, ``top`` on."""

    left: int
    top: int
    probability: NDArray[np.float32]
    sureness: float


def seed_probability(
    network: PatchRefiner,
    image: Image,
    seeds: Sequence[Point | Line],
    around: Sequence[Shape] = (),
    advance: Advance = no_progress,
    lesion: str = "",
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for clicks and strokes of one class; 0 where no answer touches its mark.

    Args:
        network: What refines.
        image: (h, w, 3) uint8 RGB.
        seeds: The places of clicks and strokes.
        around: The class's shapes around lesions, which the network sees beside the circles.
        advance: Called with the number of marks just finished.
        lesion: The class.
    """
    size = (image.shape[0], image.shape[1])
    whole, signature = np.zeros(size, np.float32), None
    if network.uses_signature:
        shapes = [*(sized(seed, size[1]) for seed in seeds), *around]
        signature = photograph_signature(image, shapes, [window_around(shape, size) for shape in shapes])
    for start in range(0, len(seeds), BATCH):
        chunk = range(start, min(start + BATCH, len(seeds)))
        best: dict[int, _Answer] = {}
        for radius in RADII:
            shapes = [*(_grown(seed, radius, size) for seed in seeds), *around]
            for place, answer in zip(
                chunk, _answers(network, image, seeds, shapes, chunk, lesion, signature), strict=True
            ):
                if place not in best or answer.sureness > best[place].sureness:
                    best[place] = answer
        for answer in best.values():
            height, width = answer.probability.shape
            there = whole[answer.top : answer.top + height, answer.left : answer.left + width]
            np.maximum(there, answer.probability, out=there)
        advance(len(chunk))
    return whole


def _answers(
    network: PatchRefiner,
    image: Image,
    seeds: Sequence[Point | Line],
    shapes: Sequence[Shape],
    chunk: range,
    lesion: str,
    signature: Tensor | None,
) -> list[_Answer]:
    """What is answered for some of the seeds, whose circles are the first of the ``shapes``."""
    size = (image.shape[0], image.shape[1])
    around = [_windows(shapes[place], size, network.config) for place in chunk]
    windows = [window for places in around for window in places]
    patches = iter(patch_probabilities(network, image, shapes, windows, lesion, signature))
    return [
        _answer([next(patches) for _ in places], places, seeds[place], size, network.config.threshold)
        for place, places in zip(chunk, around, strict=True)
    ]


def _answer(
    patches: Sequence[NDArray[np.float32]],
    windows: Sequence[Window],
    seed: Point | Line,
    size: tuple[int, int],
    threshold: float,
) -> _Answer:
    """The probability in a mark's windows, without what reaches the threshold and does not touch the mark."""
    left, top = (max(min(getattr(window, name) for window in windows), 0) for name in ("x", "y"))
    right, bottom = (
        min(max(getattr(window, name) + window.side for window in windows), length)
        for name, length in (("x", size[1]), ("y", size[0]))
    )
    if right <= left or bottom <= top:
        return _Answer(0, 0, np.zeros((0, 0), np.float32), -1.0)
    shifted = [replace(window, x=window.x - left, y=window.y - top) for window in windows]
    probability = blend(np.stack(patches), shifted, (bottom - top, right - left))
    touched = draw([moved(_grown(seed, TOLERANCE, size), -left, -top)], (bottom - top, right - left))
    kept, core, all_of_it = (_touching(probability >= threshold + more, touched) for more in (0, _SURE, -_SURE))
    if not kept.any():
        return _Answer(0, 0, np.zeros((0, 0), np.float32), -1.0)
    sureness = float(core.sum() / all_of_it.sum())
    return _Answer(left, top, np.where(kept | (probability < threshold), probability, 0), sureness)


def _grown(seed: Point | Line, radius: float, size: tuple[int, int]) -> Point | Line:
    """The mark with a size: a circle, or a capsule, of ``radius`` px on a photograph as wide as `REFERENCE_WIDTH`."""
    reach = max(radius * size[1] / REFERENCE_WIDTH, 1.0)
    return replace(seed, radius=reach) if isinstance(seed, Point) else replace(seed, width=2 * reach)


def _windows(shape: Shape, size: tuple[int, int], config: Config) -> tuple[Window, ...]:
    """One window around a circle, whatever its size, since one lesion is looked for; as many as a stroke needs."""
    if isinstance(shape, Point):
        return (window_around(shape, size, config.context),)
    return windows_around(shape, size, config.context, config.max_window)


def _touching(mask: Mask, touched: Mask) -> Mask:
    """The components of ``mask`` that have a pixel in ``touched``."""
    labels, _ = components(mask)
    return np.isin(labels, np.setdiff1d(labels[touched], 0))
