"""Of which file each annotation is: names that are spelt differently may be of one photograph."""

from collections.abc import Iterable
from pathlib import Path

from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.errors import ImageError
from coarsekit.types import Annotation


class PhotographFiles:
    """The files of the photographs that annotations are of, each name looked for once.

    A name in one folder is not taken for the file in another that a second annotation names by its path: its own
    photograph is not there.

    Args:
        photographs: Where they are; None where nobody says, so that their names stand for them.
        annotations: All that there are.
    """

    def __init__(self, photographs: PhotographFolder | None, annotations: Iterable[Annotation]) -> None:
        self._photographs = photographs
        self._found: dict[str, tuple[Path | None, str]] = {}
        self._owners: dict[Path, str] = {}
        if photographs is not None:
            names = dict.fromkeys(one.image for one in annotations)
            self._owners = {photographs.folder / name: name for name in names if (photographs.folder / name).is_file()}

    def file_of(self, annotation: Annotation) -> Path | None:
        """The file of its photograph; None where it is not found."""
        return self._find(annotation.image)[0]

    def reason_of(self, annotation: Annotation) -> str:
        """Why its photograph is not found; empty where it is, or was not looked for."""
        return self._find(annotation.image)[1]

    def photograph_of(self, annotation: Annotation) -> Path | str:
        """What tells its photograph from others: the file, or the name where there is none."""
        return self.file_of(annotation) or annotation.image

    def _find(self, name: str) -> tuple[Path | None, str]:
        if name not in self._found:
            self._found[name] = self._look_for(name)  # which is slow for names that nothing has
        return self._found[name]

    def _look_for(self, name: str) -> tuple[Path | None, str]:
        if self._photographs is None:
            return None, ""
        try:
            file = self._photographs.find(name)
        except ImageError as error:
            return None, str(error)
        owner = self._owners.get(file, name)
        if owner != name and _apart(name, owner):
            return None, f"{name}: {file} is the photograph of {owner}; put its own in its folder"
        return file, ""


def _apart(one: str, other: str) -> bool:
    """Whether two names lie in different folders, of which neither is just the end of the other's path."""
    ours, theirs = (f"/{name.rpartition('/')[0]}".casefold() for name in (one, other))
    return not (ours.endswith(theirs) or theirs.endswith(ours) or "/" in (ours, theirs))
