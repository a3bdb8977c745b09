"""Options that mean the same in every command that takes a refiner."""

from collections.abc import Iterable

import click

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from zoo.checkpoints.folder import DEFAULT

REFINER = click.option(
    "--refiner",
    "name",
    default=DEFAULT,
    show_default=True,
    help="Bundled, a checkpoint folder, or ORG/NAME on the Hub.",
)
REFINERS = click.option(
    "--refiner", "names", multiple=True, default=[DEFAULT], show_default=True, help="Refiner; may be repeated."
)
DEVICE = click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ….")


def open_for_refiners(source: str, split: str | None, names: Iterable[str]) -> Dataset:
    """Open a SOURCE; for the split held-out, the photographs of it that the refiners of these names were validated on.

    Raises `SourceError` for an unknown SOURCE, and as `zoo.evaluation.refiners.held_out` does.
    """
    from zoo.evaluation.refiners import HELD_OUT, held_out

    dataset = open_source(source)
    return held_out(dataset, names) if split == HELD_OUT else dataset
