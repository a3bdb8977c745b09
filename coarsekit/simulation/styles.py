"""How people draw: the simulator's parameters, two presets of them, and TOML files for others."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AllowInfNan, ConfigDict, Strict

from coarsekit.errors import ParameterError, did_you_mean
from coarsekit.frozen import frozen
from coarsekit.marks import BOX, CLICK, STROKE
from coarsekit.simulation.kinds import ELLIPSE, KINDS, POLYGON
from coarsekit.types import EX, HE, MA, SE
from coarsekit.validation import load_toml, validated
from coarsekit.windows import REFERENCE_WIDTH

Number = Annotated[float, Strict(), AllowInfNan(False)]
"""A finite number, also in a TOML file."""


@dataclass(frozen=True, slots=True)
class Imprecision:
    """How far drawings of one lesion class stray; every spread is one standard deviation.

    ``size_bias``, ``size``: of the log of the size (√(rx·ry)), per annotator and per ellipse. ``centre``: of the
    centre's offset along x and along y, in units of its `perturb.effective_radius`. ``aspect``: of the log of rx/ry.
    ``angle``: degrees for an ellipse of an aspect up to `perturb.MAX_CIRCLE_ASPECT`, and fewer for a longer one.
    ``circles``: the share, 0–1, of the ellipses up to that aspect that are drawn as circles.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    size_bias: Number = 0.0
    size: Number = 0.0
    centre: Number = 0.0
    aspect: Number = 0.0
    angle: Number = 0.0
    circles: Number = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if self.circles > 1:
            raise ParameterError(f"circles is a share and must be at most 1, got {self.circles}")


