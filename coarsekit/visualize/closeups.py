"""Close-ups: which marks are worth one, and what it shows. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coarsekit.geometry import extent, moved
from coarsekit.types import Annotation, Image, Mark, Mask, Raster, Shape, Window, sized
from coarsekit.visualize.colours import Colour
from coarsekit.visualize.legends import Entry, headed
from coarsekit.visualize.outlines import draw_marks, draw_masks
from coarsekit.windows import cut_image, cut_mask, window_around

_EACH = 3
"""Close-ups of each class, where nothing says which marks are doubtful, and there are not many classes."""
_MOST, _MOST_MISSED = 12, 4
"""Close-ups of a sheet, if it has not more classes, and of those the marks for which nothing was found; these may be
more only if there are no others."""
_CONTEXT = 2.0
"""Side of a close-up over that of the mark's box."""
_GAP = 2
"""Black px after each view and below each close-up."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What a sheet shows of one photograph.

    ``masks``: refined or fine, (h, w) by class; None where there are only drawings. ``missed``: places in the
    annotation of the marks for which nothing was found. ``expected``: expected IoU, 0–1, by place; None or absent where
    it is unknown.
    """

    image: Image
    annotation: Annotation
    colours: Mapping[str, Colour]
    masks: Mapping[str, Mask] | None = None
    missed: Collection[int] = ()
    expected: Mapping[int, float | None] | None = None

    @property
    def are_rated(self) -> bool:
        """Whether anything says how far to trust any mark's mask."""
        return any(value is not None for value in (self.expected or {}).values())


def choose(drawn: Drawn) -> list[int]:
    """The places in the annotation of the marks to show.

    Where the marks are rated, those are first for which nothing was found, then those of the least expected IoU.
    Elsewhere up to three of each class are chosen, from small to large; those for which nothing was found come first.
    """
    marks = drawn.annotation.marks
    missed = [place for place in range(len(marks)) if place in drawn.missed]
    others = [place for place in range(len(marks)) if place not in drawn.missed]
    if not drawn.are_rated:
        lost = _spread(missed, marks, _MOST_MISSED)
        each = max(1, min(_EACH, _MOST // max(1, len(drawn.annotation.lesions))))
        chosen = []
        for lesion in drawn.annotation.lesions:
            left = each - sum(marks[place].lesion == lesion for place in lost)
            chosen += _spread([place for place in others if marks[place].lesion == lesion], marks, max(1, left))
        return [*lost, *chosen]
    rated = {place: value for place, value in (drawn.expected or {}).items() if value is not None}
    others.sort(key=lambda place: rated.get(place, 1.0))
    shown = missed[: max(_MOST_MISSED, _MOST - len(others))]
    return [*shown, *others[: _MOST - len(shown)]][:_MOST]


def caption(drawn: Drawn, place: int) -> str:
    """The class of a mark, with its expected IoU or that nothing was found, as far as that is known."""
    lesion = drawn.annotation.marks[place].lesion
    if place in drawn.missed:
        return f"{lesion} nothing found"
    value = (drawn.expected or {}).get(place)
    return lesion if value is None else f"{lesion} {value:.2f}"


def closeup(drawn: Drawn, place: int, size: int, letters: int) -> Image:
    """The patch around a mark as it is, beside itself with all that was drawn and found there; a caption above.

    ``size``: of each of the two views, px. ``letters``: of the caption, px.
    """
    annotation = drawn.annotation
    window = window_around(sized(annotation.marks[place].shape, annotation.width), drawn.image.shape[:2], _CONTEXT)
    scale = size / window.side
    found: list[Mark] = []
    missed: list[Mark] = []
    for other, mark in enumerate(annotation.marks):
        for part in _in_window(mark.shape, window):
            own = replace(mark, shape=moved(part, -window.x, -window.y, scale))
            (missed if other in drawn.missed else found).append(own)
    plain = cut_image(drawn.image, window, size)
    shown = plain.copy()
    draw_marks(shown, found, drawn.colours, 2, drawn.masks is not None, missed)
    if drawn.masks is not None:
        draw_masks(shown, {one: cut_mask(mask, window, size) for one, mask in drawn.masks.items()}, drawn.colours, 3)
    views = np.stack([plain, shown])
    views[:, :, -_GAP:] = 0
    views[:, -_GAP:] = 0
    entry = Entry(caption(drawn, place), drawn.colours[annotation.marks[place].lesion])
    return headed(np.concatenate(views, axis=1), (), [entry], letters)


def in_rows(cells: Sequence[Image], columns: int, width: int) -> list[Image]:
    """The cells side by side, ``columns`` a row; each row is filled up with black to ``width`` px."""
    rows = [np.concatenate(cells[start : start + columns], axis=1) for start in range(0, len(cells), columns)]
    return [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]


def _spread(places: Sequence[int], marks: Sequence[Mark], count: int) -> list[int]:
    """Up to ``count`` of the marks at these places, from small to large."""
    ordered = sorted(places, key=lambda place: _size(marks[place].shape))
    chosen = np.unique(np.linspace(0, len(ordered) - 1, min(count, len(ordered)) + 2).round().astype(int)[1:-1])
    return [ordered[index] for index in chosen]


def _in_window(shape: Shape, window: Window) -> list[Shape]:
    """The shape if it may be seen in the window; of a raster the part in it, or scaling it up would take memory."""
    x0, y0, x1, y1 = extent(shape)
    if x1 <= window.x or y1 <= window.y or x0 >= window.x + window.side or y0 >= window.y + window.side:
        return []
    if not isinstance(shape, Raster):
        return [shape]
    # One pixel beyond the window, so that its rim is not taken for the region's.
    left, top = max(window.x - 1 - shape.left, 0), max(window.y - 1 - shape.top, 0)
    right, bottom = window.x + window.side + 1 - shape.left, window.y + window.side + 1 - shape.top
    crop = shape.crop[top:bottom, left:right]
    return [Raster(shape.left + left, shape.top + top, crop)] if crop.any() else []


def _size(shape: Shape) -> float:
    x0, y0, x1, y1 = extent(shape)
    return (x1 - x0) * (y1 - y0)
