"""Options that mean the same in every command that takes a refiner."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coarsekit.cli.completion import offering
from coarsekit.cli.console import say
from coarsekit.scale import REFERENCE_DISC, REFERENCE_FIELD_OF_VIEW
from coarsekit.storage.files import given_path
from coarsekit.storage.outputs import at_work
from zoo.checkpoints.folder import CACHE, DEFAULT, list_refiners
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
RESULTS = click.option("-o", "--out", metavar="RESULTS", help="Folder to keep the scores in, and to go on from.")
ENGINE = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="What computes a network: torch, or ONNX Runtime.  [default: torch, where it is installed]",
)


def _field_of_view(_: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """The diameter of the field of view, px, from a number or from ``disc=`` and the diameter of the optic disc."""
    if text is None:
        return None
    disc = text.startswith("disc=")
    try:
        value = float(text.removeprefix("disc="))
    except ValueError:
        raise click.BadParameter(f"expected px, such as 3400 or disc=520, got {text!r}", param=parameter) from None
    return value * REFERENCE_FIELD_OF_VIEW / REFERENCE_DISC if disc else value


SCALE = click.option(
    "--scale",
    "field_of_view",
    callback=_field_of_view,
    metavar="PX|disc=PX",
    help="Diameter of the circle in which the camera shows the retina, or of the optic disc, px of the photograph.  "
    "[default: seen in each photograph]",
)


@contextmanager
def keeping_scores(out: str | None, quiet: bool) -> Iterator[Path | None]:
    """Hold the folder of `RESULTS` while the block measures, and say where the scores are kept."""
    folder = None if out is None else given_path(out, "out")
    with at_work(folder, CACHE) if folder else nullcontext():
        yield folder
    if folder:
        say(f"The scores are kept in {out}; the same command, or one with other refiners, goes on there", quiet)


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
