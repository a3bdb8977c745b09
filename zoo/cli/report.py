"""``zoo report``."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coarsekit.cli.console import emit, progress, say, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET
from coarsekit.errors import CoarsekitError
from coarsekit.images import write_image
from coarsekit.storage.files import atomic_write, write_text
from coarsekit.storage.outputs import at_work, claim_outputs

if TYPE_CHECKING:
    from zoo.evaluation.scoreboard import ScoreTable

REPORT = "report.md"


@click.command("report")
@click.argument("results", nargs=-1, required=True)
@click.option("-o", "--out", metavar="FOLDER", help="Folder for report.md and the pictures.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the tables as Markdown.")
@click.option("--compare", nargs=2, metavar="A B", help="Compare these two refiners.  [default: all with the first]")
@click.option("--source", help="Where the evaluated SOURCE lies now, for the pictures.  [default: where it was]")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, …: for the pictures.")
@FORCE
@AS_JSON
@QUIET
def command(
    results: tuple[str, ...],
    out: str | None,
    as_markdown: bool,
    compare: tuple[str, str] | None,
    source: str | None,
    device: str,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make tables and figures of RESULTS, folders that 'zoo evaluate -o' wrote.

    The tables are those of the protocol, then paired comparisons of the refiners, calibration, and how lesions of
    different size were found. --out gets report.md and its pictures: worst.png, the lesions that the first refiner
    found worst; figure3.png, IoU against the reduction factor, where several were evaluated; figure4.png, patches
    beside what each refiner made of them. The lesions are those of the first RESULTS, whose SOURCE is opened and
    refined again.
    """
    from zoo.evaluation.results import read_results
    from zoo.evaluation.scoreboard import ScoreTable
    from zoo.evaluation.tables import pins
    from zoo.reports.report import markdown, numbers, pairs_to_compare, report_tables

    if as_markdown and as_json:
        raise click.UsageError("--markdown and --json are two ways to print; choose one")
    boards = [ScoreTable(read_results(Path(folder))) for folder in results]
    for board in boards:
        pairs_to_compare(board, compare)  # a wrong name is said before the pictures are made
    files = _write(boards, Path(out), compare, source, device, force, quiet) if out else []
    if as_json:
        emit({"results": [numbers(board, compare) for board in boards], "files": files})
    elif as_markdown:
        click.echo(markdown(boards, compare), nl=False)
    elif not quiet:
        for board in boards:
            for title, lines in report_tables(board, pairs_to_compare(board, compare)):
                table(title, lines)
            for sentence in pins(board):
                click.echo(sentence)
    if out:
        say(f"{', '.join(files)} {'is' if len(files) == 1 else 'are'} in {out}", quiet)


def _write(
    boards: "list[ScoreTable]",
    folder: Path,
    compare: tuple[str, str] | None,
    source: str | None,
    device: str,
    force: bool,
    quiet: bool,
) -> list[str]:
    """Write the pictures and then the report, and return the names of the files, the report first."""
    from zoo.reports.report import COMPARISON, FAILURES, SWEEP, markdown

    sweeps = [
        (board, dataset.name)
        for board in boards
        if len(board.record.reductions) > 1
        for dataset in board.record.datasets
    ]
    figures = [f"{SWEEP}-{place}.png" if place else f"{SWEEP}.png" for place in range(len(sweeps))]
    earlier = _pictures_of(folder / REPORT)
    own = [REPORT, *earlier] if earlier is not None else []
    claim_outputs(
        [folder / name for name in (REPORT, f"{FAILURES}.png", f"{COMPARISON}.png", *figures)],
        force,
        own=lambda path: path.name in own,
    )
    with at_work(folder):
        made = _lesions(boards[0], folder, source, device, quiet)
        for file, (board, name) in zip(figures, sweeps, strict=True):
            from zoo.reports.figures import sweep_figure

            with atomic_write(folder / file) as temporary:
                temporary.write_bytes(sweep_figure(board, name))
            made[file] = SWEEP
        write_text(folder / REPORT, markdown(boards, compare, made))
        for name in set(earlier or ()) - made.keys():  # of another report, which this one does not have
            (folder / name).unlink(missing_ok=True)
    return [REPORT, *made]


def _pictures_of(report: Path) -> list[str] | None:
    """The pictures that the report of an earlier run shows; None where there is none."""
    from zoo.reports.report import CAPTIONS, HEADING

    if not report.is_file():
        return None
    text = report.read_text(encoding="utf-8", errors="replace")
    kinds = "|".join(CAPTIONS)
    return re.findall(rf"^!\[(?:{kinds})\]\(([\w.-]+)\)$", text, re.MULTILINE) if text.startswith(HEADING) else None


def _lesions(board: "ScoreTable", folder: Path, source: str | None, device: str, quiet: bool) -> dict[str, str]:
    """Pictures of single lesions of the first results; where the data cannot be had, a sentence says so."""
    from zoo.reports.pictures import count, pictures

    setting = board.settings[0]
    try:
        with progress("Drawing", count(board, setting), quiet) as advance:
            drawn = pictures(board, setting, source or board.record.datasets[0].source, device, advance)
    except CoarsekitError as error:
        say(f"Left out: the pictures of single lesions, worst.png and figure4.png ({error})", quiet)
        return {}
    for kind, picture in drawn.items():
        write_image(folder / f"{kind}.png", picture)
    return {f"{kind}.png": kind for kind in drawn}
