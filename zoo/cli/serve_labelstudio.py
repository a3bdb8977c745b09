"""``zoo serve-labelstudio``."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import click

from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.console import say, with_flags
from coarsekit.cli.options import LABEL_ATTRIBUTE, LABELS, QUIET, label_table
from zoo.cli.options import DEVICE, ENGINE, REFINER, load_refiner
from zoo.integrations.labelstudio_backend import LabelStudioBackend, serving
from zoo.integrations.labelstudio_photographs import TaskPhotographs
from zoo.integrations.labelstudio_predict import LabelStudioRefiner


@click.command("serve-labelstudio")
@REFINER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 for all.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9090,
    show_default=True,
    help="Port to listen at; 0 for a free one.",
)
@click.option("--images", metavar="FOLDER", help="Folder of the photographs, which are found by name.")
@click.option(
    "--label-studio-url",
    metavar="URL",
    help="Label Studio's own address: photographs that are not in --images are fetched from there, with the access "
    "token in the environment variable LABEL_STUDIO_API_KEY, and from nowhere else.",
)
@DEVICE
@ENGINE
@LABELS
@LABEL_ATTRIBUTE
@QUIET
def command(
    name: str,
    host: str,
    port: int,
    images: str | None,
    label_studio_url: str | None,
    device: str,
    engine: str | None,
    labels: tuple[str, ...],
    label_attribute: str | None,
    quiet: bool,
) -> None:
    """Serve a refiner to Label Studio: what is drawn there becomes a pixel mask at once.

    In the settings of a project, under Model, give the address that is printed here. With interactive preannotations
    on, each ellipse, rectangle, polygon, key point or brush that is drawn with Auto-Annotation gets a brush with its
    label; the labelling configuration needs BrushLabels with the same labels. Asked for the predictions of tasks, the
    server refines what their annotations have.

    Photographs are looked for in --images, as those of an export are. Ctrl-C ends the server.
    """
    photographs = TaskPhotographs(
        None if images is None else Path(images), label_studio_url, os.environ.get("LABEL_STUDIO_API_KEY")
    )
    options = ReadOptions(labels=label_table(labels), label_attribute=label_attribute)
    refiner = LabelStudioRefiner(load_refiner(name, device, engine, quiet), photographs, options)
    own = click.get_current_context().command  # which the threads that answer requests do not know
    backend = LabelStudioBackend(refiner, lambda line: say(line, quiet), lambda sentence: with_flags(sentence, own))
    with serving(backend, host, port) as server, suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        say(f"Serving {refiner.model_version} to Label Studio at http://{host}:{server.server_port}", quiet=False)
        server.serve_forever(poll_interval=0.1)
    say("Stopped", quiet)
