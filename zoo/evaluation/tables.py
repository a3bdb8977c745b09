"""Tables from scores: rows for programs, and text cells for people, laid out as the paper's tables."""

from math import isnan
from typing import Any, NamedTuple

import numpy as np

from zoo.evaluation.protocols import CROSS_DATASET, REDUCTION
from zoo.evaluation.refiners import BLIND, FLOOR
from zoo.evaluation.results import RefinerInfo
from zoo.evaluation.scoreboard import CALIBRATION, MEASURES, ScoreTable, Setting
from zoo.evaluation.statistics import Summary


class Table(NamedTuple):
    """A title, and rows of text cells with the same columns."""

    title: str
    rows: list[dict[str, str]]


def rows(board: ScoreTable) -> list[dict[str, Any]]:
    """A row for each style, reduction factor, named refiner, dataset and class; percent, NaN where not defined.

    ``floor_iou`` is that of the drawing as it is, ``shrink_iou`` that of the image-blind rule; ``iou_low`` and
    ``iou_high`` are the bootstrap's 95 % interval. Standard deviations are the population's, over images.
    """
    abouts = {about.name: about for about in board.asked.refiners}
    named = [abouts[name] for name in board.asked.named]
    ordered = sorted(board.places, key=lambda place: (list(board.asked.styles).index(place.style), place.reduction))
    return [
        _row(board, place, about, lesion)
        for place in ordered
        for about in named
        for lesion in board.lesions(place.dataset, about.name)
    ]


def _row(board: ScoreTable, place: Setting, about: RefinerInfo, lesion: str) -> dict[str, Any]:
    [tested] = [tested for tested in board.asked.datasets if tested.name == place.dataset]
    row = board.row_of[about.name]
    floor, blind, own = (board.summary(place, name, "iou", lesion) for name in (FLOOR, BLIND, row))
    result = {
        "refiner": about.name,
        "trained_on": about.trained_on,
        "dataset": place.dataset,
        "split": tested.split,
        "lesion": lesion,
        "reduction": place.reduction,
        "style": place.style,
        "seed": board.asked.seed,
        "images": own.images,
        "floor_iou": floor.mean,
        "floor_iou_std": floor.std,
        "shrink_iou": blind.mean,
        "iou": own.mean,
        "iou_std": own.std,
        "iou_low": own.low,
        "iou_high": own.high,
        "variant": about.variant,
    }
    for measure in list(MEASURES)[1:]:
        other = board.summary(place, row, measure, lesion)
        result |= {measure: other.mean, f"{measure}_std": other.std}
    return result | board.calibration(place, row, lesion)


def averages(board: ScoreTable) -> list[dict[str, Any]]:
    """A row for each style, reduction factor, dataset and row of the tables: the mean over the classes, percent."""
    return [
        {
            "refiner": row,
            "dataset": place.dataset,
            "reduction": place.reduction,
            "style": place.style,
            **{f"iou{end}": getattr(own, name) for end, name in _ENDS.items()},
            **{name: board.summary(place, row, name).mean for name in list(MEASURES)[1:]},
        }
        for place in board.places
        for row in board.rows
        for own in [board.summary(place, row)]
    ]


_LABELS = {"boundary_f": "boundary F", "component_iou": "component IoU", "ece": "ECE", "brier": "Brier"}
_ENDS = {"": "mean", "_std": "std", "_low": "low", "_high": "high"}


def tables(board: ScoreTable) -> list[Table]:
    """What people are shown: IoU as the protocol's table in the paper has it, then the other measures."""
    if board.asked.protocol == REDUCTION:
        return [_sweep(board, dataset.name, style) for dataset in board.asked.datasets for style in board.asked.styles]
    shown = [_crossed(board, style, reduction) for style in board.asked.styles for reduction in board.asked.reductions]
    across = shown if board.asked.protocol == CROSS_DATASET else []
    return across + [table for place in board.places for table in (_classes(board, place), _measures(board, place))]


def _classes(board: ScoreTable, place: Setting) -> Table:
    """Refiners by lesion classes: Tables 1 and 2."""
    lesions = board.lesions(place.dataset)
    lines = []
    for row in board.rows:
        cells = {lesion: _cell(board.summary(place, row, "iou", lesion)) for lesion in lesions}
        lines.append({"refiner": row} | cells | {"average": _cell(board.summary(place, row))})
    counts = [board.summary(place, FLOOR, "iou", lesion).images for lesion in lesions]
    images = {lesion: str(count) for lesion, count in zip(lesions, counts, strict=True)}
    lines.append({"refiner": "images"} | images | {"average": ""})
    return Table(f"{where(board, place)}: IoU in percent, mean (standard deviation) 95 % interval", lines)


def _measures(board: ScoreTable, place: Setting) -> Table:
    """Refiners by the other measures, each the mean over the classes."""
    lines = []
    for row in board.rows:
        cells = {_LABELS.get(name, name): _number(board.summary(place, row, name).mean) for name in list(MEASURES)[1:]}
        calibrated = [board.calibration(place, row, lesion) for lesion in board.lesions(place.dataset)]
        means = {_LABELS[name]: _number(float(np.mean([own[name] for own in calibrated]))) for name in CALIBRATION}
        lines.append({"refiner": row} | cells | means)
    return Table(f"{where(board, place)}: other measures in percent, means over the classes", lines)


def _crossed(board: ScoreTable, style: str, reduction: float) -> Table:
    """Where a refiner was trained by where it was tested, averages over the classes."""
    trained = {board.row_of[about.name]: about.trained_on or "–" for about in board.asked.refiners}
    lines = []
    for row in board.rows:
        own = [board.summary(Setting(tested.name, style, reduction), row) for tested in board.asked.datasets]
        cells = {tested.name: _cell(one) for tested, one in zip(board.asked.datasets, own, strict=True)}
        lines.append({"refiner": row, "trained on": trained[row]} | cells)
    return Table(f"Style {style}, reduction {reduction:g}: average IoU in percent, by the dataset tested on", lines)


def _sweep(board: ScoreTable, dataset: str, style: str) -> Table:
    """Refiners by reduction factors: Figure 3 as a table."""
    lines = []
    for row in board.rows:
        places = [Setting(dataset, style, reduction) for reduction in board.asked.reductions]
        lines.append(
            {"refiner": row} | {f"{place.reduction:g}": _number(board.summary(place, row).mean) for place in places}
        )
    return Table(f"{dataset}, style {style}: average IoU in percent by reduction factor", lines)


def where(board: ScoreTable, place: Setting) -> str:
    """A place in words, for titles."""
    [split] = [tested.split for tested in board.asked.datasets if tested.name == place.dataset]
    splits = "all splits" if split == "all" else split
    return f"{place.dataset}, {splits}, style {place.style}, reduction {place.reduction:g}"


def _cell(summary: Summary) -> str:
    if isnan(summary.mean):
        return "–"
    return f"{summary.mean:.1f} ({summary.std:.1f}) {summary.low:.1f}–{summary.high:.1f}"


def _number(number: float) -> str:
    return "–" if isnan(number) else f"{number:.1f}"
