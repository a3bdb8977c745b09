"""What an earlier run left in the files and folders for tools that is not of this run; it is named, and stays."""

import csv
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from coarsekit.annotations import Format
from coarsekit.annotations.written import written_below
from coarsekit.errors import CoarsekitError
from coarsekit.types import Annotation


def apart(place: Path, files: Collection[Path]) -> list[str]:
    """Sentences where photographs of several sources are in files of their own, in place of the one at ``place``."""
    if len(files) == 1:
        return []
    said = f"Photographs of several files share names or numbers in the tool; each file has its own in {place.stem}."
    stale = place.is_file() and place not in files
    return [said, *([f"{place.name} is of an earlier run, and has none of them apart; remove it."] if stale else [])]


def no_longer_in(place: Path, target: Format, annotations: Sequence[Annotation]) -> list[str]:
    """A sentence where a file of all photographs has some that the one in its place will not have."""
    earlier: list[Annotation] = []
    with suppress(CoarsekitError):
        earlier = target.read(place).annotations if place.is_file() else []
    return _no_longer(place, {one.image for one in earlier} - {one.image for one in annotations})


def no_longer_in_table(place: Path, images: Collection[str]) -> list[str]:
    """The same of the table of all marks."""
    earlier = set[str]()
    with suppress(OSError, ValueError, csv.Error), place.open(encoding="utf-8", newline="") as text:
        earlier = {row["image"] for row in csv.DictReader(text) if row.get("image")}
    return _no_longer(place, earlier - set(images))


def still_in(place: Path, files: Iterable[Path], folder: Path) -> list[str]:
    """A sentence where earlier runs left files for a tool beside those of this one.

    They may be photographs that were refined one at a time, or ones that are gone, and somebody may have changed them.

    Args:
        place: The folder of files, which need not be there.
        files: Those of this run.
        folder: The folder of all results.
    """
    own = set(files)
    left = sorted(file.relative_to(place).as_posix() for file in written_below(place, folder) if file not in own)
    if not left:
        return []
    one = len(left) == 1
    return [
        f"{place.name} still has {len(left)} file{'s'[: not one]} of an earlier run ({_shown(left)}), with what is not "
        f"of this one; remove {'it' if one else 'them'}, unless {'it counts' if one else 'they count'}."
    ]


def _no_longer(place: Path, images: Collection[str]) -> list[str]:
    if not images:
        return []
    count = f"{len(images)} photograph{'s'[: len(images) != 1]}"
    shown = _shown(sorted(images))
    return [f"{place.name} no longer has {count} of an earlier run ({shown}); refine all together for one file."]


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
