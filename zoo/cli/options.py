"""Options that mean the same in every command that takes a refiner."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from coarsekit.cli.completion import offering
from coarsekit.cli.console import say
from zoo.checkpoints.folder import DEFAULT, list_refiners
from zoo.variants import ENGINES, ONNX

if TYPE_CHECKING:
    from zoo.refiner import Refiner


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
    help="Bundled, a folder, an ONNX file, or ORG/NAME on the Hub.",
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
ENGINE = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="What computes a network: torch, or ONNX Runtime.  [default: torch, where it is installed]",
)


def load_refiner(name: str, device: str, engine: str | None, quiet: bool) -> "Refiner":
    """The refiner of `REFINER`, `DEVICE` and `ENGINE`.

    An engine that nobody named and torch would not be is said, and what of its folder was left out.
    """
    from zoo.loading import from_pretrained, is_onnx_file

    refiner = from_pretrained(name, device=device, engine=engine)
    if engine is None and refiner.engine == ONNX and not is_onnx_file(name):
        say("torch is not installed, so networks are computed by ONNX Runtime, as with --engine onnx.", quiet)
    if refiner.doubt_left_out:
        say(f"Left out: {refiner.doubt_left_out}", quiet)
    return refiner
