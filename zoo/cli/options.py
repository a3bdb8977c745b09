"""Options that mean the same in every command that takes a refiner."""

from collections.abc import Iterable

import click

from coarsekit.cli.completion import offering
from zoo.checkpoints.folder import DEFAULT, list_refiners


def _devices() -> Iterable[str]:
    """Those of this machine."""
    import torch

    yield "cpu"
    if torch.backends.mps.is_available():
        yield "mps"
    yield from (f"cuda:{place}" for place in range(torch.cuda.device_count()))


complete_refiners, complete_devices = offering(list_refiners), offering(_devices)
REFINER = click.option(
    "--refiner",
    "name",
    default=DEFAULT,
    show_default=True,
    shell_complete=complete_refiners,
    help="Bundled, a folder, or ORG/NAME on the Hub.",
)
REFINERS = click.option(
    "--refiner",
    "names",
    multiple=True,
    default=[DEFAULT],
    show_default=True,
    shell_complete=complete_refiners,
    help="Refiner; may be repeated.",
)
DEVICE = click.option(
    "--device", default="cpu", show_default=True, shell_complete=complete_devices, help="cpu, cuda, …."
)
