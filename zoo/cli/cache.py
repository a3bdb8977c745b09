"""``zoo cache``."""

from pathlib import Path

import click

from coarsekit.cli.console import emit, say, table
from coarsekit.cli.options import AS_JSON, QUIET
from coarsekit.errors import ParameterError
from zoo.checkpoints.caches import drop_caches, list_caches


@click.command("cache")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--drop", is_flag=True, help="Remove them; nothing else is lost, and the next run makes them again.")
@AS_JSON
@QUIET
def command(folders: tuple[Path, ...], drop: bool, as_json: bool, quiet: bool) -> None:
    """Show or drop the caches in FOLDERs that 'zoo train -o', 'zoo evaluate -o' or 'zoo robustness -o' wrote to.

    A training keeps decoded photographs and unpacked pairs there, the others the score of every drawing; all of it
    under digests of content, so nothing there is ever out of date. Without its scores, a folder of results cannot be
    reported until it was evaluated again. What was fetched from the Hub is shown by 'hf cache ls'.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ParameterError(f"{folder}: no such folder; name one that 'zoo train' or 'zoo evaluate' wrote to")
    rows = [row._asdict() for folder in folders for row in list_caches(folder)]
    for folder in folders if drop else ():
        drop_caches(folder)
    if as_json:
        emit({"dropped": drop, "rows": rows})
    elif not quiet:
        table("Dropped" if drop else "Caches", rows)
    size = sum(row["megabytes"] for row in rows)
    say(f"{size:.1f} MB {'were dropped' if drop else 'are kept; --drop removes them'}", quiet)
