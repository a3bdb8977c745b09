"""How each mark was drawn: around a lesion (an outline or a box), or on it (a click or a stroke)."""

from collections import Counter
from math import hypot

from coarsekit.geometry import lies_outside
from coarsekit.shapes import CLICK_RADIUS
from coarsekit.types import Annotation, Ellipse, Line, Mark, Point, Polygon, Shape

OUTLINE, BOX, CLICK, STROKE = "outline", "box", "click", "stroke"
WAYS = (OUTLINE, BOX, CLICK, STROKE)
"""The ways of drawing, as records name them."""

LEAST_CLICKS = 5
"""Marks of one label that must share their size to the pixel for a tool's least circle to be seen in them."""
CLICK_SHARE = 0.5
"""Share of the label's marks that must have that size."""
_ONE_PIXEL = 0.5
"""Radius of a click without any drag, px, as the readers of tools that write a radius of 0 have it."""


def ways_drawn(annotation: Annotation) -> tuple[str, ...]:
    """How each mark was drawn, in the order of the marks: ``outline``, ``box``, ``click`` or ``stroke``.

    A circle or an ellipse is a click where at least `LEAST_CLICKS` marks and `CLICK_SHARE` of all marks of its label
    have its semi-axes, and these are no longer than the radius of a point: it is the least that the tool draws.
    """
    least = _least_circles(annotation)
    return tuple(_way(mark, least) for mark in annotation.marks)


def count_ways(annotation: Annotation, lesion: str) -> dict[str, int]:
    """How many marks of a class were drawn in each way; a way without any is absent."""
    pairs = zip(annotation.marks, ways_drawn(annotation), strict=True)
    counts = Counter(way for mark, way in pairs if mark.lesion == lesion)
    return {way: counts[way] for way in WAYS if counts[way]}


def seed_of(shape: Shape) -> Point | Line | None:
    """What of a click or a stroke certainly lies on the lesion: its place, without a size; None for other shapes."""
    if isinstance(shape, Line):
        return Line(shape.places)
    if isinstance(shape, Ellipse):
        return Point(shape.cx, shape.cy)
    return Point(shape.x, shape.y) if isinstance(shape, Point) else None


def _way(mark: Mark, least: set[tuple[str, tuple[float, float]]]) -> str:
    shape = mark.shape
    if isinstance(shape, Point):
        return CLICK
    if isinstance(shape, Line):
        return STROKE
    if isinstance(shape, Ellipse) and (max(shape.rx, shape.ry) <= _ONE_PIXEL or (mark.lesion, _axes(shape)) in least):
        return CLICK
    return BOX if isinstance(shape, Polygon) and _is_box(shape) else OUTLINE


def _least_circles(annotation: Annotation) -> set[tuple[str, tuple[float, float]]]:
    """The labels and semi-axes of the circles and ellipses that are clicks."""
    width, height = annotation.width, annotation.height
    seen = [mark for mark in annotation.marks if not lies_outside(mark.shape, width, height)]
    marks = Counter(mark.lesion for mark in seen)
    most = CLICK_RADIUS * width
    shared = Counter(
        (mark.lesion, _axes(mark.shape))
        for mark in seen
        if isinstance(mark.shape, Ellipse) and max(mark.shape.rx, mark.shape.ry) <= most
    )
    return {key for key, count in shared.items() if count >= max(LEAST_CLICKS, CLICK_SHARE * marks[key[0]])}


def _axes(ellipse: Ellipse) -> tuple[float, float]:
    """The semi-axes, px; a tool that rounds its numbers, or writes percent, has no more than a tenth of one."""
    return round(ellipse.rx, 1), round(ellipse.ry, 1)


def _is_box(polygon: Polygon) -> bool:
    """Whether it is one rectangle, upright or turned: both diagonals have one middle and one length."""
    if len(polygon.rings) != 1 or len(polygon.rings[0]) != 4:
        return False
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = polygon.rings[0]
    one, other = hypot(cx - ax, cy - ay), hypot(dx - bx, dy - by)
    return hypot(ax + cx - bx - dx, ay + cy - by - dy) <= 0.01 * one and abs(one - other) <= 0.01 * one
