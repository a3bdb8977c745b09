"""Figure 3: IoU against the reduction factor, a line for each refiner, a panel for each class and style."""

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.evaluation.refiners import FLOOR
from zoo.evaluation.scoreboard import ScoreTable, Setting

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F5200", "#000000")
"""Those of Okabe & Ito, which colour-blind people tell apart; markers differ as well."""
_MARKERS = "osD^vPX*"
_DPI = 120
_PANEL, _LEGEND = 2.5, 0.9
"""Side of a panel and height of the legend, inches."""


def sweep_figure(board: ScoreTable, dataset: str) -> bytes:
    """The figure as a PNG: the floor dashed, a band for each line's 95 % interval."""
    lesions = [*board.lesions(dataset), None]
    styles = list(board.record.styles)
    figure = Figure(
        figsize=(_PANEL * len(lesions) + 0.4, _PANEL * len(styles) + _LEGEND), dpi=_DPI, layout="constrained"
    )
    grid = figure.subplots(len(styles), len(lesions), sharex=True, squeeze=False)
    for style, panels in zip(styles, grid, strict=True):
        for lesion, panel in zip(lesions, panels, strict=True):
            _panel(panel, board, dataset, style, lesion)
            if style == styles[0]:
                panel.set_title(lesion or "average", fontsize=11)
            if style == styles[-1]:
                panel.set_xlabel("reduction factor")
        panels[0].set_ylabel(f"style {style}\nIoU, percent")
    lines, names = grid[0][-1].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=min(len(names), 6), frameon=False)
    written = BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def _panel(panel: Axes, board: ScoreTable, dataset: str, style: str, lesion: str | None) -> None:
    reductions = board.record.reductions
    others = [row for row in board.row_names if row != FLOOR]
    for row in board.row_names:
        own = [board.summary(Setting(dataset, style, reduction), row, lesion=lesion) for reduction in reductions]
        mean, low, high = ([getattr(summary, name) for summary in own] for name in ("mean", "low", "high"))
        if row == FLOOR:
            panel.plot(reductions, mean, "--", color="#555555", label=row, linewidth=1.5)
        else:
            place = others.index(row)
            colour, marker = COLOURS[place % len(COLOURS)], _MARKERS[place % len(_MARKERS)]
            panel.plot(
                reductions,
                mean,
                marker=marker,
                color=colour,
                label=board.display_name(row),
                markersize=4,
                linewidth=1.6,
            )
            panel.fill_between(reductions, low, high, color=colour, alpha=0.15, linewidth=0)
    panel.set_ylim(bottom=0)
    panel.yaxis.set_major_locator(MaxNLocator(5))
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
