"""Outlines of shapes and masks, solid or dashed, drawn onto the picture (h, w, 3) that is given."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.geometry import draw, extent, moved
from coarsekit.types import Ellipse, Image, Mark, Mask, Point, Polygon, Raster, Shape
from coarsekit.visualize.colours import BLACK, NOTHING_FOUND, WHITE, Colour

_FAR = 30_000
"""How far out OpenCV can place a point, px."""
_DASH, _LEAST_DASH = 4, 6
"""Length of a dash in widths of its line, and the least length, px."""
_GAP = 1.0
"""Length of the gap after a dash, in dashes."""
_RIM = 2
"""By how much the dark rim of a line is wider than the line, px."""
_Path = tuple[NDArray[np.float64], bool]
"""Places (n, 2), x and y from the middle of the first pixel, and whether the last is joined to the first."""


def outline_shape(picture: Image, shape: Shape, line: int, colour: Colour = WHITE, dash: int = 0) -> None:
    """Draw the shape's rim, a point as a cross and a line as itself, ``line`` px thick, where the picture reaches.

    ``dash``: length of the dashes, px; 0 for a solid line, which a point's cross always has.
    """
    if isinstance(shape, Ellipse) and not dash and _reach(shape) <= _FAR:
        centre, axes = _sixteenths((shape.cx - 0.5, shape.cy - 0.5)), (round(shape.rx * 16), round(shape.ry * 16))
        cv2.ellipse(picture, centre, axes, shape.angle, 0, 360, colour, line, cv2.LINE_AA, shift=4)
        return
    if not dash and (isinstance(shape, Raster) or _reach(shape) > _FAR):
        cv2.polylines(
            picture, [ring.round().astype(np.int32) for ring in _rims(shape, picture.shape)], True, colour, line
        )
        return
    _trace(picture, _paths(shape, picture.shape, line), line, colour, 0 if isinstance(shape, Point) else dash)


def outline_mask(picture: Image, mask: Mask, colour: Colour, line: int, smooth: bool = False, dash: int = 0) -> None:
    """Draw a line of ``line`` px along the outermost pixels of the mask (h, w); an empty one has none.

    ``smooth``: with soft edges, which blend into the picture; a dashed line always has them. ``dash``: as above.
    """
    contours = _contours(mask)
    if dash:
        _trace(picture, [(_places(contour), True) for contour in contours], line, colour, dash)
    else:
        cv2.drawContours(picture, contours, -1, colour, line, cv2.LINE_AA if smooth else cv2.LINE_8)


def draw_marks(
    picture: Image,
    marks: Sequence[Mark],
    colours: Mapping[str, Colour],
    line: int,
    dashed: bool = True,
    missed: Sequence[Mark] = (),
) -> None:
    """Draw what annotators drew, each mark in its class's colour, with dark rims below all lines.

    ``missed``: marks for which nothing was found: dashed in grey-white, with a small cross in the middle.
    """
    dash = dash_of(line)
    # All dark rims come first, so that none covers a neighbour's line.
    for rim, width in ((True, line + _RIM), (False, line)):
        for mark in marks:
            outline_shape(picture, mark.shape, width, BLACK if rim else colours[mark.lesion], dash if dashed else 0)
        for mark in missed:
            outline_shape(picture, mark.shape, width, BLACK if rim else NOTHING_FOUND, dash)
            _cross_out(picture, mark.shape, width, 3 * line + 2, BLACK if rim else NOTHING_FOUND)


def draw_masks(picture: Image, masks: Mapping[str, Mask], colours: Mapping[str, Colour], line: int) -> None:
    """Draw the outlines of masks (h, w) by class in solid lines of their class's colour, with dark rims below all."""
    for mask in masks.values():
        outline_mask(picture, mask, BLACK, line + _RIM, smooth=True)
    for lesion, mask in masks.items():
        outline_mask(picture, mask, colours[lesion], line, smooth=True)


def dash_of(line: int) -> int:
    """The length of the dashes of a line ``line`` px thick, px."""
    return max(_DASH * line, _LEAST_DASH)


