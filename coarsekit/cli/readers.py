"""``coarsekit readers``."""

import click

from coarsekit.cli.console import emit, table
from coarsekit.cli.options import AS_JSON
from coarsekit.datasets import READERS, reader


@click.command("readers")
@AS_JSON
def command(as_json: bool) -> None:
    """Show the datasets that can be read, with their licences. A SOURCE is 'sample', or READER:PATH."""
    rows = [
        {
            "reader": name,
            "dataset": reader(name).title,
            "lesions": ", ".join(reader(name).lesions),
            "licence": reader(name).licence.name,
            "may_be_passed_on": "yes" if reader(name).licence.redistribution else "no",
        }
        for name in READERS
    ]
    if as_json:
        emit({"readers": rows})
    else:
        table("Readers", rows)
