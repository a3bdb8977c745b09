"""Marks around lesions, ellipses, boxes and polygons: windows around each are cut, refined and stitched."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Image, Shape, Window
from coarsekit.windows import REFERENCE_WIDTH, blend, stitch, window_around, windows_around
from zoo.models.config import Config
from zoo.models.patches import PatchRefiner, patch_probabilities
from zoo.models.prototypes import photograph_prototype
from zoo.models.signature import photograph_signature
from zoo.refiner import Advance, no_progress

WIDE_CONTEXT = 2.5
"""Side of the one window around something large and unknown, over that of its bounding box."""
LARGE = 1.25
"""What is larger than this many of the network's largest windows is shown whole: lesions of the known classes are
seldom that large on the whole."""


def photograph_probability(
    network: PatchRefiner,
    image: Image,
    shapes: Sequence[Shape],
    advance: Advance = no_progress,
    lesion: str = "",
    any_size: bool = False,
    scale: float | None = None,
    beside: Sequence[Shape] = (),
) -> NDArray[np.float32]:
    """Probability of lesion (h, w), 0–1, for shapes of one class that are around lesions; 0 outside their windows.

    ``beside``: shapes of the class that get no windows, but are seen in those of the others.
    ``any_size``: whether the shapes may be of a class that the network does not know, and so of another size: shapes
    that are mostly too large for one window are then shown whole, since parts of them would look like nothing it knows.
    ``scale``: as in `coarsekit.windows.window_around`.
    """
    config, size = network.config, (image.shape[0], image.shape[1])
    if any_size and _mostly_large(shapes, size, config, scale):
        around: list[tuple[Window, ...]] = [(window_around(shape, size, WIDE_CONTEXT, scale),) for shape in shapes]
        return _in_windows(network, image, shapes, around, advance, lesion, beside)
    contexts = [config.context] if config.second_context is None else [config.second_context, config.context]
    found = np.zeros(size, np.float32)
    for number, context in enumerate(contexts, start=1):
        around = [windows_around(shape, size, context, config.max_window, scale) for shape in shapes]
        done = advance if number == len(contexts) else no_progress
        found += _in_windows(network, image, shapes, around, done, lesion, beside) / np.float32(len(contexts))
    return found


def _in_windows(
    network: PatchRefiner,
    image: Image,
    shapes: Sequence[Shape],
    around: Sequence[Sequence[Window]],
    advance: Advance,
    lesion: str,
    beside: Sequence[Shape],
) -> NDArray[np.float32]:
    """`photograph_probability` in the windows ``around`` each shape."""
    config, size = network.config, (image.shape[0], image.shape[1])
    windows = [window for places in around for window in places]
    signature = None
    if network.uses_signature:
        signature = photograph_signature(image, shapes, windows, mirrored=config.mirror_edges)
    # A shape is done after its last window; then the progress advances.
    last = np.cumsum([len(places) for places in around])
    done = 0

    def finish(count: int) -> None:
        nonlocal done
        advance(int(((last > done) & (last <= done + count)).sum()))
        done += count

    prototype = None
    if network.uses_prototypes:
        prototype = photograph_prototype(network, image, shapes, windows, lesion, signature)
    patches = patch_probabilities(network, image, [*shapes, *beside], windows, lesion, signature, finish, prototype)
    return (blend if config.blend else stitch)(patches, windows, size)


def _mostly_large(shapes: Sequence[Shape], size: tuple[int, int], config: Config, scale: float | None) -> bool:
    if config.max_window is None or not shapes:
        return False
    sides = [window_around(shape, size, config.context, scale).side for shape in shapes]
    unit = size[1] / REFERENCE_WIDTH if scale is None else scale
    return float(np.median(sides)) > LARGE * config.max_window * unit
