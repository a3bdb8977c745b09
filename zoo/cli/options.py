"""Options that mean the same in every command that takes a refiner."""

import click

from zoo.checkpoints.folder import DEFAULT

REFINER = click.option(
    "--refiner", "name", default=DEFAULT, show_default=True, help="Bundled, a folder, or ORG/NAME on the Hub."
)
REFINERS = click.option(
    "--refiner", "names", multiple=True, default=[DEFAULT], show_default=True, help="Refiner; may be repeated."
)
DEVICE = click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ….")
