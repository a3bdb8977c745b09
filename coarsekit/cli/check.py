"""``coarsekit check``."""

import sys
from pathlib import Path

import click

from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import emit, growing_progress, say, table
from coarsekit.cli.options import AS_JSON, QUIET, SPLIT
from coarsekit.datasets.checks import check
from coarsekit.datasets.findings import KINDS, Finding

_SHOWN = 40


@click.command("check", epilog="Findings: " + "; ".join(f"{kind}: {what}" for kind, what in KINDS.items()) + ".")
@click.argument("source", default="sample", shell_complete=complete_sources)
@SPLIT
@AS_JSON
@QUIET
def command(source: str, split: str | None, as_json: bool, quiet: bool) -> None:
    """Find what is wrong with the dataset SOURCE, and how many lesions of what size it has.

    Errors (a file that cannot be read, a photograph that is in two splits, …) give exit code 1; notes (an empty mask,
    classes that share some pixels where they touch, …) do not.
    """
    with growing_progress("Checking", quiet) as progress:
        report = check(source, split, progress=progress)
    errors = report.errors
    counts = {"errors": len(errors), "notes": len(report.notes)}
    if as_json:
        head = {"source": source, "split": split or "all", "photographs": report.photographs}
        found = [finding._asdict() for finding in report.findings]
        emit(head | counts | {"summary": report.summary, "classes": report.classes, "findings": found})
    elif not quiet:
        table(f"{report.title}: components and their areas in px", report.classes)
        if report.findings:
            table("Findings", report.summary)
        if errors:
            more = f" (the first {_SHOWN}; --json lists all)" if len(errors) > _SHOWN else ""
            table(f"Errors{more}", [_row(error) for error in errors[:_SHOWN]])
    say(f"Photographs checked: {report.photographs}; errors: {counts['errors']}, notes: {counts['notes']}", quiet)
    if errors:
        sys.exit(1)


def _row(error: Finding) -> dict[str, str]:
    """An orphan is shown by its whole path; any other file by its name beside its photograph's and its lesion's."""
    file, detail = Path(error.file).name if error.image else error.file, error.detail
    if error.file not in detail:
        detail = f"{file}: {detail}"
    return {"error": error.kind, "photograph": error.image, "lesion": error.lesion, "detail": detail}
