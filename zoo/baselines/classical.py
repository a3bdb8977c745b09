"""Classical baselines behind the refiner's interface: Otsu's threshold, GrabCut and the random walker.

They see what a network sees, one window after the other, and know one thing more: whether the lesions of a class are
dark or bright. Their constants were chosen by mean IoU on six training photographs of IDRiD, style human.
"""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self, final

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.annotations.given import AnnotationLike
from coarsekit.geometry import draw
from coarsekit.images.given import ImageLike
from coarsekit.scale import given_scale
from coarsekit.types import EX, HE, MA, SE, Image, Mask, Shape, Window
from coarsekit.windows import REFERENCE_WIDTH, cut_image, cut_shapes, stitch, windows_around
from zoo.refiner import Advance, Refiner, as_given, no_progress

Grey = NDArray[np.float32]
"""(h, w), 0–1 or any other range."""

DARK = {MA: True, HE: True, EX: False, SE: False}
"""Whether the lesions of a class are darker than what surrounds them. Of any other class, see `ClassicalBaseline`."""

SIZE, CONTEXT, MAX_WINDOW = 96, 1.5, 512
"""Side of a patch, and the windows of `coarsekit.windows.windows_around`."""
BLUR, BACKGROUND = 2, 600
"""Deviation of the Gaussian against noise and width of the median that is the background, px at 4288 px of width."""
CORE, RIM = 0.07, 0.45
"""Shares of an ellipse's pixels that are taken for certain: the most conspicuous `CORE` is lesion, the least
conspicuous `RIM` is background."""
BETA = 40_000
"""How hard it is for the random walker to cross an edge."""


class Patch(NamedTuple):
    """A window of one shape, (s, s) each.

    ``grey``: high where a lesion is conspicuous. ``inside``: what the shape covers. ``outside``: what no shape of its
    class covers.
    """

    grey: Grey
    inside: Mask
    outside: Mask


