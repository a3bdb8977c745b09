"""``zoo export-onnx``."""

from pathlib import Path

import click

from coarsekit.cli.console import say
from coarsekit.cli.options import FORCE, QUIET
from coarsekit.storage.files import atomic_write
from coarsekit.storage.outputs import claim_outputs
from zoo.checkpoints.folder import CONFIG, RECORD, WEIGHTS, locate
from zoo.cli.options import complete_refiners


@click.command("export-onnx")
@click.argument("refiner", metavar="NAME", shell_complete=complete_refiners)
@click.option("-o", "--out", required=True, metavar="FILE", help="File to write, whose name ends in .onnx.")
@click.option("--graph-only", is_flag=True, help="Leave out the weights: for model.onnx beside model.safetensors.")
@FORCE
@QUIET
def command(refiner: str, out: str, graph_only: bool, force: bool, quiet: bool) -> None:
    """Write a network as an ONNX file, for ONNX Runtime.

    NAME is bundled, a checkpoint folder, or ORG/NAME on the Hub. The file has the weights, the configuration, the
    classes and what they look like, what tells how far to trust an answer, and the licence: 'zoo refine --refiner FILE'
    needs nothing else, and no torch. Its batches have any size.

    --graph-only writes what a checkpoint folder keeps as model.onnx: 'zoo refine --engine onnx' fills in the folder's
    weights when it loads it, so that weights which are trained further need no new graph.
    """
    # Imported here for the time that it takes.
    from zoo.loading import from_pretrained
    from zoo.models.base import Network
    from zoo.onnx.export import export_onnx

    path, folder = Path(out), locate(refiner)
    if path.suffix != ".onnx":
        raise click.UsageError(f"{out} does not end in .onnx, by which such a file is known; name it so")
    claim_outputs([path], force, inputs=[folder / name for name in (CONFIG, RECORD, WEIGHTS)])
    network = from_pretrained(refiner, engine="torch")
    if not isinstance(network, Network):
        raise click.UsageError(f"{refiner} is a rule without weights, which needs no engine; name a network")
    content = export_onnx(network, graph_only)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    say(f"{refiner} is {path}, {len(content) / 1e6:.1f} MB", quiet)
