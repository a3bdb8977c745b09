"""Tables from scores: rows for programs, and text cells for people, laid out as the paper's tables."""

from math import isnan
from typing import Any, NamedTuple

from zoo.evaluation.measures import IOU, MEASURES, PER_PHOTOGRAPH
from zoo.evaluation.protocols import CROSS_DATASET, REDUCTION
from zoo.evaluation.refiners import BLIND, FLOOR
from zoo.evaluation.results import RefinerInfo
from zoo.evaluation.scoreboard import ScoreTable, Setting
from zoo.evaluation.statistics import Summary


class Table(NamedTuple):
    """A title, and rows of text cells with the same columns."""

    title: str
    rows: list[dict[str, str]]


def score_rows(board: ScoreTable) -> list[dict[str, Any]]:
    """A row for each style, reduction factor, named refiner, dataset and class; percent, NaN where not defined.

    ``floor_iou`` is that of the drawing as it is, ``shrink_iou`` that of the image-blind rule; ``iou_low`` and
    ``iou_high`` are the bootstrap's 95 % interval. Standard deviations are the population's, over images.
    """
    infos = {info.name: info for info in board.record.refiners}
    named = [infos[name] for name in board.record.named]
    ordered = sorted(
        board.settings, key=lambda setting: (list(board.record.styles).index(setting.style), setting.reduction)
    )
    return [
        _row(board, setting, info, lesion)
        for setting in ordered
        for info in named
        for lesion in board.lesions(setting.dataset, info.name)
    ]


def _row(board: ScoreTable, setting: Setting, info: RefinerInfo, lesion: str) -> dict[str, Any]:
    [tested] = [tested for tested in board.record.datasets if tested.name == setting.dataset]
    row = board.row_of[info.name]
    floor, blind, own = (board.summary(setting, name, IOU, lesion) for name in (FLOOR, BLIND, row))
    result = {
        "refiner": info.name,
        "trained_on": info.trained_on,
        "weights_sha256": info.weights_sha256,
        "refining_version": board.record.refining_version,
        "dataset": setting.dataset,
        "reader": tested.reader,
        "dataset_sha256": board.dataset_sha256(setting.dataset),
        "dataset_images": len(board.contents[setting.dataset]),
        "dataset_images_seen": board.images_seen(info, setting.dataset),
        "split": tested.split,
        "lesion": lesion,
        "reduction": setting.reduction,
        "style": setting.style,
        "style_sha256": board.style_sha256(setting.style),
        "seed": board.record.seed,
        "images": own.images,
        "floor_iou": floor.mean,
        "floor_iou_std": floor.std,
        "shrink_iou": blind.mean,
        **_ends(own),
        "variant": info.variant,
    }
    for measure in PER_PHOTOGRAPH[1:]:
        other = board.summary(setting, row, measure, lesion)
        result |= {measure.name: other.mean, f"{measure.name}_std": other.std}
    return result | board.calibration(setting, row, lesion)


def average_rows(board: ScoreTable) -> list[dict[str, Any]]:
    """A row for each style, reduction factor, dataset and row of the tables: the mean over the classes, percent."""
    return [
        {
            "refiner": row,
            "dataset": setting.dataset,
            "reduction": setting.reduction,
            "style": setting.style,
            **_ends(own),
            **{measure.name: board.class_mean(setting, row, measure) for measure in PER_PHOTOGRAPH[1:]},
        }
        for setting in board.settings
        for row in board.row_names
        for own in [board.summary(setting, row)]
    ]


def _ends(summary: Summary) -> dict[str, float]:
    return {"iou": summary.mean, "iou_std": summary.std, "iou_low": summary.low, "iou_high": summary.high}


def protocol_tables(board: ScoreTable) -> list[Table]:
    """What people are shown: IoU as the protocol's table in the paper has it, then the other measures."""
    if board.record.protocol == REDUCTION:
        return [
            _sweep(board, dataset.name, style) for dataset in board.record.datasets for style in board.record.styles
        ]
    shown = [
        _crossed(board, style, reduction) for style in board.record.styles for reduction in board.record.reductions
    ]
    across = shown if board.record.protocol == CROSS_DATASET else []
    return across + [
        table for setting in board.settings for table in (_classes(board, setting), _measures(board, setting))
    ]


