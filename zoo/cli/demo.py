"""``zoo demo``."""

import signal
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from time import sleep

import click

from coarsekit.cli.console import refuse, say
from coarsekit.cli.options import FORCE, QUIET
from zoo.cli.options import DEVICE, ENGINE, REFINER, load_refiner


@click.command("demo")
@REFINER
@DEVICE
@ENGINE
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 for all.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=7860,
    show_default=True,
    help="Port to listen at; 0 for a free one.",
)
@click.option("--space", "out", metavar="FOLDER", help="Write the files of a Space on the Hub, and show nothing.")
@FORCE
@QUIET
def command(
    name: str, device: str, engine: str | None, host: str, port: int, out: str | None, force: bool, quiet: bool
) -> None:
    """Show a page on which to draw around lesions, and to refine what was drawn.

    It needs Gradio: pip install 'coarsekit[demo]'. Drop a photograph, draw a line around each lesion, click on it or
    draw along it, choose the class, and press Refine. The masks can be downloaded. The page is this computer's alone
    unless --host says otherwise, and nothing is sent anywhere. Ctrl-C ends it.
    """
    from zoo.integrations.demo import write_space
    from zoo.integrations.demo_page import gradio_module, launch

    gradio = gradio_module()
    if out is not None:
        refuse("the files of a Space are written", "device", "host", "port")
        for file in write_space(Path(out), name, gradio.__version__, version("coarsekit"), force):
            say(f"Written: {file}", quiet)
        return
    refuse("nothing is written", "force")
    refiner = load_refiner(name, device, engine, quiet)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    blocks, address = launch(refiner, host, port, wait=False)
    with suppress(KeyboardInterrupt):
        say(f"The page is at {address}", quiet=False)
        while blocks.is_running:
            sleep(0.2)
    blocks.close(verbose=False)
    say("Stopped", quiet)
