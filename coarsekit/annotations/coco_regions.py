"""The regions of a COCO file and what they cover; see `coarsekit.annotations.coco`."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator

from coarsekit.annotations.documents import LenientModel
from coarsekit.annotations.rle import compress, decompress, from_photograph_runs
from coarsekit.errors import AnnotationError
from coarsekit.geometry import rotated
from coarsekit.types import Point, Polygon, Raster, Shape
from coarsekit.validation import validated

FAR = 1e7
"""No coordinate of a region, in px, is larger."""


def as_id(value: Any) -> Any:
    """An id as the file means it: pandas writes whole numbers as floats where a column has gaps."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id: TypeAlias = Annotated[str, BeforeValidator(as_id)]
"""The id of an image, a category or a region, as text."""
_Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class Runs(LenientModel):
    """Run lengths of the whole photograph, column by column; ``size`` is (h, w) px."""

    size: list[int]
    counts: list[int] | str


def _kind(value: Any) -> str:
    return "_runs" if isinstance(value, (dict, Runs)) else "_rings"


_Segmentation: TypeAlias = Annotated[
    Annotated[Runs, Tag("_runs")] | Annotated[list[list[float]], Tag("_rings")], Discriminator(_kind)
]


class RegionFields(LenientModel):
    """One region as the file has it.

    What stands beside a segmentation is checked where it is what was drawn, and else kept as it is.
    """

    model_config = ConfigDict(extra="allow")

    image_id: Id
    category_id: Id | None = None
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


_LEAST_RING = 6
"""Numbers of the ring of a triangle."""
_SPECK = 2
"""Px of the sides of a box around what tools that trace masks leave of a pixel or two."""


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a file: its place in the list of annotations, its category, and the photograph's size in px."""

    place: int
    label: str
    width: int
    height: int
    source: RegionFields

    def shape(self, boxes: bool = True) -> Shape:
        """What the region covers; ``boxes``: whether a bounding box may stand for a region without a segmentation.

        Raises `AnnotationError` for a region that cannot be drawn.
        """
        segmentation = self.source.segmentation
        if isinstance(segmentation, Runs):
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
        """Whether its segmentation covers nothing: no ring of three corners, or run lengths without a pixel.

        A box or key points without a ring are no such region: something was drawn, and its segmentation is missing. So
        is that of a ring of two corners in a box that is larger than those of the specks that tools trace so.
        """
        segmentation = self.source.segmentation
        if isinstance(segmentation, Runs):
            return segmentation.counts in ([self.width * self.height], compress([self.width * self.height]))
        if segmentation is None or not all(len(ring) < _LEAST_RING and len(ring) % 2 == 0 for ring in segmentation):
            return False
        return not self._has_box(_SPECK if any(segmentation) else 0) and not self.source.are_points

    def _has_box(self, least: float) -> bool:
        """Whether its box has sides of more than ``least`` px; what is no box counts as one."""
        box = self.source.bbox
        if not isinstance(box, list) or len(box) != 4 or not all(isinstance(side, (int, float)) for side in box):
            return bool(box)
        return min(box[2:]) > least

    def _raster(self, runs: Runs) -> Raster:
        counts = decompress(runs.counts) if isinstance(runs.counts, str) else runs.counts
        crop, left, top = from_photograph_runs(counts, (self.width, self.height))
        return Raster(left, top, crop.T)
