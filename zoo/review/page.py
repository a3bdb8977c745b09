"""The page on which refined marks are reviewed: a folder of plain files, opened without a server."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from coarsekit.annotations.photograph_names import same_photograph
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.errors import CoarsekitError, ImageError, OutputError, ParameterError
from coarsekit.images import read_image
from coarsekit.storage.digests import photograph_sha256
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import at_work, claim_outputs
from coarsekit.types import Image, Raster
from coarsekit.visualize.colours import colours_for
from zoo.marks.mark_masks import NOTHING, mark_masks
from zoo.output.records import ACCEPT, DRAWING, REJECT, photograph_file
from zoo.refiner import no_progress
from zoo.review.contours import box_of, drawn_outline, loops_of
from zoo.review.pictures import OVERVIEW, OVERVIEW_WIDTH, TILE, tiles_of, write_pictures
from zoo.review.results import Result, results_in, results_sha256

PAGE = "index.html"
ASSETS = (PAGE, "review.css", "store.js", "viewer.js", "list.js", "review.js")
"""The files of the page that are the same for all results."""
_INDEX, _MARKS = "results.js", "marks.js"
_LEDGER = ".review.json"
"""The files of a page, by their path in its folder: the next page removes those that it does not have."""
_SHOWN = (
    *("lesion", "id", "label", "drawn_as", "found", "drawn_pixels", "refined_pixels", "outside_pixels"),
    *("overlap_pixels", "mean_probability", "expected_iou"),
)


@dataclass(frozen=True, slots=True)
class PageReport:
    """What `write_page` did.

    ``page``: the file to open. ``photographs``: the names of their records. ``marks``: how many are on the page.
    ``results_sha256``: the digest under which a browser keeps the decisions. ``failures``: of each photograph that is
    not on the page, the name of its record and a sentence. ``notes``: a sentence on results that a later run
    superseded.
    """

    page: Path
    photographs: list[str] = field(default_factory=list)
    marks: int = 0
    results_sha256: str = ""
    failures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def write_page(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    images: str | os.PathLike[str] | None = None,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] = no_progress,
    on_failure: Callable[[str], None] = no_progress,
) -> PageReport:
    """Write the page on which the results of refining are reviewed.

    The page shows each photograph with what was drawn and what was found, and lists the marks by doubt. It is opened
    from the disk, and asks no other host for anything.

    Args:
        folder: What `zoo.refine_to_folder` wrote.
        out: The folder to write to; ``review`` in ``folder`` where it is None.
        images: The folder of the photographs, or the file of one; None takes each from where it was refined.
        force: Whether to write over a page that is there.
        progress: Called with how many photographs are finished and how many there are, first with 0 finished.
        on_failure: Called with the sentence of each photograph that is left out, when that is seen.

    Returns:
        The page, and what is not on it.

    Raises:
        ParameterError: When the folder has no results, or there are no images at that place.
        ImageError: When no photograph could be shown.
        OutputError: When a file is in the way, or another run is at work there.
    """
    place = Path(folder)
    target = place / "review" if out is None else Path(out)
    results, failures, notes = results_in(place)
    report = PageReport(target / PAGE, failures=failures, notes=notes)
    for _, sentence in failures:
        on_failure(sentence)
    finder = _Finder(None if images is None else Path(images), len(results))
    outputs = [target / name for name in (*ASSETS, _INDEX)]
    for number, result in enumerate(results):
        outputs += [_folder_of(target, number) / name for name in _files(result)]
    claim_outputs(outputs, force, _inputs(results))
    with at_work(target, "photographs/*"):
        before, shown = _ledger(target), dict[int, Result]()
        progress(0, len(results))
        for number, result in enumerate(results):
            try:
                own = _folder_of(target, number)
                document = photograph_document(result)
                write_pictures(finder.photograph(result), own)
                write_text(own / _MARKS, _call("photograph", _folder_of(Path(), number).as_posix(), document))
                shown[number] = result
            except CoarsekitError as error:
                failures.append((result.name, str(error)))
                on_failure(str(error))
            progress(number + 1, len(results))
        if not shown:
            raise ImageError(f"{place}: no photograph of it can be shown: {failures[0][1]}")
        index = index_document(shown)
        write_text(target / _INDEX, _call("results", index))
        for name in ASSETS:
            write_text(target / name, files("zoo.review").joinpath("assets", name).read_text(encoding="utf-8"))
        written = [target / name for name in (*ASSETS, _INDEX)]
        written += [_folder_of(target, number) / name for number, result in shown.items() for name in _files(result)]
        _note(target, written, before)
    report.photographs.extend(result.name for result in shown.values())
    marks = sum(result.marks for result in shown.values())
    return PageReport(report.page, report.photographs, marks, index["results_sha256"], failures, notes)


def index_document(results: Mapping[int, Result]) -> dict[str, Any]:
    """What the page knows of all photographs before it shows one: names, sizes, digests, and how many marks.

    ``results``: by the number of their folder in the page.
    """
    every = list(results.values())
    lesions = dict.fromkeys(lesion for result in every for lesion in result.mask_files)
    return {
        "results_sha256": results_sha256(every),
        "decisions": [ACCEPT, REJECT, DRAWING],
        "overview": {"file": OVERVIEW, "width": OVERVIEW_WIDTH},
        "tile": TILE,
        "colours": {lesion: "#{:02x}{:02x}{:02x}".format(*colour) for lesion, colour in colours_for(lesions).items()},
        "photographs": [
            {
                "folder": _folder_of(Path(), number).as_posix(),
                "record": result.name,
                "image": result.record["image"],
                "width": result.record["width"],
                "height": result.record["height"],
                "refiner": Path(str(result.record.get("refiner", ""))).name,
                "marks": result.marks,
                **result.digests,
            }
            for number, result in results.items()
        ],
    }


def photograph_document(result: Result) -> dict[str, Any]:
    """The marks of a photograph by doubt, each with the outline of what was drawn and of what was found.

    Raises `CoarsekitError` when a mask is missing, or was changed since it was refined.
    """
    annotation, masks = result.annotation, result.masks()
    size = (annotation.height, annotation.width)
    found: dict[int, Raster | None] = {
        one.place: one.mask for lesion in annotation.lesions for one in mark_masks(annotation, lesion, masks[lesion])
    }
    marks = []
    for row in by_doubt(result.record["marks"]):
        mark, raster = annotation.marks[row["mark"]], found[row["mark"]]
        marks.append(
            {
                "mark": row["mark"],
                **{name: row[name] for name in _SHOWN if row.get(name) is not None},
                "box": box_of(mark, raster, annotation.width),
                "drawn": drawn_outline(mark, size),
                "refined": [] if raster is None else loops_of(raster),
            }
        )
    return {"marks": marks}


def by_doubt(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The marks of a record, those first that need a look most.

    First those for which nothing was found, then by expected IoU from low to high, then those that have none; among
    equals as they were drawn.
    """

    def doubt(row: Mapping[str, Any]) -> tuple[int, float, int]:
        expected = row.get("expected_iou")
        if row.get("found") == NOTHING:
            return 0, 0.0, row["mark"]
        return (2, 0.0, row["mark"]) if expected is None else (1, expected, row["mark"])

    return sorted(rows, key=doubt)