@dataclass(frozen=True, slots=True)
class Style:
    """Parameters of the simulator. Lengths are px on a photograph ``reference_width`` px wide and scale with its width.

    ``smooth``: radius of the closing that smooths the dilated mask, joining what all but touches (on the fine mask, as
    the paper's order has it, the dilation would swallow its effect). ``dilate``: radius of the dilation; components
    that it joins become one. ``expand``: px by which each component then grows without joining others.
    ``imprecision``: by lesion class, empty for a drawing without any; ``other``: for classes that it does not name.
    ``kinds``: the share of the marks that is drawn as each of `coarsekit.simulation.kinds.KINDS`; empty for ellipses
    only.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: Annotated[str, Strict()]
    reference_width: Annotated[int, Strict()] = REFERENCE_WIDTH
    smooth: Number = 2.0
    dilate: Number = 24.0
    expand: Number = 0.0
    imprecision: Mapping[str, Imprecision] = field(default_factory=dict)
    other: Imprecision | None = None
    kinds: Mapping[str, Number] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown:
            offered = f"{', '.join(KINDS)}{did_you_mean(unknown[0], KINDS)}"
            raise ParameterError(f"no kind of mark {unknown[0]!r}; kinds has shares of {offered}")
        if self.kinds and not (min(self.kinds.values()) >= 0 and abs(sum(self.kinds.values()) - 1) < 1e-6):
            raise ParameterError(f"the shares of kinds are 0 or more and make 1, got {dict(self.kinds)}")
        for name in ("smooth", "dilate", "expand"):
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name} must be 0 px or more, got {getattr(self, name)}")
        if self.reference_width < 1:
            raise ParameterError(f"reference_width must be 1 px or more, got {self.reference_width}")
        # Copies that cannot be changed: presets are shared by all that draws.
        object.__setattr__(self, "imprecision", frozen(self.imprecision))
        object.__setattr__(self, "kinds", frozen(self.kinds))

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
            **({"kinds": dict(self.kinds)} if self.kinds else {}),
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
    imprecision={
        MA: Imprecision(0.15, 0.28, 0.6 * 0.45, 0.2, 10.0, 0.99),
        HE: Imprecision(0.12, 0.41, 0.6 * 0.28, 0.2, 10.0, 0.62),
        EX: Imprecision(0.20, 0.32, 0.6 * 0.29, 0.2, 10.0, 0.62),
        SE: Imprecision(0.16, 0.24, 0.6 * 0.20, 0.2, 10.0, 0.46),
    },
    other=Imprecision(0.16, 0.31, 0.6 * 0.30, 0.2, 10.0, 0.66),
)
"""The imprecision of real experts, as measured; the style to train for."""

MIXED = Style(
    "mixed",
    imprecision=HUMAN.imprecision,
    other=HUMAN.other,
    kinds={ELLIPSE: 0.4, BOX: 0.1, POLYGON: 0.1, CLICK: 0.3, STROKE: 0.1},
)
"""Drawings of people who use whatever their tool offers, as imprecise as `HUMAN`. The shares are set, not measured."""

_LENGTHS = ("smooth", "dilate", "expand")
_NAME = re.compile(r"[\w-]{1,80}")

ONE_KIND = (
    replace(HUMAN, name="boxes", kinds={BOX: 1.0}),
    replace(HUMAN, name="polygons", kinds={POLYGON: 1.0}),
    replace(HUMAN, name="clicks", kinds={CLICK: 1.0}, smooth=0.0, dilate=0.0),
    replace(HUMAN, name="strokes", kinds={STROKE: 1.0}, smooth=0.0, dilate=0.0),
)
"""Marks of one kind alone, to measure what a refiner makes of them: boxes and polygons in the place of each ellipse of
`HUMAN`, and one click or stroke for each lesion by itself, since neither says how far a group of them reaches."""

STYLES = MappingProxyType({style.name: style for style in (PAPER, HUMAN, MIXED, *ONE_KIND)})
"""The presets by name."""


def as_style(style: str | os.PathLike[str] | Style) -> Style:
    """A style as callers have it: itself, or what `style_named` takes.

    Raises `ParameterError` when the name is unknown, or the file does not describe a style.
    """
    return style if isinstance(style, Style) else style_named(style)


def style_named(name: str | os.PathLike[str]) -> Style:
    """Find a style.

    Args:
        name: One of `STYLES`, or the path of a TOML file that describes a style.

    Returns:
        The preset, or the style of the file.

    Raises:
        ParameterError: When the name is unknown, or the file does not describe a style.
    """
    text = os.fspath(name) if isinstance(name, (str, os.PathLike)) else ""
    if text in STYLES:
        return STYLES[text]
    if text.endswith(".toml"):
        return load_style(Path(text))
    raise ParameterError(
        f"no style {text or name!r}; choose one of {', '.join(STYLES)}{did_you_mean(text, STYLES)} "
        "(or name a TOML file)"
    )


def load_style(path: Path) -> Style:
    """The style that a TOML file describes: what `dump_style` writes, of which all but the name may be left out.

    Raises `ParameterError` when the file is missing, is no TOML, or has a field that a style does not have.
    """
    content = load_toml(path, ParameterError, "'coarsekit calibrate' writes a style's TOML file")
    try:
        style = validated(Style, {"name": path.stem} | content, str(path), error=ParameterError, strict=None)
    except ParameterError as error:  # of the file, or of a style's own ranges, which do not know of a file
        raise ParameterError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    if style.name in STYLES or not _NAME.fullmatch(style.name):
        raise ParameterError(
            f"{path}: name: expected letters, digits, '-' and '_', and not {' or '.join(STYLES)}, got {style.name!r}"
        )
    return style


def dump_style(style: Style) -> str:
    """A style as the text of a TOML file; `load_style` gives the same style back."""
    parameters = style.parameters()
    lines = [f"name = {json.dumps(style.name)}", f"reference_width = {style.reference_width}"]
    lines += [f"{name} = {parameters[name]!r}" for name in _LENGTHS]
    tables = {f"imprecision.{json.dumps(lesion)}": own for lesion, own in parameters["imprecision"].items()}
    tables |= {"other": parameters["other"]} if style.other else {}
    tables |= {"kinds": parameters["kinds"]} if style.kinds else {}
    for head, own in tables.items():
        lines += ["", f"[{head}]", *(f"{name} = {value!r}" for name, value in own.items())]
    return "\n".join(lines) + "\n"
