"""Options of the commands that write masks for tools."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from coarsekit.cli.completion import offering
from zoo.output.marks_found import SHAPES
from zoo.output.tool_files import OWN

Command = TypeVar("Command", bound=Callable[..., Any])


def _written() -> Iterable[str]:
    """What the masks can be written as."""
    from coarsekit.annotations import writable_formats

    return [*writable_formats(), *OWN]


def _each(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The names of several values, each of which may have several with commas between them."""
    return tuple(name.strip() for value in values for name in value.split(","))


def for_tools(command: Command) -> Command:
    """Options of every command that writes masks for tools: ``formats``, ``shape`` and ``with_drawing``."""
    options = (
        click.option(
            "--to",
            "formats",
            multiple=True,
            metavar="FORMAT",
            shell_complete=offering(_written),
            callback=_each,
            help="Write all marks for a tool, too: cvat, labelstudio, coco, via, labelme or native; csv for a table of "
            "marks, labelmap for PNGs of classes. Repeatable, or several as cvat,csv.",
        ),
        click.option(
            "--shape",
            type=click.Choice(SHAPES),
            default=SHAPES[0],
            show_default=True,
            help="Of each refined mark for --to.",
        ),
        click.option("--with-drawing", is_flag=True, help="Write for --to what was drawn, too."),
    )
    for option in reversed(options):
        command = option(command)
    return command