class _Finder:
    """Finds the photographs of results: in a folder, as one file, or where they were refined."""

    def __init__(self, place: Path | None, results: int) -> None:
        if place is not None and not place.exists():
            raise ParameterError(f"{place}: no such folder or file of photographs; check the path, images=…")
        self._file = place if place is not None and place.is_file() else None
        self._folder = PhotographFolder(place) if place is not None and place.is_dir() else None
        self._only = results == 1

    def photograph(self, result: Result) -> Image:
        """The photograph, the same that was refined.

        Raises `ImageError` when it is not found, or is not the same.
        """
        file = self._find(result)
        image = read_image(file)
        if photograph_sha256(image) != result.record.get("photograph_sha256"):
            raise ImageError(
                f"{result.name}: {file} is not the photograph that was refined; give the folder that has it, images=…"
            )
        return image

    def _find(self, result: Result) -> Path:
        name, kept = str(result.record["image"]), photograph_file(result.path, result.record)
        if self._folder is not None:
            return self._folder.find(name)
        if self._file is not None and (self._only or same_photograph(self._file.name, name)):
            return self._file
        if kept is None:
            raise ImageError(f"{result.name}: the record does not say where {name} lies; give its folder, images=…")
        if not kept.is_file():
            raise ImageError(f"{result.name}: {kept} is no longer there; give the folder that has it, images=…")
        return kept


def _folder_of(target: Path, number: int) -> Path:
    return target / "photographs" / f"{number + 1:04}"


def _files(result: Result) -> list[str]:
    """The names of a photograph's files."""
    tiles = tiles_of(result.record["width"], result.record["height"])
    return [OVERVIEW, *(tile.file for tile in tiles), _MARKS]


def _inputs(results: Iterable[Result]) -> Iterator[Path]:
    for result in results:
        yield from (result.path, *result.mask_files.values())
        if (kept := photograph_file(result.path, result.record)) is not None:
            yield kept


def _call(function: str, *arguments: Any) -> str:
    """A script that hands data to the page: a browser loads it from the disk, where it would not load JSON."""
    return f"review.{function}({', '.join(json.dumps(one, separators=(',', ':')) for one in arguments)});\n"


def _ledger(target: Path) -> list[str]:
    try:
        found = json.loads((target / _LEDGER).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _note(target: Path, written: Iterable[Path], before: Iterable[str]) -> None:
    """Note the files of the page, and remove those that only the page before had."""
    names = [path.relative_to(target).as_posix() for path in written]
    for name in set(before) - set(names):
        stale = target / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            continue
        try:
            stale.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{stale} of an earlier page cannot be removed ({error.strerror}); remove it") from None
    write_text(target / _LEDGER, json.dumps(names) + "\n")
