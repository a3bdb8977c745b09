"""What commands say: progress, tables, JSON, and sentences with flags for parameters."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from coarsekit.annotations.reading import ReadOptions, ReadReport
    from coarsekit.datasets.base import Dataset

_SAID = 3
"""Photographs of many that a sentence each is said of."""
_PARAMETER = re.compile(r"\b([a-z_]+)=(?:True|…)")


def say_report(report: "ReadReport", options: "ReadOptions", quiet: bool) -> list[str]:
    """Print what reading guessed, unless quiet, and left out; return the notes."""
    notes = report.all_notes(options)
    for sentence in notes:
        say(sentence, quiet)
    for sentence in report.left_out:
        say_left_out(sentence)
    return notes


def say_left_out(sentence: str) -> None:
    """Print what was drawn and cannot be used, also for ``--quiet``: a loss that nobody sees is a wrong result."""
    say(f"Left out: {sentence}", quiet=False)


def say_notes(dataset: "Dataset", split: str | None, quiet: bool) -> None:
    """Print what is worth knowing of a dataset whose photographs were used, such as which have no mask.

    Of a split that the dataset itself does not have, all photographs count.
    """
    for note in dataset.notes(dataset.keys(split if split in dataset.splits() else None)):
        say(note, quiet)


def exit_naming(failures: Mapping[str, str]) -> None:
    """Say which photographs of a dataset were left out and why, by key, and exit with 1; where none was, do neither."""
    for reason in list(failures.values())[:_SAID]:
        say(f"Left out: {reason}", quiet=False)
    if others := list(failures)[_SAID:]:
        photographs = "1 more photograph" if len(others) == 1 else f"{len(others)} more photographs"
        named = ", ".join(others[:_SAID]) + (", …" if len(others) > _SAID else "")
        say(f"Left out, too: {photographs} that cannot be used: {named}", quiet=False)
    if failures:
        sys.exit(1)


def rows_of(failures: Mapping[str, str]) -> list[dict[str, str]]:
    """What ``--json`` says of photographs that were left out, as `zoo refine` does of those that were not refined."""
    return [{"photograph": key, "reason": reason} for key, reason in failures.items()]


@contextmanager
def progress(what: str, total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, if that is a terminal, gone when done; gives the function that advances it."""
    from rich import progress as rich
    from rich.console import Console

    times = (rich.TimeElapsedColumn(), rich.TimeRemainingColumn())
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn(), *times)
    console = Console(stderr=True)
    with rich.Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)


@contextmanager
def growing_progress(what: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """`progress` for work whose length shows when it begins: gives the function to call with what is done of how much.

    The bar is there from its first call on, and gone when all is done.
    """
    with ExitStack() as stack:
        advance: Callable[[int], None] | None = None
        shown = 0

        def show(done: int, total: int) -> None:
            nonlocal advance, shown
            if advance is None:
                advance = stack.enter_context(progress(what, total, quiet))
            advance(done - shown)
            shown = done
            if done == total:
                stack.close()

        yield show


def table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table on stdout, with one column for each key; a row may lack some."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    # What users call their data is text, and no markup of rich's.
    grid = Table(title=escape(title), title_justify="left")
    first = {name: value for row in reversed(rows) for name, value in row.items()}
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for name in columns:
        justify: Literal["left", "right"] = "right" if isinstance(first[name], (int, float)) else "left"
        grid.add_column(escape(name.replace("_", " ")), justify=justify)
    for row in rows:
        grid.add_row(*(escape(_cell(row[name])) if name in row else "–" for name in columns))
    console = Console()
    # Piped output keeps every column whole instead of folding at 80 characters.
    (console if console.is_terminal else Console(width=200)).print(grid)


def emit(result: dict[str, Any]) -> None:
    """Print a result as one JSON document on stdout; NaN, which JSON lacks, becomes null."""
    click.echo(json.dumps(_plain(result), allow_nan=False))


def refuse(reason: str, *names: str) -> None:
    """Raise a usage error for an option that was given, but would do nothing."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} does nothing here, since {reason}; leave it out")


def say(sentence: str, quiet: bool) -> None:
    """Print a message for people on stderr, with the options of the command line for the library's parameters."""
    if not quiet:
        context = click.get_current_context(silent=True)
        click.echo(with_flags(sentence, context.command if context else None), err=True)


def with_flags(sentence: str, command: click.Command | None) -> str:
    """The library's sentence, in which the command's options stand for parameters such as ``force=True``, ``out=…``."""
    parameters = command.params if command else []
    flags = {parameter.name: parameter.opts[0] for parameter in parameters}
    flags |= {option.removeprefix("--").replace("-", "_"): option for each in parameters for option in each.opts}
    return _PARAMETER.sub(lambda found: flags.get(found[1], found[0]), sentence)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return "–" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and isnan(value) else value
