"""What every network is configured by. No torch here."""

from dataclasses import dataclass

from coarsekit.errors import ParameterError


@dataclass(frozen=True)
class Config:
    """Fields that every variant has; its own add to them.

    ``size``: side of a patch, px. ``context``: side of a window over the ellipse's bounding box. ``most``: largest side
    of a window, px on a photograph 4288 px wide, above which an ellipse gets several; None for no bound.
    ``threshold``: probability, 0–1, from which a pixel is lesion. ``blend``: average overlapping windows, weighted
    towards their middles, instead of keeping the maximum. ``views``: mirrored views of each patch, 1–4, whose
    probabilities are averaged.
    """

    size: int = 256
    context: float = 1.5
    most: int | None = None
    threshold: float = 0.5
    blend: bool = False
    views: int = 1

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ParameterError(f"size must be a multiple of 32 px, got {self.size}")
        if not self.context >= 1:
            raise ParameterError(f"context must be 1 or more, got {self.context}")
        if self.most is not None and self.most < 32:
            raise ParameterError(f"most must be 32 px or more, got {self.most}")
        if self.views not in (1, 2, 3, 4):
            raise ParameterError(f"views must be 1, 2, 3 or 4, got {self.views}")
        if not 0 < self.threshold < 1:
            raise ParameterError(f"threshold must lie between 0 and 1, got {self.threshold}")
