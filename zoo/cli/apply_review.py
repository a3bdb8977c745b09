"""``zoo apply-review``."""

import sys
from dataclasses import asdict

import click

from coarsekit.cli.console import emit, say
from coarsekit.cli.options import ANNOTATOR, AS_JSON, FORCE, QUIET
from zoo.cli.review import steps
from zoo.cli.tool_options import for_tools
from zoo.output.tool_files import ToolOptions


@click.command("apply-review")
@click.argument("folder", metavar="OUT")
@click.argument("decisions", metavar="DECISIONS")
@click.option("-o", "--out", metavar="FOLDER", help="Folder to write to.  [default: OUT/reviewed]")
@ANNOTATOR
@for_tools
@FORCE
@AS_JSON
@QUIET
def command(
    folder: str,
    decisions: str,
    out: str | None,
    annotator: str | None,
    formats: tuple[str, ...],
    shape: str,
    with_drawing: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Merge the decisions of a review into the masks that 'zoo refine' wrote to OUT.

    DECISIONS is the file decisions.json that the page of 'zoo review' saved. --out gets the masks of every photograph:
    an accepted mark and an undecided one keep what was found, a rejected one loses it, and one whose drawing is kept
    gets the pixels that were drawn. Beside them lies the record, which counts the decisions; OUT itself is not changed.

    --to writes one file of all photographs for a tool, as 'zoo refine' does: rejected marks are not in it, and a mark
    whose drawing is kept is in it as the person drew it. Where several annotated a photograph, --annotator chooses
    whose results and decisions are taken, since most tools' files hold one annotation of a photograph.

    Decisions on another photograph, drawing, refiner or mask are named and left out; the exit code is 1.
    """
    from zoo.review.apply import apply_review

    target = out or f"{folder.rstrip('/')}/reviewed"
    with steps("Merging", quiet) as show:
        report = apply_review(
            folder,
            decisions,
            out,
            annotator=annotator,
            force=force,
            for_tools=ToolOptions(formats, shape, with_drawing),
            progress=show,
            on_failure=lambda sentence: say(f"Left out: {sentence}", quiet=False),
        )
    if as_json:
        failures = [{"photograph": name, "reason": reason} for name, reason in report.failures]
        emit({"out": target, **asdict(report), "failures": failures})
    for note in report.notes:
        say(note, quiet)
    said = ", ".join(f"{count} {_WORDS[name]}" for name, count in report.counts.items() if count)
    count = len(report.records)
    say(f"Masks of {count} photograph{'s'[: count != 1]} are in {target}; marks: {said or 'none'}", quiet)
    for file in report.for_tools:
        say(f"For a tool: {file}", quiet)
    if report.failures:
        sys.exit(1)


_WORDS = {"accept": "accepted", "reject": "rejected", "drawing": "as drawn", "undecided": "undecided"}
