"""The regions of a COCO file and what they cover; see `coarsekit.annotations.coco`."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator

from coarsekit.annotations.documents import Document, LenientModel, Pixels
from coarsekit.annotations.photographs import photograph_name
from coarsekit.annotations.reading import ReadOptions
from coarsekit.annotations.recorder import Recorder
from coarsekit.annotations.rle import MOST_PIXELS, compress, decompress, from_photograph_runs
from coarsekit.errors import AnnotationError, ImageError
from coarsekit.geometry import rotated
from coarsekit.types import Point, Polygon, Raster, Shape
from coarsekit.validation import validated

FAR = 1e7
"""No coordinate of a region, in px, is larger."""


def as_id(value: Any) -> Any:
    """An id as the file means it: pandas writes whole numbers as floats where a column has gaps."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Id: TypeAlias = Annotated[str, BeforeValidator(as_id)]
_Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class _Image(LenientModel):
    model_config = ConfigDict(extra="allow")

    id: _Id
    file_name: str
    width: Pixels | None = None
    height: Pixels | None = None


class _Category(LenientModel):
    model_config = ConfigDict(extra="allow")

    id: _Id
    name: str


class _Runs(LenientModel):
    size: list[int]
    counts: list[int] | str


def _kind(value: Any) -> str:
    return "_runs" if isinstance(value, (dict, _Runs)) else "_rings"


_Segmentation: TypeAlias = Annotated[
    Annotated[_Runs, Tag("_runs")] | Annotated[list[list[float]], Tag("_rings")], Discriminator(_kind)
]


class _Region(LenientModel):
    """One region; what stands beside a segmentation is checked where it is what was drawn, and else kept as it is."""

    model_config = ConfigDict(extra="allow")

    image_id: _Id
    category_id: _Id
    bbox: Any = None
    segmentation: _Segmentation | None = None
    keypoints: Any = None

    @field_validator("segmentation", mode="before")
    @classmethod
    def _rings(cls, value: Any) -> Any:
        """VIA writes a single ring flat, and scripts write rings of corners [x, y]."""
        if not isinstance(value, list):
            return value
        flat = value and not any(isinstance(part, list) for part in value)
        return [_flat(ring) for ring in ([value] if flat else value)]

    @property
    def extra(self) -> dict[str, Any]:
        """What else the file says of it."""
        extra = dict(self.model_extra or {})
        if self.are_points:
            extra.pop("num_keypoints", None)
        elif self.keypoints:
            extra["keypoints"] = self.keypoints
        return extra

    @property
    def are_points(self) -> bool:
        """Whether its key points are what was drawn, and not something beside its segmentation."""
        return bool(self.keypoints) and not self.segmentation

    @property
    def turn(self) -> float:
        """Degrees clockwise by which CVAT turned its box."""
        attributes = self.extra.get("attributes")
        turn = attributes.get("rotation") if isinstance(attributes, dict) else None
        return float(turn) % 360 if isinstance(turn, (int, float)) else 0.0


def _flat(ring: Any) -> Any:
    """The numbers x, y, x, y, … of a ring that is a list of corners [x, y]; any other as it is."""
    if isinstance(ring, list) and all(isinstance(corner, list) and len(corner) == 2 for corner in ring):
        return [number for corner in ring for number in corner]
    return ring


_RENAMED = re.compile(r"(.+)_([A-Za-z]{3,4})\.rf\.[0-9A-Za-z]+\.[A-Za-z]+")
"""What Roboflow makes of ``NAME.jpg``."""
_LEAST_RING = 6
"""Numbers of the ring of a triangle."""


