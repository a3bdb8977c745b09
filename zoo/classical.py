"""Rules without a network, behind the refiner's interface, so that every table can hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from coarsekit.errors import RefinerError
from coarsekit.geometry import draw
from coarsekit.types import Annotation, Ellipse, Image, Mask
from zoo.bundled import CONFIG, read_config
from zoo.refiner import Advance, Refiner, check_size, ignore


@dataclass(frozen=True, slots=True)
class Amount:
    """How much to shrink: each semi-axis becomes ``factor`` × itself − ``pixels``, at least half a pixel.

    ``pixels``: px on a photograph 4288 px wide.
    """

    factor: float
    pixels: float

    def shrink(self, ellipse: Ellipse, width: int) -> Ellipse:
        """The ellipse, on a photograph of ``width`` px, shrunk about its centre."""
        less = self.pixels * width / 4288
        return replace(
            ellipse, rx=max(self.factor * ellipse.rx - less, 0.5), ry=max(self.factor * ellipse.ry - less, 0.5)
        )


@final
class Shrink(Refiner):
    """``shrink``: the image-blind rule. What it scores is mere geometry, and no refiner's merit.

    ``amounts``: by style and lesion class, fitted on a training split. An annotation whose provenance names no style
    counts as ``human``; a class without an amount of its own takes the style's ``other``.
    """

    variant = "shrink"

    def __init__(self, amounts: Mapping[str, Mapping[str, Amount]]) -> None:
        self.amounts = amounts

    def refine(self, image: Image, annotation: Annotation, advance: Advance = ignore) -> dict[str, Mask]:
        check_size(image, annotation)
        style = self.amounts.get(str(annotation.provenance.get("style")), self.amounts["human"])
        refined = {}
        for lesion in annotation.lesions:
            amount = style.get(lesion, style["other"])
            shape = (annotation.height, annotation.width)
            refined[lesion] = draw((amount.shrink(e, annotation.width) for e in annotation.of(lesion)), shape)
            advance(len(annotation.of(lesion)))
        return refined


def load_shrink(folder: Path, name: str) -> Shrink:
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
    shrink = Shrink(amounts)
    shrink.name, shrink.trained_on = name, config.get("trained_on", "")
    return shrink
