"""What every network is configured by. No torch here."""

from dataclasses import dataclass

from coarsekit.errors import ParameterError


@dataclass(frozen=True)
class Config:
    """Fields that every variant has; its own add to them.

    ``size``: side of a patch, px. ``context``: side of a window over the ellipse's bounding box. ``max_window``:
    largest side of a window, px on a photograph 4288 px wide, above which an ellipse gets several; None for no bound.
    ``threshold``: probability, 0–1, from which a pixel is lesion. ``blend``: average overlapping windows, weighted
    towards their middles, instead of keeping the maximum. ``tta_views``: mirrored views of each patch, 1–4, whose
    probabilities are averaged. ``least_area``: px on a photograph 4288 px wide; smaller components beside a larger
    answer are left out, see `zoo.marks.specks`. ``one_class``: whether a pixel that several classes claim is left to
    the likeliest, see `zoo.marks.overlaps`.
    """

    size: int = 256
    context: float = 1.5
    max_window: int | None = None
    threshold: float = 0.5
    blend: bool = False
    tta_views: int = 1
    least_area: float = 0.0
    one_class: bool = False

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ParameterError(f"size must be a multiple of 32 px, got {self.size}")
        if not self.context >= 1:
            raise ParameterError(f"context must be 1 or more, got {self.context}")
        if self.max_window is not None and self.max_window < 32:
            raise ParameterError(f"max_window must be 32 px or more, got {self.max_window}")
        if self.tta_views not in (1, 2, 3, 4):
            raise ParameterError(f"tta_views must be 1, 2, 3 or 4, got {self.tta_views}")
        if not self.least_area >= 0:
            raise ParameterError(f"least_area must be 0 px or more, got {self.least_area}")
        if not 0 < self.threshold < 1:
            raise ParameterError(f"threshold must lie between 0 and 1, got {self.threshold}")
