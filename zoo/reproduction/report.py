"""An experiment's own numbers beside the paper's, as rows for programs and tables for people."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isnan
from typing import Any, NamedTuple

from zoo.evaluation.protocols import CROSS_CLASS, REDUCTION
from zoo.evaluation.refiners import BLIND, FLOOR
from zoo.evaluation.scoreboard import ScoreTable, Setting
from zoo.evaluation.tables import Table, pins
from zoo.reports.findings import comparison_lines, comparisons
from zoo.reports.report import markdown_of, report_tables
from zoo.reproduction.plan import Evaluation, Plan, Training
from zoo.reproduction.published import AVERAGE, INITIAL, Cell, Rows, published

HEADING = "# Reproduction"
OURS, PAPERS = "here", "the paper"
PRIVATE = "the paper's private photographs"


class _Found(NamedTuple):
    """IoU in percent: mean, standard deviation over images, 95 % interval; None where there is none."""

    iou: float | None = None
    iou_std: float | None = None
    iou_low: float | None = None
    iou_high: float | None = None


class Evaluated(NamedTuple):
    """An evaluation of a plan and its scores."""

    evaluation: Evaluation
    board: ScoreTable


def comparison_rows(plan: Plan, found: Sequence[Evaluated]) -> list[dict[str, Any]]:
    """A row for each protocol, dataset, reduction factor, method and class: IoU in percent, ours and the paper's.

    What one of them does not have is None; the paper's unseen classes are rows of their own, of `PRIVATE`.
    """
    rows = []
    for evaluation, board in found:
        for setting in board.settings:
            [data] = [data for data in evaluation.data if data.name == setting.dataset]
            _, papers = published(plan.experiment, evaluation.protocol, data.reader, setting.style)
            apart = evaluation.protocol == CROSS_CLASS
            head = {"protocol": evaluation.protocol, **setting._asdict()}
            for method, label, row in _methods(evaluation, board):
                beside = papers.get(label, {})
                for lesion, cell in _ours(board, setting, row).items():
                    rows.append(_row({**head, "method": method}, lesion, cell, None if apart else beside.get(lesion)))
                for lesion, own in beside.items() if apart else ():
                    rows.append(_row({**head, "dataset": PRIVATE, "method": method}, lesion, _Found(), own))
    return rows


def _row(head: dict[str, Any], lesion: str, ours: _Found, paper: Cell | None) -> dict[str, Any]:
    own = {"lesion": lesion, **ours._asdict()}
    return {**head, **own, "paper_iou": paper.iou if paper else None, "paper_iou_std": paper.std if paper else None}


def comparison_tables(plan: Plan, found: Sequence[Evaluated]) -> list[Table]:
    """Each method's row, and below it the paper's; a sweep of the reduction factor has no numbers in the paper."""
    tables = []
    for evaluation, board in found:
        if evaluation.protocol == REDUCTION:
            continue
        for setting in board.settings:
            [data] = [data for data in evaluation.data if data.name == setting.dataset]
            where, papers = published(plan.experiment, evaluation.protocol, data.reader, setting.style)
            methods = _methods(evaluation, board)
            ours = {method: _ours(board, setting, row) for method, _, row in methods}
            apart = evaluation.protocol == CROSS_CLASS
            lines = []
            for method, label, _ in methods:
                lines.append({"method": method, "of": OURS} | _cells(ours[method]))
                if not apart and label in papers:
                    own = {lesion: papers[label][lesion] for lesion in ours[method] if lesion in papers[label]}
                    lines.append({"method": label, "of": PAPERS} | _cells(own, ours[method]))
            title = f"{setting.dataset}, {data.split}, style {setting.style}"
            cited = f"; {where}" if where and not apart else ""
            tables.append(Table(f"{title}, {evaluation.protocol}: IoU in percent (standard deviation){cited}", lines))
            if apart and papers:
                tables.append(Table(f"{where}: IoU in percent (standard deviation)", _paper_alone(papers)))
    return tables


def step_rows(evaluation: Evaluation, board: ScoreTable) -> list[dict[str, Any]]:
    """What each method has more than the one before it, by class and on average, on the same images.

    In the order of the paper's tables that says what prototypes bring to the U-Net, and what superpixels bring to
    those. The first network is compared with the rule that is blind to the photograph. Rows as of
    `zoo.reports.findings.comparisons`; none for a sweep of the reduction factor.
    """
    if evaluation.protocol == REDUCTION:
        return []
    methods = _methods(evaluation, board)[1:]
    names = {row: name for name, _, row in methods}
    pairs = [(row, before) for (_, _, before), (_, _, row) in pairwise(methods)]
    return [
        {"protocol": evaluation.protocol, **row, "refiner": names[row["refiner"]], "against": names[row["against"]]}
        for row in comparisons(board, pairs)
    ]


def _step_tables(found: Sequence[Evaluated]) -> list[Table]:
    tables = []
    for evaluation, board in found:
        rows = step_rows(evaluation, board)
        for setting in board.settings:
            own = [row for row in rows if row["dataset"] == setting.dataset]
            title = f"{setting.dataset}, {evaluation.protocol}: each network less the one before it, points of IoU"
            tables.append(Table(f"{title}, 95 % interval, Wilcoxon's p", comparison_lines(own)))
    return [table for table in tables if table.rows]


def report(plan: Plan, found: Sequence[Evaluated], pictures: Mapping[str, str]) -> str:
    """The report as Markdown. ``pictures``: the caption of each by its file name."""
    parts = [f"{HEADING} of {plan.experiment}"]
    parts += [f"{caption}\n\n![{name}]({name})" for name, caption in pictures.items()]
    shown = comparison_tables(plan, found) + _step_tables(found)
    parts += [f"{title}:\n\n{markdown_of(lines)}" for title, lines in shown]
    if plan.left_out:
        parts += ["Left out:", "\n".join(f"- {what}" for what in plan.left_out)]
    parts += ["## Trainings", "\n".join(f"- {_about(training)}" for training in plan.trainings)]
    for evaluation, board in found:
        parts += [f"## Protocol {evaluation.protocol}", "\n".join(pins(board))]
        parts += [f"{title}:\n\n{markdown_of(lines)}" for title, lines in report_tables(board, [])]
    return "\n\n".join(parts) + "\n"


def numbers(plan: Plan, found: Sequence[Evaluated]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "experiment": plan.experiment,
        "source": plan.data.source,
        "style": found[0].board.settings[0].style,
        "seed": plan.seed,
        "left_out": list(plan.left_out),
        "trainings": {str(one.folder): one.recipe.parameters() for one in plan.trainings},
        "rows": comparison_rows(plan, found),
        "steps": [row for evaluation, board in found for row in step_rows(evaluation, board)],
    }


def _about(training: Training) -> str:
    recipe = training.recipe
    pairs = f"{recipe.epochs * recipe.samples} windows" if recipe.samples else f"{recipe.epochs} epochs"
    return f"{training.name}: {pairs}, in `{training.folder}`"


def _methods(evaluation: Evaluation, board: ScoreTable) -> list[tuple[str, str, str]]:
    """The name of each method, that of its row in the paper, and its row of scores; the baselines first."""
    rows = [(FLOOR, INITIAL, FLOOR), (BLIND, "", BLIND)]
    for training in evaluation.trainings:
        one = (training.method.name, training.method.label, board.row_of[str(training.folder)])
        if one not in rows:
            rows.append(one)
    return rows


def _ours(board: ScoreTable, setting: Setting, row: str) -> dict[str, _Found]:
    """By class, and of the average."""
    lesions = (*board.lesions(setting.dataset), None)
    summaries = {lesion or AVERAGE: board.summary(setting, row, lesion=lesion) for lesion in lesions}
    return {name: _Found(*map(_or_none, own[:4])) for name, own in summaries.items()}


def _or_none(value: float) -> float | None:
    return None if isnan(value) else value


def _cells(row: Mapping[str, _Found | Cell], columns: Mapping[str, Any] | None = None) -> dict[str, str]:
    cells = {}
    for lesion in columns or row:
        mean, std, *_ = row.get(lesion, _Found())
        spread = "" if std is None else f" ({std:.1f})"
        cells[lesion] = "–" if mean is None else f"{mean:.1f}{spread}"
    return cells


def _paper_alone(papers: Rows) -> list[dict[str, str]]:
    return [{"method": method} | _cells(row) for method, row in papers.items()]
