"""What other cameras do to a photograph, one thing at a time: width, field of view, colour, blur, JPEG."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import cv2
import numpy as np

from coarsekit.geometry import extent, moved
from coarsekit.images import jpeg_round_trip
from coarsekit.types import Annotation, Image, Mark, Mask
from coarsekit.windows import REFERENCE_WIDTH


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A photograph (h, w, 3) uint8, its fine masks (h, w) by lesion class, and what was drawn on it."""

    image: Image
    fine: Mapping[str, Mask]
    annotation: Annotation


def narrower(taken: Sample, width: int) -> Sample:
    """The same photograph by a camera of ``width`` px; a fine pixel is one of which at least half is lesion.

    One that is no wider is given back as it is.
    """
    height, before = taken.image.shape[:2]
    if before <= width:
        return taken
    scale = width / before
    size = (width, round(height * scale))
    fine = {
        lesion: cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
        for lesion, mask in taken.fine.items()
    }
    image = np.asarray(cv2.resize(taken.image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Sample(image, fine, _redrawn(taken.annotation, 0, 0, scale, size))


def middle(taken: Sample, share: float) -> Sample:
    """The middle of the photograph, as a camera with ``share`` of its field of view would show it."""
    height, width = taken.image.shape[:2]
    size = (round(share * width), round(share * height))
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    there = (slice(y, y + size[1]), slice(x, x + size[0]))
    fine = {lesion: mask[there] for lesion, mask in taken.fine.items()}
    return Sample(taken.image[there].copy(), fine, _redrawn(taken.annotation, -x, -y, 1.0, size))


def coloured(taken: Sample, gains: tuple[float, float, float], gamma: float = 1.0) -> Sample:
    """Every colour raised to ``gamma`` and multiplied by its gain (red, green, blue), clipped to 0–255."""
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * np.array(gains)
    table = (255 * levels.clip(0, 1)).round().astype(np.uint8)
    return replace(taken, image=table[taken.image, np.arange(3)])


def blurred(taken: Sample, sigma: float) -> Sample:
    """Out of focus by a Gaussian of ``sigma`` px on a photograph 4288 px wide."""
    spread = sigma * taken.image.shape[1] / REFERENCE_WIDTH
    return replace(taken, image=np.asarray(cv2.GaussianBlur(taken.image, (0, 0), spread), np.uint8))


def compressed(taken: Sample, quality: int) -> Sample:
    """Saved as JPEG once more, at a quality of 1–100."""
    return replace(taken, image=jpeg_round_trip(taken.image, quality))


def _redrawn(annotation: Annotation, dx: float, dy: float, scale: float, size: tuple[int, int]) -> Annotation:
    """The annotation on an image of ``size`` (w, h), without what then lies wholly outside."""
    marks = []
    for mark in annotation.marks:
        shape = moved(mark.shape, dx, dy, scale)
        x0, y0, x1, y1 = extent(shape)
        if x1 > 0 and y1 > 0 and x0 < size[0] and y0 < size[1]:
            marks.append(Mark(mark.lesion, shape))
    return replace(annotation, width=size[0], height=size[1], marks=tuple(marks))


CORRUPTIONS: Mapping[str, Callable[[Sample], Sample]] = MappingProxyType(
    {
        "as it is": lambda taken: taken,
        "1500 px wide": lambda taken: narrower(taken, 1500),
        "middle 60 %": lambda taken: middle(taken, 0.6),
        "warm": lambda taken: coloured(taken, (1.1, 1.0, 0.8)),
        "cold": lambda taken: coloured(taken, (0.85, 1.0, 1.15)),
        "bright": lambda taken: coloured(taken, (1.0, 1.0, 1.0), 0.75),
        "dark": lambda taken: coloured(taken, (1.0, 1.0, 1.0), 1.33),
        "blurred by 3 px": lambda taken: blurred(taken, 3.0),
        "JPEG 40": lambda taken: compressed(taken, 40),
    }
)
"""By name, in the order of the table."""
EMPTY = "empty retina"
"""The row in which nothing is the right answer."""
