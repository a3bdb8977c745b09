"""Photographs by the names that annotation files give them: names as they are kept, and files as they are found."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from coarsekit.errors import AnnotationError, ImageError, did_you_mean
from coarsekit.types import Annotation

_LONGEST = 200
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an uploaded file."""


_BRACKETS = {ord("["): "%5B", ord("]"): "%5D"}
"""They would make an address malformed."""


def climbs(text: str) -> bool:
    """Whether a name has a part that leads out of its folder."""
    return ".." in re.split(r"[/\\]", text)


def photograph_name(text: str) -> str:
    """The path of a photograph below the folder of photographs, with ``/`` between folders.

    Of the path of a web address the part after the host is kept, of a path that begins by climbing the part after that,
    and only the file name of one that is absolute: these say where the photograph lay for the tool.

    Raises `AnnotationError` when there is none, or it could not name a file.
    """
    path = text
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        path = unquote(urlsplit(text.translate(_BRACKETS)).path).lstrip("/")
    parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".")]
    while len(parts) > 1 and parts[0] == "..":
        parts = parts[1:]
    if ".." in parts or re.match(r"[/\\]|[A-Za-z]:", path):
        parts = parts[-1:]
    name = "/".join(parts)
    if not parts or parts[-1] == ".." or len(name) > _LONGEST or any(ord(character) < 32 for character in name):
        raise AnnotationError(f"expected the file name of a photograph, got {text[:80]!r}; rename it in the annotation")
    return name


def stem_of(name: str) -> str:
    """The path of a photograph without its suffix; outputs are named after it."""
    folder, _, last = name.rpartition("/")
    stem = Path(last).stem
    return f"{folder}/{stem}" if folder else stem


class PhotographFolder:
    """The photographs below a folder, which is looked through once, and only if a path alone does not find one.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str, size: int | None = None) -> Path:
        """The file of the photograph that an annotation names.

        It is the file at that path, or the only one that fits by the first rule by which any does: the path in another
        case, below or above other folders, the file name in any folder, the file name as Label Studio changes it.

        Args:
            name: The path below the folder, as `photograph_name` gives it.
            size: Its bytes, where the annotation has them: the only file of the name with so many, in whatever folder,
                comes before all others.

        Raises:
            ImageError: When none fits, or several do by the same rule; the sentence names them.
        """
        exact = self.folder / name
        if exact.is_file() and size in (None, exact.stat().st_size):
            return exact
        if size is not None:
            same = [file for file in self._of_the_name(name) if (self.folder / file).stat().st_size == size]
            if len(same) == 1:
                return self.folder / same[0]
        if exact.is_file():
            return exact
        found = next(filter(None, self._candidates(name)), [])
        if len(found) == 1:
            return self.folder / found[0]
        if found:
            raise ImageError(
                f"{self.folder / name}: no such file, and {len(found)} could be meant ({_shown(found)}); name its "
                "folder in the annotation, or give the folder that has only one of them"
            )
        near = did_you_mean(name.rpartition("/")[2], [file.rpartition("/")[2] for file in self._files])
        raise ImageError(f"{self.folder / name}: no such file; check the path of the image{near}")

    def _candidates(self, name: str) -> Iterator[list[str]]:
        """The files that fit, rule by rule."""
        by_path, by_last, by_uploaded = self._index
        path, last = _folded(name), _folded(name.rpartition("/")[2])
        yield by_path.get(path, [])
        yield self._of_the_name(name)
        parts = path.split("/")
        for start in range(1, len(parts) - 1):
            yield by_path.get("/".join(parts[start:]), [])
        yield by_last.get(last, [])
        alike = dict.fromkeys(file for key in _as_uploaded(last) for file in by_uploaded.get(key, []))
        yield [file for file in alike if same_photograph(last, file)]

    def _of_the_name(self, name: str) -> list[str]:
        """The files whose path ends so, in any case."""
        of_last = self._index[1].get(_folded(name.rpartition("/")[2]), [])
        return [file for file in of_last if f"/{_folded(file)}".endswith(f"/{_folded(name)}")]

    @cached_property
    def _index(self) -> tuple[dict[str, list[str]], ...]:
        """The files by path, by file name, and by what Label Studio makes of it."""
        by_path: dict[str, list[str]] = {}
        by_last: dict[str, list[str]] = {}
        by_uploaded: dict[str, list[str]] = {}
        for file in self._files:
            last = _folded(file.rpartition("/")[2])
            for index, key in ((by_path, _folded(file)), (by_last, last)):
                index.setdefault(key, []).append(file)
            for key in _as_uploaded(last):
                by_uploaded.setdefault(key, []).append(file)
        return by_path, by_last, by_uploaded

    @cached_property
    def _files(self) -> list[str]:
        """The paths of all files below the folder but hidden ones, with ``/`` between folders."""
        files = []
        for place, folders, names in os.walk(self.folder):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            below = Path(place).relative_to(self.folder).as_posix()
            files += [name if below == "." else f"{below}/{name}" for name in sorted(names) if name[0] != "."]
        return files


def same_photograph(one: str, other: str) -> bool:
    """Whether two names may be of one photograph: by their file names, in any case, as Label Studio changes them."""
    ours, theirs = (_as_uploaded(_folded(re.split(r"[/\\]", name)[-1])) for name in (one, other))
    if {ours[0]} & {*theirs} or {theirs[0]} & {*ours}:
        return True
    # Eight digits may be a date, which tells photographs apart; what Label Studio draws rarely has no letter.
    dated = any(name[:8].isdigit() for name in (ours[0], theirs[0]))
    return ours[-1] == theirs[-1] and not dated


def choose(annotations: list[Annotation], photograph: str) -> list[Annotation]:
    """The annotations of the photograph of a path, by the nearest rule by which any fits; empty where none does."""
    path = "/" + "/".join(part for part in re.split(r"[/\\]", photograph) if part)
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: path.endswith(f"/{name}"),
        lambda name: _folded(path).endswith(f"/{_folded(name)}"),
        lambda name: _folded(path.rpartition("/")[2]) == _folded(name.rpartition("/")[2]),
        lambda name: same_photograph(path, name),
    )
    for fits in tests:
        found = [annotation for annotation in annotations if fits(annotation.image)]
        if found:
            return found
    return []


def _folded(name: str) -> str:
    """A name without regard to case, and to how the system composes its accents."""
    return normalize("NFC", name).casefold()


def _as_uploaded(name: str) -> list[str]:
    """A name as Label Studio makes it of an uploaded file's: no spaces, no signs but dots, hyphens and underscores.

    And without what Label Studio puts before it, where it begins so.
    """
    plain = re.sub(r"[^\w.-]", "", re.sub(r"\s+", "_", _folded(name).strip()))
    return list(dict.fromkeys([plain, _UPLOADED.sub("", plain)]))


def _shown(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:3]) + (", …" if len(every) > 3 else "")
