"""The pictures of a report: it opens the SOURCE again and refines just the photographs and classes that are shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.errors import ResultsError
from coarsekit.geometry import draw
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import Imprecision, Style
from coarsekit.storage.digests import masks_sha256, photograph_sha256
from coarsekit.types import Annotation, Fundus, Image, Mask
from zoo.evaluation.refiners import BLIND, FLOOR, EvaluatedRefiner, blind_rule, load_for_evaluation
from zoo.evaluation.results import PhotographContent, RefinerInfo
from zoo.evaluation.scoreboard import ScoreTable, Setting
from zoo.refiner import no_progress
from zoo.reports.gallery import Cut, Shown, comparison_sheet, cut, failures_sheet, typical, worst
from zoo.reports.report import COMPARISON, FAILURES

_PATCH, _LEAST_PATCH = 200, 120
"""Side of a patch, px, and the least where there are many refiners."""
_SHEET_WIDTH = 1400
"""Width of Figure 4, px, as long as patches are no smaller than the least."""
_OTHER_COLUMNS = 3
"""The patch, the fine mask and the drawing, beside a column for each refiner."""


def pictures(
    board: ScoreTable, setting: Setting, source: str, device: str = "cpu", advance: Callable[[int], None] = no_progress
) -> dict[str, Image]:
    """The worst lesions and Figure 4 of a setting, by name; none where no lesion was scored.

    ``source``: the SOURCE that was evaluated, wherever it lies now. ``advance``: called with 1 for each lesion.

    Raises `SourceError` when it cannot be opened, `RefinerError` when a refiner cannot be loaded, and `ResultsError`
    when the source or a refiner is not the one that was evaluated.
    """
    renderer = PatchRenderer(board, open_source(source), setting, device)
    first = board.row_of[board.record.named[0]]
    if not typical(board, setting, first):
        return {}
    failures = renderer.cuts(worst(board, setting, first), [first], _PATCH, advance)
    return {
        FAILURES: failures_sheet(failures, first, board.display_name(first)),
        COMPARISON: comparison(board, setting, renderer, advance),
    }


def comparison(
    board: ScoreTable, setting: Setting, renderer: "PatchRenderer", advance: Callable[[int], None] = no_progress
) -> Image:
    """Figure 4 of a setting: typical lesions of the first refiner, and what every refiner made of them."""
    shown = typical(board, setting, board.row_of[board.record.named[0]])
    rows = [row for row in board.row_names if row != FLOOR]
    size = max(_LEAST_PATCH, min(_PATCH, _SHEET_WIDTH // (_OTHER_COLUMNS + len(rows))))
    return comparison_sheet(renderer.cuts(shown, rows, size, advance), [board.display_name(row) for row in rows])


def count(board: ScoreTable, setting: Setting) -> int:
    """How many lesions `pictures` shows."""
    first = board.row_of[board.record.named[0]]
    return len(worst(board, setting, first)) + len(typical(board, setting, first))


def style_of(name: str, parameters: Mapping[str, Any]) -> Style:
    """The style of these `Style.parameters`, whatever a preset or a file of that name says now."""
    imprecision = {lesion: Imprecision(**own) for lesion, own in parameters["imprecision"].items()}
    other = None if parameters["other"] is None else Imprecision(**parameters["other"])
    return Style(**{**parameters, "name": name, "imprecision": imprecision, "other": other})


class PatchRenderer:
    """Refines the photographs and classes of chosen lesions, and cuts the lesions out."""

    def __init__(self, board: ScoreTable, dataset: Dataset, setting: Setting, device: str) -> None:
        self.board, self.dataset, self.setting = board, dataset, setting
        self.style = style_of(setting.style, board.record.styles[setting.style])
        self.refiners = [_load_same(info, device) for info in board.record.refiners if info.name != FLOOR]

    def cuts(
        self, chosen: Sequence[Shown], rows: Sequence[str], size: int, advance: Callable[[int], None]
    ) -> list[Cut]:
        """The lesions cut out, in their order; those of one photograph are refined together, so it is read once."""
        made: dict[Shown, Cut] = {}
        for image in dict.fromkeys(shown.image for shown in chosen):
            fundus = self.dataset.read(image)
            content = PhotographContent(photograph_sha256(fundus.image), masks_sha256(fundus.fine))
            if content != self.board.contents[self.setting.dataset][image]:
                raise ResultsError(
                    f"{self.dataset.name}: the photograph {image} or its masks are not those that were evaluated; name "
                    "the SOURCE that was, or evaluate again"
                )
            drawn = annotate(fundus, self.setting.reduction, self.style, self.board.record.seed, self.dataset.name)
            own = [shown for shown in chosen if shown.image == image]
            for lesion in dict.fromkeys(shown.lesion for shown in own):
                refined = {row: self._refined(fundus, drawn, row, lesion) for row in rows}
                coarse = draw(drawn.of(lesion), fundus.shape)
                for shown in own:
                    if shown.lesion == lesion:
                        made[shown] = cut(self.board, shown, fundus.image, coarse, fundus.fine[lesion], refined, size)
                        advance(1)
        return [made[shown] for shown in chosen]

    def _refined(self, fundus: Fundus, drawn: Annotation, row: str, lesion: str) -> Mask:
        """What the refiner of a row made of one class; nothing where none was scored on it."""
        marks = tuple(mark for mark in drawn.marks if mark.lesion == lesion)
        for refiner in self.refiners:
            name = refiner.info.name
            if self.board.row_of[name] == row and lesion in self.board.lesions(self.dataset.name, name):
                return refiner.load().refine(fundus.image, replace(drawn, marks=marks))[lesion]
        return np.zeros(fundus.shape, bool)


def _load_same(info: RefinerInfo, device: str) -> EvaluatedRefiner:
    refiner = blind_rule() if info.name == BLIND else load_for_evaluation(info.name, device)
    if refiner.info.weights_sha256 != info.weights_sha256:
        raise ResultsError(f"{info.name} is no longer what was evaluated; evaluate again with force=True")
    return refiner