def _cross_out(picture: Image, shape: Shape, line: int, arm: int, colour: Colour) -> None:
    """A small cross in the middle of what the picture shows of the shape's box; none where it shows nothing."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = extent(shape)
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        return
    x, y = (max(x0, 0) + min(x1, width)) / 2 - 0.5, (max(y0, 0) + min(y1, height)) / 2 - 0.5
    arms = [np.array([(x - arm, y - arm * way), (x + arm, y + arm * way)]) for way in (1, -1)]
    _trace(picture, [(ends, False) for ends in arms], line, colour)


def _reach(shape: Shape) -> float:
    return max(abs(end) for end in extent(shape))


def _paths(shape: Shape, size: tuple[int, ...], line: int) -> list[_Path]:
    """The lines that stand for a shape: its rims, a point's cross, a line itself."""
    if isinstance(shape, Raster) or _reach(shape) > _FAR:
        return [(ring, True) for ring in _rims(shape, size)]
    if isinstance(shape, Ellipse):
        turns = np.linspace(0, 2 * np.pi, max(32, round(3 * max(shape.rx, shape.ry))), endpoint=False)
        angle, along, across = np.deg2rad(shape.angle), shape.rx * np.cos(turns), shape.ry * np.sin(turns)
        x = shape.cx + along * np.cos(angle) - across * np.sin(angle)
        y = shape.cy + along * np.sin(angle) + across * np.cos(angle)
        return [(np.stack([x, y], axis=1) - 0.5, True)]
    if isinstance(shape, Polygon):
        return [(np.array(ring, float) - 0.5, True) for ring in shape.rings]
    if isinstance(shape, Point):
        middle, arm = np.array([shape.x, shape.y]) - 0.5, 4 * line + 2
        return [(np.stack([middle - arms, middle + arms]), False) for arms in np.diag([arm, arm])]
    return [(np.array(shape.places, float) - 0.5, False)]


def _rims(shape: Shape, size: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """The outermost pixels of a raster, or of what another shape covers of the picture; none where the picture ends."""
    if isinstance(shape, Raster):
        return [_places(contour) + np.array([shape.left, shape.top]) for contour in _contours(shape.crop)]
    mask = draw([moved(shape, 1, 1)], (size[0] + 2, size[1] + 2))
    return [_places(contour) - 1 for contour in _contours(mask)]


def _contours(mask: Mask) -> list[NDArray[Any]]:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return list(contours)


def _places(contour: NDArray[Any]) -> NDArray[np.float64]:
    return contour.reshape(-1, 2).astype(float)


def _trace(picture: Image, paths: Sequence[_Path], line: int, colour: Colour, dash: int = 0) -> None:
    pieces = [piece for path in paths for piece in (_dashes(*path, dash) if dash else [path])]
    for closed in (True, False):
        whole = [np.rint(16 * places).astype(np.int32) for places, joined in pieces if joined == closed]
        cv2.polylines(picture, whole, closed, colour, line, cv2.LINE_AA, shift=4)


def _dashes(places: NDArray[np.float64], closed: bool, dash: int) -> list[_Path]:
    """A path cut into dashes, as many as fit with even gaps; the path itself where it is too short."""
    joined = np.concatenate([places, places[:1]]) if closed else places
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(joined, axis=0).T))])
    count = round(along[-1] / (dash * (1 + _GAP)))
    if count < 3:
        return [(places, closed)]
    starts = np.linspace(0, along[-1], count, endpoint=False)
    ends = starts + along[-1] / count / (1 + _GAP)
    pieces: list[_Path] = []
    for start, end in zip(starts, ends, strict=True):
        steps = np.concatenate([[start], along[(along > start) & (along < end)], [end]])
        piece = np.stack([np.interp(steps, along, joined[:, axis]) for axis in (0, 1)], axis=1)
        pieces.append((piece, False))
    return pieces


def _sixteenths(place: tuple[float, float]) -> tuple[int, int]:
    """OpenCV takes sixteenths of a pixel with shift=4."""
    return round(place[0] * 16), round(place[1] * 16)
