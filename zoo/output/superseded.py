"""Results that a run of refining puts elsewhere than an earlier run did, as when a second annotator joins the first."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from coarsekit.annotations.annotators import annotator_in, person_in
from coarsekit.annotations.labels import usable
from coarsekit.storage.digests import file_sha256
from coarsekit.storage.files import write_text
from zoo.output.outcomes import Outcome
from zoo.output.records import SUPERSEDED_BY, path_from, photograph_file, record_in

_SAID = 3
"""Of more results than these not each is named; of masks that somebody corrected each is."""


def mark_superseded(folder: Path, refined: Iterable[Outcome]) -> list[str]:
    """Note in records of earlier runs that the results of this one stand in their place; nothing else of them changes.

    They are of the same photograph in another place: with the same drawing by the same person, or by nobody who is
    named; or of the same person, whose folder alone tells the places apart. Results that stand in the place of others
    again lose that note.

    Args:
        folder: The folder of all results.
        refined: What became of each photograph in this run.

    Returns:
        A sentence on the results that no longer count, and one on masks of them that somebody corrected.
    """
    results = {folder / f"{one.stem}.json": one.record for one in refined if one.record is not None}
    for place, record in results.items():
        if record.pop(SUPERSEDED_BY, None) is not None:
            write_text(place, json.dumps(record) + "\n")
    of_name: dict[str, list[Path]] = {}
    for place in results:
        of_name.setdefault(place.name, []).append(place)
    moved, corrected = [], []
    for place in sorted(folder.rglob("*.json")):
        if place in results or place.name not in of_name or (earlier := record_in(place)) is None:
            continue
        later = next((one for one in of_name[place.name] if _replaces(folder, one, results[one], place, earlier)), None)
        if later is None:
            continue
        if earlier.get(SUPERSEDED_BY) != (said := path_from(later, place.parent)):
            write_text(place, json.dumps({**earlier, SUPERSEDED_BY: said}) + "\n")
        moved.append(f"{_name(place, folder)} by {_name(later, folder)}")
        corrected += [
            f"{_name(mask, folder)} (now {_name(later.with_name(mask.name), folder)})"
            for name, digest in earlier["files"].items()
            if (mask := place.with_name(Path(name).name)).suffix == ".png"
            if mask.is_file() and file_sha256(mask) != digest
        ]
    return _sentences(moved, corrected)


def _replaces(folder: Path, later: Path, record: Mapping[str, Any], place: Path, earlier: Mapping[str, Any]) -> bool:
    """Whether the result at ``later`` stands in the place of an earlier one."""
    files = photograph_file(later, record), photograph_file(place, earlier)
    if record.get("photograph_sha256") != earlier.get("photograph_sha256") or None in files:
        return False
    ours, theirs = (file.resolve() for file in files if file is not None)
    if ours != theirs and theirs.is_file():  # a copy of the photograph is another one
        return False
    given = [one.get("provenance") for one in (record, earlier)]
    provenance = [one if isinstance(one, Mapping) else {} for one in given]
    people, names = set(map(person_in, provenance)), set(map(annotator_in, provenance))
    if record.get("drawing_sha256") == earlier.get("drawing_sha256"):
        return len(names) == 1 or ("" in people and bool(record.get("marks")))
    places = {_name(later, folder), _name(place, folder)}
    return len(names) == 1 and any({name, f"{usable(who)}/{name}"} == places for who in names if who for name in places)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _sentences(moved: list[str], corrected: list[str]) -> list[str]:
    if not moved:
        return []
    one = len(moved) == 1
    shown = ", ".join(moved[:_SAID]) + (", …" if len(moved) > _SAID else "")
    sentences = [
        f"{len(moved)} result{'s'[: not one]} of an earlier run {'is' if one else 'are'} superseded: {shown}; reviews "
        f"leave {'it' if one else 'them'} out, so remove {'it' if one else 'them'} with the masks and pictures."
    ]
    if corrected:
        sentences.append(
            f"Masks of what is superseded were changed by hand, and are not carried over: {', '.join(corrected)}; copy "
            "those that shall count over the ones of now before you remove them."
        )
    return sentences
