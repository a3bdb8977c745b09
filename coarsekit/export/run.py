"""Pairs of coarse and fine masks from a source into a folder, with the choices of an export as arguments."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.errors import ParameterError
from coarsekit.export.config import ExportConfig
from coarsekit.export.export import ExportReport, export
from coarsekit.simulation.simulate import check_reduction
from coarsekit.simulation.styles import HUMAN, Style, as_style
from coarsekit.storage.files import given_path


def export_pairs(
    source: str | Dataset,
    out: str | os.PathLike[str],
    *,
    split: str | None = None,
    reductions: float | Sequence[float] = 1.0,
    style: str | os.PathLike[str] | Style = HUMAN,
    seed: int = 0,
    size: int | None = 256,
    jobs: int = 1,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> ExportReport:
    """Write pairs of coarse and fine masks to a folder, as a Hugging Face dataset with a card.

    There is one configuration for each reduction factor, in Parquet files. Called again, an interrupted export goes on,
    and the pairs of photographs whose pixels and masks have not changed are kept. Nothing is uploaded.

    Args:
        source: ``sample``, or ``READER:PATH`` such as ``idrid:data/idrid``, or a dataset that was opened.
        out: The folder to write to; it is made where it is missing.
        split: The split to export, such as ``train``; None for all photographs.
        reductions: A reduction factor, components / ellipses, or several, each 1 or more and named once.
        style: How the ellipses are drawn: a style, its name, or its TOML file.
        seed: The seed of the drawing, 0 or more.
        size: Side of the patches, px; None for each window's native size.
        jobs: Processes to work in, 1 or more; the pairs are the same for any number.
        force: Whether to write over another export and among other files, and to make all pairs anew.
        progress: Called with how many photographs are finished and how many there are, first with 0 finished.

    Returns:
        The table of the card, and how many photographs were made and kept.

    Raises:
        SourceError: When the source is not found or not laid out as its reader expects, and when no photograph has a
            lesion.
        ParameterError: For a split that the dataset does not have, a style that is not known, and for a factor, seed,
            size or number of jobs out of its range.
        OutputError: When the folder has another export or other files and ``force`` is not set, and when another export
            is at work there.

    Examples:
        >>> report = coarsekit.export_pairs("sample", "PAIRS", reductions=1.5, size=32)
        >>> report.made, report.kept
        (2, 0)
        >>> coarsekit.export_pairs("sample", "PAIRS", reductions=1.5, size=32).kept
        2
    """
    if not isinstance(jobs, int) or jobs < 1:
        raise ParameterError(f"the parameter jobs must be 1 or more, got {jobs!r}")
    given: Any = reductions
    factors = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    for factor in factors:
        check_reduction(factor)
    folder = given_path(out, "out")
    config = ExportConfig(split, tuple(map(float, factors)), as_style(style), seed, size)
    dataset = source if isinstance(source, Dataset) else open_source(source)
    total = sum(map(len, config.photographs(dataset).values()))
    finished = 0

    def advance(photographs: int) -> None:
        nonlocal finished
        finished += photographs
        progress(finished, total)

    advance(0)
    return export(dataset, config, folder, jobs, force, advance)
