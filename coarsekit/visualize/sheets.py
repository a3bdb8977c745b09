"""Pictures for people: drawings and masks over a photograph, and close-ups of single marks. Pure.

Drawings are dashed and thin where masks are shown too, masks are solid and thicker; both have their class's colour.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import moved
from coarsekit.types import Annotation, Image, Mark, Mask, Pair
from coarsekit.visualize.closeups import Drawn, choose, closeup, in_rows
from coarsekit.visualize.colours import BLACK, NOTHING_FOUND, WHITE, Colour, colours_for, colours_in
from coarsekit.visualize.legends import Entry, headed, with_legend
from coarsekit.visualize.outlines import dash_of, draw_marks, draw_masks, outline_mask

_LINES = 1200
"""Width of a photograph for each px of the width of the lines over it, which is two px at least."""
_CELL = 640
"""About the width of a close-up of a sheet with its two views, px."""
_WIDEST = 1.6
"""Width over height above which the photographs of a sheet are made less high."""
_SEEN = 0.1
"""Share of a small picture's pixel that a mask covers for the pixel to show it, or microaneurysms would be gone."""


def overlay(image: Image, annotation: Annotation, masks: Mapping[str, Mask], missed: Collection[int] = ()) -> Image:
    """The photograph with what was drawn in dashed lines, the masks' outlines in solid ones, and a legend.

    Args:
        image: (h, w, 3).
        annotation: What was drawn on it.
        masks: Refined or fine, (h, w) by class; a class without one shows what was drawn only.
        missed: Places in the annotation of the marks for which nothing was found: they are grey-white, with a cross.

    Returns:
        (h, w, 3).
    """
    drawn = Drawn(image, annotation, colours_in(annotation, masks), masks, missed)
    picture = image.copy()
    line = max(2, round(image.shape[1] / _LINES))
    found, not_found = _divided(drawn, annotation.marks)
    draw_marks(picture, found, drawn.colours, line, True, not_found)
    draw_masks(picture, masks, drawn.colours, line + line // 3)
    return with_legend(picture, _legend(drawn, "refined"), max(12, image.shape[1] // 75))


def pair_sheet(pairs: Sequence[Pair], columns: int = 2, size: int = 192) -> Image:
    """Pairs in a grid, each as it is, with its coarse mask's outline and with its fine one's, ``size`` px a patch.

    Without any pair the picture is one black row.
    """
    colours = colours_for(pair.lesion for pair in pairs)
    cells = [_pair_cell(pair, colours[pair.lesion], size) for pair in pairs] or [
        np.zeros((size, 3 * size, 3), np.uint8)
    ]
    return np.concatenate(in_rows(cells, columns, columns * cells[0].shape[1]), axis=0)


def preview(
    image: Image,
    annotation: Annotation,
    masks: Mapping[str, Mask],
    height: int = 900,
    *,
    missed: Collection[int] = (),
    expected: Mapping[int, float | None] | None = None,
    title: str = "fine masks",
) -> Image:
    """One picture to judge masks by: drawings beside masks, a legend above, and close-ups below.

    Args:
        image: (h, w, 3).
        annotation: What was drawn on it.
        masks: Refined or fine, (h, w) by class; a class without one shows what was drawn only.
        height: Of the photographs, px, less for one that is wider than 1.6 times its height.
        missed: Places in the annotation of the marks for which nothing was found.
        expected: Expected IoU, 0–1, of what was found for the mark at each place; None where it is unknown. With any,
            the close-ups are of the most doubtful marks, else of up to three of each class, from small to large.
        title: What the masks are.

    Returns:
        The picture, about three times as wide as ``height``.
    """
    drawn = Drawn(image, annotation, colours_in(annotation, masks), masks, missed, expected)
    captions = (f"{annotation.image}: as drawn, {_counted(len(annotation.marks), 'mark')}", title)
    return _sheet(drawn, captions, height, title)


def drawing_sheet(image: Image, annotation: Annotation, height: int = 900) -> Image:
    """The photograph as it is beside itself with every shape in its class's colour; a legend above, close-ups below.

    ``height``: of the photographs, px, less for one that is wider than 1.6 times its height. The close-ups are of up to
    three shapes of each class, as it is and as drawn; an annotation without marks has none.
    """
    captions = (annotation.image, f"as drawn, {_counted(len(annotation.marks), 'mark')}")
    return _sheet(Drawn(image, annotation, colours_in(annotation)), captions, height, "")


def captioned_pairs(pairs: Sequence[Pair], columns: int = 4, size: int = 192) -> Image:
    """`pair_sheet` of at most ``columns`` columns, under a caption that says what a pair's three patches show."""
    columns = max(1, min(columns, len(pairs)))
    colours = colours_for(pair.lesion for pair in pairs)
    legend = [Entry(lesion, colour) for lesion, colour in colours.items()]
    return headed(pair_sheet(pairs, columns, size), ["photograph, coarse, fine"] * columns, legend)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _legend(drawn: Drawn, title: str) -> list[Entry]:
    """The classes with their counts, and what each kind of line stands for, as far as the picture has it."""
    marks = drawn.annotation.marks
    entries = []
    for lesion, colour in drawn.colours.items():
        count = sum(mark.lesion == lesion for mark in marks)
        lost = sum(marks[place].lesion == lesion for place in drawn.missed)
        entries.append(Entry(f"{lesion}: {count} drawn{f', nothing found for {lost}' if lost else ''}", colour))
    if drawn.masks is None:
        return entries
    entries += [Entry("drawn", WHITE, "dashed"), Entry(title, WHITE, "solid")]
    return [*entries, Entry("nothing found", NOTHING_FOUND, "cross")] if drawn.missed else entries


def _divided(drawn: Drawn, marks: Sequence[Mark]) -> tuple[list[Mark], list[Mark]]:
    """The marks for which something was found, and those for which nothing was."""
    found = [mark for place, mark in enumerate(marks) if place not in drawn.missed]
    return found, [mark for place, mark in enumerate(marks) if place in drawn.missed]


def _sheet(drawn: Drawn, captions: Sequence[str], height: int, title: str) -> Image:
    image = drawn.image
    height = max(1, round(min(height, _WIDEST * height * image.shape[0] / image.shape[1])))
    whole = _whole(drawn, height)
    width = whole.shape[1]
    columns = max(1, round(width / _CELL))
    letters = max(12, width // 120)
    cells = [closeup(drawn, place, width // columns // 2, letters) for place in choose(drawn)]
    parts = [whole]
    if cells:
        shown = "as it is, and with what was drawn" if drawn.masks is None else "as it is, and with both"
        said = f"Close-ups, the most doubtful first, with the expected IoU: {shown}"
        rows = np.concatenate(in_rows(cells, columns, width), axis=0)
        parts.append(headed(rows, [said if drawn.are_rated else f"Close-ups: {shown}"]))
    return headed(np.concatenate(parts, axis=0), captions, _legend(drawn, title))


def _whole(drawn: Drawn, height: int) -> Image:
    """The photograph as drawn beside the masks' outlines, or without masks as it is beside as drawn."""
    scale = height / drawn.annotation.height
    marks = [replace(mark, shape=moved(mark.shape, 0, 0, scale)) for mark in drawn.annotation.marks]
    small = _scaled(drawn.image, height)
    left, right = small.copy(), small.copy()
    if drawn.masks is None:
        draw_marks(right, marks, drawn.colours, 2, dashed=False)
    else:
        masks = {lesion: _scaled(mask.astype(np.float32), height) > _SEEN for lesion, mask in drawn.masks.items()}
        draw_marks(left, marks, drawn.colours, 2)
        draw_marks(right, [], drawn.colours, 2, missed=_divided(drawn, marks)[1])
        draw_masks(right, masks, drawn.colours, 2)
    views = np.stack([left, right])
    views[:, :, -2:] = 0
    return np.concatenate(views, axis=1)


def _scaled(picture: NDArray[Any], height: int) -> NDArray[Any]:
    return _resized(picture, max(1, round(picture.shape[1] * height / picture.shape[0])), height)


def _resized(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    method = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method))


def _pair_cell(pair: Pair, colour: Colour, size: int) -> Image:
    """One patch three times, side by side: as it is, with the coarse outline dashed, and with the fine one solid."""
    coarse, fine = (_resized(mask.astype(np.float32), size, size) >= 0.5 for mask in (pair.coarse, pair.fine))
    plain = _resized(pair.image, size, size)
    drawn, shown = plain.copy(), plain.copy()
    outline_mask(drawn, coarse, BLACK, 4, dash=dash_of(2))
    outline_mask(drawn, coarse, colour, 2, dash=dash_of(2))
    draw_masks(shown, {pair.lesion: fine}, {pair.lesion: colour}, 2)
    cell = np.concatenate([plain, drawn, shown], axis=1)
    cell[:, -2:] = 0
    cell[-2:] = 0
    return with_legend(cell, [Entry(pair.lesion, colour)], max(10, size // 12))
