"""COCO instances as fine masks: the regions of each photograph of a folder, from one file or one a split."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from coarsekit.annotations.coco_photographs import Photograph, read_photographs
from coarsekit.annotations.coco_regions import Region
from coarsekit.annotations.documents import error_context, load
from coarsekit.errors import AnnotationError, SourceError
from coarsekit.geometry import draw
from coarsekit.types import Mask, lesion_name


@dataclass(frozen=True, slots=True)
class Instances:
    """The regions of one photograph by lesion class, from the COCO file at ``path``."""

    path: Path
    photograph: Photograph
    regions: Mapping[str, list[Region]]

    def mask(self, lesion: str) -> Mask:
        """The union of one class's regions, (h, w) boolean; all False without any.

        Raises `AnnotationError` for a region that cannot be drawn.
        """
        shapes = []
        for region in self.regions.get(lesion, ()):
            with error_context(f"{self.path}: annotations.{region.place}"):
                shapes.append(region.shape(boxes=False))
        return draw(shapes, (self.photograph.height, self.photograph.width))

    def with_those_of(self, other: "Instances") -> "Instances":
        """Both, of one photograph that the file has twice, as after two people's files were put together.

        Raises `AnnotationError` when both have regions of one class, of which one may be meant to replace the other, or
        they were drawn on other sizes.
        """
        twice = f"{self.path}: images.{self.photograph.place} and images.{other.photograph.place} are one photograph"
        shared = sorted(self.regions.keys() & other.regions.keys())
        if shared:
            raise AnnotationError(
                f"{twice}, {self.photograph.file_name!r}, and both have regions of {', '.join(shared)}; keep one of "
                "them, or give the regions of both one image_id"
            )
        if (self.photograph.width, self.photograph.height) != (other.photograph.width, other.photograph.height):
            raise AnnotationError(f"{twice}, {self.photograph.file_name!r}, of two sizes; correct them")
        return Instances(self.path, self.photograph, {**self.regions, **other.regions})


class CocoFiles:
    """The COCO files of a folder's splits, and which of their images is which photograph.

    Args:
        places: The file of each split; several splits may have one.
        photographs: Split and path of each photograph.
        images: The folder of the photographs. A file may call a photograph by its path there, or by its name.
        classes: Lesion class by category; other categories are left out. None takes every category by its own name.

    Raises:
        SourceError: When a file cannot be read, an image in it may be two photographs, or two of its images are one
            and differ.
    """

    def __init__(
        self,
        places: Mapping[str, Path],
        photographs: list[tuple[str, Path]],
        images: Path,
        classes: Mapping[str, str] | None,
    ) -> None:
        read = cache(lambda path: _instances(path, classes))
        try:
            self._files = {path: read(path) for path in dict.fromkeys(places.values())}
        except AnnotationError as error:
            raise SourceError(str(error)) from None
        self._of: dict[tuple[str, Path], Instances] = {}
        self._taken: dict[tuple[Path, str], Path] = {}
        own_paths = {(places[split], path.relative_to(images).as_posix()) for split, path in photographs}
        for split, path in photographs:
            file, inside = places[split], path.relative_to(images).as_posix()
            by_name = [path.name] if (file, path.name) not in own_paths else []
            for name in dict.fromkeys([inside, *by_name]):
                if name in self._files[file]:
                    self._take(split, path, file, name)

    def of(self, split: str, photograph: Path) -> Instances | None:
        """The instances of a photograph; None where its file does not name it."""
        return self._of.get((split, photograph))

    @property
    def lesions(self) -> tuple[str, ...]:
        """The lesion classes that have a region, sorted."""
        files = self._files.values()
        return tuple(sorted({name for file in files for own in file.values() for name in own.regions}))

    def unclaimed(self) -> list[tuple[Path, str]]:
        """File and name of each image that is none of the photographs."""
        return [(file, name) for file, own in self._files.items() for name in own if (file, name) not in self._taken]

    def _take(self, split: str, photograph: Path, file: Path, name: str) -> None:
        other = self._taken.setdefault((file, name), photograph)
        if other != photograph:
            raise SourceError(
                f"{file}: {name!r} may be {other} or {photograph}; write the folder before the name, or a file for "
                "each split, with {split} in the pattern"
            )
        before, found = self._of.get((split, photograph)), self._files[file][name]
        try:
            self._of[split, photograph] = before.with_those_of(found) if before else found
        except AnnotationError as error:
            raise SourceError(str(error)) from None


def _instances(path: Path, classes: Mapping[str, str] | None) -> dict[str, Instances]:
    """The instances of a COCO file by the photographs' paths or names in it."""
    found: dict[str, Instances] = {}
    for photograph in read_photographs(load(path), classes):
        name = PurePosixPath(photograph.file_name)
        if name.is_absolute() or ".." in name.parts:
            raise AnnotationError(
                f"{path}: image {photograph.file_name!r} lies outside the folder; use a path inside it"
            )
        regions: dict[str, list[Region]] = {}
        for region in photograph.regions:
            if region.is_empty:
                continue
            lesion = region.label if classes is None else classes[region.label]
            regions.setdefault(lesion_name(lesion), []).append(region)
        own, before = Instances(path, photograph, regions), found.get(name.as_posix())
        found[name.as_posix()] = before.with_those_of(own) if before else own
    return found
