"""What a refiner wrote, which is no drawing: files for tools, known by their content, and records."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from coarsekit.annotations.documents import Document
from coarsekit.storage.digests import file_sha256
from coarsekit.storage.files import write_text

_LEDGER = ".for_tools.json"
"""Which files of a folder were written for tools, with their digests, by their path below it."""


def note_written(files: Iterable[Path], folder: Path) -> None:
    """Keep in a folder of results that ``files``, anywhere in it, were written for tools as they are now."""
    digests = {file.relative_to(folder).as_posix(): file_sha256(file) for file in files}
    write_text(folder / _LEDGER, json.dumps({**_ledger(folder), **digests}, indent=1) + "\n")


def as_written(files: Iterable[Path], folder: Path) -> set[Path]:
    """Those of the files in a folder of results that were written for tools, and that nobody changed since."""
    known = {folder / name: digest for name, digest in _ledger(folder).items()}
    return {file for file in files if file in known and file.is_file() and file_sha256(file) == known[file]}


def written_below(place: Path, folder: Path) -> list[Path]:
    """The files below a place in a folder of results that were written for tools, changed since or not."""
    return [file for name in _ledger(folder) if place in (file := folder / name).parents and file.is_file()]


def drawings_first(files: Sequence[Path], root: Path | None) -> tuple[list[Path], set[Path]]:
    """Files of a folder, those last that a refiner wrote for tools and nobody changed; and these.

    ``root``: the folder; None for single files, which are taken for what the user says that they are.
    """
    results = {ledger.parent for ledger in root.rglob(_LEDGER)} if root and root.is_dir() else set()
    written = {file for folder in results for file in as_written(files, folder)}
    return [*(file for file in files if file not in written), *(file for file in files if file in written)], written


def is_record(document: Document) -> bool:
    """Whether it says what was found on a photograph, as a refiner leaves it beside the masks."""
    return document.has("image", "width", "height", "provenance", "masks", "marks")


def passed_over(files: Sequence[Path], which: str) -> list[str]:
    """What is said of files that are no drawings; ``which``: those that are meant."""
    if not files:
        return []
    shown = ", ".join(map(str, files[:3])) + (", …" if len(files) > 3 else "")
    if len(files) == 1:
        return [f"1 file {which} is no drawing, and is passed over: {shown}."]
    return [f"{len(files)} files {which} are no drawings, and are passed over: {shown}."]


def _ledger(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / _LEDGER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in found.items()} if isinstance(found, dict) else {}
