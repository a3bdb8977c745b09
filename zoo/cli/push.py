"""``zoo push``."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from coarsekit.cli.console import emit, say
from coarsekit.cli.options import AS_JSON, FORCE, QUIET
from coarsekit.errors import RefinerError
from zoo.checkpoints.folder import CARD, PUBLISHED, RECORD, locate
from zoo.cli.card import METRICS_OPTION


@click.command("push")
@click.argument("refiner", metavar="FOLDER")
@click.argument("repo_id")
@click.option("--private", is_flag=True, help="Make the repository private when it is created.")
@METRICS_OPTION
@click.option("--no-metrics", "unmeasured", is_flag=True, help="Push without measured metrics; the card will say so.")
@FORCE
@AS_JSON
@QUIET
def command(
    refiner: str,
    repo_id: str,
    private: bool,
    files: tuple[Path, ...],
    unmeasured: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Push a refiner to the Hugging Face Hub: weights, config, training record, measured metrics and card.

    FOLDER is a checkpoint folder that 'zoo train' wrote, or the name of a bundled refiner; REPO_ID is ORG/NAME, or NAME
    in your own account, which 'hf auth login' or HF_TOKEN names.

    The metrics of its card must have been measured: 'zoo evaluate SOURCE --split test --refiner FOLDER --json > FILE'
    measures, and --metrics FILE takes that in. --no-metrics pushes without.

    The card is generated ('zoo card FOLDER' shows it); your own words on it go into FOLDER/notes.md. A repository that
    has another training is not written over without --force.
    """
    if files and unmeasured:
        raise click.UsageError("--metrics and --no-metrics exclude each other; leave one out")
    # Imported here for the time that it takes.
    from coarsekit.hub.upload import Repository, full_name
    from zoo.checkpoints.metrics import adopt, note_on_dropped, read_metrics
    from zoo.loading import from_pretrained
    from zoo.publish import card_of_folder, stage

    folder = locate(refiner, access=None)
    loaded = from_pretrained(folder)  # a damaged one is said here, not by whoever pulls it
    if loaded.doubt_left_out:
        say(f"Left out: {loaded.doubt_left_out}", quiet)
    if files:
        dropped = adopt(folder, refiner, files)
        if dropped:
            say(note_on_dropped(dropped, folder), quiet)
    if not unmeasured and not read_metrics(folder).rows:
        raise RefinerError(
            f"{refiner} has no measured metrics; run 'zoo evaluate SOURCE --split test --refiner {refiner} --json > "
            "FILE' and add --metrics FILE, or push it with --no-metrics"
        )
    name = full_name(repo_id, repo_id)
    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        names = stage(folder, place, card_of_folder(folder, name, name, not unmeasured), not unmeasured)
        repository = Repository(name, "model", RECORD, private)
        repository.check((place / RECORD).read_text(encoding="utf-8", errors="replace"), force)
        url = repository.push(place, names, list(PUBLISHED), quiet)
    if as_json:
        emit({"refiner": refiner, "repository": url, "files": names})
    say(f"{refiner} is at {url}, with its card ({CARD})", quiet)
