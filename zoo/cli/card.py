"""``zoo card``."""

from pathlib import Path

import click

from coarsekit.cli.console import say
from coarsekit.cli.options import FORCE, QUIET
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import claim_outputs
from zoo.checkpoints.folder import CONFIG, METRICS, NOTES, RECORD, WEIGHTS, locate

METRICS_OPTION = click.option(
    "--metrics",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What 'zoo evaluate' or 'zoo robustness' printed of it with --json; may be repeated. Kept in metrics.json.",
)


@click.command("card")
@click.argument("refiner")
@METRICS_OPTION
@click.option("-o", "--out", metavar="FILE", help="File to write the card to.  [default: stdout]")
@FORCE
@QUIET
def command(refiner: str, files: tuple[Path, ...], out: str | None, force: bool, quiet: bool) -> None:
    """Write the model card of REFINER: a bundled name, or a checkpoint folder.

    It is made of config.json, training.json, the measured metrics.json, and notes.md: what you want to say in your own
    words. 'zoo push' makes the same card.
    """
    # Imported here for the time that it takes.
    from zoo.checkpoints.metrics import adopt, note_on_dropped
    from zoo.publish import card_of_folder

    folder = locate(refiner, access=None)
    if out:
        claim_outputs([Path(out)], force, inputs=[folder / name for name in (CONFIG, RECORD, METRICS, NOTES, WEIGHTS)])
    if files:
        dropped = adopt(folder, refiner, files)
        if dropped:
            say(note_on_dropped(dropped, folder), quiet)
    text = card_of_folder(folder, refiner)
    if out:
        write_text(out, text)
        say(f"The card of {refiner} is {out}", quiet)
    else:
        click.echo(text, nl=False)
