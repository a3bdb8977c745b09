"""``coarsekit calibrate``."""

from pathlib import Path
from typing import Any

import click

from coarsekit.annotations.approximate import as_ellipse
from coarsekit.annotations.drawings import Drawings, find_drawings, read_drawings
from coarsekit.annotations.reading import ReadOptions
from coarsekit.cli.console import (
    AS_JSON,
    FORCE,
    QUIET,
    SPLIT,
    emit,
    label_table,
    progress,
    reading,
    say,
    say_report,
    table,
)
from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.errors import ParameterError
from coarsekit.simulation.calibrate import (
    Match,
    MeasuredImprecision,
    against_outlines,
    between_annotators,
    measure_imprecision,
    to_style,
)
from coarsekit.simulation.simulate import annotate
from coarsekit.simulation.styles import Style, dump_style, style_named
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import claim_outputs
from coarsekit.types import Ellipse

LEAST = 20


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
    """
    kept = style_named(base)
    if out and not out.endswith(".toml"):
        raise ParameterError(f"--out {out}: a style's file is named .toml, for --style knows it by that")
    drawn = [path for _, path in find_drawings(folders)]
    dataset = open_source(source) if source else None
    inputs = [file for key in dataset.keys(split) for file in dataset.input_files(key)] if dataset else []
    if out:
        claim_outputs([Path(out)], force, [base, *drawn, *inputs])
    options = ReadOptions(
        label_table(labels),
        label_attribute=label_attribute,
        annotator=annotator,
        strict=strict,
        points=False,
        lines=False,
    )
    drawings = _read(folders, options, quiet)
    if len(drawings) < 2 and source is None:
        raise ParameterError(
            "one annotator alone shows no imprecision; name a second FOLDER, or fine masks by --source"
        )
    matches = between_annotators(drawings) if dataset is None else _outlined(drawings, dataset, split, kept, quiet)
    if not matches:
        raise ParameterError(
            "no lesion was drawn twice: the folders share no photograph (by its file name) with near marks of one "
            "class; check that they belong together"
        )
    by_lesion, pooled = _measured(matches, drawings, exact=source is not None)
    style = to_style(Path(out).stem if out else "calibrated", kept, by_lesion, pooled, LEAST)
    text = dump_style(style)
    rows = [_row(lesion, part) for lesion, part in [*by_lesion.items(), ("all", pooled)]]
    annotators = _annotators(matches, drawings, exact=source is not None)
    if as_json:
        emit({"annotators": annotators, "lesions": rows, "style": {"name": style.name} | style.parameters()})
    elif not quiet:
        table("Annotators: log size against the others or the masks", _as_text(annotators))
        table("Imprecision, as one standard deviation; centre in mean radii, angle in degrees", _as_text(rows))
    if out:
        write_text(out, text)
        say(f"The style is in {out}; draw with it by 'coarsekit simulate --style {out}'", quiet)


def _read(folders: tuple[str, ...], options: ReadOptions, quiet: bool) -> Drawings:
    files = find_drawings(folders)
    with progress("Reading", len(files), quiet) as advance:
        drawings, report = read_drawings(files, options, advance)
    say_report(report, options, quiet)
    return drawings


def _outlined(drawings: Drawings, dataset: Dataset, split: str | None, base: Style, quiet: bool) -> list[Match]:
    exact = Style("exact", base.reference_width, base.smooth, base.dilate, base.expand)
    drawn = {photograph for own in drawings.values() for photograph in own}
    keys = [key for key in dataset.keys(split) if key in drawn]
    matches = []
    with progress("Outlining", len(keys), quiet) as advance:
        for key in keys:
            by_annotator = {annotator: own[key] for annotator, own in drawings.items() if key in own}
            matches += against_outlines(by_annotator, annotate(dataset.read(key), 1.0, exact))
            advance(1)
    return matches


def _measured(
    matches: list[Match], drawings: Drawings, *, exact: bool
) -> tuple[dict[str, MeasuredImprecision], MeasuredImprecision]:
    marks: dict[str, list[Ellipse]] = {}
    for own in drawings.values():
        for annotation in own.values():
            for mark in annotation.marks:
                marks.setdefault(mark.lesion, []).append(as_ellipse(mark.shape))
    by_lesion = {
        lesion: measure_imprecision([pair for pair in matches if pair.lesion == lesion], drawn, exact=exact)
        for lesion, drawn in marks.items()
    }
    return by_lesion, measure_imprecision(
        matches, [ellipse for drawn in marks.values() for ellipse in drawn], exact=exact
    )


def _annotators(matches: list[Match], drawings: Drawings, *, exact: bool) -> list[dict[str, Any]]:
    """Per annotator: photographs, marks, and the mean and spread of the log size of the matches."""
    rows = []
    for annotator, own in drawings.items():
        mine = [pair for pair in matches if annotator in pair.group[1:]]
        # Of two annotators the first drew ``one``; for the second the pair counts the other way round.
        turned = [
            pair if exact or pair.group[1] == annotator else pair._replace(one=pair.other, other=pair.one)
            for pair in mine
        ]
        part = measure_imprecision(
            turned, [as_ellipse(mark.shape) for drawing in own.values() for mark in drawing.marks], exact=True
        )
        head = {"annotator": annotator, "photographs": len(own)}
        spread, circles = round(part.imprecision.size, 3), round(part.imprecision.circles, 3)
        rows.append(head | _counts(part) | {"size_spread": spread, "circles": circles})
    return rows


def _row(lesion: str, part: MeasuredImprecision) -> dict[str, Any]:
    imprecision = {name: round(getattr(part.imprecision, name), 3) for name in type(part.imprecision).__slots__}
    return {"lesion": lesion} | _counts(part) | imprecision


def _counts(part: MeasuredImprecision) -> dict[str, Any]:
    return {"marks": part.marks, "matches": part.matches, "size_mean": round(part.size_mean, 3)}


def _as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: f"{value:.3f}" if isinstance(value, float) else value for name, value in row.items()} for row in rows
    ]
