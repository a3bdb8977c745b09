"""``coarsekit check``."""

import sys
from pathlib import Path

import click

from coarsekit.cli.completion import complete_sources
from coarsekit.cli.console import AS_JSON, QUIET, SPLIT, emit, progress, say, table
from coarsekit.datasets import open_source
from coarsekit.datasets.base import FileDataset
from coarsekit.datasets.checks import ERROR, KINDS, DuplicateFinder, Finding, Tally, examine, orphans, summary
from coarsekit.errors import ParameterError

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
    dataset = open_source(source)
    if not isinstance(dataset, FileDataset):
        raise ParameterError(f"{source} is not made of image files, so there is nothing to check file by file")
    findings, twins, tally = orphans(dataset), DuplicateFinder(), Tally()
    keys = dataset.keys(split)
    with progress("Checking", len(keys), quiet) as advance:
        for key in keys:
            examined = examine(dataset, key)
            findings += examined.findings + twins.add(examined)
            tally.add(examined)
            advance(1)
    errors = [finding for finding in findings if finding.severity == ERROR]
    counts = {"errors": len(errors), "notes": len(findings) - len(errors)}
    rows = tally.rows(dataset.lesions)
    if as_json:
        head = {"source": source, "split": split or "all", "photographs": len(keys)}
        found = {"summary": summary(findings), "classes": rows, "findings": [finding._asdict() for finding in findings]}
        emit(head | counts | found)
    elif not quiet:
        table(f"{dataset.title}: components and their areas in px", rows)
        if findings:
            table("Findings", summary(findings))
        if errors:
            more = f" (the first {_SHOWN}; --json lists all)" if len(errors) > _SHOWN else ""
            table(f"Errors{more}", [_row(error) for error in errors[:_SHOWN]])
    say(f"Photographs checked: {len(keys)}; errors: {counts['errors']}, notes: {counts['notes']}", quiet)
    if errors:
        sys.exit(1)


def _row(error: Finding) -> dict[str, str]:
    """An orphan is shown by its whole path; any other file by its name beside its photograph's and its lesion's."""
    file, detail = Path(error.file).name if error.image else error.file, error.detail
    if error.file not in detail:
        detail = f"{file}: {detail}"
    return {"error": error.kind, "photograph": error.image, "lesion": error.lesion, "detail": detail}
