"""``zoo review``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from coarsekit.cli.console import emit, progress, say
from coarsekit.cli.options import AS_JSON, FORCE, QUIET
from zoo.refiner import Advance, no_progress


@contextmanager
def steps(what: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; gives the function to call with how many steps are finished and how many there are, first 0."""
    with ExitStack() as stack:
        advance: Advance = no_progress
        shown = 0

        def show(done: int, total: int) -> None:
            nonlocal advance, shown
            if not done:
                advance = stack.enter_context(progress(what, total, quiet))
            advance(done - shown)
            shown = done

        yield show


@click.command("review")
@click.argument("folder", metavar="OUT")
@click.option("-o", "--out", metavar="FOLDER", help="Folder to write the page to.  [default: OUT/review]")
@click.option(
    "--images",
    metavar="FOLDER|FILE",
    help="Where the photographs are.  [default: where each was when it was refined]",
)
@FORCE
@AS_JSON
@QUIET
def command(folder: str, out: str | None, images: str | None, force: bool, as_json: bool, quiet: bool) -> None:
    """Make a page on which people accept or reject what was refined, mark by mark.

    OUT is the folder that 'zoo refine' wrote. Open index.html of the page in a browser: it needs no server, and asks no
    other host for anything. It shows each photograph with what was drawn (dashed) and what was found (solid), and lists
    the marks by doubt: those for which nothing was found first, then by expected IoU from low to high.

    Keys: a accepts a mark, r rejects it, d keeps the drawing instead, u takes that back, n and p go on and back, s
    saves decisions.json, and ? shows all keys. The browser keeps decisions until they are saved.

    'zoo apply-review OUT decisions.json' merges them into the masks.

    Results that a later run of 'zoo refine' put elsewhere are left out, and that is said.

    A photograph that is not found, or has other pixels than the one that was refined, is named and left out; the exit
    code is 1.
    """
    from zoo.review.page import write_page

    with steps("Drawing the page", quiet) as show:
        report = write_page(
            folder,
            out,
            images,
            force=force,
            progress=show,
            on_failure=lambda sentence: say(f"Left out: {sentence}", quiet=False),
        )
    if as_json:
        failures = [{"photograph": name, "reason": reason} for name, reason in report.failures]
        emit(
            {
                "page": str(report.page),
                "photographs": report.photographs,
                "marks": report.marks,
                "results_sha256": report.results_sha256,
                "failures": failures,
                "notes": report.notes,
            }
        )
    for note in report.notes:
        say(note, quiet)
    count = len(report.photographs)
    say(f"{report.marks} marks of {count} photograph{'s'[: count != 1]} can be reviewed: open {report.page}", quiet)
    if report.failures:
        sys.exit(1)