def _classes(board: ScoreTable, setting: Setting) -> Table:
    """Refiners by lesion classes: Tables 1 and 2."""
    lesions = board.lesions(setting.dataset)
    lines = []
    for row in board.row_names:
        cells = {lesion: _cell(board.summary(setting, row, IOU, lesion)) for lesion in lesions}
        lines.append({"refiner": row} | cells | {"average": _cell(board.summary(setting, row))})
    images = {lesion: str(board.summary(setting, FLOOR, IOU, lesion).images) for lesion in lesions}
    lines.append({"refiner": "images"} | images | {"average": ""})
    return Table(f"{where(board, setting)}: IoU in percent, mean (standard deviation) 95 % interval", lines)


def _measures(board: ScoreTable, setting: Setting) -> Table:
    """Refiners by the other measures, each the mean over the classes."""
    others = [measure for measure in MEASURES if measure is not IOU]
    lines = [
        {"refiner": row, **{own.column: _number(board.class_mean(setting, row, own)) for own in others}}
        for row in board.row_names
    ]
    return Table(f"{where(board, setting)}: other measures in percent, means over the classes", lines)


def _crossed(board: ScoreTable, style: str, reduction: float) -> Table:
    """Where a refiner was trained by where it was tested, averages over the classes."""
    trained = {board.row_of[info.name]: info.trained_on or "–" for info in board.record.refiners}
    lines = []
    for row in board.row_names:
        settings = [Setting(tested.name, style, reduction) for tested in board.record.datasets]
        cells = {setting.dataset: _cell(board.summary(setting, row)) for setting in settings}
        lines.append({"refiner": row, "trained on": trained[row]} | cells)
    return Table(f"Style {style}, reduction {reduction:g}: average IoU in percent, by the dataset tested on", lines)


def _sweep(board: ScoreTable, dataset: str, style: str) -> Table:
    """Refiners by reduction factors: Figure 3 as a table."""
    lines = []
    for row in board.row_names:
        settings = [Setting(dataset, style, reduction) for reduction in board.record.reductions]
        cells = {f"{setting.reduction:g}": _number(board.summary(setting, row).mean) for setting in settings}
        lines.append({"refiner": row} | cells)
    return Table(f"{dataset}, style {style}: average IoU in percent by reduction factor", lines)


def pins(board: ScoreTable) -> list[str]:
    """What the tables are of, by digest, a sentence each: data, styles, and refiners."""
    record = board.record
    sentences = []
    for tested in record.datasets:
        content = board.dataset_sha256(tested.name)[:12]
        count = len(board.contents[tested.name])
        sentences.append(f"Data: {tested.name}, split {tested.split}, {count} photographs, {content}.")
        for info in record.refiners:
            seen = board.images_seen(info, tested.name)
            if info.trained and seen is None:
                sentences.append(f"Whether {info.name} saw these photographs in training is not known.")
            elif seen:
                sentences.append(f"{info.name} saw {seen} of these {count} photographs in training or validation.")
    styles = ", ".join(f"{style} {board.style_sha256(style)[:12]}" for style in record.styles)
    weights = ", ".join(f"{info.name} {info.weights_sha256[:12]}" for info in record.refiners if info.name != FLOOR)
    sentences.append(f"Drawn: {styles}, seed {record.seed}.")
    sentences.append(f"Weights: {weights}; refining version {record.refining_version}.")
    return sentences


def where(board: ScoreTable, setting: Setting) -> str:
    """A setting in words, for titles."""
    [split] = [tested.split for tested in board.record.datasets if tested.name == setting.dataset]
    splits = "all splits" if split == "all" else split
    return f"{setting.dataset}, {splits}, style {setting.style}, reduction {setting.reduction:g}"


def _cell(summary: Summary) -> str:
    if isnan(summary.mean):
        return "–"
    if isnan(summary.low):
        return f"{summary.mean:.1f}"
    return f"{summary.mean:.1f} ({summary.std:.1f}) {summary.low:.1f}–{summary.high:.1f}"


def _number(number: float) -> str:
    return "–" if isnan(number) else f"{number:.1f}"
