"""A report of one or more evaluations: failures first, then tables, findings and figures, as Markdown or as numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from coarsekit.errors import ParameterError
from coarsekit.hub.markdown import markdown_table
from zoo.evaluation.protocols import REDUCTION
from zoo.evaluation.scoreboard import ScoreTable
from zoo.evaluation.tables import Table, average_rows, pins, protocol_tables, score_rows
from zoo.reports.findings import by_size, calibrations, comparisons, default_pairs, finding_tables

HEADING = "# Report"
FAILURES, SWEEP, COMPARISON = "worst", "figure3", "figure4"
CAPTIONS = {
    FAILURES: "Failures first: the lesions that the first refiner found worst, without each class's tiniest quarter.",
    SWEEP: "IoU against the reduction factor (the paper's Figure 3), with 95 % intervals.",
    COMPARISON: "What each refiner made of lesions on which the first one has its median IoU (the paper's Figure 4).",
}
"""What the pictures show, by kind, in their order."""


def pairs_to_compare(board: ScoreTable, compare: tuple[str, str] | None) -> list[tuple[str, str]]:
    """The pairs of rows to compare: ``compare``, or every row against the first refiner.

    Raises `ParameterError` when the results have no such row.
    """
    if compare is None:
        return default_pairs(board)
    for name in compare:
        if name not in board.row_names:
            raise ParameterError(
                f"compare=…: the results have no row {name!r}; choose one of {', '.join(board.row_names)}"
            )
    return [compare]


def report_tables(board: ScoreTable, pairs: list[tuple[str, str]]) -> list[Table]:
    """The protocol's tables and, but for a sweep of the reduction factor, the findings, with the pairs of rows."""
    found = [] if board.record.protocol == REDUCTION else finding_tables(board, pairs)
    return protocol_tables(board) + found


def numbers(board: ScoreTable, compare: tuple[str, str] | None = None) -> dict[str, Any]:
    """All numbers of a report, for programs; scores in percent, NaN where not defined."""
    return {
        "protocol": board.record.protocol,
        "rows": score_rows(board),
        "averages": average_rows(board),
        "comparisons": comparisons(board, pairs_to_compare(board, compare)),
        "calibration": calibrations(board),
        "by_size": by_size(board),
    }


def markdown(
    boards: Sequence[ScoreTable], compare: tuple[str, str] | None = None, files: Mapping[str, str] | None = None
) -> str:
    """The report as Markdown. ``files``: the kind of each picture by its file name."""
    ordered = sorted((files or {}).items(), key=lambda item: list(CAPTIONS).index(item[1]))
    parts = [f"{CAPTIONS[kind]}\n\n![{kind}]({name})" for name, kind in ordered]
    for board in boards:
        parts += [f"## Protocol {board.record.protocol}", _about(board)]
        parts += [
            f"{title}:\n\n{markdown_of(lines)}"
            for title, lines in report_tables(board, pairs_to_compare(board, compare))
        ]
    return "\n\n".join([HEADING, *parts]) + "\n"


def markdown_of(lines: Sequence[Mapping[str, str]]) -> str:
    """The rows of a table as Markdown; where one lacks a column of another, such as a class, it has a dash there."""
    columns = list(dict.fromkeys(column for line in lines for column in line))
    cells = [[line.get(column, "–").replace("|", "\\|") for column in columns] for line in lines]
    return markdown_table(columns, cells, names=len(columns))


def _about(board: ScoreTable) -> str:
    """Which refiners took part, and on what, by digest."""
    networks = [
        f"`{info.name}` ({info.variant}, trained on {info.trained_on or 'unknown data'})"
        for info in board.record.refiners
        if info.trained
    ]
    return "\n".join([*pins(board), *([f"Networks: {', '.join(networks)}."] if networks else [])])
