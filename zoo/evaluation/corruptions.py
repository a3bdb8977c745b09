"""What other cameras do to a photograph, and other people to labels, one thing at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import cv2
import numpy as np

from coarsekit.geometry import extent, moved
from coarsekit.images import jpeg_round_trip
from coarsekit.types import EX, HE, LESIONS, MA, SE, Annotation, Image, Mark, Mask
from coarsekit.windows import REFERENCE_WIDTH


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A photograph (h, w, 3) uint8, its fine masks (h, w) by lesion class, and what was drawn on it.

    ``labels``: what classes are called in the annotation, where it is not their own name.
    """

    image: Image
    fine: Mapping[str, Mask]
    annotation: Annotation
    labels: Mapping[str, str] = field(default_factory=dict)


def narrower(sample: Sample, width: int) -> Sample:
    """The same photograph by a camera of ``width`` px; a fine pixel is one of which at least half is lesion.

    One that is no wider is given back as it is.
    """
    height, before = sample.image.shape[:2]
    if before <= width:
        return sample
    scale = width / before
    size = (width, round(height * scale))
    fine = {
        lesion: cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
        for lesion, mask in sample.fine.items()
    }
    image = np.asarray(cv2.resize(sample.image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Sample(image, fine, _redrawn(sample.annotation, 0, 0, scale, size))


def middle(sample: Sample, share: float) -> Sample:
    """The middle of the photograph, as a camera with ``share`` of its field of view would show it."""
    height, width = sample.image.shape[:2]
    size = (round(share * width), round(share * height))
    return _cut(sample, (width - size[0]) // 2, (height - size[1]) // 2, size)


def around_marks(sample: Sample, side: int) -> Sample:
    """A crop of ``side`` × ``side`` px, or less, around the middle of the median mark, inside the photograph."""
    height, width = sample.image.shape[:2]
    boxes = np.array([extent(mark.shape) for mark in sample.annotation.marks], float).reshape(-1, 4)
    if not len(boxes):
        return sample
    size = min(side, width), min(side, height)
    places = np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0) - np.array(size) / 2
    x, y = (int(place) for place in places.clip(0, (width - size[0], height - size[1])))
    return _cut(sample, x, y, size)


def relabelled(sample: Sample, labels: Mapping[str, str]) -> Sample:
    """The same drawing under other ``labels`` of its classes; no two classes share one."""
    marks = tuple(replace(mark, lesion=labels.get(mark.lesion, mark.lesion)) for mark in sample.annotation.marks)
    return replace(sample, annotation=replace(sample.annotation, marks=marks), labels=labels)


def coloured(sample: Sample, gains: tuple[float, float, float], gamma: float = 1.0) -> Sample:
    """Every colour raised to ``gamma`` and multiplied by its gain (red, green, blue), clipped to 0–255."""
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * np.array(gains)
    table = (255 * levels.clip(0, 1)).round().astype(np.uint8)
    return replace(sample, image=table[sample.image, np.arange(3)])


def blurred(sample: Sample, sigma: float) -> Sample:
    """Out of focus by a Gaussian of ``sigma`` px on a photograph 4288 px wide."""
    spread = sigma * sample.image.shape[1] / REFERENCE_WIDTH
    return replace(sample, image=np.asarray(cv2.GaussianBlur(sample.image, (0, 0), spread), np.uint8))


def compressed(sample: Sample, quality: int) -> Sample:
    """Saved as JPEG once more, at a quality of 1–100."""
    return replace(sample, image=jpeg_round_trip(sample.image, quality))


def _cut(sample: Sample, x: int, y: int, size: tuple[int, int]) -> Sample:
    """The part of ``size`` (w, h) from ``x``, ``y`` on."""
    there = (slice(y, y + size[1]), slice(x, x + size[0]))
    fine = {lesion: mask[there] for lesion, mask in sample.fine.items()}
    return Sample(sample.image[there].copy(), fine, _redrawn(sample.annotation, -x, -y, 1.0, size))


def _redrawn(annotation: Annotation, dx: float, dy: float, scale: float, size: tuple[int, int]) -> Annotation:
    """The annotation on an image of ``size`` (w, h), without what then lies wholly outside."""
    marks = []
    for mark in annotation.marks:
        shape = moved(mark.shape, dx, dy, scale)
        x0, y0, x1, y1 = extent(shape)
        if x1 > 0 and y1 > 0 and x0 < size[0] and y0 < size[1]:
            marks.append(Mark(mark.lesion, shape))
    return replace(annotation, width=size[0], height=size[1], marks=tuple(marks))


UNKNOWN = {lesion: f"finding {number}" for number, lesion in enumerate(LESIONS, start=1)}
"""Labels that say nothing."""
OPPOSITE = {MA: SE, SE: MA, HE: EX, EX: HE}
"""Labels that say dark of what is bright, and bright of what is dark."""
CORRUPTIONS: Mapping[str, Callable[[Sample], Sample]] = MappingProxyType(
    {
        "as it is": lambda sample: sample,
        "1500 px wide": lambda sample: narrower(sample, 1500),
        "768 px wide": lambda sample: narrower(sample, 768),
        "crop of 2000 px": lambda sample: around_marks(sample, 2000),
        "crop of 1200 px": lambda sample: around_marks(sample, 1200),
        "middle 60 %": lambda sample: middle(sample, 0.6),
        "warm": lambda sample: coloured(sample, (1.1, 1.0, 0.8)),
        "cold": lambda sample: coloured(sample, (0.85, 1.0, 1.15)),
        "bright": lambda sample: coloured(sample, (1.0, 1.0, 1.0), 0.75),
        "dark": lambda sample: coloured(sample, (1.0, 1.0, 1.0), 1.33),
        "blurred by 3 px": lambda sample: blurred(sample, 3.0),
        "JPEG 40": lambda sample: compressed(sample, 40),
        "labels unknown": lambda sample: relabelled(sample, UNKNOWN),
        "labels opposite": lambda sample: relabelled(sample, OPPOSITE),
    }
)
"""By name, in the order of the table."""
EMPTY = "empty retina"
"""The row in which nothing is the right answer."""
