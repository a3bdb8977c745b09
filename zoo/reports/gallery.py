"""Which lesions a report shows, and how: failures first, and the grid of Figure 4."""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import NamedTuple

import numpy as np

from coarsekit.metrics import ComponentScore
from coarsekit.types import Image, Mask, Window
from coarsekit.visualize.colours import BLACK, WHITE, Colour
from coarsekit.visualize.legends import Entry, headed
from coarsekit.visualize.outlines import outline_mask
from coarsekit.windows import LEAST_SIDE, REFERENCE_WIDTH, cut_image, cut_mask
from zoo.evaluation.refiners import FLOOR
from zoo.evaluation.scoreboard import ScoreTable, Setting

FINE: Colour = (0, 255, 255)
REFINED: Colour = (255, 90, 255)
"""Cyan and magenta, beside white for what was drawn: on a fundus, and to colour-blind people, they differ."""
_LEAST_AREA = 0.25
"""Lesions in the smallest quarter of their class are too tiny for a picture to show anything."""
_MARGIN = 2.4
"""Side of a patch over the distance from the lesion's middle to the farthest pixel that was drawn."""
_LEAST_ROOM, _MOST_ROOM = 3, 6
"""Side of a patch over the longer side of the lesion."""
_SEARCH = 2
"""How far beyond the lesion's box drawings are looked for, over its longer side."""
_TINT = 0.16
"""Share of the colour inside a mask."""
_RIM, _LINE = 4, 2
"""Widths of an outline's dark rim and of the outline, px."""


class Shown(NamedTuple):
    """One lesion to show: where it is, and how well a refiner found it."""

    setting: Setting
    image: str
    lesion: str
    component: ComponentScore


def worst(board: ScoreTable, setting: Setting, row: str, each: int = 3) -> list[Shown]:
    """The ``each`` lesions of every class of least IoU, the largest first of those wholly missed; no tiny ones.

    What the drawing does not touch is left out: that is no failure of the refiner's.
    """
    chosen = []
    for lesion in board.lesions(setting.dataset):
        large = [own for own in _large(board, setting, row, lesion) if _score(board, own, FLOOR) > 0]
        ordered = sorted(large, key=lambda own: (own.component.iou, -own.component.area))
        chosen += ordered[:each]
    return sorted(chosen, key=lambda own: own.component.iou)


