"""Windows around shapes; cutting them out of a photograph and putting them back. Cut and stitch are inverses."""

from collections.abc import Iterable, Sequence
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import ParameterError
from coarsekit.geometry import draw, extent, moved
from coarsekit.types import Image, Mask, Shape, Window

LEAST_SIDE = 64
"""Least side of a window, px on a photograph as wide as `REFERENCE_WIDTH`: room for background around any lesion."""
REFERENCE_WIDTH = 4288
"""Width of IDRiD's photographs, px; lengths of styles and windows are given for it and scale with the width."""
OVERLAP = 1 / 8
"""Share of a window's side by which neighbouring windows of `windows_around` overlap, at least."""
_BLEND_DEVIATION = 0.25
"""Standard deviation of the weights of `blend`, in sides of a window."""


def window_around(shape: Shape, size: tuple[int, int], context: float = 1.5, scale: float | None = None) -> Window:
    """Lay a square window around the part of a shape that is on the photograph.

    Args:
        shape: The shape, px of the photograph.
        size: The photograph's (h, w), px.
        context: Side of the window over that of the part's bounding box, 1 or more.
        scale: Px of the photograph for one px of a photograph as wide as `REFERENCE_WIDTH`, by which the least side of
            a window, `LEAST_SIDE`, is multiplied; None for a whole photograph, whose width says it.

    Returns:
        The window; it may reach over the photograph's edge.

    Raises:
        ParameterError: When ``context`` is below 1, since the window would cut the shape.
    """
    if not context >= 1:
        raise ParameterError(f"a window's context must be 1 or more, got {context}")
    # What lies off the photograph has nothing to show, and a window around it would have no bound.
    x0, x1 = (min(max(x, 0.0), size[1]) for x in extent(shape)[0::2])
    y0, y1 = (min(max(y, 0.0), size[0]) for y in extent(shape)[1::2])
    side = ceil(max(context * max(x1 - x0, y1 - y0), LEAST_SIDE * _scale(scale, size), 2))
    return Window(round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), side)


def windows_around(
    shape: Shape,
    size: tuple[int, int],
    context: float = 1.5,
    max_window: float | None = None,
    scale: float | None = None,
) -> tuple[Window, ...]:
    """`window_around`, or several windows of bounded side where that one would be larger than ``max_window``.

    Small lesions inside a large shape vanish when its one window is shrunk to a patch; several smaller windows keep
    them. Neighbours overlap by `OVERLAP` or more, and windows that the shape does not reach are left out.

    Args:
        shape: The shape, px of the photograph.
        size: The photograph's (h, w), px.
        context: Side of the one window over that of the shape's bounding box, 1 or more.
        max_window: Largest side, px on a photograph as wide as `REFERENCE_WIDTH`; None for no bound.
        scale: As in `window_around`.

    Returns:
        One window or more.

    Raises:
        ParameterError: When ``context`` is below 1.
    """
    one = window_around(shape, size, context, scale)
    side = one.side if max_window is None else max(2, round(max_window * _scale(scale, size)))
    if one.side <= side:
        return (one,)
    steps = ceil((one.side - side * OVERLAP) / (side - side * OVERLAP))
    starts = np.linspace(0, one.side - side, steps).round().astype(int)
    windows = [Window(one.x + int(x), one.y + int(y), side) for y in starts for x in starts]
    # Looked for pixel by pixel, since a sliver passes between coarser samples; one without any pixel keeps them all.
    reached = [window for window in windows if cut_shapes([shape], window, side).any()]
    return tuple(reached or windows)


def crop(array: NDArray, window: Window) -> NDArray:
    """The pixels (side, side, …) of ``array`` (h, w, …) in the window; 0 where it reaches over the edge."""
    patch = np.zeros((window.side, window.side, *array.shape[2:]), array.dtype)
    there, here = _overlap(window, array.shape)
    patch[here] = array[there]
    return patch


def cut_image(image: Image, window: Window, size: int, mirrored: bool = False) -> Image:
    """The window of a photograph as a patch (size, size, 3) uint8; beyond the edge it is black, or mirrored."""
    patch = crop(image, window)
    return _resize(mirror_beyond(patch, window, (image.shape[0], image.shape[1])) if mirrored else patch, size)


