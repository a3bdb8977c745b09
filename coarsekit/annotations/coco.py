"""COCO instances: JSON with any number of photographs; regions are boxes, polygons or run lengths.

A ``segmentation`` is a list of flat rings ``[x, y, x, y, …]`` whose union is the region, or run lengths of the whole
photograph, column by column, as a list or compressed to a string. Without one, ``bbox`` (x, y, w, h) is the region,
turned about its middle by the degrees clockwise that CVAT writes as ``attributes.rotation``.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.documents import Document, LenientModel, Pixels, error_context, load
from coarsekit.annotations.reading import ReadOptions, ReadResult, Recorder, file_name
from coarsekit.annotations.rle import MOST_PIXELS, decompress, from_run_lengths, run_lengths
from coarsekit.errors import AnnotationError
from coarsekit.geometry import draw, extent, rotated
from coarsekit.storage.files import write_text
from coarsekit.types import Annotation, Polygon, Raster, Shape
from coarsekit.validation import validated

TITLE = "COCO (JSON)"
ONE_FILE_EACH = False
FAR = 1e7
"""No coordinate of a region, in px, is larger."""
_CAPABILITIES = Capabilities("COCO", rings=True, rasters=True)


class _Image(LenientModel):
    id: int | str
    file_name: str
    width: Pixels
    height: Pixels


class _Category(LenientModel):
    id: int
    name: str


class _Runs(LenientModel):
    size: Annotated[list[int], Field(min_length=2, max_length=2)]
    counts: list[int] | str


class _Attributes(LenientModel):
    rotation: float = 0.0


class _Region(LenientModel):
    image_id: int | str
    category_id: int
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)] | None = None
    segmentation: _Runs | list[list[float]] | None = None
    attributes: _Attributes = _Attributes()


class _File(LenientModel):
    images: list[_Image]
    annotations: list[_Region] = []
    categories: list[_Category] = []


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
        segmentation, box = self.source.segmentation, self.source.bbox
        if isinstance(segmentation, _Runs):
            return self._raster(segmentation)
        if segmentation:
            segmentation = [ring for ring in segmentation if len(ring) >= 6] or segmentation
            if any(len(ring) % 2 for ring in segmentation):
                raise AnnotationError("segmentation must hold x and y in turn, got a ring of odd length")
            if any(abs(number) > FAR for ring in segmentation for number in ring):
                raise AnnotationError(f"segmentation must lie within {FAR:g} px of the photograph; correct it")
            return Polygon(tuple(tuple(zip(ring[::2], ring[1::2], strict=True)) for ring in segmentation))
        if box is None or not boxes:
            raise AnnotationError(f"it has {'neither segmentation nor bbox' if boxes else 'no segmentation'}; add one")
        x, y, w, h = box
        if turned := self.source.attributes.rotation % 360:
            offsets = ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
            return Polygon((rotated(offsets, turned, (x + w / 2, y + h / 2)),))
        return Polygon((((x, y), (x + w, y), (x + w, y + h), (x, y + h)),))

    @property
    def is_empty(self) -> bool:
        """Whether its segmentation covers nothing: no ring of three corners, or run lengths without a pixel."""
        segmentation = self.source.segmentation
        if isinstance(segmentation, _Runs):
            return segmentation.counts == [self.width * self.height]
        return segmentation is not None and all(len(ring) < 6 and len(ring) % 2 == 0 for ring in segmentation)

    def _raster(self, runs: _Runs) -> Raster:
        counts = decompress(runs.counts) if isinstance(runs.counts, str) else runs.counts
        pixels = from_run_lengths(counts, self.width * self.height)
        return Raster(0, 0, pixels.reshape(self.width, self.height).T)


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of a file: its name as the file has it, its size in px, and its regions."""

    file_name: str
    width: int
    height: int
    regions: list[Region]


def recognise(document: Document) -> bool:
    """A JSON object with a list of images, and annotations or categories."""
    return document.has("images") and (document.has("annotations") or document.has("categories"))


