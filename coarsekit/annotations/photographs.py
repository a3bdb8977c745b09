"""Photographs by the names that annotation files give them: names as they are kept, and files as they are found."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from coarsekit.annotations.eyes import said_in, told, untold
from coarsekit.errors import AnnotationError, ImageError, did_you_mean
from coarsekit.images import PHOTOGRAPHS
from coarsekit.images.names import folded as _folded
from coarsekit.images.names import folded_stem as _stem
from coarsekit.images.opening import is_mask
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
    """The path of a photograph without its suffix; outputs are named after it.

    What follows a dot is no suffix in names of none, such as ``1.2.840.113.1`` of an archive, and tells them apart.
    """
    folder, _, last = name.rpartition("/")
    stem = Path(last).stem if Path(last).suffix.lower() in PHOTOGRAPHS else last
    return f"{folder}/{stem}" if folder else stem


class PhotographFolder:
    """The photographs below a folder, which is looked through once, and only if a path alone does not find one.

    Args:
        folder: The folder.
        files: Paths below it of those that count; None for all.
    """

    def __init__(self, folder: Path, files: Sequence[str] | None = None) -> None:
        self.folder = folder
        self._only = files
        self._beside = ""
        self._whole = self

    def beside(self, folder: str) -> "PhotographFolder":
        """The same photographs for annotation files of a folder below, whose own photographs come before all others.

        Exports of several folders name their photographs alike: ``left.jpg`` is another one for each patient.
        """
        own = PhotographFolder(self.folder, self._only)
        own._beside, own._whole = folder, self._whole
        return own

    def path_of(self, name: str) -> str:
        """The path of a photograph below the folder: beside the annotation file where there is one, or the name."""
        near = f"{self._beside}/{name}"
        return near if self._beside and (self.folder / near).is_file() else name

    def find(self, name: str, size: int | None = None) -> Path:
        """The file of the photograph that an annotation names.

        It is the file at that path, or the only one that fits by the first rule by which any does: the path in another
        case, below or above other folders, the file name in any folder, the file name as Label Studio changes it, the
        path, or its end, but for the suffix, which copies of a photograph need not share. A file that is plainly
        another photograph's fits by none, see `plainly_other`; nor does one in another folder where the folder that the
        name says is there, too; nor does a mask or a label map, see
        `coarsekit.images.opening.is_mask`, unless it is the very file at that path and nothing else fits.

        Args:
            name: The path below the folder, as `photograph_name` gives it.
            size: Its bytes, where the annotation has them: the only file of the name with so many, in whatever folder,
                comes before all others.

        Raises:
            ImageError: When none fits, or several do by the same rule; the sentence names them.
        """
        exact = self.folder / self.path_of(name)
        there = exact.is_file()
        if there and (exact.stat().st_size == size if size is not None else not is_mask(exact, coloured=False)):
            return exact
        if size is not None:
            same = [file for file in self._of_the_name(name) if (self.folder / file).stat().st_size == size]
            if len(same) == 1:
                return self.folder / same[0]
        if there and not is_mask(exact, coloured=False):
            return exact
        fitting = [list(own) for own in self._candidates(name)]
        every = dict.fromkeys(file for own in fitting for file in own)
        others = {file: why for file in every if (why := self._why_other(name, file))}
        found, masks = self._without_masks([[file for file in own if file not in others] for own in fitting])
        if len(found) == 1:
            return self.folder / found[0]
        if there:
            return exact
        if found:
            raise ImageError(
                f"{self.folder / name}: no such file, and {len(found)} could be meant ({_shown(found)}); name its "
                "folder in the annotation, or give the folder that has only one of them"
            )
        if masks:
            raise ImageError(
                f"{self.folder / name}: no such file, and {self.folder / masks[0]} is a mask, no photograph; put the "
                "photograph there, or give the folder that has it"
            )
        if others:
            other, why = next(iter(others.items()))
            raise ImageError(
                f"{self.folder / name}: no such file, and {other} {why}; put the photograph there, or correct its path "
                "in the annotation"
            )
        near = did_you_mean(name.rpartition("/")[2], [file.rpartition("/")[2] for file in self._whole._files])
        raise ImageError(f"{self.folder / name}: no such file; check the path of the image{near}")

    def _without_masks(self, rules: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
        """The photographs that fit by the first rule by which any does, and the masks that were passed over.

        What is coloured, and may be a drawn photograph, is a mask only beside others.
        """
        every = list(dict.fromkeys(file for own in rules for file in own))
        for coloured in (True, False) if len(every) > 1 else (False,):
            masks = [file for file in every if is_mask(self.folder / file, coloured)]
            photographs = ([file for file in own if file not in masks] for own in rules)
            if found := next(filter(None, photographs), []):
                break
        return found, masks

    def _why_other(self, name: str, file: str) -> str:
        """Why a file is not taken for the photograph of a name that it might fit; empty where it is."""
        if plainly_other(name, file):
            return "is of another number, eye or light"
        folders, own = (_folded(path).split("/")[:-1] for path in (name, file))
        shared = min(len(folders), len(own))
        pairs = zip(folders[len(folders) - shared :], own[len(own) - shared :], strict=True)
        # It may be of another patient, where the folder of the one who is named is there, and lacks the photograph.
        astray = any(mine != yours and mine not in own and mine in self._whole._folders for mine, yours in pairs)
        return "lies in another folder than the annotation says" if astray else ""

    def _candidates(self, name: str) -> Iterator[list[str]]:
        """The files that fit, rule by rule."""
        by_path, by_last, by_uploaded, by_stem = self._whole._index
        path, last = _folded(name), _folded(name.rpartition("/")[2])
        yield by_path.get(path, [])
        yield self._of_the_name(name)
        parts = path.split("/")
        for start in range(1, len(parts) - 1):
            yield by_path.get("/".join(parts[start:]), [])
        yield by_last.get(last, [])
        alike = dict.fromkeys(file for key in _as_uploaded(last) for file in by_uploaded.get(key, []))
        yield [file for file in alike if same_photograph(last, file)]
        stems = [_stem(f"{self._beside}/{path}"), *(_stem("/".join(parts[start:])) for start in range(len(parts)))]
        yield next((by_stem[stem] for stem in stems if stem in by_stem), [])

    def _of_the_name(self, name: str) -> list[str]:
        """The files whose path ends so, in any case."""
        of_last = self._whole._index[1].get(_folded(name.rpartition("/")[2]), [])
        return [file for file in of_last if f"/{_folded(file)}".endswith(f"/{_folded(name)}")]

    @cached_property
    def _index(self) -> tuple[dict[str, list[str]], ...]:
        """The files by path, by file name, by what Label Studio makes of it, and photographs by path but for suffix."""
        by_path: dict[str, list[str]] = {}
        by_last: dict[str, list[str]] = {}
        by_uploaded: dict[str, list[str]] = {}
        by_stem: dict[str, list[str]] = {}
        for file in self._files:
            last = _folded(file.rpartition("/")[2])
            if (stem := _stem(file)) != _folded(file):
                by_stem.setdefault(stem, []).append(file)
            for index, key in ((by_path, _folded(file)), (by_last, last)):
                index.setdefault(key, []).append(file)
            for key in _as_uploaded(last):
                by_uploaded.setdefault(key, []).append(file)
        return by_path, by_last, by_uploaded, by_stem

    @cached_property
    def _folders(self) -> set[str]:
        """What the folders are called that have a file in them, or in a folder below."""
        return {part for file in self._files for part in _folded(file).split("/")[:-1]}

    @cached_property
    def _files(self) -> list[str]:
        """The paths of all files below the folder but hidden ones, with ``/`` between folders."""
        files: list[str] = []
        if self._only is not None:
            return list(self._only)
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


def without_upload(name: str) -> str:
    """The path of a photograph without what Label Studio puts before the name of an uploaded file."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{_UPLOADED.sub('', last)}"


