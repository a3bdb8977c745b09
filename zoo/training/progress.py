"""The live view of a training on stderr: a table that keeps itself up to date on a terminal, lines in a pipe."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from zoo.refiner import no_progress


@dataclass(frozen=True, slots=True)
class Progress:
    """After each batch: the epoch from 1, their number, its pairs so far and in all, and the mean loss so far."""

    epoch: int
    epochs: int
    done: int
    total: int
    loss: float


class View:
    """What is known of a running training: `report` is called after each batch, `log` with each epoch's line.

    ``show``: prints the sentence of an epoch. ``clock`` gives seconds.
    """

    def __init__(self, show: Callable[[str], None] = no_progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._show, self._clock = show, clock
        self._step: Progress | None = None
        self._line: Mapping[str, Any] | None = None
        self._best = float("-inf")
        self._began = clock()
        self._first: tuple[float, int] | None = None
        """When the first batch of this epoch was done, and its pairs: the time from there on counts for the speed."""
        self._origin: float | None = None
        """The share of the training that was done when the view began, in epochs."""

    def report(self, step: Progress) -> None:
        """Take note of a batch."""
        if self._step is None or step.epoch != self._step.epoch:
            self._first = (self._clock(), step.done)
        if self._origin is None:
            self._origin = float(step.epoch - 1)
        self._step = step

    def log(self, line: Mapping[str, Any]) -> None:
        """Take note of an epoch, and print it."""
        self._line, self._best = line, max(self._best, line.get("validation_iou", self._best))
        self._show(sentence(line))

    @property
    def speed(self) -> float:
        """Samples per second of this epoch so far; 0 before its second batch."""
        if self._step is None or self._first is None:
            return 0.0
        seconds, pairs = self._clock() - self._first[0], self._step.done - self._first[1]
        return pairs / seconds if pairs and seconds > 0 else 0.0

    @property
    def left(self) -> float:
        """Seconds to the end, validations included, as fast as it went until now; infinite before the first batch."""
        if self._step is None or self._origin is None:
            return float("inf")
        now = self._step.epoch - 1 + self._step.done / self._step.total
        return (self._clock() - self._began) / max(now - self._origin, 1e-9) * (self._step.epochs - now)

    def __rich__(self) -> RenderableType:
        step, line = self._step, self._line
        if step is None:
            return "The first batch is being prepared …"
        head = Table.grid(padding=(0, 3))
        left = timedelta(seconds=round(self.left))
        facts = [f"epoch {step.epoch} of {step.epochs}", f"loss {step.loss:.4f}", f"{self.speed:.1f} samples/s"]
        floor = f"floor {line['validation_floor']:.1f} %" if line and "validation_floor" in line else ""
        head.add_row(*facts, f"{left} left", f"best {self._best:.1f} %" if isfinite(self._best) else "", floor)
        parts: list[RenderableType] = [head, ProgressBar(total=step.total, completed=step.done, width=60)]
        return Group(*parts, _scores(line)) if line and "validation" in line else Group(*parts)


@contextmanager
def watched(show: Callable[[str], None], quiet: bool) -> Iterator[View]:
    """A view of a training, on the terminal while the block runs; see `View`."""
    view, console = View(show), Console(stderr=True)
    shown = console.is_terminal and not quiet
    with Live(view, console=console, refresh_per_second=4, transient=True) if shown else nullcontext():
        yield view


def sentence(line: Mapping[str, Any]) -> str:
    """A line of the history for people."""
    head = f"epoch {line['epoch']}: loss {line['loss']:.4f}"
    if "validation" not in line:
        return f"{head}, {line['seconds']:.0f} s"
    scores = "; ".join(
        f"{style} " + ", ".join(f"{lesion} {iou:.1f}" for lesion, iou in classes.items())
        for style, classes in line["validation"].items()
    )
    floor = f"floor {line['validation_floor']:.1f} %; " if "validation_floor" in line else ""
    return f"{head}, validation IoU {line['validation_iou']:.1f} % ({floor}{scores}), {line['seconds']:.0f} s"


def _scores(line: Mapping[str, Any]) -> Table:
    """Validation IoU in percent of the last epoch: a row for each style, a column for each class."""
    rows: Mapping[str, Mapping[str, float]] = line.get("validation", {})
    lesions = list(dict.fromkeys(lesion for classes in rows.values() for lesion in classes))
    grid = Table(title=f"validation IoU in percent, epoch {line['epoch']}", title_justify="left")
    for name in ("style", *lesions):
        grid.add_column(name, justify="left" if name == "style" else "right")
    for style, classes in rows.items():
        grid.add_row(style, *(f"{classes[lesion]:.1f}" if lesion in classes else "–" for lesion in lesions))
    return grid
