"""Photographs as VIA knows them: by their file names, without folders, and their bytes."""

import re
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import normalize

from coarsekit.annotations.photographs import PhotographFolder, photograph_name
from coarsekit.annotations.recorder import Recorder
from coarsekit.errors import ImageError
from coarsekit.images import image_size


def bytes_of(size: Any) -> int | None:
    """How many bytes a photograph has as VIA's ``size`` says; None where that is missing, or -1 for a web address."""
    return int(size) if re.fullmatch(r"[0-9]+", str(size)) else None


class ViaPhotographs:
    """The photographs of one of VIA's files, looked up in the folder of the images, where several may share a name.

    Args:
        recorder: Of the reading; it knows the folder, and the size of photographs that are not found.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._options = recorder, recorder.options

    def look_up(self, filename: str, size: Any = None) -> tuple[str, tuple[int, int] | None, str]:
        """The name of a photograph, its (w, h) in px, and why that is not known where it is None.

        Args:
            filename: As VIA has it.
            size: Its bytes as VIA has them, which choose among several of one file name; None for none.

        Raises:
            AnnotationError: When the file name is none, or two photographs would have the same; see
                `Recorder.photograph`.
        """
        name, sides = photograph_name(filename), self._options.size
        why = f"VIA files do not hold the sizes of photographs; give the folder with {name} as images=…"
        if self._options.photographs is not None:
            try:
                found = self._find(self._options.photographs, name, bytes_of(size))
                if found[0] != name:
                    self._recorder.note(found[0], "chosen by its bytes among the photographs of one file name")
                name, sides = found[0], image_size(found[1])
            except ImageError as error:
                why = str(error)
        return self._recorder.photograph(filename, name), sides, why

    def _find(self, photographs: PhotographFolder, name: str, size: int | None) -> tuple[str, Path]:
        """The only file of that name with these bytes, by its path below the folder, else that which the name finds.

        The name stays as it is where it alone finds the file.
        """
        with suppress(ImageError):
            found = photographs.find(name)
            if size in (None, found.stat().st_size):
                return name, found
        same = [
            (below, path)
            for below, path in self._by_last.get(_last(name), [])
            if f"/{_folded(below)}".endswith(f"/{_folded(name)}") and path.stat().st_size == size
        ]
        return same[0] if len(same) == 1 else (name, photographs.find(name))

    @cached_property
    def _by_last(self) -> dict[str, list[tuple[str, Path]]]:
        """The files below the folder but hidden ones, with their paths below it, by file name."""
        found: dict[str, list[tuple[str, Path]]] = {}
        folder = self._options.images or Path()
        for path in sorted(folder.rglob("*")):
            below = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in below.parts):
                found.setdefault(_last(path.name), []).append((below.as_posix(), path))
        return found


def _folded(name: str) -> str:
    """A name without regard to case, and to how the system composes its accents."""
    return normalize("NFC", name).casefold()


def _last(name: str) -> str:
    return _folded(name).rpartition("/")[2]
