"""``coarsekit check``."""

import sys
from pathlib import Path
from typing import Any

import click

from coarsekit.cli.console import AS_JSON, QUIET, SPLIT, emit, progress, say, table
from coarsekit.datasets import open_source
from coarsekit.datasets.base import FileDataset
from coarsekit.datasets.checks import ERROR, KINDS, DuplicateFinder, Finding, Tally, examine, orphans, summary
from coarsekit.errors import ParameterError

_SHOWN = 40


@click.command("check", epilog="Findings: " + "; ".join(f"{kind}: {what}" for kind, what in KINDS.items()) + ".")
@click.argument("source", default="sample")
@SPLIT
@AS_JSON
@QUIET
def command(source: str, split: str | None, as_json: bool, quiet: bool) -> None:
    """Find what is wrong with the dataset SOURCE, and how many lesions of what size it holds.

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
    errors = sum(finding.severity == ERROR for finding in findings)
    rows = tally.rows(dataset.lesions)
    if as_json:
        emit(_document(source, split, len(keys), errors, rows, findings))
    elif not quiet:
        _report(dataset.title, rows, findings)
    say(f"Photographs checked: {len(keys)}; errors: {errors}, notes: {len(findings) - errors}", quiet)
    if errors:
        sys.exit(1)


def _report(title: str, rows: list[dict[str, Any]], findings: list[Finding]) -> None:
    table(f"{title}: components and their areas in px", rows)
    if findings:
        table("Findings", summary(findings))
    errors = [finding for finding in findings if finding.severity == ERROR]
    if errors:
        shown = [
            {"error": error.kind, "photograph": error.image, "lesion": error.lesion, "detail": _detail(error)}
            for error in errors[:_SHOWN]
        ]
        more = f" (the first {_SHOWN}; --json lists all)" if len(errors) > _SHOWN else ""
        table(f"Errors{more}", shown)


def _detail(finding: Finding) -> str:
    return (
        finding.detail if not finding.file or finding.file in finding.detail else f"{_short(finding)}: {finding.detail}"
    )


def _short(finding: Finding) -> str:
    """An orphan is shown by its whole path; any other file by its name beside its photograph's and its lesion's."""
    return Path(finding.file).name if finding.image else finding.file


def _document(
    source: str, split: str | None, photographs: int, errors: int, rows: list[dict[str, Any]], findings: list[Finding]
) -> dict[str, Any]:
    head = {"source": source, "split": split or "all", "photographs": photographs}
    counts = {"errors": errors, "notes": len(findings) - errors, "summary": summary(findings)}
    return head | counts | {"classes": rows, "findings": [finding._asdict() for finding in findings]}
