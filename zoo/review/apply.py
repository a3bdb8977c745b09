"""Decisions merged into what was refined: the masks of every photograph, records, and files for tools."""

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from coarsekit.annotations.annotators import chosen
from coarsekit.errors import CoarsekitError
from coarsekit.images import write_image
from coarsekit.storage.digests import file_sha256
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import at_work, claim_outputs
from coarsekit.types import Annotation, Mask, Raster
from zoo.marks.mark_masks import mark_masks
from zoo.output.records import ACCEPT, DRAWING, REJECT, path_from, photograph_file
from zoo.output.tool_files import (
    NO_TOOLS,
    ToolOptions,
    ToWrite,
    check_one_annotation_each,
    check_tool_files,
    write_for_tools,
)
from zoo.refiner import no_progress
from zoo.review.decisions import decisions_on, read_decisions
from zoo.review.results import Result, results_in

UNDECIDED = "undecided"
COUNTED = (ACCEPT, REJECT, DRAWING, UNDECIDED)


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """What `apply_review` did.

    ``records``: of each photograph, what its JSON file has. ``counts``: how many marks of all photographs have each
    decision, and how many none. ``failures``: of each photograph that has no masks, or whose decisions are left out,
    its name and a sentence. ``notes``: a sentence for results that a later
    run superseded, and for what the files for tools do not hold. ``for_tools``: these files.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    failures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    for_tools: list[str] = field(default_factory=list)


def merged(annotation: Annotation, masks: Mapping[str, Mask], decisions: Mapping[int, str]) -> dict[str, Mask]:
    """The masks of a photograph after a review.

    An accepted mark and an undecided one keep what was found for them, a rejected one loses it, and one whose drawing
    is kept gets the pixels that were drawn. What marks of a class share belongs to all of them.

    Args:
        annotation: What was drawn.
        masks: (h, w) boolean by lesion class, what was found.
        decisions: What was decided, by the place of the mark.

    Returns:
        (h, w) boolean by lesion class; a class of which nothing is left is all False.
    """
    result = {}
    for lesion, mask in masks.items():
        kept = np.zeros_like(mask)
        for one in mark_masks(annotation, lesion, mask):
            decision = decisions.get(one.place)
            if decision != REJECT:
                _add(kept, one.drawn if decision == DRAWING else one.mask)
        result[lesion] = kept
    return result


def apply_review(
    folder: str | os.PathLike[str],
    decisions: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    annotator: str | None = None,
    force: bool = False,
    for_tools: ToolOptions = NO_TOOLS,
    progress: Callable[[int, int], None] = no_progress,
    on_failure: Callable[[str], None] = no_progress,
) -> ReviewReport:
    """Merge the decisions of a review into what was refined, and write the masks of every photograph to a folder.

    For a photograph ``p.png`` the folder gets ``p_LESION.png`` for each lesion class, as `merged` gives it, and the
    record ``p.json``, whose ``reviewed`` counts the decisions. Decisions on other content are left out.

    Args:
        folder: What `zoo.refine_to_folder` wrote.
        decisions: The file that the page saved.
        out: The folder to write to; ``reviewed`` in ``folder`` where it is None.
        annotator: Only what this annotator drew is merged and written; None takes all, each in a folder of its own.
        force: Whether to write over what is there.
        for_tools: Annotation formats to write all marks in: accepted and undecided ones as they were refined, those
            whose drawing is kept as it was drawn, and rejected ones not at all.
        progress: Called with how many photographs are finished and how many there are, first with 0 finished.
        on_failure: Called with the sentence of each failure when it is seen.

    Returns:
        Records, counts and failures. Of several photographs some can fail and the others go on.

    Raises:
        ParameterError: When the folder has no results.
        AnnotationError: When the decisions cannot be read, or are on marks that are not there; when nobody of that name
            drew; when several annotated a photograph, and a format for tools holds one annotation of each.
        OutputError: When a file is in the way, or another run is at work there.
    """
    place, file = Path(folder), Path(decisions)
    target = place / "reviewed" if out is None else Path(out)
    results, failures, notes = results_in(place)
    decided, other = decisions_on(results, read_decisions(file), file)
    if annotator is not None:
        own = {path for path, _ in chosen([(result.path, result.annotation) for result in results], annotator)}
        others = {result.name for result in results if result.path not in own}
        results = [result for result in results if result.path in own]
        other = [(name, sentence) for name, sentence in other if name not in others]
        if others:
            notes.append(f"What others annotated is left out: {len(others)} of {len(others) + len(own)}.")
    report = ReviewReport(failures=[*failures, *other], notes=notes)
    for _, sentence in report.failures:
        on_failure(sentence)
    check_one_annotation_each([result.annotation for result in results], for_tools)
    check_tool_files(target, for_tools, force, [_stem(result) for result in results])
    outputs = [path for result in results for path in _outputs(target, result)]
    inputs = [file, *(path for result in results for path in (result.path, *result.mask_files.values()))]
    claim_outputs(outputs, force, inputs)
    with at_work(target):
        done = []
        progress(0, len(results))
        for number, result in enumerate(results, start=1):
            try:
                record = _write(target, result, decided.get(result.name, {}))
            except CoarsekitError as error:
                report.failures.append((result.name, str(error)))
                on_failure(str(error))
            else:
                done.append((result, record))
                report.records.append(record)
                for name, count in record["reviewed"].items():
                    report.counts[name] += count
            progress(number, len(results))
        if for_tools.formats and done:
            # The tools get a mask for each mark, which only the masks of before the review tell.
            sources = [ToWrite(_stem(each), each.annotation, record, each.mask_files) for each, record in done]
            images = _images([result for result, _ in done])
            made, lacking = write_for_tools(target, for_tools, sources, _made_by(done[0][0]), images, force)
            report.for_tools.extend(map(str, made))
            report.notes.extend(lacking)
    return report


def _write(target: Path, result: Result, decisions: Mapping[int, str]) -> dict[str, Any]:
    """Write the masks of a photograph and its record; the record."""
    before = result.masks()
    masks = merged(result.annotation, before, decisions)
    *files, place = _outputs(target, result)
    earlier = _written_before(place)
    for file, mask in zip(files, masks.values(), strict=True):
        write_image(file, mask)
    counts = Counter(decisions.get(mark, UNDECIDED) for mark in range(result.marks))
    rows = [
        {**row, "reviewed_pixels": int(np.count_nonzero(masks[row["lesion"]])), "file": str(file)}
        for row, file in zip(result.record["masks"], files, strict=True)
    ]
    record = {
        **{name: value for name, value in result.record.items() if name not in ("overlay", "preview")},
        "masks": rows,
        "photograph": None
        if (kept := photograph_file(result.path, result.record)) is None
        else path_from(kept, place.parent),
        "marks": [{**row, "decision": decisions.get(row["mark"])} for row in result.record["marks"]],
        "files": {file.name: file_sha256(file) for file in files},
        "reviewed": {name: counts[name] for name in COUNTED},
    }
    write_text(place, json.dumps(record) + "\n")
    for file in earlier - {*files}:  # of a class that is no longer there
        file.unlink(missing_ok=True)
    return record


def _written_before(place: Path) -> set[Path]:
    """The masks of an earlier review that the record ``place`` names; none where there is no such record."""
    try:
        names = [str(name) for name in json.loads(place.read_text(encoding="utf-8"))["files"]]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return set()
    own = [name for name in names if Path(name).name == name and name.startswith(f"{place.stem}_")]
    return {place.with_name(name) for name in own}


def _outputs(target: Path, result: Result) -> list[Path]:
    """The files of a photograph's masks, in the order of the record, and of its record."""
    own = (target / result.name).parent
    return [*(own / file.name for file in result.mask_files.values()), target / result.name]


def _stem(result: Result) -> str:
    return result.name.removesuffix(".json")


def _made_by(result: Result) -> str:
    """What a tool shows in the place of an annotator."""
    record = result.record
    return f"{Path(record['refiner']).name} {record.get('weights_sha256', '')[:8]}, reviewed".replace(" ,", ",")


def _images(results: list[Result]) -> Path | None:
    """The folder below which every photograph lies under its name, if there is one: VIA knows them by their bytes."""
    for result in results:
        kept = photograph_file(result.path, result.record)
        if kept is not None and kept.as_posix().endswith(f"/{result.annotation.image}"):
            return Path(kept.as_posix().removesuffix(f"/{result.annotation.image}"))
    return None


def _add(mask: Mask, raster: Raster | None) -> None:
    if raster is not None:
        height, width = raster.crop.shape
        mask[raster.top : raster.top + height, raster.left : raster.left + width] |= raster.crop