class _File(LenientModel):
    images: list[Any]
    annotations: list[Any] = []
    categories: list[Any] = []


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a file: its place in the list of annotations, its category, and the photograph's size in px."""

    place: int
    label: str
    width: int
    height: int
    source: _Region

    def shape(self, boxes: bool = True) -> Shape:
        """What the region covers; ``boxes``: whether a bounding box may stand for a region without a segmentation.

        Raises `AnnotationError` for a region that cannot be drawn.
        """
        segmentation = self.source.segmentation
        if isinstance(segmentation, _Runs):
            return self._raster(segmentation)
        if segmentation:
            if any(len(ring) % 2 for ring in segmentation):
                raise AnnotationError("segmentation must hold x and y in turn, got a ring of odd length")
            if any(abs(number) > FAR for ring in segmentation for number in ring):
                raise AnnotationError(f"segmentation must lie within {FAR:g} px of the photograph; correct it")
            segmentation = [ring for ring in segmentation if len(ring) >= _LEAST_RING] or segmentation
            return Polygon(tuple(tuple(zip(ring[::2], ring[1::2], strict=True)) for ring in segmentation))
        if not self.source.bbox or not boxes:
            raise AnnotationError(f"it has {'neither segmentation nor bbox' if boxes else 'no segmentation'}; add one")
        numbers = validated(list[_Number], self.source.bbox, "", strict=None, within="bbox")
        if len(numbers) != 4:
            raise AnnotationError(f"bbox must hold x, y, width and height, got {len(numbers)} numbers; correct it")
        x, y, w, h = numbers
        if w <= 0 or h <= 0:
            raise AnnotationError(f"its box of {w:g} × {h:g} px has no area")
        offsets = ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
        if self.source.turn:
            return Polygon((rotated(offsets, self.source.turn, (x + w / 2, y + h / 2)),))
        return Polygon((((x, y), (x + w, y), (x + w, y + h), (x, y + h)),))

    def shapes(self) -> list[Shape]:
        """Its key points, of a region without a segmentation; else its shape alone.

        Raises `AnnotationError` for a region that cannot be drawn, or that has no key point to be seen.
        """
        if not self.source.are_points:
            return [self.shape()]
        places = validated(list[_Number], self.source.keypoints, "", strict=None, within="keypoints")
        if len(places) % 3:
            raise AnnotationError("keypoints must hold x, y and visibility in turn; correct them")
        points = zip(places[::3], places[1::3], places[2::3], strict=True)
        seen: list[Shape] = [Point(x, y) for x, y, visibility in points if visibility]
        if not seen:
            raise AnnotationError("none of its keypoints is visible")
        return seen

    @property
    def flat_rings(self) -> int:
        """How many rings of one or two corners it has beside good ones: tools that trace masks write them."""
        rings = self.source.segmentation if isinstance(self.source.segmentation, list) else []
        flat = sum(len(ring) < _LEAST_RING for ring in rings)
        return flat if flat < len(rings) else 0

    @property
    def is_empty(self) -> bool:
        """Whether its segmentation covers nothing: no ring of three corners, or run lengths without a pixel."""
        segmentation = self.source.segmentation
        if isinstance(segmentation, _Runs):
            return segmentation.counts in ([self.width * self.height], compress([self.width * self.height]))
        return segmentation is not None and all(len(ring) < _LEAST_RING and len(ring) % 2 == 0 for ring in segmentation)

    def _raster(self, runs: _Runs) -> Raster:
        counts = decompress(runs.counts) if isinstance(runs.counts, str) else runs.counts
        crop, left, top = from_photograph_runs(counts, (self.width, self.height))
        return Raster(left, top, crop.T)


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of a file: its name as the file has it, its size in px, its regions, and what else is said."""

    place: int
    file_name: str
    width: int
    height: int
    regions: list[Region]
    extra: dict[str, Any]


def read_photographs(
    document: Document, categories: Collection[str] | None = None, recorder: Recorder | None = None
) -> list[Photograph]:
    """The photographs of a file with their regions, in its order; the regions are not drawn yet.

    Args:
        document: The file.
        categories: Only regions of these; None for all.
        recorder: Leaves out images and regions that cannot be used; None raises for the first.

    Raises:
        AnnotationError: When the file is not COCO, a region belongs to an image or a category that it lacks, or the
            size of a photograph is neither in it nor known from the recorder's options.
    """
    path = document.path
    recorder = recorder or Recorder(path, ReadOptions(strict=True))
    file = validated(_File, document.content, str(path), strict=None)
    labels: dict[str, str] = {}
    for place, content in enumerate(file.categories):
        with recorder.forgiving(f"categories.{place}"):
            category = validated(_Category, content, "", strict=None, within=f"categories.{place}")
            labels[category.id] = category.name
    found: dict[str, Photograph] = {}
    ids: set[str] = set()
    for place, content in enumerate(file.images):
        fields = content if isinstance(content, dict) else {}
        ids.add(str(as_id(fields.get("id"))))
        with recorder.forgiving(f"images.{place}", str(fields.get("file_name", f"images.{place}"))):
            image = validated(_Image, content, "", strict=None, within=f"images.{place}")
            if image.id in found:
                raise AnnotationError(f"id {image.id} is that of an image before; give each its own")
            width, height = _size(image, recorder.options)
            extra = dict(image.model_extra or {})
            found[image.id] = Photograph(place, image.file_name, width, height, [], extra)
    for place, content in enumerate(file.annotations):
        with recorder.forgiving(f"annotations.{place}"):
            region = validated(_Region, content, "", strict=None, within=f"annotations.{place}")
            label = labels.get(region.category_id)
            if categories is not None and label not in categories:
                continue
            if region.image_id not in found:
                if region.image_id in ids:  # of a photograph that is left out, as is said
                    continue
                raise AnnotationError(f"image_id {region.image_id} is not the id of an image; add the image")
            if label is None:
                raise AnnotationError(f"category_id {region.category_id} is not the id of a category; add the category")
            own, runs = found[region.image_id], region.segmentation
            if isinstance(runs, _Runs) and runs.size != [own.height, own.width]:
                raise AnnotationError(f"segmentation.size must be [{own.height}, {own.width}], got {runs.size}")
            own.regions.append(Region(place, label, own.width, own.height, region))
    return list(found.values())


def originals(photographs: Sequence[Photograph], recorder: Recorder) -> dict[int, str]:
    """The names that photographs had before Roboflow renamed them, by their places; they are noted.

    Those that the folder has under their new names keep these, and so do copies of one photograph, since they may be
    turned or cut.
    """
    found = {}
    for photograph in photographs:
        renamed = _RENAMED.fullmatch(photograph.file_name.rpartition("/")[2])
        if renamed and not _is_there(photograph.file_name, recorder.options):
            said = photograph.extra.get("extra")
            name = said.get("name") if isinstance(said, dict) else None
            found[photograph.place] = name if isinstance(name, str) and name.strip() else f"{renamed[1]}.{renamed[2]}"
    counts = Counter(found.values())
    found = {place: name for place, name in found.items() if counts[name] == 1}
    for photograph in photographs:
        if photograph.place in found:
            recorder.note(
                f"{photograph.file_name} is {found[photograph.place]}", "Roboflow renamed it, and its own name is taken"
            )
    return found


def _is_there(file_name: str, options: ReadOptions) -> bool:
    """Whether the folder of the photographs has a file of that name."""
    with suppress(AnnotationError, ImageError):
        return options.photographs is not None and options.photographs.find(photograph_name(file_name)).is_file()
    return False


def _size(image: _Image, options: ReadOptions) -> tuple[int, int]:
    """(w, h) px of a photograph, as the file says, else as its own file has it: some scripts leave the sizes out."""
    if image.width is None or image.height is None:
        known = options.size_of(photograph_name(image.file_name))
        if known is None:
            raise AnnotationError(
                f"width and height are missing; add them, or give the folder with {image.file_name} as images=…"
            )
        return known
    if image.width * image.height > MOST_PIXELS:
        raise AnnotationError(
            f"{image.file_name!r} is said to be {image.width} × {image.height} px, which no camera takes; "
            "correct its size"
        )
    return image.width, image.height
