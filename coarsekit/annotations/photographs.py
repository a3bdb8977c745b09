"""The photographs below a folder, found by the names that annotation files give them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from coarsekit.annotations.photograph_names import as_uploaded, plainly_other, same_photograph
from coarsekit.errors import ImageError, did_you_mean
from coarsekit.images.names import folded, folded_stem
from coarsekit.images.opening import is_mask

_SUGGESTIONS = 20
"""Names of which no file is, and for which one that is near is looked for: of thousands it would take minutes."""


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
        self._suggestions = iter(range(_SUGGESTIONS))

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
        raise ImageError(f"{self.folder / name}: no such file; check the path of the image{self._near(name)}")

    def _near(self, name: str) -> str:
        """Which file may be meant, of the first few names of which no file is."""
        if next(self._whole._suggestions, None) is None:
            return ""
        return did_you_mean(name.rpartition("/")[2], [file.rpartition("/")[2] for file in self._whole._files])

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
        folders, own = (folded(path).split("/")[:-1] for path in (name, file))
        shared = min(len(folders), len(own))
        pairs = zip(folders[len(folders) - shared :], own[len(own) - shared :], strict=True)
        # It may be of another patient, where the folder of the one who is named is there, and lacks the photograph.
        astray = any(mine != yours and mine not in own and mine in self._whole._folders for mine, yours in pairs)
        return "lies in another folder than the annotation says" if astray else ""

    def _candidates(self, name: str) -> Iterator[list[str]]:
        """The files that fit, rule by rule."""
        by_path, by_last, by_uploaded, by_stem = self._whole._index
        path, last = folded(name), folded(name.rpartition("/")[2])
        yield by_path.get(path, [])
        yield self._of_the_name(name)
        parts = path.split("/")
        for start in range(1, len(parts) - 1):
            yield by_path.get("/".join(parts[start:]), [])
        yield by_last.get(last, [])
        alike = dict.fromkeys(file for key in as_uploaded(last) for file in by_uploaded.get(key, []))
        yield [file for file in alike if same_photograph(last, file)]
        stems = [
            folded_stem(f"{self._beside}/{path}"),
            *(folded_stem("/".join(parts[start:])) for start in range(len(parts))),
        ]
        yield next((by_stem[stem] for stem in stems if stem in by_stem), [])

    def _of_the_name(self, name: str) -> list[str]:
        """The files whose path ends so, in any case."""
        of_last = self._whole._index[1].get(folded(name.rpartition("/")[2]), [])
        return [file for file in of_last if f"/{folded(file)}".endswith(f"/{folded(name)}")]

    @cached_property
    def _index(self) -> tuple[dict[str, list[str]], ...]:
        """The files by path, by file name, by what Label Studio makes of it, and photographs by path but for suffix."""
        by_path: dict[str, list[str]] = {}
        by_last: dict[str, list[str]] = {}
        by_uploaded: dict[str, list[str]] = {}
        by_stem: dict[str, list[str]] = {}
        for file in self._files:
            last = folded(file.rpartition("/")[2])
            if (stem := folded_stem(file)) != folded(file):
                by_stem.setdefault(stem, []).append(file)
            for index, key in ((by_path, folded(file)), (by_last, last)):
                index.setdefault(key, []).append(file)
            for key in as_uploaded(last):
                by_uploaded.setdefault(key, []).append(file)
        return by_path, by_last, by_uploaded, by_stem

    @cached_property
    def _folders(self) -> set[str]:
        """What the folders are called that have a file in them, or in a folder below."""
        return {part for file in self._files for part in folded(file).split("/")[:-1]}

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


def _shown(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:3]) + (", …" if len(every) > 3 else "")
