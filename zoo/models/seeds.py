"""Clicks and strokes: marks on a lesion that say little of its size. Each is refined as circles of growing size.

A network has learned from shapes around lesions, so a click is shown to it as the middle of a circle, and a stroke as
that of a capsule. The circle grows until what is answered has room in it, and of the answer only what touches the mark
is kept. With ``second_look`` ellipses around what clicks found, such as people draw, are then refined in their turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot, pi

import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import draw, moved, places_of, reach_of
from coarsekit.morphology import components
from coarsekit.simulation.simulate import enclosing_ellipses, find_components
from coarsekit.simulation.styles import PAPER
from coarsekit.types import Image, Line, Mask, Point, Shape, Window, sized
from coarsekit.windows import REFERENCE_WIDTH, blend, window_around, windows_around
from zoo.models.config import Config
from zoo.models.outlines import photograph_probability
from zoo.models.patches import BATCH, PatchRefiner, patch_probabilities
from zoo.models.signature import photograph_signature
from zoo.refiner import Advance, no_progress

RADII = (36.0, 52.0, 76.0, 110.0, 160.0, 230.0)
"""Radii of the circles around a click, and of the capsules around a stroke, px on a photograph as wide as
`REFERENCE_WIDTH`."""
TOLERANCE = 4.0
"""How far from a mark what is answered may be and still touch it, px likewise: hands and rims are a little off."""
ROOM = {Point: 9.0, Line: 5.0}
"""How many times larger than what is answered a circle or a capsule must be, by area, to grow no further: people circle
a small lesion that generously, and a network that sees a circle within a lesion takes the circle for the lesion."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was answered for a mark: ``probability`` (h, w) from ``left``, ``top`` on, and how many pixels it has."""

    left: int
    top: int
    probability: NDArray[np.float32]
    area: int


