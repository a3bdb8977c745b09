"""Measure how people draw: the `Style` that simulates the annotators whose drawings are given.

Two drawings of one lesion are found as mutual nearest marks of one class whose sizes differ by less than a factor of
four. They stray from each other by twice the variance of one drawing; a drawing strays from a lesion outlined exactly
by its own. Every measure below inverts the one step of `coarsekit.simulation.perturb.perturb` that it is named after.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import hypot, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from coarsekit.annotations.approximate import as_ellipse
from coarsekit.geometry import moved
from coarsekit.simulation.perturb import MAX_CIRCLE_ASPECT, aspect_of, effective_radius
from coarsekit.simulation.styles import Imprecision, Style
from coarsekit.types import Annotation, Ellipse

SIZES = 4.0
"""Factor within which the sizes of two drawings of one lesion lie."""
ROUND = 1.01
"""Aspect below which an ellipse counts as drawn as a circle."""
_LONG = 1.2
"""Aspect from which on the angle of an ellipse means anything."""
_MEDIAN_DISTANCE = 1.1774100225154747
"""Median distance from the centre, in standard deviations along each axis, of points spread normally in the plane."""
_MAD = 1.4826022185056018
"""Standard deviation of a normal variable over its median absolute value."""


class Match(NamedTuple):
    """Two drawings of one lesion, of which ``one`` is an annotator's and ``other`` another's or the exact outline.

    ``group``: the photograph and the annotators, among whose drawings the size bias is constant.
    """

    lesion: str
    group: tuple[str, ...]
    one: Ellipse
    other: Ellipse


class MeasuredImprecision(NamedTuple):
    """What was measured of one lesion class: ``matches`` and ``marks`` counted, and the mean log size against others.

    ``size_mean`` is 0 between annotators by symmetry; against fine masks it says how much larger all drew.
    """

    matches: int
    marks: int
    size_mean: float
    imprecision: Imprecision


def match(one: Sequence[Ellipse], other: Sequence[Ellipse]) -> list[tuple[int, int]]:
    """Pairs of indices of mutual nearest centres whose sizes lie within a factor of `SIZES`; empty gives none."""
    if not one or not other:
        return []
    centres = [np.array([(ellipse.cx, ellipse.cy) for ellipse in ellipses]) for ellipses in (one, other)]
    forth = cKDTree(centres[1]).query(centres[0])[1]
    back = cKDTree(centres[0]).query(centres[1])[1]
    return [
        (i, int(j))
        for i, j in enumerate(forth)
        if back[j] == i and abs(log(_radius(one[i]) / _radius(other[j]))) <= log(SIZES)
    ]


def between_annotators(drawings: Mapping[str, Mapping[str, Annotation]]) -> list[Match]:
    """Matches between all pairs of annotators, whose drawings are given by annotator and photograph."""
    matches = []
    for one, other in combinations(sorted(drawings), 2):
        for photograph in sorted(drawings[one].keys() & drawings[other].keys()):
            first, second = drawings[one][photograph], drawings[other][photograph]
            matches += _matches((photograph, one, other), first, second)
    return matches


def against_outlines(drawings: Mapping[str, Annotation], exact: Annotation) -> list[Match]:
    """Matches between the annotators' drawings of one photograph and its lesions outlined exactly."""
    matches: list[Match] = []
    for annotator, drawing in sorted(drawings.items()):
        matches += _matches((exact.image, annotator), drawing, exact)
    return matches


