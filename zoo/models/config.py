"""What networks are configured by. No torch here."""

from dataclasses import dataclass

from coarsekit.errors import ParameterError
from zoo.models.layers import matched_filter


@dataclass(frozen=True)
class Config:
    """Fields that every variant has; its own add to them.

    ``size``: side of a patch, px. ``context``: side of a window over the ellipse's bounding box. ``second_context``:
    that of further windows, whose probabilities are averaged with those of the first when whole photographs are
    refined; None for none. ``max_window``: largest side of a window, px on a photograph 4288 px wide, above which an
    ellipse gets several; None for no bound.
    ``threshold``: probability, 0–1, from which a pixel is lesion. ``blend``: average overlapping windows, weighted
    towards their middles, instead of keeping the maximum. ``tta_views``: mirrored views of each patch, 1–4, whose
    probabilities are averaged. ``least_area``: px on a photograph 4288 px wide; smaller components beside a larger
    answer are left out, see `zoo.marks.specks`. ``least_mean``: mean probability, 0–1, below which a component is left
    out as a whole, see `zoo.marks.unlikely`. ``empty_mean``: the same on photographs where the marks of a known label
    are often empty. ``one_class``: whether a pixel that several classes claim is left to the likeliest, see
    `zoo.marks.overlaps`. ``mirror_edges``: whether a window that reaches over the photograph's edge has the mirror
    image of what is within there, so that lesions that a crop cuts look whole, and not black.
    ``second_look``: whether ellipses around what clicks found are refined in their turn, as those that people draw are,
    see `zoo.models.seeds`.
    """

    size: int = 256
    context: float = 1.5
    second_context: float | None = None
    max_window: int | None = None
    threshold: float = 0.5
    blend: bool = False
    tta_views: int = 1
    least_area: float = 0.0
    least_mean: float = 0.0
    empty_mean: float = 0.0
    one_class: bool = False
    mirror_edges: bool = False
    second_look: bool = False

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 32:
            raise ParameterError(f"size must be a multiple of 32 px, got {self.size}")
        if not self.context >= 1:
            raise ParameterError(f"context must be 1 or more, got {self.context}")
        if self.second_context is not None and not self.second_context >= 1:
            raise ParameterError(f"second_context must be 1 or more, got {self.second_context}")
        if self.max_window is not None and self.max_window < 32:
            raise ParameterError(f"max_window must be 32 px or more, got {self.max_window}")
        if self.tta_views not in (1, 2, 3, 4):
            raise ParameterError(f"tta_views must be 1, 2, 3 or 4, got {self.tta_views}")
        if not self.least_area >= 0:
            raise ParameterError(f"least_area must be 0 px or more, got {self.least_area}")
        if not 0 <= self.least_mean < 1:
            raise ParameterError(f"least_mean must be 0 or more and below 1, got {self.least_mean}")
        if not 0 <= self.empty_mean < 1:
            raise ParameterError(f"empty_mean must be 0 or more and below 1, got {self.empty_mean}")
        if not 0 < self.threshold < 1:
            raise ParameterError(f"threshold must lie between 0 and 1, got {self.threshold}")


@dataclass(frozen=True)
class FusedConfig(Config):
    """``width``: channels that set the network's capacity, as each backbone says.

    ``lesions``: classes that the network is conditioned on; a patch of another class is refined without one. Empty, as
    in the paper: all classes are treated alike. ``mask_dilation``: how far around the coarse mask the network may
    find lesion, as a share of the patch's side: people draw ellipses too small, and a network that sees where one ends
    never finds lesion beyond it; see
    `zoo.models.layers.fusion.widen`. 0, as in the paper: the mask as it was drawn. ``matched_filter``: whether
    the network sees how far each pixel deviates from its surroundings in the direction of the marks' signature, see
    `zoo.models.layers.matched_filter`: beside the colours for a class that it is conditioned on, and instead of them
    for any other, so that it can refine what it never saw. ``appearance``: whether the network keeps what the marks of
    its ``lesions`` look like, measured when it is trained on photographs: a label that it does not know is then refined
    as the class that its marks look like, see `zoo.models.recognition`. ``photograph_prototypes``: whether a head of
    prototypes takes, where whole photographs are refined, the mean lesion prototype of all windows of a label in place
    of each window's own, see `zoo.models.prototypes`; windows around clicks and strokes keep their own.
    """

    width: int = 64
    lesions: tuple[str, ...] = ()
    mask_dilation: float = 0.0
    matched_filter: bool = False
    appearance: bool = False
    photograph_prototypes: bool = False

    @property
    def planes(self) -> int:
        """How many planes enter the network beside RGB: the coarse mask, its classes, and those of the filter."""
        return 1 + len(self.lesions) + (matched_filter.PLANES if self.matched_filter else 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width < 1:
            raise ParameterError(f"width must be 1 or more channels, got {self.width}")
        if self.appearance and not self.lesions:
            raise ParameterError("appearance needs the classes whose marks are looked at; give lesions, too")
        if not 0 <= self.mask_dilation <= 0.5:
            raise ParameterError(
                f"mask_dilation is a share of the patch's side from 0 to 0.5, got {self.mask_dilation}"
            )
