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
    probabilities are averaged. ``exclusive``: of the classes that the network is told, the likeliest keeps a pixel.

    For shapes that get several windows: ``grow``: how far they are widened first, as a share of their mean radius, for
    the larger a drawing, the more of what it stands for lies beyond it. ``overlap``: of their windows, as a share of
    the side. ``closer``: look again, from near, at every component found in windows far wider than its own; see
    `zoo.closeups`.
    """

    size: int = 256
    context: float = 1.5
    most: int | None = None
    threshold: float = 0.5
    blend: bool = False
    views: int = 1
    grow: float = 0.0
    overlap: float = 0.125
    closer: bool = False
    exclusive: bool = False

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ParameterError(f"size must be a multiple of 32 px, got {self.size}")
        if not self.context >= 1:
            raise ParameterError(f"context must be 1 or more, got {self.context}")
        if self.most is not None and self.most < 32:
            raise ParameterError(f"most must be 32 px or more, got {self.most}")
        if self.views not in (1, 2, 3, 4):
            raise ParameterError(f"views must be 1, 2, 3 or 4, got {self.views}")
        if not 0 <= self.grow <= 1:
            raise ParameterError(f"grow is a share of a shape's radius from 0 to 1, got {self.grow}")
        if not 0 <= self.overlap <= 0.9:
            raise ParameterError(f"overlap is a share of a window's side from 0 to 0.9, got {self.overlap}")
        if not 0 < self.threshold < 1:
            raise ParameterError(f"threshold must lie between 0 and 1, got {self.threshold}")
