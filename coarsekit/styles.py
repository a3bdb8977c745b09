"""How people draw: the simulator's parameters, and two presets of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from coarsekit.errors import ParameterError
from coarsekit.nearest import suggestion
from coarsekit.types import EX, HE, MA, SE


@dataclass(frozen=True, slots=True)
class Imprecision:
    """How far drawings of one lesion class stray; every spread is one standard deviation.

    ``size_bias``, ``size``: of the log of the size (√(rx·ry)), per annotator and per ellipse. ``centre``: of the
    centre's offset along x and along y, in mean radii of the ellipse drawn. ``aspect``: of the log of rx/ry.
    ``angle``: degrees. ``circles``: the share, 0–1, drawn as circles.
    """

    size_bias: float = 0.0
    size: float = 0.0
    centre: float = 0.0
    aspect: float = 0.0
    angle: float = 0.0
    circles: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if self.circles > 1:
            raise ParameterError(f"circles is a share and must be at most 1, got {self.circles}")


@dataclass(frozen=True, slots=True)
class Style:
    """Parameters of the simulator. Lengths are px on a photograph ``reference_width`` px wide and scale with its width.

    ``smooth``: radius of the closing that smooths the fine mask. ``dilate``: radius of the dilation; components that
    it joins become one. ``expand``: px by which each component then grows without joining others.
    ``imprecision``: by lesion class, empty for a drawing without any; ``other``: for classes that it does not name.
    """

    name: str
    reference_width: int = 4288
    smooth: float = 0.0
    dilate: float = 24.0
    expand: float = 0.0
    imprecision: Mapping[str, Imprecision] = field(default_factory=dict)
    other: Imprecision | None = None

    def __post_init__(self) -> None:
        for name in ("smooth", "dilate", "expand"):
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name} must be 0 px or more, got {getattr(self, name)}")
        if self.reference_width < 1:
            raise ParameterError(f"reference_width must be 1 px or more, got {self.reference_width}")

    def imprecision_of(self, lesion: str) -> Imprecision | None:
        """The imprecision for one lesion class; None when it is drawn exactly."""
        return self.imprecision.get(lesion, self.other)

    def parameters(self) -> dict[str, Any]:
        """All parameters but the name, as plain numbers and dictionaries."""
        return {
            "reference_width": self.reference_width,
            "smooth": self.smooth,
            "dilate": self.dilate,
            "expand": self.expand,
            "imprecision": {lesion: asdict(imprecision) for lesion, imprecision in self.imprecision.items()},
            "other": asdict(self.other) if self.other else None,
        }


PAPER = Style("paper")
"""A constant dilation and exact ellipses, as in the paper's published tables."""

HUMAN = Style(
    "human",
    # Size, centre and circles were measured on the marks of four experts on the 89 photographs of DIARETDB1 (mutual
    # nearest marks, sizes within a factor of 4). Two experts' centres lie a median of 0.45, 0.28, 0.29, 0.20 mean radii
    # apart (MA, HE, EX, SE); each one's own offset has 0.6 of that as its standard deviation per axis, since the median
    # distance of two such normal points is 1.67 of it. Aspect and angle were not measured separately; they are set to
    # what keeps an ellipse recognisable as drawn around the same lesion.
    imprecision=MappingProxyType(
        {
            MA: Imprecision(0.15, 0.28, 0.6 * 0.45, 0.2, 10.0, 0.94),
            HE: Imprecision(0.12, 0.41, 0.6 * 0.28, 0.2, 10.0, 0.55),
            EX: Imprecision(0.20, 0.32, 0.6 * 0.29, 0.2, 10.0, 0.55),
            SE: Imprecision(0.16, 0.24, 0.6 * 0.20, 0.2, 10.0, 0.43),
        }
    ),
    other=Imprecision(0.16, 0.31, 0.6 * 0.30, 0.2, 10.0, 0.6),
)
"""The imprecision of real experts, as measured; the style to train for."""

STYLES = MappingProxyType({style.name: style for style in (PAPER, HUMAN)})
"""The presets by name."""


def style_named(name: str) -> Style:
    """A preset.

    Raises `ParameterError` for an unknown name.
    """
    if name not in STYLES:
        raise ParameterError(f"no style {name!r}; choose one of {', '.join(STYLES)}{suggestion(name, STYLES)}")
    return STYLES[name]
