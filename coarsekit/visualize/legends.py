"""Legends and captions: over a picture, and in black bars above one. Pure."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from coarsekit.types import Image
from coarsekit.visualize.colours import BLACK, WHITE, Colour

Sign = Literal["filled", "dashed", "solid", "cross", "none"]
"""What stands before an entry: its colour, a line as it is drawn in the picture, a cross, or nothing."""


class Entry(NamedTuple):
    """One entry of a legend: words in white behind a sign in the entry's colour."""

    text: str
    colour: Colour = WHITE
    sign: Sign = "filled"


def with_legend(picture: Image, entries: Sequence[Entry], size: int) -> Image:
    """The picture with a legend over its top, in letters of ``size`` px; as many rows as its width asks for."""
    if not entries:
        return picture.copy()
    canvas = Pillow.fromarray(picture)
    pen = ImageDraw.Draw(canvas)
    places, _ = _laid_out(entries, size, picture.shape[1])
    for x, row, entry in places:
        top = row * _pitch(size) + size // 3
        right = x + _width(entry, size)
        pen.rectangle((x - size // 3, top - size // 5, right + size // 3, top + size + size // 2), fill=BLACK)
        _write(pen, x, top, entry, size)
    return np.asarray(canvas).copy()


def headed(picture: Image, captions: Sequence[str], legend: Sequence[Entry] = (), size: int | None = None) -> Image:
    """The picture under a black bar with a caption over each of its equally wide parts, and the legend below them.

    ``size``: of the letters, px; None for one that fits the width.
    """
    width, part = picture.shape[1], picture.shape[1] // max(1, len(captions))
    size = size or min(max(14, width // 90), max(14, part // 16))
    margin = size // 2
    font: Any = ImageFont.load_default(size)
    first = 1 if captions else 0
    places, rows = _laid_out(legend, size, width)
    canvas = Pillow.new("RGB", (width, (first + rows) * _pitch(size) + margin))
    pen = ImageDraw.Draw(canvas)
    for index, text in enumerate(captions):
        pen.text((index * part + margin, margin), _cut(text, font, part - size), fill=WHITE, font=font)
    for x, row, entry in places:
        _write(pen, x, (first + row) * _pitch(size) + margin, entry, size)
    return np.concatenate([np.asarray(canvas), picture], axis=0)


def _laid_out(entries: Sequence[Entry], size: int, width: int) -> tuple[list[tuple[int, int, Entry]], int]:
    """Where each entry starts, x px and row, shortened if it is wider than a row; and how many rows there are."""
    margin, row = size // 2, 0
    x, places = margin, []
    font: Any = ImageFont.load_default(size)
    for entry in entries:
        own = entry._replace(text=_cut(entry.text, font, width - 2 * size - _sign_width(entry, size)))
        if x > margin and x + _width(own, size) + margin > width:
            x, row = margin, row + 1
        places.append((x, row, own))
        x += _width(own, size) + round(1.2 * size)
    return places, row + 1 if places else 0


def _pitch(size: int) -> int:
    return round(1.6 * size)


def _sign_width(entry: Entry, size: int) -> int:
    """The width of an entry's sign and of the space behind it, px."""
    return {"none": 0, "filled": size, "cross": size}.get(entry.sign, 2 * size) + (
        0 if entry.sign == "none" else size // 2
    )


def _width(entry: Entry, size: int) -> int:
    font: Any = ImageFont.load_default(size)
    return _sign_width(entry, size) + round(font.getlength(entry.text))


def _write(pen: ImageDraw.ImageDraw, x: int, top: int, entry: Entry, size: int) -> None:
    upper, lower = top + size // 6, top + size // 6 + size
    middle, line = (upper + lower) // 2, max(2, size // 8)
    if entry.sign == "filled":
        pen.rectangle((x, upper, x + size, lower), fill=entry.colour)
    elif entry.sign == "cross":
        arm = size // 3
        for way in (1, -1):
            ends = (x + size // 2 - arm, middle - way * arm, x + size // 2 + arm, middle + way * arm)
            pen.line(ends, fill=entry.colour, width=line)
    elif entry.sign == "solid":
        pen.line((x, middle, x + 2 * size, middle), fill=entry.colour, width=line + 1)
    elif entry.sign == "dashed":
        stops = np.linspace(x, x + 2 * size, 6).round().astype(int)
        for start, end, shown in zip(stops[:-1], stops[1:], cycle([True, False]), strict=False):
            if shown:
                pen.line((int(start), middle, int(end), middle), fill=entry.colour, width=line)
    font: Any = ImageFont.load_default(size)
    pen.text((x + _sign_width(entry, size), top), entry.text, fill=WHITE, font=font)


def _cut(text: str, font: Any, width: int) -> str:
    """The text, shortened at its end where it is wider than ``width`` px."""
    if font.getlength(text) <= width:
        return text
    return next(
        (text[:end] + "…" for end in range(len(text) - 1, 0, -1) if font.getlength(text[:end] + "…") <= width), "…"
    )
