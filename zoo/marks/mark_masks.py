"""What a refiner found for each mark, from the mask of its class.

A connected part of a mask (8 neighbours) belongs to the mark that it touches. One that touches several is divided: a
pixel in one drawing goes to its mark, in several to the smallest, and in none to the nearest. One that touches none
goes to the mark whose drawing is nearest. So the masks of a class's marks are disjoint, and are the class's mask
together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.annotations.approximate import on_photograph
from coarsekit.geometry import extent
from coarsekit.types import Annotation, Mask, Raster, sized

NOTHING, PART, BEYOND = "nothing", "part", "beyond the drawing"
"""What was found for a mark: no pixel; part of what was drawn, or all of it; pixels outside of it, too."""


class MarkMask(NamedTuple):
    """What was found for one mark.

    ``place``: the mark's in the annotation. ``mask``: None where nothing was found. ``drawn``: the pixels of what was
    drawn, None where that lies outside of the photograph.
    """

    place: int
    mask: Raster | None
    drawn: Raster | None

    @property
    def pixels(self) -> int:
        """How many were found."""
        return _area(self.mask)

    @property
    def drawn_pixels(self) -> int:
        """How many pixels of the photograph are covered by what was drawn."""
        return _area(self.drawn)

    @property
    def outside_pixels(self) -> int:
        """How many were found outside of what was drawn."""
        if self.mask is None:
            return 0
        inside = self.mask.crop & cut_raster(self.drawn, self.mask.left, self.mask.top, self.mask.crop.shape)
        return self.pixels - int(np.count_nonzero(inside))

    @property
    def found(self) -> str:
        """`NOTHING`, `PART` or `BEYOND`."""
        if self.mask is None:
            return NOTHING
        return BEYOND if self.outside_pixels else PART


def mark_masks(annotation: Annotation, lesion: str, mask: Mask) -> list[MarkMask]:
    """Divide the mask of a class among its marks.

    Args:
        annotation: What was drawn.
        lesion: The class.
        mask: (h, w) boolean, what was found for the class on the whole photograph.

    Returns:
        One for each mark of the class, in the annotation's order; none where the class has no mark.
    """
    places = [place for place, mark in enumerate(annotation.marks) if mark.lesion == lesion]
    shapes = [sized(annotation.marks[place].shape, annotation.width) for place in places]
    drawn = [on_photograph(shape, mask.shape) for shape in shapes]
    found: list[list[tuple[int, int, Mask]]] = [[] for _ in places]
    if places and mask.any():
        centres = np.array([((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in map(extent, shapes)])
        boxes = np.array([_box(raster) for raster in drawn])
        count, parts, measured, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        for part in range(1, count):
            left, top, width, height = (int(value) for value in measured[part, :4])
            own = parts[top : top + height, left : left + width] == part
            near = np.flatnonzero(
                (boxes[:, 0] < left + width) & (boxes[:, 2] > left) & (boxes[:, 1] < top + height) & (boxes[:, 3] > top)
            )
            covers = {int(index): cut_raster(drawn[index], left, top, own.shape) for index in near}
            touching = [index for index, cover in covers.items() if (cover & own).any()]
            if len(touching) > 1:
                owner = _owners([covers[index] for index in touching], [_area(drawn[index]) for index in touching])
                for place, index in enumerate(touching):
                    found[index].append((left, top, own & (owner == place)))
            else:
                nearest = int(((centres - middles[part]) ** 2).sum(1).argmin())
                found[touching[0] if touching else nearest].append((left, top, own))
    return [_whole(place, pieces, outline) for place, pieces, outline in zip(places, found, drawn, strict=True)]


def cut_raster(raster: Raster | None, left: int, top: int, shape: tuple[int, ...]) -> Mask:
    """The pixels of a raster in the box of ``shape`` (h, w) at ``left``, ``top``."""
    cover = np.zeros(shape, bool)
    if raster is not None:
        x0, y0, x1, y1 = _box(raster)
        rows, columns = slice(max(y0, top), min(y1, top + shape[0])), slice(max(x0, left), min(x1, left + shape[1]))
        if rows.start < rows.stop and columns.start < columns.stop:
            cover[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = raster.crop[
                rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0
            ]
    return cover


def _box(raster: Raster | None) -> tuple[int, int, int, int]:
    """Left, top, right and bottom; of what lies outside of the photograph an empty one."""
    if raster is None:
        return -1, -1, -1, -1
    height, width = raster.crop.shape
    return raster.left, raster.top, raster.left + width, raster.top + height


def _area(raster: Raster | None) -> int:
    return 0 if raster is None else int(np.count_nonzero(raster.crop))


def _owners(covers: Sequence[Mask], areas: Sequence[int]) -> NDArray[np.intp]:
    """For each pixel of a box the index of the drawing that it goes to, of several the smallest."""
    by_area = sorted(range(len(covers)), key=lambda index: areas[index])
    distances = [
        cv2.distanceTransform((~covers[index]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for index in by_area
    ]
    return np.array(by_area)[np.argmin(distances, axis=0)]


def _whole(place: int, pieces: Sequence[tuple[int, int, Mask]], outline: Raster | None) -> MarkMask:
    """The pieces of one mark together."""
    pieces = [piece for piece in pieces if piece[2].any()]
    if not pieces:
        return MarkMask(place, None, outline)
    left, top = min(piece[0] for piece in pieces), min(piece[1] for piece in pieces)
    right, bottom = max(x + own.shape[1] for x, _, own in pieces), max(y + own.shape[0] for _, y, own in pieces)
    crop = np.zeros((bottom - top, right - left), bool)
    for x, y, own in pieces:
        crop[y - top : y - top + own.shape[0], x - left : x - left + own.shape[1]] |= own
    return MarkMask(place, Raster(left, top, crop), outline)