def plainly_other(one: str, other: str) -> bool:
    """Whether two paths are those of two photographs: by a number, or by left and right, or the light.

    They are where they differ only so, or where a part that lies as deep in both differs only in the eye or the light.
    Of one that is longer the last parts are compared.
    """
    ours, theirs = (told(_stem(path.replace("\\", "/"))).strip("/").split("/") for path in (one, other))
    shared = min(len(ours), len(theirs))
    pairs = [pair for pair in zip(ours[-shared:], theirs[-shared:], strict=True) if pair[0] != pair[1]]
    alike = [(mine, yours) for mine, yours in pairs if _unnumbered(mine) == _unnumbered(yours)]
    return (bool(pairs) and alike == pairs) or any(said_in(mine) != said_in(yours) for mine, yours in alike)


def folders_differ(name: str, path: str) -> bool:
    """Whether the folders in a name are called otherwise than those in which the photograph of a path lies.

    Of the longer one the last folders are compared; a name without folders differs from none.
    """
    folders, own = (_folded(each.replace("\\", "/")).strip("/").split("/")[:-1] for each in (name, path))
    shared = min(len(folders), len(own))
    return shared > 0 and folders[-shared:] != own[-shared:]


def choose(annotations: list[Annotation], photograph: str) -> list[Annotation]:
    """The annotations of the photograph of a path, by the nearest rule by which any fits; empty where none does."""
    path = "/" + "/".join(part for part in re.split(r"[/\\]", photograph) if part)
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: path.endswith(f"/{name}"),
        lambda name: _folded(path).endswith(f"/{_folded(name)}"),
        lambda name: _folded(path.rpartition("/")[2]) == _folded(name.rpartition("/")[2]),
        lambda name: same_photograph(path, name),
        lambda name: _stem(path.rpartition("/")[2]) == _stem(name.rpartition("/")[2]),
    )
    own = [annotation for annotation in annotations if not plainly_other(path, annotation.image)]
    for fits in tests:
        found = [annotation for annotation in own if fits(annotation.image)]
        if found:
            return found
    return []


def also_of(annotations: list[Annotation], annotation: Annotation, photograph: str) -> list[str]:
    """Names that other annotations give the photograph of a path, under which it was drawn on, too."""
    folder, _, _ = f"/{_folded(photograph)}".rpartition("/")
    names = dict.fromkeys(one.image for one in annotations if one.image != annotation.image)
    return [
        name
        for name in names
        if same_photograph(name, photograph)
        and not plainly_other(name, photograph)
        and folder.endswith(f"/{_folded(name)}".rpartition("/")[0])
        and not (Path(photograph).parent / name.rpartition("/")[2]).is_file()
    ]


def _unnumbered(part: str) -> str:
    """A part of such a path with a sign for each number, for either eye, and for any light."""
    return re.sub(r"[0-9]+", "#", untold(part))


def _as_uploaded(name: str) -> list[str]:
    """A name as Label Studio makes it of an uploaded file's: no spaces, no signs but dots, hyphens and underscores.

    And without what Label Studio puts before it, where it begins so.
    """
    plain = re.sub(r"[^\w.-]", "", re.sub(r"\s+", "_", _folded(name).strip()))
    return list(dict.fromkeys([plain, _UPLOADED.sub("", plain)]))


def _shown(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:3]) + (", …" if len(every) > 3 else "")
