"""The image-blind baseline: it shrinks every shape by a fitted amount and never looks at the photograph."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import pi, sqrt
from pathlib import Path
from typing import Self, final

from coarsekit.annotations.given import AnnotationLike
from coarsekit.errors import RefinerError
from coarsekit.geometry import draw, extent, reach_of
from coarsekit.images.given import ImageLike
from coarsekit.morphology import eroded
from coarsekit.scale import given_scale
from coarsekit.types import Ellipse, Line, Mask, Point, Polygon, Shape
from zoo.checkpoints.folder import CONFIG, read_config
from zoo.refiner import Advance, Refiner, as_given, no_progress


@dataclass(frozen=True, slots=True)
class Amount:
    """How much to shrink: each semi-axis becomes ``factor`` × itself − ``pixels``, at least half a pixel.

    ``pixels``: px on a photograph 4288 px wide. Half the width and half the height are a polygon's semi-axes; a raster
    loses from its rim what the radius of a disk of its area would.
    """

    factor: float
    pixels: float

    def shrink(self, shape: Shape, scale: float) -> Shape:
        """The shape, shrunk about its centre; ``scale``: px of its photograph for one px of IDRiD's."""
        if isinstance(shape, Point):
            return replace(shape, radius=self._less(reach_of(shape), scale))
        if isinstance(shape, Line):
            return replace(shape, width=2 * self._less(reach_of(shape), scale))
        if isinstance(shape, Ellipse):
            return replace(shape, rx=self._less(shape.rx, scale), ry=self._less(shape.ry, scale))
        if isinstance(shape, Polygon):
            x0, y0, x1, y1 = extent(shape)
            cx, cy, half_w, half_h = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
            across = self._less(half_w, scale) / half_w if half_w else 1.0
            down = self._less(half_h, scale) / half_h if half_h else 1.0
            rings = tuple(tuple((cx + across * (x - cx), cy + down * (y - cy)) for x, y in r) for r in shape.rings)
            return Polygon(rings)
        radius = sqrt(int(shape.crop.sum()) / pi)
        return eroded(shape, radius - self._less(radius, scale))

    def _less(self, semi_axis: float, scale: float) -> float:
        return max(self.factor * semi_axis - self.pixels * scale, 0.5)


@final
class Shrink(Refiner):
    """``shrink``: the image-blind rule. What it scores is mere geometry, and no refiner's merit.

    Of the photograph it sees nothing but the scale.
    ``amounts``: by style and lesion class, fitted on a training split. An annotation whose provenance names no style
    counts as ``human``; a class without an amount of its own takes the style's ``other``.
    """

    variant = "shrink"

    def __init__(self, amounts: Mapping[str, Mapping[str, Amount]]) -> None:
        self.amounts = amounts

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Self:
        """Read the fitted amounts of a ``shrink`` folder.

        Raises `RefinerError` when they are malformed.
        """
        config = read_config(folder)
        try:
            amounts = {
                style: {lesion: Amount(**amount) for lesion, amount in lesions.items()}
                for style, lesions in config["config"]["amounts"].items()
            }
            if "human" not in amounts or any("other" not in lesions for lesions in amounts.values()):
                raise KeyError("human and other")
        except (KeyError, TypeError, AttributeError) as cause:
            raise RefinerError(f"{folder / CONFIG}: the amounts cannot be read ({cause}); fit the rule again") from None
        shrink = cls(amounts)
        shrink.name, shrink.trained_on = name or str(folder), config.get("trained_on", "")
        return shrink

    def refine(
        self,
        image: ImageLike,
        annotation: AnnotationLike,
        advance: Advance = no_progress,
        scale: float | None = None,
    ) -> dict[str, Mask]:
        image, annotation = as_given(image, annotation)
        scale = given_scale(image, annotation, scale)
        style = self.amounts.get(str(annotation.provenance.get("style")), self.amounts["human"])
        refined = {}
        for lesion in annotation.lesions:
            amount = style.get(lesion, style["other"])
            shape = (annotation.height, annotation.width)
            refined[lesion] = draw((amount.shrink(e, scale) for e in annotation.of(lesion)), shape)
            advance(len(annotation.of(lesion)))
        return refined
