"""Which mask of a folder is whose: by the patterns of its names, nearly so, and where that cannot be told."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from coarsekit.annotations.eyes import EYES
from coarsekit.datasets.layout import in_any_case, near_files, near_name
from coarsekit.images.names import folded_stem

_WORD = re.compile(r"[^\W_]+")
_EYES = {*EYES, *EYES.values()}


class FolderMasks:
    """The mask files of photographs.

    A mask is the file whose name the pattern gives, in any case of its suffix; or the only one that is called so but
    for case, accents and the suffix of an image, unless it may be another photograph's, too.

    Args:
        root: The folder.
        patterns: Of names below the root, by lesion class.
        photographs: Split and path of each photograph.
    """

    def __init__(self, root: Path, patterns: Mapping[str, str], photographs: list[tuple[str, Path]]) -> None:
        self._root, self._patterns, self._photographs = root, patterns, photographs

    def of(self, split: str, photograph: Path) -> dict[str, Path]:
        """The mask file by lesion class, of those that there are."""
        masks = {}
        for lesion, pattern in self._patterns.items():
            place = self.place(pattern, split, photograph.stem)
            path = in_any_case(place)
            near = [] if path else self._near[0].get(place, [])
            if len(near) == 1 and near[0] not in self._near[1]:
                path = near[0]
            if path is not None:
                masks[lesion] = path
        return masks

    def place(self, pattern: str, split: str, stem: str) -> Path:
        """Where a mask lies by its pattern."""
        return self._root / pattern.replace("{split}", split).replace("{stem}", stem)

    def doubt(self, split: str, photograph: Path, masks: Mapping[str, Path], unclaimed: "Resembling") -> str:
        """Why it cannot be told whether the photograph has another mask than these, a sentence; empty where it can.

        Several files may be meant, or one that is ``unclaimed`` is called nearly as the pattern says.
        """
        for lesion, pattern in self._patterns.items():
            if lesion in masks:
                continue
            place, what = self.place(pattern, split, photograph.stem), f"{photograph}: its mask of {lesion}"
            if near := self._near[0].get(place, []):
                shown = " or ".join(str(path) for path in near[:2])
                others = "" if len(near) > 1 else ", which may be that of another photograph or class, too"
                return f"{what} may be {shown}{others}; name it as the pattern {pattern!r} says"
            literal = Path(pattern).stem.replace("{stem}", " ").replace("{split}", split)
            if alike := unclaimed.find(place.parent, photograph.stem, literal):
                return f"{what} may be {alike}, which is not called as the pattern {pattern!r} says; rename it"
        return ""

    @cached_property
    def _near(self) -> tuple[dict[Path, list[Path]], set[Path]]:
        """The files that are called nearly as the places where nothing lies, and those that fit several places."""
        places = dict.fromkeys(
            self.place(pattern, split, photograph.stem)
            for split, photograph in self._photographs
            for pattern in self._patterns.values()
        )
        exact = {place: in_any_case(place) for place in places}
        taken = {path for path in exact.values() if path} | {path for _, path in self._photographs}
        missing = [place for place, path in exact.items() if path is None]
        near = {place: [path for path in near_files(place) if path not in taken] for place in missing}
        users = Counter(path for paths in near.values() for path in paths)
        return near, {path for path, count in users.items() if count > 1}


class Resembling:
    """Files that belong to no photograph, by the words of their names.

    Args:
        files: Such files.
        anywhere: Whether the folder that a file lies in says nothing.
    """

    def __init__(self, files: Iterable[Path], anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._found: dict[tuple[str, tuple[str, ...]], list[tuple[Path, Counter[str]]]] = {}
        for file in files:
            words = _words(file.name)
            for start in range(len(words)):
                for end in range(start + 1, len(words) + 1):
                    rest = Counter(words[:start] + words[end:])
                    self._found.setdefault(self._key(file.parent, words[start:end]), []).append((file, rest))

    def find(self, folder: Path, stem: str, literal: str = "") -> Path | None:
        """A file whose name is that of a photograph and the words of a pattern, with others around them.

        One that has a number besides, or the name of an eye, is of another photograph.
        """
        for file, rest in self._found.get(self._key(folder, _words(stem)), []):
            needed = Counter(_words(literal))
            others = rest - needed
            if needed <= rest and not any(word.isdigit() or word in _EYES for word in others):
                return file
        return None

    def _key(self, folder: Path, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        return "" if self._anywhere else near_name(folder), words


def _words(name: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(folded_stem(name)))
