"""Outlines of shapes and masks, legends and captions. Pure.

Outlines are drawn onto the picture (h, w, 3) that they are given; legends and captions make a new one.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from coarsekit.geometry import draw, extent, moved
from coarsekit.types import Ellipse, Image, Line, Mask, Point, Polygon, Shape
from coarsekit.visualize.colours import WHITE, Colour


def outline_shape(picture: Image, shape: Shape, line: int, colour: Colour = WHITE) -> None:
    """Draw the shape's rim, a point as a cross and a line as itself, ``line`` px thick, where the picture reaches."""
    if max(abs(end) for end in extent(shape)) > 30_000:  # beyond what OpenCV can place
        _outline_pixels(picture, shape, line, colour)
    elif isinstance(shape, Ellipse):
        centre, axes = _sixteenths((shape.cx, shape.cy)), (round(shape.rx * 16), round(shape.ry * 16))
        cv2.ellipse(picture, centre, axes, shape.angle, 0, 360, colour, line, cv2.LINE_AA, shift=4)
    elif isinstance(shape, Polygon):
        rings = [np.array([_sixteenths(corner) for corner in ring], np.int32) for ring in shape.rings]
        cv2.polylines(picture, rings, True, colour, line, cv2.LINE_AA, shift=4)
    elif isinstance(shape, Point):
        (x, y), arm = _sixteenths((shape.x, shape.y)), 16 * (4 * line + 2)
        arms = [np.array(ends, np.int32) for ends in ([(x - arm, y), (x + arm, y)], [(x, y - arm), (x, y + arm)])]
        cv2.polylines(picture, arms, False, colour, line, cv2.LINE_AA, shift=4)
    elif isinstance(shape, Line):
        places = np.array([_sixteenths(place) for place in shape.places], np.int32)
        cv2.polylines(picture, [places], False, colour, line, cv2.LINE_AA, shift=4)
    else:
        contours, _ = cv2.findContours(shape.crop.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, contours, -1, colour, line, offset=(shape.left, shape.top))


def _outline_pixels(picture: Image, shape: Shape, line: int, colour: Colour) -> None:
    """The rim of what the shape covers of the picture; where the picture ends there is none."""
    height, width = picture.shape[:2]
    mask = draw([moved(shape, 1, 1)], (height + 2, width + 2))
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, line, offset=(-1, -1))


def _sixteenths(place: tuple[float, float]) -> tuple[int, int]:
    """OpenCV counts from the middle of the first pixel, and takes sixteenths of a pixel with shift=4."""
    return round((place[0] - 0.5) * 16), round((place[1] - 0.5) * 16)


def outline_mask(picture: Image, mask: Mask, colour: Colour, line: int, smooth: bool = False) -> None:
    """Draw a line of ``line`` px along the outermost pixels of the mask (h, w); an empty one has none.

    ``smooth``: with soft edges, which blend into the picture.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, line, cv2.LINE_AA if smooth else cv2.LINE_8)


def with_legend(picture: Image, entries: Sequence[tuple[str, Colour]], height: int) -> Image:
    """The picture with names in their colours over its top left, in letters of ``height`` px."""
    canvas = Pillow.fromarray(picture)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(height)
    x = height // 2
    for text, colour in entries:
        box = pen.textbbox((x, height // 3), text, font=font)
        pen.rectangle((box[0] - 3, box[1] - 3, box[2] + 3, box[3] + 3), fill=(0, 0, 0))
        pen.text((x, height // 3), text, fill=colour, font=font)
        x = round(box[2]) + height
    return np.asarray(canvas).copy()


def headed(picture: Image, captions: Sequence[str], legend: Sequence[tuple[str, Colour]]) -> Image:
    """The picture under a black bar with a caption over each of its equally wide parts, and the legend below them."""
    width, part = picture.shape[1], picture.shape[1] // len(captions)
    size = min(max(14, width // 90), max(14, part // 16))
    font, margin = ImageFont.load_default(size), size // 2
    places = [(index * part + margin, 0, _cut(text, font, part - size)) for index, text in enumerate(captions)]
    swatches: list[tuple[int, int, str, Colour]] = []
    x, row = margin, 0 if not legend else 1
    for text, colour in legend:
        entry = _cut(text, font, width - 3 * size)
        needed = 3 * size + round(font.getlength(entry))
        if x > margin and x + needed - size > width:
            x, row = margin, row + 1
        swatches.append((x, row, entry, colour))
        x += needed
    pitch = round(1.6 * size)
    canvas = Pillow.new("RGB", (width, (row + 1) * pitch + margin))
    pen = ImageDraw.Draw(canvas)
    for x, row, text in places:
        pen.text((x, row * pitch + margin), text, fill=WHITE, font=font)
    for x, row, text, colour in swatches:
        top = row * pitch + margin
        pen.rectangle((x, top + size // 6, x + size, top + size // 6 + size), fill=colour)
        pen.text((x + size + margin, top), text, fill=colour, font=font)
    return np.concatenate([np.asarray(canvas), picture], axis=0)


def _cut(text: str, font: Any, width: int) -> str:
    """The text, shortened at its end where it is wider than ``width`` px."""
    if font.getlength(text) <= width:
        return text
    return next(
        (text[:end] + "…" for end in range(len(text) - 1, 0, -1) if font.getlength(text[:end] + "…") <= width), "…"
    )