def cut_mask(mask: Mask, window: Window, size: int) -> Mask:
    """The window of a mask as a patch (size, size): the pixels of which at least half is covered."""
    patch = crop(mask, window)
    return patch if size == window.side else _resize(patch.astype(np.float32), size) >= 0.5


def cut_shapes(shapes: Iterable[Shape], window: Window, size: int) -> Mask:
    """The union of ``shapes`` in the window as a patch (size, size), drawn at the patch's own resolution."""
    scale = size / window.side
    return draw((moved(shape, -window.x, -window.y, scale) for shape in shapes), (size, size))


def mirror_beyond(patch: NDArray, window: Window, size: tuple[int, int]) -> NDArray:
    """Fill what of a window lies over a photograph's edge with the mirror image of what lies within.

    A lesion that the edge cuts then looks like a whole one, and not like one before a black wall.

    Args:
        patch: What is in the window, (s, s, …).
        window: Where it was cut.
        size: The photograph's (h, w), px.

    Returns:
        The patch, (s, s, …); unchanged for a window that is wholly on the photograph, or wholly off it.
    """
    _, here = _overlap(window, size)
    share = patch.shape[0] / window.side
    inside = tuple(slice(round(place.start * share), round(place.stop * share)) for place in here)
    within = patch[inside]
    if within.shape == patch.shape or not within.size:
        return patch
    margins = [(place.start, patch.shape[0] - place.stop) for place in inside]
    return np.pad(within, margins + [(0, 0)] * (patch.ndim - 2), mode="symmetric")


def bounding_boxes(shapes: Sequence[Shape]) -> NDArray[np.float64]:
    """Left, top, right and bottom of each shape's bounding box, px, (n, 4); see `reaching`."""
    return np.array([extent(shape) for shape in shapes], np.float64).reshape(-1, 4)


def reaching(shapes: Sequence[Shape], boxes: NDArray[np.float64], window: Window) -> list[Shape]:
    """The shapes whose bounding ``boxes`` meet the window: all others would draw nothing in it."""
    left, top, right, bottom = boxes.T
    across = (right > window.x) & (left < window.x + window.side)
    down = (bottom > window.y) & (top < window.y + window.side)
    return [shape for shape, meets in zip(shapes, across & down, strict=True) if meets]


def stitch(patches: NDArray[np.float32], windows: Iterable[Window], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Paste ``patches`` (n, size, size) back into ``shape`` (h, w), keeping the maximum where they overlap.

    Pixels outside every window get 0; so does everything when there are no patches (Yu et al., section 2.1, testing).
    """
    whole = np.zeros(shape, np.float32)
    for patch, window in zip(patches, windows, strict=True):
        there, here = _overlap(window, shape)
        whole[there] = np.maximum(whole[there], _resize(patch, window.side)[here])
    return whole


def blend(patches: NDArray[np.float32], windows: Iterable[Window], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Paste ``patches`` (n, size, size) back into ``shape`` (h, w), averaging where they overlap.

    A pixel of a patch counts the more the nearer it is to the patch's middle (a Gaussian of a quarter of the side), for
    the network saw most of the surroundings there. Pixels outside every window get 0.
    """
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for patch, window in zip(patches, windows, strict=True):
        there, here = _overlap(window, shape)
        places = (np.arange(window.side, dtype=np.float32) + 0.5) / window.side - 0.5
        line = np.exp(-0.5 * (places / _BLEND_DEVIATION) ** 2)
        share = np.outer(line, line)[here]
        total[there] += share * _resize(patch, window.side)[here]
        weight[there] += share
    return np.divide(total, weight, out=total, where=weight > 0)


def _scale(scale: float | None, size: tuple[int, int]) -> float:
    return size[1] / REFERENCE_WIDTH if scale is None else scale


def _resize(patch: NDArray, size: int) -> NDArray:
    if patch.shape[0] == size:
        return patch
    # Averaging over areas is right for shrinking only; for enlarging it would repeat pixels.
    method = cv2.INTER_AREA if size < patch.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(patch, (size, size), interpolation=method)


def _overlap(window: Window, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the window and an array of ``shape`` meet, as indices into the array and into the window's patch."""
    there, here = [], []
    for start, length in ((window.y, shape[0]), (window.x, shape[1])):
        low = min(max(start, 0), length)
        high = max(min(start + window.side, length), low)
        there.append(slice(low, high))
        here.append(slice(low - start, high - start) if high > low else slice(0, 0))
    return (there[0], there[1]), (here[0], here[1])
