"""COCO instances: JSON with any number of photographs; regions are boxes, polygons or run lengths.

A ``segmentation`` is a list of flat rings ``[x, y, x, y, …]`` whose union is the region, or run lengths of the whole
photograph, column by column, as a list or compressed to a string. Without one, ``bbox`` (x, y, w, h) is the region.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from coarsekit.annotations.approximate import Capabilities, approximate_marks
from coarsekit.annotations.documents import Document, LenientModel, Pixels, error_context, load
from coarsekit.annotations.reading import Reading, file_name
from coarsekit.annotations.rle import decompress, from_run_lengths, run_lengths
from coarsekit.errors import AnnotationError
from coarsekit.files import write_text
from coarsekit.geometry import extent
from coarsekit.types import Annotation, Mark, Polygon, Raster, Shape
from coarsekit.validation import validated

TITLE = "COCO (JSON)"
ONE_FILE_EACH = False
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


class _Region(LenientModel):
    image_id: int | str
    category_id: int
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)] | None = None
    segmentation: _Runs | list[list[float]] | None = None

    def shape(self, width: int, height: int) -> Shape:
        if isinstance(self.segmentation, _Runs):
            if self.segmentation.size != [height, width]:
                raise AnnotationError(f"segmentation.size must be [{height}, {width}], got {self.segmentation.size}")
            counts = self.segmentation.counts
            runs = decompress(counts) if isinstance(counts, str) else counts
            return Raster(0, 0, from_run_lengths(runs, width * height).reshape(width, height).T)
        if self.segmentation:
            if any(len(ring) % 2 for ring in self.segmentation):
                raise AnnotationError("segmentation must hold x and y in turn, got a ring of odd length")
            return Polygon(tuple(tuple(zip(ring[::2], ring[1::2], strict=True)) for ring in self.segmentation))
        if self.bbox is None:
            raise AnnotationError("it has neither segmentation nor bbox; add one")
        x, y, w, h = self.bbox
        return Polygon((((x, y), (x + w, y), (x + w, y + h), (x, y + h)),))


class _File(LenientModel):
    images: list[_Image]
    annotations: list[_Region] = []
    categories: list[_Category] = []


def recognise(document: Document) -> bool:
    """A JSON object with a list of images, and annotations or categories."""
    return document.has("images") and (document.has("annotations") or document.has("categories"))


def read(source: Path | Document, reading: Reading | None = None) -> list[Annotation]:
    """Read every photograph of a file, those without regions too; see `Format.read`."""
    document, reading = load(source), reading or Reading()
    path = document.path
    file = validated(_File, document.content, str(path))
    labels = {category.id: category.name for category in file.categories}
    images = {image.id: image for image in file.images}
    marks: dict[int | str, list[Mark]] = {image.id: [] for image in file.images}
    for place, region in enumerate(file.annotations):
        with error_context(f"{path}: annotations.{place}"):
            if region.image_id not in images:
                raise AnnotationError(f"image_id {region.image_id} is not the id of an image; add the image")
            if region.category_id not in labels:
                raise AnnotationError(f"category_id {region.category_id} is not the id of a category; add the category")
            image = images[region.image_id]
            marks[image.id].append(reading.mark(labels[region.category_id], region.shape(image.width, image.height)))
    annotations = []
    for place, image in enumerate(file.images):
        with error_context(f"{path}: images.{place}.file_name"):
            name = file_name(image.file_name)
        annotations.append(Annotation(name, image.width, image.height, tuple(marks[image.id]), {"made_by": "COCO"}))
    return annotations


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
        raise TypeError(f"COCO holds polygons and masks, got {type(shape).__name__}")
    whole = np.zeros((annotation.height, annotation.width), dtype=bool)
    height, width = shape.crop.shape
    whole[shape.top : shape.top + height, shape.left : shape.left + width] = shape.crop
    counts = run_lengths(whole.T.ravel())
    return {"size": [annotation.height, annotation.width], "counts": counts}, int(shape.crop.sum())


def _area(ring: Sequence[tuple[float, float]]) -> float:
    corners = [*ring, ring[0]]
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(corners))) / 2