def seed_probability(
    network: PatchRefiner,
    image: Image,
    seeds: Sequence[Point | Line],
    around: Sequence[Shape] = (),
    advance: Advance = no_progress,
    lesion: str = "",
    scale: float | None = None,
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for clicks and strokes of one class; 0 where no answer touches its mark.

    Args:
        network: What refines.
        image: (h, w, 3) uint8 RGB.
        seeds: The places of clicks and strokes.
        around: The class's shapes around lesions, which the network sees beside the circles.
        advance: Called with the number of marks just finished.
        lesion: The class.
        scale: As in `coarsekit.windows.window_around`.
    """
    if scale is None:
        scale = image.shape[1] / REFERENCE_WIDTH
    first = _first_look(network, image, seeds, around, advance, lesion, scale)
    return _second_look(network, image, first, seeds, around, lesion, scale) if network.config.second_look else first


def _first_look(
    network: PatchRefiner,
    image: Image,
    seeds: Sequence[Point | Line],
    around: Sequence[Shape],
    advance: Advance,
    lesion: str,
    scale: float,
) -> NDArray[np.float32]:
    """`seed_probability` by growing circles and capsules."""
    size = (image.shape[0], image.shape[1])
    whole, signature = np.zeros(size, np.float32), None
    if network.uses_signature:
        shapes = [*(sized(seed, scale * REFERENCE_WIDTH) for seed in seeds), *around]
        windows = [window_around(shape, size, scale=scale) for shape in shapes]
        signature = photograph_signature(image, shapes, windows, mirrored=network.config.mirror_edges)
    for start in range(0, len(seeds), BATCH):
        chunk = range(start, min(start + BATCH, len(seeds)))
        best: dict[int, _Answer] = {}
        growing = list(chunk)
        for radius in RADII:
            shown = [grown(seed, radius, scale) for seed in seeds]
            answers = _answers(network, image, seeds, [*shown, *around], growing, lesion, signature, scale)
            best |= {place: answer for place, answer in zip(growing, answers, strict=True) if answer.area}
            growing = [
                place
                for place, answer in zip(growing, answers, strict=True)
                if not 0 < ROOM[type(seeds[place])] * answer.area < _area(shown[place])
            ]
        for answer in best.values():
            height, width = answer.probability.shape
            there = whole[answer.top : answer.top + height, answer.left : answer.left + width]
            np.maximum(there, answer.probability, out=there)
        advance(len(chunk))
    return whole


def _second_look(
    network: PatchRefiner,
    image: Image,
    first: NDArray[np.float32],
    seeds: Sequence[Point | Line],
    around: Sequence[Shape],
    lesion: str,
    scale: float,
) -> NDArray[np.float32]:
    """What is answered for ellipses around what clicks found; that stays where they find nothing, and so do strokes."""
    size, threshold = (image.shape[0], image.shape[1]), network.config.threshold
    clicks, strokes = (
        draw([grown(seed, TOLERANCE, scale) for seed in seeds if isinstance(seed, kind)], size)
        for kind in (Point, Line)
    )
    found = first >= threshold
    of_clicks = found & ~_touching(found, strokes)
    # The paper's margin: a style's lengths scale with the photograph's width, and here with the retina's size in it.
    style = replace(PAPER, reference_width=max(1, round(size[1] / scale)))
    ellipses = enclosing_ellipses(find_components(of_clicks, style), 1.0, style, size[1])
    if not ellipses:
        return first
    second = photograph_probability(network, image, ellipses, lesion=lesion, scale=scale, beside=around)
    kept = _touching(second >= threshold, clicks)
    stays = found & ~_touching(of_clicks, kept)
    return np.where(stays, first, np.where(kept | (second < threshold), second, 0))


def _answers(
    network: PatchRefiner,
    image: Image,
    seeds: Sequence[Point | Line],
    shapes: Sequence[Shape],
    chosen: Sequence[int],
    lesion: str,
    signature: NDArray[np.float32] | None,
    scale: float,
) -> list[_Answer]:
    """What is answered for some of the seeds, whose circles are the first of the ``shapes``."""
    size = (image.shape[0], image.shape[1])
    around = [seed_windows(shapes[place], size, network.config, scale) for place in chosen]
    windows = [window for places in around for window in places]
    patches = iter(patch_probabilities(network, image, shapes, windows, lesion, signature))
    return [
        _answer([next(patches) for _ in places], places, seeds[place], size, network.config.threshold, scale)
        for place, places in zip(chosen, around, strict=True)
    ]


def _answer(
    patches: Sequence[NDArray[np.float32]],
    windows: Sequence[Window],
    seed: Point | Line,
    size: tuple[int, int],
    threshold: float,
    scale: float,
) -> _Answer:
    """The probability in a mark's windows, without what reaches the threshold and does not touch the mark."""
    left, top = (max(min(getattr(window, name) for window in windows), 0) for name in ("x", "y"))
    right, bottom = (
        min(max(getattr(window, name) + window.side for window in windows), length)
        for name, length in (("x", size[1]), ("y", size[0]))
    )
    if right <= left or bottom <= top:
        return _Answer(0, 0, np.zeros((0, 0), np.float32), 0)
    shifted = [replace(window, x=window.x - left, y=window.y - top) for window in windows]
    probability = blend(np.stack(patches), shifted, (bottom - top, right - left))
    touched = draw([moved(grown(seed, TOLERANCE, scale), -left, -top)], (bottom - top, right - left))
    kept = _touching(probability >= threshold, touched)
    return _Answer(left, top, np.where(kept | (probability < threshold), probability, 0), int(kept.sum()))


def grown(seed: Point | Line, radius: float, scale: float) -> Point | Line:
    """The mark with a size: a circle, or a capsule, of ``radius`` px on a photograph as wide as `REFERENCE_WIDTH`."""
    reach = max(radius * scale, 1.0)
    return replace(seed, radius=reach) if isinstance(seed, Point) else replace(seed, width=2 * reach)


def _area(shape: Point | Line) -> float:
    """The area of a circle or a capsule, px; that of a bent one where it crosses itself counts twice."""
    length = sum(hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(places_of(shape)))
    return (pi * reach_of(shape) + 2 * length) * reach_of(shape)


def seed_windows(shape: Shape, size: tuple[int, int], config: Config, scale: float) -> tuple[Window, ...]:
    """One window around a circle, whatever its size, since one lesion is looked for; as many as a stroke needs."""
    if isinstance(shape, Point):
        return (window_around(shape, size, config.context, scale),)
    return windows_around(shape, size, config.context, config.max_window, scale)


def _touching(mask: Mask, touched: Mask) -> Mask:
    """The components of ``mask`` that have a pixel in ``touched``."""
    labels, _ = components(mask)
    return np.isin(labels, np.setdiff1d(labels[touched], 0))
