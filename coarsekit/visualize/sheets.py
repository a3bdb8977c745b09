"""Pictures for people: coarse shapes and masks drawn over a photograph, and close-ups of single lesions. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import extent, moved
from coarsekit.types import Annotation, Image, Mark, Mask, Pair, Raster, Shape, Window, sized
from coarsekit.visualize.colours import BLACK, WHITE, colour_of
from coarsekit.visualize.outlines import headed, outline_mask, outline_shape, with_legend
from coarsekit.windows import cut_image, cut_mask, cut_shapes, window_around

_CELL = 500
"""About the width of a close-up of a sheet with its two views, px."""
_WIDEST = 1.6
"""Width over height above which the photographs of a sheet are made less high."""
_SEEN = 0.1
"""Share of a small picture's pixel that a mask covers for the pixel to show it, or microaneurysms would be gone."""


def overlay(image: Image, annotation: Annotation, masks: Mapping[str, Mask]) -> Image:
    """The photograph with what was drawn in thin white lines, the masks' outlines in their class's colour, a legend.

    ``masks``: refined or fine, (h, w) by lesion; a class without one shows what was drawn only.
    """
    picture = image.copy()
    line = max(1, round(image.shape[1] / 1500))
    for lesion in annotation.lesions:
        for shape in annotation.of(lesion):
            outline_shape(picture, shape, line)
    for lesion, mask in masks.items():
        outline_mask(picture, mask, colour_of(lesion), line)
    legend = [(f"{lesion}", colour_of(lesion)) for lesion in masks] + [("drawn", WHITE)]
    return with_legend(picture, legend, max(14, image.shape[1] // 60))


def closeups(image: Image, annotation: Annotation, masks: Mapping[str, Mask], count: int = 2, size: int = 224) -> Image:
    """Rows of patches around ``count`` shapes of each class, from small to large: as it is, as drawn, and the mask.

    Without any shape the picture is one black row.
    """
    strips: list[Image] = []
    for lesion in annotation.lesions:
        shapes = sorted(annotation.of(lesion), key=_size)
        places = np.unique(np.linspace(0, len(shapes) - 1, count + 2).round().astype(int)[1:-1])
        cells = [_closeup(image, shapes, shapes[place], masks.get(lesion), lesion, size) for place in places]
        strips += _rows(cells, count, 3 * count * size)
    return np.concatenate(strips, axis=0) if strips else np.zeros((size, 3 * count * size, 3), np.uint8)


def pair_sheet(pairs: Sequence[Pair], columns: int = 2, size: int = 192) -> Image:
    """Pairs in a grid, each as it is, with its coarse mask's outline and with its fine one's, ``size`` px a patch.

    Without any pair the picture is one black row.
    """
    cells = [_pair_cell(pair, size) for pair in pairs] or [np.zeros((size, 3 * size, 3), np.uint8)]
    return np.concatenate(_rows(cells, columns, columns * cells[0].shape[1]), axis=0)


def preview(image: Image, annotation: Annotation, masks: Mapping[str, Mask], height: int = 1000) -> Image:
    """One picture to judge by: the whole photograph with everything drawn on it, and close-ups beside it."""
    parts = (
        overlay(_scaled(image, height), *_scaled_drawing(annotation, masks, height)),
        closeups(image, annotation, masks),
    )
    return np.concatenate([_scaled(part, height) for part in parts], axis=1)


def drawing_sheet(image: Image, annotation: Annotation, height: int = 900) -> Image:
    """The photograph as it is beside itself with every shape in its class's colour; a legend above, close-ups below.

    ``height``: of the photographs, px, less for one that is wider than 1.6 times its height. The close-ups are of up to
    three shapes of each class, as it is and as drawn; an annotation without marks has none.
    """
    captions = (annotation.image, f"as drawn, {_counted(len(annotation.marks), 'mark')}")
    return _sheet(image, annotation, None, captions, height)


def masks_sheet(image: Image, annotation: Annotation, fine: Mapping[str, Mask], height: int = 900) -> Image:
    """What was drawn beside the outlines of the fine masks, in the colours of the classes, as in `drawing_sheet`.

    ``fine``: (h, w) by lesion; a class without one shows what was drawn only.
    """
    captions = (f"{annotation.image}: coarse, {_counted(len(annotation.marks), 'mark')}", "fine masks")
    return _sheet(image, annotation, fine, captions, height)


def captioned_pairs(pairs: Sequence[Pair], columns: int = 4, size: int = 192) -> Image:
    """`pair_sheet` of at most ``columns`` columns, under a caption that says what a pair's three patches show."""
    columns = max(1, min(columns, len(pairs)))
    return headed(pair_sheet(pairs, columns, size), ["photograph, coarse, fine"] * columns, [])


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _sheet(
    image: Image, annotation: Annotation, fine: Mapping[str, Mask] | None, captions: Sequence[str], height: int
) -> Image:
    height = max(1, round(min(height, _WIDEST * height * image.shape[0] / image.shape[1])))
    small = _scaled(image, height)
    drawing, masks = _scaled_drawing(annotation, fine or {}, height)
    whole = _views(small, drawing.marks, None if fine is None else masks)
    columns = max(1, round(whole.shape[1] / _CELL))
    cells = [
        _sheet_cell(image, annotation, fine, mark, whole.shape[1] // columns // 2)
        for lesion in annotation.lesions
        for mark in _some([mark for mark in annotation.marks if mark.lesion == lesion], 3)
    ]
    parts = [whole, *_rows(cells, columns, whole.shape[1])]
    lesions = dict.fromkeys([*annotation.lesions, *(fine or {})])
    legend = [(f"{lesion}: {len(annotation.of(lesion))} drawn", colour_of(lesion)) for lesion in lesions]
    return headed(np.concatenate(parts, axis=0), captions, legend)


def _rows(cells: Sequence[Image], columns: int, width: int) -> list[Image]:
    """The cells side by side, ``columns`` a row; each row is filled up with black to ``width`` px."""
    rows = [np.concatenate(cells[start : start + columns], axis=1) for start in range(0, len(cells), columns)]
    return [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]


def _some(marks: Sequence[Mark], count: int) -> list[Mark]:
    """Up to ``count`` of the marks, from small to large."""
    ordered = sorted(marks, key=lambda mark: _size(mark.shape))
    places = np.unique(np.linspace(0, len(ordered) - 1, min(count, len(ordered)) + 2).round().astype(int)[1:-1])
    return [ordered[place] for place in places]


def _sheet_cell(image: Image, annotation: Annotation, fine: Mapping[str, Mask] | None, mark: Mark, size: int) -> Image:
    window = window_around(sized(mark.shape, annotation.width), image.shape[:2], 2.0)
    reaching = [Mark(other.lesion, part) for other in annotation.marks for part in _in_window(other.shape, window)]
    scale = size / window.side
    marks = [Mark(other.lesion, moved(other.shape, -window.x, -window.y, scale)) for other in reaching]
    masks = None if fine is None else {lesion: cut_mask(mask, window, size) for lesion, mask in fine.items()}
    cell = _views(cut_image(image, window, size), marks, masks)
    cell[:4] = 0
    return with_legend(cell, [(mark.lesion, colour_of(mark.lesion))], max(10, size // 14))


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


def _views(picture: Image, marks: Sequence[Mark], masks: Mapping[str, Mask] | None) -> Image:
    """As drawn beside the masks' outlines, or without masks as it is beside as drawn; two black px after each."""
    drawn, traced = picture.copy(), picture.copy()
    # All dark rims come first, so that none covers a neighbour's line.
    for mark in marks:
        outline_shape(drawn, mark.shape, 4, BLACK)
    for mark in marks:
        outline_shape(drawn, mark.shape, 2, colour_of(mark.lesion))
    for mask in (masks or {}).values():
        outline_mask(traced, mask, BLACK, 3, smooth=True)
    for lesion, mask in (masks or {}).items():
        outline_mask(traced, mask, colour_of(lesion), 2, smooth=True)
    views = np.stack([traced, drawn] if masks is None else [drawn, traced])
    views[:, :, -2:] = 0
    return np.concatenate(views, axis=1)


def _scaled(picture: NDArray[Any], height: int) -> NDArray[Any]:
    return _resized(picture, max(1, round(picture.shape[1] * height / picture.shape[0])), height)


def _resized(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    method = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method))


def _scaled_drawing(
    annotation: Annotation, masks: Mapping[str, Mask], height: int
) -> tuple[Annotation, dict[str, Mask]]:
    scale = height / annotation.height
    marks = tuple(Mark(mark.lesion, moved(mark.shape, 0, 0, scale)) for mark in annotation.marks)
    small = {lesion: _scaled(mask.astype(np.float32), height) > _SEEN for lesion, mask in masks.items()}
    return replace(annotation, marks=marks), small


def _closeup(image: Image, shapes: Sequence[Shape], shape: Shape, mask: Mask | None, lesion: str, size: int) -> Image:
    window = window_around(shape, image.shape[:2], 2.0)
    fine = None if mask is None else cut_mask(mask, window, size)
    return _cell(cut_image(image, window, size), cut_shapes(shapes, window, size), fine, lesion)


def _pair_cell(pair: Pair, size: int) -> Image:
    coarse, fine = (_resized(mask.astype(np.float32), size, size) >= 0.5 for mask in (pair.coarse, pair.fine))
    return _cell(_resized(pair.image, size, size), coarse, fine, pair.lesion)


def _cell(plain: Image, coarse: Mask, fine: Mask | None, lesion: str) -> Image:
    """One patch three times, side by side: as it is, with the coarse outline, and with the fine one if there is any."""
    drawn, shown = plain.copy(), plain.copy()
    outline_mask(drawn, coarse, WHITE, 1)
    if fine is not None:
        outline_mask(shown, fine, colour_of(lesion), 1)
    cell = np.concatenate([plain, drawn, shown], axis=1)
    cell[:, -2:] = 0
    cell[-2:] = 0
    return with_legend(cell, [(lesion, colour_of(lesion))], plain.shape[0] // 12)


def _size(shape: Shape) -> float:
    x0, y0, x1, y1 = extent(shape)
    return (x1 - x0) * (y1 - y0)