class ClassicalBaseline(Refiner):
    """What the classical baselines share: the windows, their brightness, and that nothing is found outside the drawing.

    A class that `DARK` does not know counts as dark when its shapes are darker on the mean than the rest of their
    windows. A shape without any contrast is lesion as a whole.
    """

    trained_on = "idrid train"

    def __init__(self, name: str = "") -> None:
        self.name = name or self.variant

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Self:
        return cls(name or str(folder))

    @abstractmethod
    def segment(self, patch: Patch) -> Grey:
        """Probability of lesion (s, s), of which only what lies inside counts; `patch.inside` is not of one grey."""

    def refine(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> dict[str, Mask]:
        image, annotation = as_given(image, annotation)
        if not annotation.marks:
            return {}
        scale = given_scale(image, annotation, scale)
        even = even_green(image, scale)
        return {
            lesion: self._refine(even, lesion, annotation.of(lesion), scale, advance) for lesion in annotation.lesions
        }

    def _refine(self, even: NDArray, lesion: str, shapes: Sequence[Shape], scale: float, advance: Advance) -> Mask:
        size = even.shape[0], even.shape[1]
        around = [windows_around(shape, size, CONTEXT, MAX_WINDOW, scale) for shape in shapes]
        cut = [_patches(even, *place, shapes) for place in zip(shapes, around, strict=True)]
        dark = DARK[lesion] if lesion in DARK else _darker([patch for part in cut for patch in part])
        found = []
        for part in cut:
            found += [self._probability(patch, dark) for patch in part]
            advance(1)
        windows = [window for places in around for window in places]
        return (stitch(np.stack(found), windows, size) >= 0.5) & draw(shapes, size)

    def _probability(self, patch: Patch, dark: bool) -> Grey:
        values = patch.grey[patch.inside]
        if not values.size or values.min() == values.max():
            return patch.inside.astype(np.float32)
        turned = patch._replace(grey=-patch.grey) if dark else patch
        return np.where(patch.inside, self.segment(turned), 0).astype(np.float32)


@final
class Otsu(ClassicalBaseline):
    """``otsu``: inside each shape, what lies beyond the threshold that parts its pixels best (Otsu, 1979)."""

    variant = "otsu"

    def segment(self, patch: Patch) -> Grey:
        return _beyond_otsu(patch).astype(np.float32)


@final
class GrabCut(ClassicalBaseline):
    """``grabcut``: two mixtures of Gaussians and a minimal cut (Rother et al., SIGGRAPH 2004), from certain pixels.

    Started from the shape alone, as it was published, it loses most small lesions.
    """

    variant = "grabcut"

    def segment(self, patch: Patch) -> Grey:
        core, rim = certain(patch)
        likely = _beyond_otsu(patch)
        trimap = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        trimap[rim], trimap[core] = cv2.GC_BGD, cv2.GC_FGD
        # OpenCV fits five Gaussians to either side.
        if min((trimap % 2).sum(), (trimap % 2 == 0).sum()) < 5:
            return likely.astype(np.float32)
        colours = np.repeat((255 * _stretched(patch.grey)).astype(np.uint8)[..., None], 3, axis=2)
        cv2.setRNGSeed(0)  # its clustering draws numbers from OpenCV's own generator
        cv2.grabCut(colours, trimap, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_MASK)
        return (trimap % 2).astype(np.float32)


@final
class RandomWalker(ClassicalBaseline):
    """``random-walker``: the chance that a walk from a pixel meets certain lesion first (Grady, PAMI 2006)."""

    variant = "random-walker"

    def segment(self, patch: Patch) -> Grey:
        from skimage.segmentation import random_walker

        core, rim = certain(patch)
        seeds = core + 2 * rim
        if seeds.all() or not (core.any() and rim.any()):
            return core.astype(np.float32)
        grey = _stretched(patch.grey).astype(np.float64)
        probabilities = random_walker(grey, seeds, beta=BETA, mode="bf", return_full_prob=True)
        return np.asarray(probabilities[0], np.float32)


def even_green(image: Image, scale: float) -> Grey:
    """The green channel, in which lesions show best, without its noise and its slow changes: (h, w), 0 on average.

    The background is the median around each pixel; `BLUR` and `BACKGROUND` are multiplied by ``scale``, px for one
    px of IDRiD's photographs.
    """
    height, width = image.shape[:2]
    green = np.ascontiguousarray(image[..., 1])
    shrunk = min(1.0, 536 / REFERENCE_WIDTH / scale)  # a wide median is slow, and needs no detail
    small = cv2.resize(
        green, (max(1, round(width * shrunk)), max(1, round(height * shrunk))), None, 0, 0, cv2.INTER_AREA
    )
    background = cv2.medianBlur(small, round(BACKGROUND * scale * shrunk) // 2 * 2 + 1)
    smooth = cv2.GaussianBlur(green.astype(np.float32), (0, 0), BLUR * scale)
    return np.asarray(smooth - cv2.resize(background.astype(np.float32), (width, height)), np.float32)


def certain(patch: Patch) -> tuple[Mask, Mask]:
    """What counts as lesion and what as background beyond doubt, (s, s) each: see `CORE` and `RIM`."""
    values = patch.grey[patch.inside]
    core = patch.inside & (patch.grey >= np.quantile(values, 1 - CORE))
    return core, (patch.outside | (patch.inside & (patch.grey <= np.quantile(values, RIM)))) & ~core


def _patches(even: NDArray, shape: Shape, windows: Sequence[Window], shapes: Sequence[Shape]) -> list[Patch]:
    return [
        Patch(
            np.asarray(cut_image(even, window, SIZE), np.float32),
            cut_shapes([shape], window, SIZE),
            ~cut_shapes(shapes, window, SIZE),
        )
        for window in windows
    ]


def _darker(patches: Sequence[Patch]) -> bool:
    inside = np.concatenate([patch.grey[patch.inside] for patch in patches])
    outside = np.concatenate([patch.grey[patch.outside] for patch in patches])
    return bool(inside.size and outside.size and inside.mean() < outside.mean())


def _beyond_otsu(patch: Patch) -> Mask:
    from skimage.filters import threshold_otsu

    threshold: float = threshold_otsu(patch.grey[patch.inside])
    return patch.inside & (patch.grey > threshold)


def _stretched(grey: Grey) -> Grey:
    """Between 0 and 1, but for a hundredth at either end."""
    low, high = np.percentile(grey, (1, 99))
    return np.asarray(np.clip((grey - low) / max(high - low, 1e-6), 0, 1), np.float32)
