"""COCO instances: regions by photograph, drawn as masks when they are asked for."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from coarsekit.datasets.regions import fill_polygon, fill_runs
from coarsekit.errors import AnnotationError
from coarsekit.types import Mask, lesion_name

_MOST_PIXELS = 500_000_000
"""Of one photograph: more than any camera has, and what a mask of it can be held in memory for."""


class _Photograph(BaseModel):
    id: int
    file_name: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class _Category(BaseModel):
    id: int
    name: str


class _Runs(BaseModel):
    counts: list[int] | str
    size: tuple[int, int]


class _Region(BaseModel):
    image_id: int
    category_id: int
    segmentation: list[list[float]] | _Runs


class _File(BaseModel):
    images: list[_Photograph]
    categories: list[_Category]
    annotations: list[_Region]


class Instances(NamedTuple):
    """The regions of one photograph: its size (h, w), and by lesion class the polygons and run lengths."""

    shape: tuple[int, int]
    polygons: dict[str, list[list[float]]]
    runs: dict[str, list[list[int] | str]]

    @property
    def lesions(self) -> tuple[str, ...]:
        """Lesion classes with a region."""
        return tuple(dict.fromkeys((*self.polygons, *self.runs)))

    def mask(self, lesion: str) -> Mask:
        """The union of one class's regions, (h, w) boolean; all False without any.

        Raises `AnnotationError` for a region that cannot be drawn.
        """
        mask = np.zeros(self.shape, dtype=bool)
        for polygon in self.polygons.get(lesion, ()):
            mask |= fill_polygon(polygon, self.shape)
        for counts in self.runs.get(lesion, ()):
            mask |= fill_runs(counts, self.shape)
        return mask


def read_instances(path: Path, classes: Mapping[str, str] | None) -> dict[str, Instances]:
    """The instances of a COCO file, by the photographs' file names.

    ``classes``: lesion class by category name; categories that it does not name are left out. None takes every
    category under its own name.

    Raises `AnnotationError` when the file is missing, not COCO, or names photographs outside its folder.
    """
    try:
        file = _File.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; check the path of the COCO instances") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise AnnotationError(f"{path}: not COCO instances ({where}: {first['msg']}); export them again") from None
    except (OSError, ValueError, RecursionError) as cause:
        raise AnnotationError(f"{path}: not JSON ({cause}); expected COCO instances") from None
    lesions = {category.id: category.name for category in file.categories}
    if classes is not None:
        lesions = {number: classes[name] for number, name in lesions.items() if name in classes}
    for name in lesions.values():
        lesion_name(name)
    photographs = {photograph.id: _instances(path, photograph) for photograph in file.images}
    for region in file.annotations:
        if region.category_id not in lesions:
            continue
        if region.image_id not in photographs:
            raise AnnotationError(f"{path}: a region belongs to image {region.image_id}, which the file does not list")
        own, lesion = photographs[region.image_id], lesions[region.category_id]
        if isinstance(region.segmentation, _Runs):
            if region.segmentation.size != own.shape:
                raise AnnotationError(
                    f"{path}: run lengths of size {region.segmentation.size} for {own.shape} px (h, w)"
                )
            own.runs.setdefault(lesion, []).append(region.segmentation.counts)
        else:
            own.polygons.setdefault(lesion, []).extend(region.segmentation)
    return {photograph.file_name: photographs[photograph.id] for photograph in file.images}


def _instances(path: Path, photograph: _Photograph) -> Instances:
    name = PurePosixPath(photograph.file_name)
    if name.is_absolute() or ".." in name.parts:
        raise AnnotationError(f"{path}: image {photograph.file_name!r} lies outside the folder; use a path inside it")
    if photograph.width * photograph.height > _MOST_PIXELS:
        raise AnnotationError(
            f"{path}: image {photograph.file_name!r} is said to be {photograph.width} × {photograph.height} px, which "
            "no camera takes; correct its size"
        )
    return Instances((photograph.height, photograph.width), {}, {})