def read_photographs(document: Document, categories: Collection[str] | None = None) -> list[Photograph]:
    """The photographs of a file with their regions, in its order; the regions are not drawn yet.

    ``categories``: only regions of these, None for all.

    Raises `AnnotationError` when the file is not COCO, or a region belongs to an image or a category that it lacks.
    """
    path = document.path
    file = validated(_File, document.content, str(path))
    labels = {category.id: category.name for category in file.categories}
    found = {image.id: Photograph(image.file_name, image.width, image.height, []) for image in file.images}
    for image in file.images:
        if image.width * image.height > MOST_PIXELS:
            raise AnnotationError(
                f"{path}: image {image.file_name!r} is said to be {image.width} × {image.height} px, which no camera "
                "takes; correct its size"
            )
    for place, region in enumerate(file.annotations):
        label = labels.get(region.category_id)
        if categories is not None and label not in categories:
            continue
        with error_context(f"{path}: annotations.{place}"):
            if region.image_id not in found:
                raise AnnotationError(f"image_id {region.image_id} is not the id of an image; add the image")
            if label is None:
                raise AnnotationError(f"category_id {region.category_id} is not the id of a category; add the category")
            own, runs = found[region.image_id], region.segmentation
            if isinstance(runs, _Runs) and runs.size != [own.height, own.width]:
                raise AnnotationError(f"segmentation.size must be [{own.height}, {own.width}], got {runs.size}")
        own.regions.append(Region(place, label, own.width, own.height, region))
    return list(found.values())


def read(source: Path | Document, options: ReadOptions | None = None) -> ReadResult:
    """Read every photograph of a file, those without regions too; see `Format.read`."""
    document, recorder = load(source), Recorder(options)
    annotations = []
    for place, photograph in enumerate(read_photographs(document)):
        marks = []
        for region in photograph.regions:
            with error_context(f"{document.path}: annotations.{region.place}"):
                marks.append(recorder.mark(region.label, region.shape()))
        with error_context(f"{document.path}: images.{place}.file_name"):
            name = file_name(photograph.file_name)
        annotations.append(Annotation(name, photograph.width, photograph.height, tuple(marks), {"made_by": "COCO"}))
    return recorder.result(annotations)


def write(
    path: Path, annotations: Sequence[Annotation], approximate: bool = False, images: Path | None = None
) -> list[str]:
    """Write one JSON file; COCO has no ellipses, so they are approximated or an error; see `Format.write`."""
    lesions = list(dict.fromkeys(lesion for annotation in annotations for lesion in annotation.lesions))
    notes: list[str] = []
    photographs: list[dict[str, object]] = []
    regions: list[dict[str, object]] = []
    for image_id, annotation in enumerate(annotations, start=1):
        marks, made = approximate_marks(annotation, _CAPABILITIES, approximate)
        notes += made
        size = {"width": annotation.width, "height": annotation.height}
        photographs.append({"id": image_id, "file_name": file_name(annotation.image), **size})
        for mark in marks:
            x0, y0, x1, y1 = extent(mark.shape)
            head = {"id": len(regions) + 1, "image_id": image_id, "category_id": lesions.index(mark.lesion) + 1}
            segmentation, area = _segmentation(mark.shape, annotation)
            box = {"bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0}
            regions.append({**head, "segmentation": segmentation, "area": area, **box})
    categories = [{"id": place, "name": lesion} for place, lesion in enumerate(lesions, start=1)]
    write_text(path, json.dumps({"images": photographs, "annotations": regions, "categories": categories}) + "\n")
    return notes


def _segmentation(shape: Shape, annotation: Annotation) -> tuple[object, float]:
    if isinstance(shape, Polygon):
        rings = [[number for corner in ring for number in corner] for ring in shape.rings]
        return rings, sum(_area(ring) for ring in shape.rings)
    if not isinstance(shape, Raster):
        raise TypeError(f"COCO has polygons and masks, got {type(shape).__name__}")
    counts = run_lengths(draw([shape], (annotation.height, annotation.width)).T.ravel())
    return {"size": [annotation.height, annotation.width], "counts": counts}, int(shape.crop.sum())


def _area(ring: Sequence[tuple[float, float]]) -> float:
    corners = [*ring, ring[0]]
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(corners))) / 2
