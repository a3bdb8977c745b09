"""One mask a class from the drawings of several people on the same photographs, written to a folder."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from coarsekit.annotations.drawings import Drawings
from coarsekit.annotations.fitting import fitted
from coarsekit.annotations.reading import ReadReport
from coarsekit.errors import CoarsekitError, OutputError
from coarsekit.images import depth_guessed, read_image, write_image
from coarsekit.scale import check_field_of_view, shared_scale
from coarsekit.storage.digests import drawing_sha256, file_sha256, photograph_sha256
from coarsekit.storage.files import write_text
from coarsekit.storage.outputs import at_work, claim_outputs
from coarsekit.types import Annotation, Image, Mask
from zoo.marks.consensus import LIKELY, Lesion, lesions_seen, majority, staple
from zoo.output.notes import notes_before, notes_on_depths, notes_on_scales
from zoo.refiner import Refiner, no_progress

TABLE = "consensus_lesions.csv"
"""A row for each lesion of all photographs."""
MAJORITY, STAPLE = "majority", "staple"


@dataclass(frozen=True, slots=True, eq=False)
class ClassConsensus:
    """One lesion class of one photograph: (h, w) masks by majority and by STAPLE, and its lesions."""

    majority: Mask
    staple: Mask
    lesions: tuple[Lesion, ...]


@dataclass(frozen=True, slots=True)
class ConsensusReport:
    """What `consensus_to_folder` did.

    ``records``: of each photograph, what its JSON file has, too. ``kept``: the photographs that an earlier run did from
    the same content. ``failures``: of each photograph that could not be done, its name and a sentence. ``left_out``: a
    sentence for marks that lie outside. ``notes``: one for what was guessed. ``table``: the file with a row for each
    lesion.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    table: str = ""


def consensus(
    refiner: Refiner, image: Image, drawn: Mapping[str, Annotation], scale: float | None = None
) -> dict[str, ClassConsensus]:
    """Refine what several people drew on a photograph, and make one mask of each class.

    Who drew nothing of a class that another drew marked nothing of it.

    Args:
        refiner: Who refines.
        image: (h, w, 3) uint8 RGB.
        drawn: What each drew on it, by person, two or more.
        scale: As for `Refiner.refine`; None to find it by what all of them drew.

    Returns:
        By lesion class, in order of first appearance.

    Raises:
        AnnotationError: When something was drawn on an image of another size.
    """
    if scale is None:
        scale = shared_scale(image, [*drawn.values()]).value
    refined = {who: refiner.refine(image, annotation, scale=scale) for who, annotation in drawn.items()}
    nothing = np.zeros(image.shape[:2], bool)
    found = {}
    for lesion in dict.fromkeys(lesion for annotation in drawn.values() for lesion in annotation.lesions):
        masks = {who: own.get(lesion, nothing) for who, own in refined.items()}
        each = list(masks.values())
        by_majority, by_staple = majority(each), staple(each) >= LIKELY
        found[lesion] = ClassConsensus(by_majority, by_staple, tuple(lesions_seen(masks, by_majority, by_staple)))
    return found


def consensus_to_folder(
    refiner: Refiner,
    photographs: Mapping[str, Path],
    drawings: Drawings,
    out: Path,
    *,
    force: bool = False,
    field_of_view: float | None = None,
    advance: Callable[[int], None] = no_progress,
    on_failure: Callable[[str], None] = no_progress,
) -> ConsensusReport:
    """Write for each photograph ``p`` the masks ``p_LESION_majority.png`` and ``p_LESION_staple.png``, and ``p.json``.

    What an earlier run wrote from the same photograph and drawings, by the same weights, is kept. One photograph that
    cannot be done is reported, and the others go on. `TABLE` has a row for each lesion of all of them.

    Args:
        refiner: Who refines.
        photographs: The files of the photographs, by the key that the drawings have; see `annotated_by_several`.
        drawings: What each person drew.
        out: The folder to write to.
        force: Whether files of other content may be written over.
        field_of_view: As for `coarsekit.scale.scale_of`.
        advance: Called with 1 for each photograph that is done.
        on_failure: Called with the sentence of each that is not.

    Returns:
        What was done.

    Raises:
        OutputError: When a file is in the way, or another run is at work there.
        ParameterError: When ``field_of_view`` is no diameter of a retina.
    """
    if field_of_view is not None:
        check_field_of_view(field_of_view)
    report = ConsensusReport()
    table = out / TABLE
    written = [table, *(_record(out, key) for key in photographs)]
    claim_outputs(written, force=True, inputs=photographs.values())
    claim_outputs([path for path in written if not _is_ours(path)], force, own=lambda _: False)
    with at_work(out):
        for key, file in photographs.items():
            try:
                record, kept, seen = _one(refiner, file, key, drawings, out, force, field_of_view)
                report.records.append(record)
                report.left_out.extend(seen.left_out)
                report.notes.extend(seen.notes)
                report.kept.extend([key] if kept else [])
            except CoarsekitError as error:
                report.failures.append((key, str(error)))
                on_failure(str(error))
            advance(1)
        write_text(table, _table(report.records))
    shown = [record | {"scale_from": record["content"]["scale_from"]} for record in report.records]
    lesions = [lesion for record in report.records for lesion in record["lesions"]]
    report.notes.extend([*notes_before(refiner, lesions), *notes_on_scales(shown), *notes_on_depths(shown)])
    return replace(report, table=str(table))


