"""How the annotators of some folders draw, as a style: their drawings are read, matched and measured."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from coarsekit.annotations.approximate import as_ellipse
from coarsekit.annotations.drawings import Drawings, find_drawings, read_drawings
from coarsekit.annotations.reading import ReadOptions
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
from coarsekit.simulation.styles import HUMAN, Style, as_style, dump_style
from coarsekit.storage.files import given_path, write_text
from coarsekit.storage.outputs import claim_outputs
from coarsekit.types import Ellipse

LEAST = 20
"""Matches from which on a lesion class has an imprecision of its own."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What `calibrate` measured.

    ``style``: draws as the annotators do. ``lesions``: for each lesion class, and for ``all``, the marks, the matches
    and the imprecision as one standard deviation, centre in mean radii, angle in degrees. ``annotators``: for each the
    photographs, the marks, and the mean and spread of the log size against the others or the masks. ``left_out``: a
    sentence for each kind of thing that was drawn and is not read. ``notes``: a sentence for what was guessed.
    """

    style: Style
    lesions: list[dict[str, Any]]
    annotators: list[dict[str, Any]]
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def calibrate(
    folders: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    source: str | Dataset | None = None,
    split: str | None = None,
    base: str | os.PathLike[str] | Style = HUMAN,
    labels: Mapping[str, str | None] = MappingProxyType({}),
    label_attribute: str | None = None,
    annotator: str | None = None,
    strict: bool = False,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
    on_left_out: Callable[[str], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> Calibration:
    """Measure how people draw, as a style that `annotate` takes.

    Drawings of one lesion are mutual nearest marks whose sizes lie within a factor of 4. What is no ellipse counts as
    the one of its pixels' moments; points and lines, which have no size, do not count. A class with fewer than 20 such
    matches gets the imprecision of all classes together.

    Args:
        folders: For each annotator a folder with drawings of any format that is read, anywhere in it, or a file;
            drawings of several whom the tool tells apart count as theirs. Photographs are matched by file name. One
            folder needs no list.
        source: The dataset against whose fine masks is measured, as `open_source` takes it, or opened; its lesions are
            outlined as ``base`` does without its imprecision. None measures annotators against one another.
        split: The split of ``source``; None for all photographs.
        base: The style whose smoothing, dilation and growth are kept: one, its name, or its TOML file.
        labels: The lesion class by label of the annotation, before the names that are known; this and
        label_attribute: the attribute that holds the label,
        annotator: whose drawings to take, and
        strict: whether nothing may be left out, are as in `coarsekit.annotations.reading.ReadOptions`.
        out: The TOML file to write the style to, after which it is named; None writes none.
        force: Whether to write over a file that is there; an input never is.
        progress: Called with how many files of annotations and photographs of ``source`` are finished and how many
            there are, first with 0 finished.
        on_left_out: Called with each sentence of ``left_out``, once all is read.
        on_note: Called with each sentence of ``notes``, once all is read.

    Returns:
        The style, and the tables of lesion classes and annotators.

    Raises:
        ParameterError: When there is one annotator and no ``source``, when a folder has no annotation or is named
            twice, when no lesion was drawn twice, and for a base or split that is not known.
        AnnotationError: When nothing can be read.
        SourceError: When the source is not found or not laid out as its reader expects.
        OutputError: When ``out`` is an input, or is there and ``force`` is not set.

    Examples:
        >>> found = coarsekit.calibrate(["ANNOTATOR1", "ANNOTATOR2"])
        >>> [row["lesion"] for row in found.lesions], found.style.name
        (['MA', 'HE', 'all'], 'calibrated')
        >>> fundus = coarsekit.open_source("sample").read("IDRiD_46")
        >>> coarsekit.annotate(fundus, reduction=1.0, style=found.style).lesions
        ('MA', 'HE', 'EX', 'SE')
    """
    kept = as_style(base)
    style_file = None if out is None else given_path(out, "out")
    if style_file is not None and style_file.suffix != ".toml":
        raise ParameterError(f"out=… {style_file}: a style's file is named .toml, for it is known by that")
    named = [folders] if isinstance(folders, (str, os.PathLike)) else folders
    files = find_drawings([os.fspath(folder) for folder in named])
    dataset = source if isinstance(source, Dataset) or source is None else open_source(source)
    keys = () if dataset is None else dataset.keys(split)
    if style_file is not None:
        inputs = [file for key in keys for file in dataset.input_files(key)] if dataset else []
        read = [] if isinstance(base, Style) else [base]
        claim_outputs([style_file], force, [*read, *(path for _, path in files), *inputs])
    options = ReadOptions(
        labels, label_attribute=label_attribute, annotator=annotator, strict=strict, points=False, lines=False
    )
    finished, total = 0, len(files) + len(keys)

    def advance(steps: int) -> None:
        nonlocal finished
        finished += steps
        progress(finished, total)

    advance(0)
    drawings, report = read_drawings(files, options, advance)
    notes = report.all_notes(options)
    for sentence in notes:
        on_note(sentence)
    for sentence in report.left_out:
        on_left_out(sentence)
    if len(drawings) < 2 and dataset is None:
        raise ParameterError(
            "one annotator alone shows no imprecision; name a second folder, or fine masks by source=…"
        )
    exact = dataset is not None
    matches = between_annotators(drawings) if dataset is None else _outlined(drawings, dataset, keys, kept, advance)
    if not matches:
        raise ParameterError(
            "no lesion was drawn twice: the folders share no photograph (by its file name) with near marks of one "
            "class; check that they belong together"
        )
    by_lesion, pooled = _measured(matches, drawings, exact=exact)
    style = to_style(style_file.stem if style_file else "calibrated", kept, by_lesion, pooled, LEAST)
    text = dump_style(style)
    rows = [_row(lesion, part) for lesion, part in [*by_lesion.items(), ("all", pooled)]]
    calibration = Calibration(style, rows, _annotators(matches, drawings, exact=exact), list(report.left_out), notes)
    if style_file is not None:
        write_text(style_file, text)
    return calibration


def _outlined(
    drawings: Drawings, dataset: Dataset, keys: Sequence[str], base: Style, advance: Callable[[int], None]
) -> list[Match]:
    exact = Style("exact", base.reference_width, base.smooth, base.dilate, base.expand)
    matches = []
    for key in keys:
        by_annotator = {annotator: own[key] for annotator, own in drawings.items() if key in own}
        if by_annotator:
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
