"""Exact ellipses → ellipses as a hand draws them. Pure; randomness is an argument."""

from math import exp, sqrt

import numpy as np

from coarsekit.simulation.styles import Imprecision
from coarsekit.types import Ellipse

MAX_CIRCLE_ASPECT = 2.0
"""The aspect up to which an ellipse is short. Imprecision was measured on such; around a row of lesions nobody draws a
circle, which would leave out both of its ends, and a hand keeps to the row's direction and width."""


def aspect_of(ellipse: Ellipse) -> float:
    """How many times longer than wide an ellipse is, 1 or more."""
    return max(ellipse.rx, ellipse.ry) / min(ellipse.rx, ellipse.ry)


def effective_radius(ellipse: Ellipse) -> float:
    """The mean radius √(rx·ry), px, of an ellipse or of one as wide and at most `MAX_CIRCLE_ASPECT` long."""
    return min(ellipse.rx, ellipse.ry) * sqrt(min(aspect_of(ellipse), MAX_CIRCLE_ASPECT))


def perturb(
    ellipse: Ellipse, imprecision: Imprecision, annotator: float, rng: np.random.Generator, shape: tuple[int, int]
) -> Ellipse:
    """The ellipse as a hand would have drawn it: its size, place, aspect and angle off, or a circle instead.

    Only an ellipse of at most `MAX_CIRCLE_ASPECT` becomes a circle: a circle around a row of lesions would leave out
    both ends of the row. A long ellipse strays in proportion to its `effective_radius`, and turns less the longer it
    is: otherwise it would leave the row.

    Args:
        ellipse: The exact ellipse, px.
        imprecision: The spreads of the lesion class.
        annotator: The annotator's size bias, in standard deviations.
        rng: The random numbers; six are drawn, whatever the parameters.
        shape: The photograph's (h, w), px; the centre stays on the photograph.

    Returns:
        The drawn ellipse; its semi-axes are 0.5 px or more.
    """
    bias, size, across, down, aspect, turn = (annotator, *rng.standard_normal(5))
    as_circle = rng.random() < imprecision.circles and aspect_of(ellipse) <= MAX_CIRCLE_ASPECT
    factor = exp(imprecision.size_bias * bias + imprecision.size * size)
    radius = sqrt(ellipse.rx * ellipse.ry) * factor
    stretch = 1.0 if as_circle else sqrt(ellipse.rx / ellipse.ry) * exp(imprecision.aspect * aspect / 2)
    offset = imprecision.centre * effective_radius(ellipse) * factor
    return Ellipse(
        cx=float(np.clip(ellipse.cx + offset * across, 0, shape[1])),
        cy=float(np.clip(ellipse.cy + offset * down, 0, shape[0])),
        rx=max(radius * stretch, 0.5),
        ry=max(radius / stretch, 0.5),
        angle=(ellipse.angle + imprecision.angle * turn * min(1.0, MAX_CIRCLE_ASPECT / aspect_of(ellipse))) % 180,
    )
