"""COCO instances as fine masks: the regions of each photograph of a folder, from one file or one a split."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from coarsekit.annotations.coco_photographs import Photograph, read_photographs
from coarsekit.annotations.coco_regions import Region, as_id
from coarsekit.annotations.documents import error_context, load
from coarsekit.annotations.in_pixels import are_shares
from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.annotations.reading import ReadOptions
from coarsekit.annotations.recorder import Recorder
from coarsekit.datasets.folder_masks import Resembling
from coarsekit.errors import AnnotationError, ImageError, SourceError
from coarsekit.geometry import draw
from coarsekit.types import Annotation, Mark, Mask, lesion_name


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


class _Reading(Recorder):
    """Collects what of a file cannot be used: the sentence by place, and the photograph where all of it is meant."""

    def __init__(self, path: Path, images: Path) -> None:
        super().__init__(path, ReadOptions(images=images))
        self.faults: dict[str, tuple[str, str | None]] = {}

    @contextmanager
    def forgiving(self, place: str, photograph: str | None = None) -> Iterator[None]:
        try:
            yield
        except AnnotationError as error:
            sentence = str(error) if str(error).startswith(place) else f"{place}: {error}"
            self.faults[place] = f"{self.path}: {sentence}", photograph


class _File:
    """A COCO file: its instances, and what cannot be used, by the names of photographs.

    Raises `AnnotationError` when it cannot be read.
    """

    def __init__(self, path: Path, images: Path, classes: Mapping[str, str] | None) -> None:
        self.path, self.instances = path, dict[str, Instances]()
        self.faults: dict[str, str] = {}
        self.lost: list[str] = []
        """What belongs to no photograph, in sentences."""
        document, reading = load(path), _Reading(path, images)
        self._written: dict[str, str] = {}
        for photograph in read_photographs(document, classes, reading):
            self._add(photograph, classes)
        names = {
            str(as_id(image.get("id"))): str(image.get("file_name", ""))
            for image in document.content["images"]
            if isinstance(image, dict)
        }
        if self._has_shares():
            raise AnnotationError(
                f"{path}: all coordinates lie between 0 and 1, as shares of the photographs' sides do; expected px; "
                "multiply them by width and height"
            )
        for place, (sentence, photograph_named) in reading.faults.items():
            kind, _, number = place.partition(".")
            region = document.content[kind][int(number)] if kind == "annotations" else None
            of_region = names.get(str(as_id(region.get("image_id")))) if isinstance(region, dict) else None
            self._fault(photograph_named or of_region, sentence)

    @property
    def names(self) -> list[str]:
        """All photographs that it names."""
        return list(dict.fromkeys([*self.instances, *self.faults]))

    def _has_shares(self) -> bool:
        """Whether no region reaches beyond the first pixel of its photograph."""
        drawn = False
        for own in self.instances.values():
            marks = []
            for lesion, regions in own.regions.items():
                for region in regions:
                    with suppress(AnnotationError):  # named when its photograph is read
                        marks.append(Mark(lesion, region.shape(boxes=False)))
            size = own.photograph.width, own.photograph.height
            if marks and not are_shares([Annotation(own.photograph.file_name, *size, tuple(marks))]):
                return False
            drawn |= bool(marks)
        return drawn

    def _add(self, photograph: Photograph, classes: Mapping[str, str] | None) -> None:
        name = self._name(photograph.file_name)
        if name is None:
            what = f"images.{photograph.place}: {photograph.file_name!r} names no photograph"
            self.lost += [f"{self.path}: {what}"] if photograph.regions else []
            return
        regions: dict[str, list[Region]] = {}
        for region in photograph.regions:
            if not region.is_empty:
                lesion = region.label if classes is None else classes[region.label]
                regions.setdefault(lesion_name(lesion), []).append(region)
        own, before = Instances(self.path, photograph, regions), self.instances.get(name)
        written = PurePosixPath(photograph.file_name).as_posix()
        try:
            if (other := self._written.setdefault(name, written)) != written:
                raise AnnotationError(
                    f"{self.path}: {written!r} and {other!r} would both be {name}; use paths below the folder of the "
                    "photographs"
                )
            self.instances[name] = before.with_those_of(own) if before else own
        except AnnotationError as error:
            self._fault(name, str(error))

    def _fault(self, file_name: str | None, sentence: str) -> None:
        name = self._name(file_name or "")
        if name is None:
            self.lost.append(sentence)
        else:
            self.faults.setdefault(name, sentence)

    @staticmethod
    def _name(file_name: str) -> str | None:
        try:
            return photograph_name(file_name)
        except AnnotationError:
            return None


class CocoFiles:
    """The COCO files of a folder's splits, and which of their images is which photograph.

    An image that no photograph is called like to the letter is the photograph that `PhotographFolder` finds, as the
    readers of annotations do.

    Args:
        places: The file of each split; several splits may have one.
        photographs: Split and path of each photograph.
        images: The folder of the photographs. A file may call a photograph by its path there, or by its name.
        classes: Lesion class by category; other categories are left out. None takes every category by its own name.

    Raises:
        SourceError: When a file cannot be read.
    """

    def __init__(
        self,
        places: Mapping[str, Path],
        photographs: list[tuple[str, Path]],
        images: Path,
        classes: Mapping[str, str] | None,
    ) -> None:
        try:
            self._files = {path: _File(path, images, classes) for path in dict.fromkeys(places.values())}
        except AnnotationError as error:
            raise SourceError(str(error)) from None
        self._of: dict[tuple[str, Path], Instances] = {}
        self._doubts: dict[tuple[str, Path], str] = {}
        self._taken: dict[tuple[Path, str], tuple[str, Path]] = {}
        own_paths = {(places[split], path.relative_to(images).as_posix()) for split, path in photographs}
        for split, path in photographs:
            file, inside = places[split], path.relative_to(images).as_posix()
            by_name = [path.name] if (file, path.name) not in own_paths else []
            for name in dict.fromkeys([inside, *by_name]):
                if name in self._files[file].names:
                    self._take(split, path, file, name)
        for file in self._files:
            self._take_near(file, [own for own in photographs if places[own[0]] == file], images)
        for split, path in photographs:
            self._doubt_unnamed(split, path, places[split])

    def of(self, split: str, photograph: Path) -> Instances | None:
        """The instances of a photograph; None where its file does not name it."""
        return self._of.get((split, photograph))

    def doubt(self, split: str, photograph: Path) -> str:
        """Why it cannot be told what its masks are, a sentence; empty where it can."""
        return self._doubts.get((split, photograph), "")

    @property
    def lesions(self) -> tuple[str, ...]:
        """The lesion classes that have a region, sorted."""
        files = self._files.values()
        return tuple(sorted({name for file in files for own in file.instances.values() for name in own.regions}))

    @property
    def lost(self) -> list[str]:
        """What of the files belongs to no photograph that they name, in sentences."""
        return [sentence for file in self._files.values() for sentence in file.lost]

    def unclaimed(self) -> list[tuple[Path, str]]:
        """File and name of each image that is none of the photographs."""
        return [
            (path, name) for path, file in self._files.items() for name in file.names if (path, name) not in self._taken
        ]

    def _take(self, split: str, photograph: Path, file: Path, name: str) -> None:
        own = split, photograph
        other = self._taken.setdefault((file, name), own)
        if other[1] != photograph:
            sentence = (
                f"{file}: {name!r} may be {other[1]} or {photograph}; write the folder before the name, or a file for "
                "each split, with {split} in the pattern"
            )
            self._of.pop(other, None)
            self._doubts |= {other: sentence, own: sentence}
            return
        if name in self._files[file].faults:
            self._doubts[own] = f"{photograph}: {self._files[file].faults[name]}"
        before, found = self._of.get(own), self._files[file].instances.get(name)
        if found is None:
            return
        try:
            self._of[own] = before.with_those_of(found) if before else found
        except AnnotationError as error:
            self._doubts[own] = f"{photograph}: {error}"

    def _take_near(self, file: Path, photographs: list[tuple[str, Path]], images: Path) -> None:
        """Give images that are called differently from their photographs to them, where only one can be meant."""
        named = {own for (path, _), own in self._taken.items() if path == file}
        free = {path: (split, path) for split, path in photographs if (split, path) not in named}
        folder = PhotographFolder(images, [path.relative_to(images).as_posix() for path in free])
        found: dict[tuple[str, Path], list[str]] = {}
        for path, name in self.unclaimed() if free else ():
            with suppress(ImageError):
                if path == file and (photograph := folder.find(name)) in free:
                    found.setdefault(free[photograph], []).append(name)
        for own, names in found.items():
            if len(names) == 1:
                self._take(*own, file, names[0])
            else:
                meant = " and ".join(map(repr, names[:2]))
                self._doubts[own] = f"{own[1]}: {meant} of {file} may both be this photograph; correct the names there"

    def _doubt_unnamed(self, split: str, photograph: Path, file: Path) -> None:
        """Doubt a photograph that its file does not name, where an image of no photograph is called much like it.

        Or where the file has regions of an image that it does not name, either.
        """
        own = split, photograph
        if own in self._of or own in self._doubts:
            return
        alike = self._unclaimed_of[file].find(photograph.parent, photograph.stem)
        if alike:
            self._doubts[own] = f"{photograph}: {file} does not name it, but {str(alike)!r}; correct the name there"
        elif lost := self._files[file].lost:
            self._doubts[own] = f"{photograph}: {file} does not name it, and a region may be its own: {lost[0]}"

    @cached_property
    def _unclaimed_of(self) -> dict[Path, Resembling]:
        every = self.unclaimed()
        return {
            file: Resembling([Path(name) for path, name in every if path == file], anywhere=True)
            for file in self._files
        }
