"""Of which file each annotation is: names that are spelt differently may be of one photograph."""

from collections.abc import Iterable
from pathlib import Path

from coarsekit.annotations.photograph_names import folders_differ, without_upload
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.tool_frame import file_of_export
from coarsekit.errors import ImageError
from coarsekit.types import Annotation


class PhotographFiles:
    """The files of the photographs that annotations are of, each name looked for once.

    A name in one folder is not taken for the file in another that a second annotation names by its path, nor for one in
    a folder that others of the same export name so: its own photograph is not there. Of two uploads of one name neither
    is taken for a file of that name, which may be the other's.

    Args:
        photographs: Where they are; None where nobody says, so that their names stand for them.
        annotations: All that there are.
    """

    def __init__(self, photographs: PhotographFolder | None, annotations: Iterable[Annotation]) -> None:
        self._photographs = photographs
        self._found: dict[tuple[str, str], tuple[Path | None, str]] = {}
        self._owners: dict[Path, str] = {}
        self._neighbours: dict[tuple[str, Path], str] = {}
        self._uploads: dict[tuple[str, str], list[str]] = {}
        if photographs is not None:
            for name, export in dict.fromkeys((one.image, file_of_export(one)) for one in annotations):
                if (plain := without_upload(name)) != name:
                    self._uploads.setdefault((export, plain), []).append(name)
                if (file := photographs.folder / name).is_file():
                    self._owners[file] = name
                    self._neighbours.setdefault((export, file.parent), name)

    def file_of(self, annotation: Annotation) -> Path | None:
        """The file of its photograph; None where it is not found."""
        return self._find(annotation)[0]

    def reason_of(self, annotation: Annotation) -> str:
        """Why its photograph is not found; empty where it is, or was not looked for."""
        return self._find(annotation)[1]

    def photograph_of(self, annotation: Annotation) -> Path | str:
        """What tells its photograph from others: the file, or the name where there is none."""
        return self.file_of(annotation) or annotation.image

    def _find(self, annotation: Annotation) -> tuple[Path | None, str]:
        key = annotation.image, file_of_export(annotation)
        if key not in self._found:
            self._found[key] = self._look_for(*key)  # which is slow for names that nothing has
        return self._found[key]

    def _look_for(self, name: str, export: str) -> tuple[Path | None, str]:
        if self._photographs is None:
            return None, ""
        try:
            file = self._photographs.find(name)
        except ImageError as error:
            return None, str(error)
        owner = self._owners.get(file, name)
        if owner != name and folders_differ(name, owner):
            return None, f"{name}: {file} is the photograph of {owner}; put its own in its folder"
        near = self._neighbours.get((export, file.parent), name)
        if near != name and folders_differ(name, near):
            return None, f"{name}: {file} lies in the folder of {near}; put its own photograph in its folder"
        alike = self._uploads.get((export, without_upload(name)), [])
        if name in alike and len(alike) > 1 and without_upload(file.name) == file.name:
            other = next(one for one in alike if one != name)
            return None, f"{name}: {file} may be that of {other}, too; give the folder of the uploaded files"
        return file, ""
