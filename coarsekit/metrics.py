"""Found masks and probabilities against fine masks. Counts first, so that counts of parts add up before a score.

Every score is 0–1, and NaN where it is not defined.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from coarsekit.morphology import components
from coarsekit.types import Mask, bounding_box


class Counts(NamedTuple):
    """Pixels found and true, found but not true, true but not found."""

    tp: int
    fp: int
    fn: int


def count(found: Mask, fine: Mask) -> Counts:
    """Compare two boolean masks of one shape.

    Raises `ValueError` when the shapes differ.
    """
    _check_shapes(found, fine)
    both = int(np.count_nonzero(found & fine))
    return Counts(both, int(np.count_nonzero(found)) - both, int(np.count_nonzero(fine)) - both)


def iou(counts: Counts) -> float:
    """Intersection over union (Jaccard index); NaN when both masks are empty."""
    return _share(counts.tp, sum(counts))


def dice(counts: Counts) -> float:
    """Dice coefficient, the F-score of the pixels; NaN when both masks are empty."""
    return _share(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def precision(counts: Counts) -> float:
    """Share of the found pixels that are true; NaN when nothing was found."""
    return _share(counts.tp, counts.tp + counts.fp)


def recall(counts: Counts) -> float:
    """Share of the true pixels that were found; NaN when the fine mask is empty."""
    return _share(counts.tp, counts.tp + counts.fn)


def boundary_f(found: Mask, fine: Mask, tolerance: float) -> float:
    """F-score of the boundaries of two masks (h, w): how well the outline was drawn, whatever the lesion's size.

    A mask's boundary is its pixels with one of their four neighbours outside it, as everything off the photograph is.
    Precision is the share of ``found``'s boundary whose distance to that of ``fine`` is at most ``tolerance`` px,
    recall the share of ``fine``'s so near to ``found``'s, and the score their harmonic mean (Martin et al., PAMI 2004;
    Csurka et al., "What is a good evaluation measure for semantic segmentation?", BMVC 2013). NaN when both masks are
    empty, 0 when one is.

    Raises `ValueError` when the shapes differ or ``tolerance`` is negative.
    """
    _check_shapes(found, fine)
    if not tolerance >= 0:
        raise ValueError(f"a boundary's tolerance must be 0 px or more, got {tolerance}")
    place = bounding_box(found | fine)
    one, other = _boundary(found[place]), _boundary(fine[place])
    if not (one.any() and other.any()):
        return 0.0 if one.any() or other.any() else float("nan")
    exact, complete = _share_near(one, other, tolerance), _share_near(other, one, tolerance)
    return 2 * exact * complete / (exact + complete) if exact + complete else 0.0


class ComponentScore(NamedTuple):
    """One lesion: left, top, width and height of its bounding box and its area, px of the mask; and its IoU."""

    x: int
    y: int
    width: int
    height: int
    area: int
    iou: float


def component_scores(found: Mask, fine: Mask) -> list[ComponentScore]:
    """The IoU of each component of ``fine`` (h, w), in the order of `components`; an empty mask gives an empty list.

    Every pixel of ``found`` counts for the component that is nearest to it, by the distance of pixel centres, and so
    for just one: no false positive is overlooked and none is charged twice, and a large lesion cannot hide a small one
    (CC-Metrics: Jaus et al., "Every Component Counts", AAAI 2025). Of two components equally near either may take it.

    Raises `ValueError` when the shapes differ.
    """
    _check_shapes(found, fine)
    if not fine.any():
        return []
    # Labelled as a whole, since a part's components may come in another order.
    labels, number = components(fine)
    place = bounding_box(found | fine)
    found, fine, labels = found[place], fine[place], labels[place]
    areas = np.bincount(labels[fine], minlength=number + 1)
    hits = np.bincount(labels[fine & found], minlength=number + 1)
    misses = np.bincount(_nearest(found & ~fine, labels), minlength=number + 1)
    scores = []
    for label, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        score = float(hits[label] / (areas[label] + misses[label]))
        left, top = place[1].start + columns.start, place[0].start + rows.start
        width, height = columns.stop - columns.start, rows.stop - rows.start
        scores.append(ComponentScore(left, top, width, height, int(areas[label]), score))
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """What calibration is computed from, by bin of the probability; the sum of two has the pixels of both.

    ``pixels``: how many, (bins,) int64. ``probability``: the sum of their probabilities, (bins,) float64. ``lesion``:
    how many of them the fine mask has, (bins,) int64. ``squared_error``: the sum of the squared differences between
    probability and fine mask, (bins,) float64.
    """

    pixels: NDArray[np.int64]
    probability: NDArray[np.float64]
    lesion: NDArray[np.int64]
    squared_error: NDArray[np.float64]

    def __add__(self, other: "Reliability") -> "Reliability":
        return Reliability(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def reliability(probability: NDArray[np.floating], fine: Mask, region: Mask, bins: int = 10) -> Reliability:
    """Probabilities of lesion (h, w), 0–1, against the fine mask (h, w), over the pixels of ``region`` (h, w).

    The bins divide 0–1 equally, and a probability on the border of two belongs to the lower one. An empty region gives
    zeros.

    Raises `ValueError` when the shapes differ, a probability in the region lies outside 0–1, or there is no bin.
    """
    _check_shapes(probability, fine)
    _check_shapes(region, fine)
    asked, truth = np.asarray(probability[region], np.float64), fine[region]
    if bins < 1:
        raise ValueError(f"a reliability needs 1 bin or more, got {bins}")
    if not ((asked >= 0) & (asked <= 1)).all():
        raise ValueError("probabilities must lie in 0–1; give them after the sigmoid")
    places = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], asked)
    return Reliability(
        pixels=np.asarray(np.bincount(places, minlength=bins), np.int64),
        probability=np.asarray(np.bincount(places, asked, minlength=bins), np.float64),
        lesion=np.asarray(np.bincount(places[truth], minlength=bins), np.int64),
        squared_error=np.asarray(np.bincount(places, (asked - truth) ** 2, minlength=bins), np.float64),
    )


def expected_calibration_error(reliability: Reliability) -> float:
    """Mean over the pixels of |mean probability − share of lesion| in their bin (Naeini et al., AAAI 2015).

    NaN without pixels.
    """
    return _share(float(np.abs(reliability.probability - reliability.lesion).sum()), int(reliability.pixels.sum()))


def brier(reliability: Reliability) -> float:
    """Mean squared difference between probability and fine mask (Brier, 1950); NaN without pixels."""
    return _share(float(reliability.squared_error.sum()), int(reliability.pixels.sum()))


def _share(part: float, whole: int) -> float:
    return part / whole if whole else float("nan")


def _check_shapes(one: NDArray, other: NDArray) -> None:
    if one.shape != other.shape:
        raise ValueError(f"masks of one shape can be compared, got {one.shape} and {other.shape}")


def _boundary(mask: Mask) -> Mask:
    if not mask.size:
        return mask
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask & (inner == 0)


def _share_near(one: Mask, other: Mask, tolerance: float) -> float:
    """The share of the pixels of ``one`` that lie within ``tolerance`` px of those of ``other``; neither is empty."""
    reach = int(min(tolerance, max(one.shape)))
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disk = (np.hypot(rows, columns) <= tolerance).astype(np.uint8)
    # For the few px of a tolerance this takes a tenth of the time of a distance transform.
    return float(cv2.dilate(other.astype(np.uint8), disk)[one].mean())


def _nearest(pixels: Mask, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """The label of the component nearest to each pixel of a mask (h, w); there is one at least."""
    # A search costs ten times as much for each pixel that is looked for as a distance transform for each that there is.
    if np.count_nonzero(pixels) > 0.1 * pixels.size:
        places = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
        return labels[tuple(places[:, pixels])]
    rims = np.argwhere(_boundary(labels > 0))
    _, nearest = cKDTree(rims).query(np.argwhere(pixels))
    return labels[tuple(rims[nearest].T)]
