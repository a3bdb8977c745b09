"""Photographs as VIA knows them: by their file names, without folders, and their bytes."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from coarsekit.annotations.photograph_names import photograph_name
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
                found = self._options.photographs.find(name, bytes_of(size))
                if not self._is_found_by(name, found):
                    name = found.relative_to(self._options.photographs.folder).as_posix()
                    self._recorder.note(name, "chosen by its bytes among the photographs of one file name")
                sides = image_size(found)
            except ImageError as error:
                why = str(error)
        return self._recorder.photograph(filename, name), sides, why

    def _is_found_by(self, name: str, found: Path) -> bool:
        """Whether the name alone leads to the file, and so may stay as it is."""
        with suppress(ImageError):
            return self._options.photographs is not None and self._options.photographs.find(name) == found
        return False
