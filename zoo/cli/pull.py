"""``zoo pull``."""

import shutil
from pathlib import Path

import click

from coarsekit.cli.console import emit, say
from coarsekit.cli.options import AS_JSON, FORCE, QUIET
from coarsekit.hub.download import Access, repository_of
from coarsekit.storage.files import atomic_write
from coarsekit.storage.outputs import at_work, claim_outputs
from zoo.checkpoints.folder import CONFIG, PUBLISHED, from_hub, is_checkpoint, read_config


@click.command("pull")
@click.argument("repo_id")
@click.option("-o", "--out", metavar="FOLDER", help="Copy the checkpoint there, too.  [default: only the Hub's cache]")
@click.option("--revision", metavar="REV", help="A branch, tag or commit; REPO_ID@REV says the same.  [default: main]")
@FORCE
@AS_JSON
@QUIET
def command(repo_id: str, out: str | None, revision: str | None, force: bool, as_json: bool, quiet: bool) -> None:
    """Fetch a refiner from the Hugging Face Hub into its cache, for use without a network.

    REPO_ID is ORG/NAME. Every command takes it as a refiner, too: 'zoo refine … --refiner ORG/NAME' fetches what is not
    in the cache yet. Only config, weights (safetensors), the graph for ONNX Runtime, record, metrics, card, and what
    tells how far to trust an answer are fetched; nothing is executed.
    """
    named = repository_of(repo_id)
    if named is None:
        raise click.UsageError(f"{repo_id!r} is no repository on the Hub; write ORG/NAME")
    if out:
        claim_outputs([Path(out) / name for name in PUBLISHED], force, own=lambda path: is_checkpoint(path.parent))
    folder = from_hub(named[0], Access(revision or named[1]))
    variant = read_config(folder)["variant"]
    place = _copy(folder, Path(out)) if out else folder
    result = {"refiner": repo_id, "revision": folder.name, "variant": variant, "folder": str(place)}
    if as_json:
        emit(result)
    else:
        click.echo(place)
    say(f"{repo_id} (variant {variant}, commit {folder.name[:10]}) is ready: --refiner {out or repo_id}", quiet)


def _copy(folder: Path, to: Path) -> Path:
    """A plain copy, its config last: a folder with a config is whole. What another checkpoint left there goes."""
    with at_work(to):
        (to / CONFIG).unlink(missing_ok=True)
        for name in PUBLISHED:
            if (folder / name).exists():
                with atomic_write(to / name) as temporary:
                    shutil.copyfile(folder / name, temporary)
            else:
                (to / name).unlink(missing_ok=True)
    return to
