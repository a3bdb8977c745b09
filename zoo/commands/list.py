"""``zoo list``."""

import click

from coarsekit.console import AS_JSON, emit, table
from zoo.bundled import DEFAULT, describe, names


@click.command("list")
@AS_JSON
def command(as_json: bool) -> None:
    """Show the refiners that are ready to use, and how well they refined the photographs held out of their training."""
    rows = [describe(name) for name in names()]
    if as_json:
        emit({"default": DEFAULT, "refiners": rows})
    else:
        table(f"Bundled refiners; {DEFAULT} is used where no --refiner is named", rows)
