"""What a report adds to the tables: paired comparisons, calibration, and how small lesions fare. Rows, and as text."""

from math import isnan
from typing import Any

import numpy as np

from zoo.evaluation.measures import CALIBRATION, IOU
from zoo.evaluation.refiners import FLOOR
from zoo.evaluation.scoreboard import ScoreTable, Setting
from zoo.evaluation.statistics import compare
from zoo.evaluation.tables import Table, where

QUARTERS = ("smallest quarter", "second", "third", "largest")
AVERAGE = "average"


def reported_settings(board: ScoreTable) -> list[Setting]:
    """The settings that findings are of: of several reduction factors the first."""
    return [setting for setting in board.settings if setting.reduction == board.record.reductions[0]]


def default_pairs(board: ScoreTable) -> list[tuple[str, str]]:
    """Every row but the floor against the first refiner that was named."""
    first = board.row_of[board.record.named[0]]
    return [(row, first) for row in board.row_names if row not in (FLOOR, first)]


def comparisons(board: ScoreTable, pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """A row for each setting, pair and class, and the average: IoU in points of percent, on the same images."""
    found = []
    for setting in reported_settings(board):
        lesions = board.lesions(setting.dataset)
        for one, other in pairs:
            ours, theirs = (board.scores(setting, row, IOU) for row in (one, other))
            columns = {lesion: [number] for number, lesion in enumerate(lesions)} | {AVERAGE: [*range(len(lesions))]}
            for lesion, own in columns.items():
                compared = compare(ours[:, own], theirs[:, own], board.record.seed)._asdict()
                found.append({**setting._asdict(), "refiner": one, "against": other, "lesion": lesion, **compared})
    return found


def calibrations(board: ScoreTable) -> list[dict[str, Any]]:
    """A row for each setting, network and class: expected calibration error and Brier score, percent."""
    return [
        {**setting._asdict(), "refiner": row, "lesion": lesion, **measured}
        for setting in reported_settings(board)
        for row in board.row_names
        for lesion in board.lesions(setting.dataset)
        for measured in [board.calibration(setting, row, lesion)]
        if not isnan(measured[CALIBRATION[0].name])
    ]


def by_size(board: ScoreTable) -> list[dict[str, Any]]:
    """A row for each setting, class, quarter of its components by area, and row: their mean IoU in percent.

    ``from_px``, ``to_px``: the least and the greatest area in the quarter; equal areas share one.
    """
    found = []
    for setting in reported_settings(board):
        for lesion in board.lesions(setting.dataset):
            for row in board.row_names:
                measured = board.mask_scores(setting, row, lesion).values()
                parts = np.array([(part.area, part.iou) for own in measured for part in own.components])
                if not len(parts):
                    continue
                quarter = np.digitize(parts[:, 0], np.quantile(parts[:, 0], [0.25, 0.5, 0.75]), right=True)
                for number, name in enumerate(QUARTERS):
                    areas, ious = parts[quarter == number].T
                    if len(areas):
                        line = {**setting._asdict(), "lesion": lesion, "quarter": name, "components": len(areas)}
                        line |= {"from_px": int(areas.min()), "to_px": int(areas.max())}
                        found.append(line | {"refiner": row, "component_iou": 100 * float(ious.mean())})
    return found


def finding_tables(board: ScoreTable, pairs: list[tuple[str, str]]) -> list[Table]:
    """The findings as text, a table for each setting and finding; one without a row is left out."""
    found = []
    compared, calibrated, sized = comparisons(board, pairs), calibrations(board), by_size(board)
    for setting in reported_settings(board):
        head = where(board, setting)
        lines = comparison_lines(_at(setting, compared))
        found.append(Table(f"{head}: difference in IoU, points of percent, 95 % interval, Wilcoxon's p", lines))
        lines = [
            {"refiner": row, "measure": measure.label}
            | {own["lesion"]: f"{own[measure.name]:.1f}" for own in _at(setting, calibrated) if own["refiner"] == row}
            for row in board.row_names
            for measure in CALIBRATION
            if any(own["refiner"] == row for own in _at(setting, calibrated))
        ]
        found.append(Table(f"{head}: calibration in percent, over the pixels that the network looked at", lines))
        found.append(Table(f"{head}: IoU of single lesions in percent, by their area", _sizes(_at(setting, sized))))
    return [table for table in found if table.rows]


def _sizes(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        area = lines.setdefault((row["lesion"], ""), {"lesion": row["lesion"], "refiner": "area, px"})
        area[row["quarter"]] = f"{row['from_px']}–{row['to_px']}"
        own = lines.setdefault((row["lesion"], row["refiner"]), {"lesion": row["lesion"], "refiner": row["refiner"]})
        own[row["quarter"]] = f"{row['component_iou']:.1f}"
    filled = [line | {name: line.get(name, "–") for name in QUARTERS} for line in lines.values()]
    return sorted(filled, key=lambda line: list(dict.fromkeys(one["lesion"] for one in filled)).index(line["lesion"]))


def comparison_lines(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The rows of `comparisons` at one setting as text, a line for each pair."""
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        line = lines.setdefault((row["refiner"], row["against"]), {"refiner": row["refiner"], "less": row["against"]})
        line[row["lesion"]] = _difference(row)
    return list(lines.values())


def _difference(row: dict[str, Any]) -> str:
    if isnan(row["difference"]):
        return "–"
    if isnan(row["low"]):
        return f"{row['difference']:+.1f}"
    p = "p < 0.001" if row["p"] < 0.001 else f"p {row['p']:.3f}"
    return f"{row['difference']:+.1f} ({row['low']:+.1f}, {row['high']:+.1f}) {p}"


def _at(setting: Setting, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if all(row[name] == value for name, value in setting._asdict().items())]
