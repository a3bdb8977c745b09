"""``coarsekit export``."""

from pathlib import Path

import click

from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import emit, exit_naming, progress, rows_of, say, say_notes, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, REDUCTION, SEED, SPLIT, STYLE
from coarsekit.datasets import open_source
from coarsekit.errors import ParameterError
from coarsekit.simulation.styles import style_named

_OWN = ""


@click.command("export")
@click.argument("source", default="sample", shell_complete=complete_sources)
@click.option(
    "-o", "--out", metavar="FOLDER", help="Folder to write to.  [default with --hub: exported/NAME-STYLE-SEED]"
)
@click.option("--hub", metavar="[REPO_ID]", is_flag=False, flag_value=_OWN, help="Push to the Hugging Face Hub, too.")
@click.option("--private", is_flag=True, help="Make the repository private when it is created.")
@SPLIT
@REDUCTION
@STYLE
@SEED
@click.option("--size", default="256", show_default=True, help="Side of the patches, px, or 'native' for the window's.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes to work in.")
@FORCE
@AS_JSON
@QUIET
def command(
    source: str,
    out: str | None,
    hub: str | None,
    private: bool,
    split: str | None,
    reductions: tuple[float, ...],
    style_name: str,
    seed: int,
    size: str,
    jobs: int,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write pairs of coarse and fine masks as a Hugging Face dataset: to a folder, or to the Hub as well.

    SOURCE is the bundled 'sample', or READER:PATH such as idrid:data/idrid (see 'coarsekit readers'). There is one
    configuration for each reduction factor, in Parquet files, and a dataset card. --hub without REPO_ID pushes to
    NAME-coarse of your own account, which 'hf auth login' or HF_TOKEN names. When the same command is run again, an
    interrupted export goes on, and the pairs of photographs whose pixels and masks have not changed are kept; to push
    over pairs of other photographs or masks takes --force. A photograph that cannot be used as it is, or whose mask
    cannot, is left out and named; the exit code is 1.
    """
    if out is None and hub is None:
        raise click.UsageError("say where to: -o FOLDER, or --hub to push to the Hugging Face Hub")
    if hub and ":" in hub:
        raise click.UsageError(f"{hub!r} after --hub names no repository; write the SOURCE before --hub")
    if private and hub is None:
        raise click.UsageError("--private is for --hub, which is not given")
    style = style_named(style_name)
    dataset = open_source(source)
    # Imported here for the second that it takes.
    from coarsekit.export.config import ExportConfig
    from coarsekit.export.export import check_licence, export, files
    from coarsekit.export.provenance import PROVENANCE, provenance_text, same_choices, same_contents
    from coarsekit.hub.upload import Repository, full_name

    config = ExportConfig(split, reductions, style, seed, _pixels(size))
    repository = None
    if hub is not None:
        check_licence(dataset)
        name = full_name(hub or None, f"{dataset.name}-coarse")
        repository = Repository(name, "dataset", PROVENANCE, private)
        repository.check(provenance_text(dataset, config), force, same_choices)
    place = Path(out or f"exported/{dataset.name}-{style.name}-{seed}")
    with progress("Exporting", sum(map(len, config.photographs(dataset).values())), quiet) as advance:
        report = export(dataset, config, place, jobs, force, advance)
    url = None
    if repository is not None:
        repository.check((place / PROVENANCE).read_text(encoding="utf-8"), force, same_contents)
        url = repository.push(place, files(dataset, config), "*.parquet", quiet)
    if as_json:
        kept = {"made": report.made, "kept": report.kept, "failures": rows_of(report.failures)}
        emit({"source": source, "folder": str(place), "repository": url, **kept, "rows": report.rows})
    elif not quiet:
        table(f"{dataset.title}: style {style.name}, floor in percent", report.rows)
    say_notes(dataset, split, quiet)
    pairs = sum(row["pairs"] for row in report.rows)
    kept_some = f"; photographs: {report.made} made, {report.kept} kept as they were" if report.kept else ""
    say(f"{pairs} pairs are in {place}{' and at ' + url if url else ''}{kept_some}", quiet)
    exit_naming(report.failures)


def _pixels(size: str) -> int | None:
    if size == "native":
        return None
    try:
        return int(size)
    except ValueError:
        raise ParameterError(f"--size is a number of px, or 'native', got {size!r}") from None