def measure_imprecision(matches: Sequence[Match], marks: Iterable[Ellipse], *, exact: bool) -> MeasuredImprecision:
    """The imprecision that explains ``matches``; the share of circles is that of the drawings that are not long.

    Args:
        matches: Pairs of drawings of one lesion.
        marks: All drawings, of which the share of circles is measured.
        exact: Whether the other of each match is the exact outline, and not a second annotator's drawing.

    Returns:
        The imprecision and the numbers that it was measured on; without any match every spread is 0.
    """
    drawn = list(marks)
    short = [aspect for aspect in map(aspect_of, drawn) if aspect <= MAX_CIRCLE_ASPECT]
    circles = sum(aspect <= ROUND for aspect in short) / len(short) if short else 0.0
    if not matches:
        return MeasuredImprecision(0, len(drawn), 0.0, Imprecision(circles=circles))
    drawings = 1 if exact else 2  # how many of the two stray
    sizes = np.array([log(_radius(pair.one) / _radius(pair.other)) for pair in matches])
    mean = float(sizes.mean()) if exact else 0.0
    bias, noise = _components_of_variance(sizes - mean, [pair.group for pair in matches])
    reach = [
        effective_radius(pair.one) if exact else hypot(effective_radius(pair.one), effective_radius(pair.other))
        for pair in matches
    ]
    apart = [hypot(pair.one.cx - pair.other.cx, pair.one.cy - pair.other.cy) for pair in matches]
    aspects, angles = _shapes(matches)
    imprecision = Imprecision(
        size_bias=sqrt(bias / drawings),
        size=sqrt(noise / drawings),
        centre=float(np.median(np.divide(apart, reach))) / _MEDIAN_DISTANCE,
        aspect=_spread(aspects) / sqrt(drawings),
        angle=_spread(angles) / sqrt(drawings),
        circles=circles,
    )
    return MeasuredImprecision(len(matches), len(drawn), mean, imprecision)


def to_style(
    name: str, base: Style, measured: Mapping[str, MeasuredImprecision], pooled: MeasuredImprecision, least: int
) -> Style:
    """``base`` with the imprecision measured; a class of fewer than ``least`` matches is drawn as all are, pooled."""
    own = {lesion: rounded(part.imprecision) for lesion, part in measured.items() if part.matches >= least}
    return Style(name, base.reference_width, base.smooth, base.dilate, base.expand, own, rounded(pooled.imprecision))


def rounded(imprecision: Imprecision) -> Imprecision:
    """To four decimals, which is more than drawings can tell."""
    return Imprecision(*(round(getattr(imprecision, name), 4) for name in Imprecision.__slots__))


def _matches(group: tuple[str, ...], one: Annotation, other: Annotation) -> list[Match]:
    scale = one.width / other.width
    found = []
    for lesion in one.lesions:
        theirs = [as_ellipse(moved(shape, 0, 0, scale)) for shape in other.of(lesion)]
        mine = [as_ellipse(shape) for shape in one.of(lesion)]
        found += [Match(lesion, group, mine[i], theirs[j]) for i, j in match(mine, theirs)]
    return found


def _components_of_variance(values: NDArray, groups: Sequence[tuple[str, ...]]) -> tuple[float, float]:
    """Variance between and within groups of values whose mean is 0, by the method of moments; neither below 0."""
    _, place = np.unique([" | ".join(group) for group in groups], return_inverse=True)
    counts = np.bincount(place)
    means = np.bincount(place, weights=values) / counts
    total, many = len(values), len(counts)
    within = float(((values - means[place]) ** 2).sum() / (total - many)) if total > many else 0.0
    between = float((counts @ means**2 - many * within) / total)
    return max(between, 0.0), within


def _shapes(matches: Sequence[Match]) -> tuple[NDArray, NDArray]:
    """Differences of log aspect, and of angle in degrees where it means anything, of the matches without a circle.

    What is longer than `MAX_CIRCLE_ASPECT` turns less, and counts for as much as what is short. An ellipse at a right
    angle to its partner is the same as one along it with the inverse aspect.
    """
    aspects, angles = [], []
    for pair in matches:
        if min(aspect_of(pair.one), aspect_of(pair.other)) <= ROUND:
            continue
        turn = (pair.one.angle - pair.other.angle + 90) % 180 - 90
        one, other = (log(ellipse.rx / ellipse.ry) for ellipse in (pair.one, pair.other))
        if abs(turn) > 45:
            one, turn = -one, turn - 90 if turn > 0 else turn + 90
        aspects.append(one - other)
        if min(aspect_of(pair.one), aspect_of(pair.other)) >= _LONG:
            angles.append(turn * max(1.0, sqrt(aspect_of(pair.one) * aspect_of(pair.other)) / MAX_CIRCLE_ASPECT))
    return np.array(aspects), np.array(angles)


def _spread(values: NDArray) -> float:
    """Standard deviation about 0 of values of which a few may be wild; 0 of none."""
    return float(np.median(np.abs(values))) * _MAD if len(values) else 0.0


def _radius(ellipse: Ellipse) -> float:
    return sqrt(ellipse.rx * ellipse.ry)
