"""How long an ellipse is, and what that means for a hand that draws it."""

from math import sqrt

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