def typical(board: ScoreTable, setting: Setting, row: str) -> list[Shown]:
    """Two lesions of every class, a smaller and a larger one, each of the median IoU among its like; no tiny ones."""
    chosen = []
    for lesion in board.lesions(setting.dataset):
        ordered = sorted(_large(board, setting, row, lesion), key=lambda own: own.component.area)
        halves = [half for half in (ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]) if half]
        chosen += [sorted(half, key=lambda own: own.component.iou)[len(half) // 2] for half in halves]
    return chosen


def _large(board: ScoreTable, setting: Setting, row: str, lesion: str) -> list[Shown]:
    found = [
        Shown(setting, image, lesion, component)
        for image, own in board.mask_scores(setting, row, lesion).items()
        for component in own.components
    ]
    if not found:
        return []
    least = np.quantile([own.component.area for own in found], _LEAST_AREA)
    return [own for own in found if own.component.area >= least]


def window_of(shown: Shown, coarse: Mask) -> Window:
    """A square about the lesion with room for what was drawn there: three to six times as wide as the lesion.

    It is no wider than the photograph is high.

    ``coarse``: what was drawn of its class, (h, w).
    """
    box = shown.component
    extent = max(box.width, box.height)
    top, left = max(box.y - _SEARCH * extent, 0), max(box.x - _SEARCH * extent, 0)
    ys, xs = np.nonzero(coarse[top : box.y + (_SEARCH + 1) * extent, left : box.x + (_SEARCH + 1) * extent])
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    reach = max(abs(xs + left - middle[0]).max(initial=0), abs(ys + top - middle[1]).max(initial=0))
    wanted = min(max(_MARGIN * reach, _LEAST_ROOM * extent), _MOST_ROOM * extent)
    side = round(max(LEAST_SIDE * coarse.shape[1] / REFERENCE_WIDTH, wanted))
    side = min(side, coarse.shape[0])
    return Window(round(middle[0] - side / 2), round(middle[1] - side / 2), side)


class Cut(NamedTuple):
    """One lesion cut out: the patch (s, s, 3), and masks (s, s): what was drawn, the fine one, and the refined by row.

    ``scores``: the lesion's IoU, 0–1, by row.
    """

    shown: Shown
    patch: Image
    coarse: Mask
    fine: Mask
    refined: Mapping[str, Mask]
    scores: Mapping[str, float]


def cut(
    board: ScoreTable, shown: Shown, image: Image, coarse: Mask, fine: Mask, refined: Mapping[str, Mask], size: int
) -> Cut:
    """Cut one lesion out of a photograph (h, w, 3) and masks (h, w), as patches of ``size`` px."""
    window = window_of(shown, coarse)
    masks = {row: cut_mask(mask, window, size) for row, mask in refined.items()}
    scores = {row: _score(board, shown, row) for row in refined}
    drawn, truth = cut_mask(coarse, window, size), cut_mask(fine, window, size)
    return Cut(shown, cut_image(image, window, size), drawn, truth, masks, scores)


def _score(board: ScoreTable, shown: Shown, row: str) -> float:
    """The same lesion's IoU in another row; NaN where none was scored on it."""
    measured = board.mask_scores(shown.setting, row, shown.lesion).get(shown.image)
    components = measured.components if measured else ()
    return next((own.iou for own in components if own[:4] == shown.component[:4]), nan)


def failures_sheet(cuts: Sequence[Cut], row: str, name: str, columns: int = 3) -> Image:
    """Each lesion as it is beside all three outlines, under image, class and IoU; a legend with the row's name."""
    cells = []
    for own in cuts:
        traced = _traced(own.patch, [(own.coarse, WHITE), (own.fine, FINE), (own.refined[row], REFINED)])
        caption = f"{own.shown.image}  {own.shown.lesion}  {_percent(own.scores[row])}"
        cells.append(headed(_framed([own.patch, traced]), [caption], []))
    legend = [Entry("drawn"), Entry("fine mask", FINE), Entry(f"refined by {name}", REFINED)]
    title = "Failures first: the lesions of each class that were refined worst, each in the middle of its patch"
    return headed(_tiled(cells, columns), [title], legend)


def comparison_sheet(cuts: Sequence[Cut], names: Sequence[str]) -> Image:
    """Figure 4: a row for each lesion; the patch, the fine mask, what was drawn, and what each refiner made of it.

    ``names``: what to call the refiners, in their order.
    """
    rows = list(cuts[0].refined)
    strips = []
    for own in cuts:
        masks = [(own.fine, FINE), (own.coarse, WHITE), *((own.refined[row], REFINED) for row in rows)]
        views = [own.patch, *(_traced(_tinted(own.patch, *one), [one]) for one in masks)]
        scores = [_percent(own.scores[row]) for row in rows]
        strips.append(headed(_framed(views), [f"{own.shown.lesion}, {own.shown.image}", "", "", *scores], []))
    return headed(np.concatenate(strips, axis=0), ["patch", "fine mask", "drawn", *names], [])


def _percent(score: float) -> str:
    return "not scored" if isnan(score) else f"IoU {100 * score:.0f} %"


def _tinted(patch: Image, mask: Mask, colour: Colour) -> Image:
    """The patch with a little colour in the mask, which shows its inside where its outline is hard to see."""
    share = _TINT * mask[..., None]
    return (patch * (1 - share) + np.array(colour) * share).astype(np.uint8)


def _traced(patch: Image, lines: Sequence[tuple[Mask, Colour]]) -> Image:
    """The patch with the masks' outlines; where a mask goes on beyond the patch there is no line."""
    edge = _RIM
    picture = np.pad(patch, ((edge, edge), (edge, edge), (0, 0)))
    masks = [(np.pad(mask, edge, mode="edge"), colour) for mask, colour in lines]
    # All dark rims come first, so that none covers a neighbour's line.
    for mask, _ in masks:
        outline_mask(picture, mask, BLACK, _RIM, smooth=True)
    for mask, colour in masks:
        outline_mask(picture, mask, colour, _LINE, smooth=True)
    return picture[edge:-edge, edge:-edge]


def _framed(views: Sequence[Image]) -> Image:
    """The views side by side, two black px after each."""
    stack = np.stack(views)
    stack[:, :, -2:] = 0
    return np.concatenate(list(stack), axis=1)


def _tiled(cells: Sequence[Image], columns: int) -> Image:
    columns = min(columns, len(cells))
    filled = [*cells, *[np.zeros_like(cells[0])] * (-len(cells) % columns)]
    strips = [np.concatenate(filled[start : start + columns], axis=1) for start in range(0, len(filled), columns)]
    return np.concatenate(strips, axis=0)
