"""``coarsekit calibrate``."""

import sys
from typing import Any

import click

from coarsekit.cli.console import emit, growing_progress, say, say_left_out, say_notes, table
from coarsekit.cli.options import AS_JSON, FORCE, QUIET, SPLIT, label_table, reading
from coarsekit.datasets import open_source
from coarsekit.simulation.calibration import calibrate


@click.command("calibrate")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--source", metavar="SOURCE", help="Measure against the fine masks of this dataset, not among annotators."
)
@SPLIT
@click.option("--base", default="human", show_default=True, help="Style whose smoothing, dilation and growth are kept.")
@click.option("-o", "--out", metavar="FILE", help="Style TOML to write, for --style; its name is the style's.")
@reading
@FORCE
@AS_JSON
@QUIET
def command(
    folders: tuple[str, ...],
    source: str | None,
    split: str | None,
    base: str,
    out: str | None,
    labels: tuple[str, ...],
    label_attribute: str | None,
    annotator: str | None,
    strict: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure how people draw, and write it as a style for 'coarsekit simulate --style FILE'.

    Each FOLDER has one annotator's drawings, or those of several whom the tool tells apart, in files of any format that
    'coarsekit convert' reads (anywhere in it; photographs are matched by file name). What is no ellipse counts as the
    one of its pixels' moments; points and lines, which have no size, do not count. Two or more annotators of the same
    photographs are measured against one another; with --source, one or more against the fine masks, outlined as the
    style --base does without its imprecision.

    Drawings of one lesion are mutual nearest marks whose sizes lie within a factor of 4. A class with fewer than 20
    such matches gets the imprecision of all classes together.

    What of the drawings cannot be used is left out, named, and makes the exit code 1.
    """
    left_out: list[str] = []

    def leave_out(sentence: str) -> None:
        left_out.append(sentence)
        say_left_out(sentence)

    with growing_progress("Measuring", quiet) as progress:
        found = calibrate(
            folders,
            source=source or None,
            split=split,
            base=base,
            labels=label_table(labels),
            label_attribute=label_attribute,
            annotator=annotator,
            strict=strict,
            out=out or None,
            force=force,
            progress=progress,
            on_left_out=leave_out,
            on_note=lambda text: say(text, quiet),
        )
    if source:
        say_notes(open_source(source), split, quiet)
    if as_json:
        style = {"name": found.style.name} | found.style.parameters()
        emit({"annotators": found.annotators, "lesions": found.lesions, "style": style})
    elif not quiet:
        table("Annotators: log size against the others or the masks", _as_text(found.annotators))
        table("Imprecision, as one standard deviation; centre in mean radii, angle in degrees", _as_text(found.lesions))
    if out:
        say(f"The style is in {out}; draw with it by 'coarsekit simulate --style {out}'", quiet)
    if left_out:
        sys.exit(1)


def _as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: f"{value:.3f}" if isinstance(value, float) else value for name, value in row.items()} for row in rows
    ]