def _one(
    refiner: Refiner, file: Path, key: str, drawings: Drawings, out: Path, force: bool, field_of_view: float | None
) -> tuple[dict[str, Any], bool, ReadReport]:
    """What was found on a photograph, whether it is kept, and what was seen when the drawings were fitted to it."""
    image, seen = read_image(file), ReadReport()
    drawn = {}
    for who, own in drawings.items():
        if key in own:
            drawn[who], more = fitted(own[key], image.shape, f"{who}, {own[key].image}")
            seen += more
    scale = shared_scale(image, [*drawn.values()], field_of_view)
    value = round(scale.value, 4)
    content = {
        "photograph_sha256": photograph_sha256(image),
        "drawings_sha256": {who: drawing_sha256(annotation) for who, annotation in drawn.items()},
        "weights_sha256": refiner.weights_sha256,
        "engine": refiner.engine,
        "refining_version": refiner.code_version(label for own in drawn.values() for label in own.lesions),
        "scale": value,
        "scale_from": scale.source,
        "cleaning": refiner.cleaning,
    }
    place = _record(out, key)
    earlier = _read(place)
    if earlier and earlier.get("content") == content and refiner.weights_sha256 and _whole(place, earlier):
        return earlier, True, seen
    if earlier and earlier.get("content") != content and not force:
        raise OutputError(
            f"{place} is of other drawings, another refiner, or another scale; give force=True to write over it"
        )
    found = consensus(refiner, image, drawn, value)
    masks = {
        place.with_name(f"{place.stem}_{lesion}_{how}.png"): getattr(one, how)
        for lesion, one in found.items()
        for how in (MAJORITY, STAPLE)
    }
    names = (earlier or {}).get("files", {})
    claim_outputs([path for path in masks if path.name not in names], force, own=lambda _: False)
    head = {"image": next(iter(drawn.values())).image, "annotators": list(drawn), "refiner": refiner.name}
    # Of a run that is broken off the next one knows all files, those of before, too.
    known = dict.fromkeys([*names, *(path.name for path in masks)])
    write_text(place, json.dumps({**head, "content": None, "files": known}) + "\n")
    for path, mask in masks.items():
        write_image(path, mask)
    for name in known.keys() - {path.name for path in masks}:
        place.with_name(name).unlink(missing_ok=True)
    record = {
        **head,
        "content": content,
        "depth_guessed": depth_guessed(file),
        "lesions": {lesion: [asdict(each) for each in one.lesions] for lesion, one in found.items()},
        "files": {path.name: file_sha256(path) for path in masks},
    }
    write_text(place, json.dumps(record) + "\n")
    return record, False, seen


def _record(out: Path, key: str) -> Path:
    return out / f"{key}.json"


def _read(place: Path) -> dict[str, Any] | None:
    """The record of an earlier run; None where there is none, or the file is none."""
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    ours = isinstance(record, dict) and isinstance(record.get("files"), dict) and "annotators" in record
    return record if ours and all(_is_mask_of(place, name) for name in record["files"]) else None


def _is_mask_of(place: Path, name: str) -> bool:
    return Path(name).name == name and name.startswith(f"{place.stem}_")


def _is_ours(path: Path) -> bool:
    """Whether an earlier run wrote the file."""
    if path.name != TABLE:
        return _read(path) is not None
    return path.is_file() and path.read_bytes().startswith(_table([]).encode())


def _whole(place: Path, record: Mapping[str, Any]) -> bool:
    """Whether all files of a record are there, unchanged."""
    files = {place.with_name(name): digest for name, digest in record["files"].items()}
    return all(path.is_file() and file_sha256(path) == digest for path, digest in files.items())


def _table(records: list[dict[str, Any]]) -> str:
    text = StringIO(newline="")
    columns = ["image", "lesion", "x", "y", "seen_by", "seen_by_one", "agreement"]
    columns += ["union_pixels", "majority_pixels", "staple_pixels"]
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    for record in records:
        for lesion, found in record["lesions"].items():
            for one in found:
                seen = list(one["seen_by"])
                told = {"image": record["image"], "lesion": lesion, "seen_by_one": len(seen) == 1}
                table.writerow({**one, **told, "seen_by": "; ".join(seen)})
    return text.getvalue()
