"""``zoo list``."""

import click

from coarsekit.cli.console import emit, table
from coarsekit.cli.options import AS_JSON
from zoo.checkpoints.catalogue import catalogue
from zoo.checkpoints.folder import DEFAULT


@click.command("list")
@AS_JSON
def command(as_json: bool) -> None:
    """Show the refiners that are ready to use without a network: bundled ones, and those in the Hub's cache.

    validation iou: the mean, in percent, on photographs held out of its training. test iou: what was measured on a test
    split, drawn in the style human; – where nothing was.
    """
    rows = catalogue()
    if as_json:
        emit({"default": DEFAULT, "refiners": rows})
    else:
        table(f"Refiners; {DEFAULT} is used where no --refiner is named", rows)
