"""Pictures for people: coarse shapes and masks drawn over a photograph, and close-ups of single lesions."""

from collections.abc import Mapping, Sequence
from colorsys import hsv_to_rgb
from dataclasses import replace
from typing import Any
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from coarsekit.geometry import extent, moved
from coarsekit.patches import cut_image, cut_mask, cut_shapes, window_around
from coarsekit.types import EX, HE, MA, SE, Annotation, Ellipse, Image, Mark, Mask, Pair, Polygon, Shape

Colour = tuple[int, int, int]
_COLOURS: dict[str, Colour] = {MA: (0, 255, 255), HE: (64, 255, 64), EX: (100, 170, 255), SE: (255, 90, 255)}
_COARSE: Colour = (255, 255, 255)


def colour_of(lesion: str) -> Colour:
    """The colour of a lesion class: fixed for the four known ones, and always the same bright one for any other."""
    if lesion in _COLOURS:
        return _COLOURS[lesion]
    r, g, b = (round(255 * part) for part in hsv_to_rgb(crc32(lesion.encode()) % 360 / 360, 0.6, 1.0))
    return r, g, b


def overlay(image: Image, annotation: Annotation, masks: Mapping[str, Mask]) -> Image:
    """The photograph with what was drawn in thin white lines, the masks' outlines in their class's colour, a legend.

    ``masks``: refined or fine, (h, w) by lesion; a class without one shows what was drawn only.
    """
    picture = image.copy()
    line = max(1, round(image.shape[1] / 1500))
    for lesion in annotation.lesions:
        for shape in annotation.of(lesion):
            _outline_shape(picture, shape, line)
    for lesion, mask in masks.items():
        _outline_mask(picture, mask, colour_of(lesion), line)
    legend = [(f"{lesion}", colour_of(lesion)) for lesion in masks] + [("drawn", _COARSE)]
    return _with_legend(picture, legend, max(14, image.shape[1] // 60))


def closeups(image: Image, annotation: Annotation, masks: Mapping[str, Mask], count: int = 2, size: int = 224) -> Image:
    """Rows of patches around ``count`` shapes of each class, from small to large: as it is, as drawn, and the mask.

    Without any shape the picture is one black row.
    """
    strips = []
    for lesion in annotation.lesions:
        shapes = sorted(annotation.of(lesion), key=_size)
        places = np.unique(np.linspace(0, len(shapes) - 1, count + 2).round().astype(int)[1:-1])
        cells = [_closeup(image, shapes, shapes[place], masks.get(lesion), lesion, size) for place in places]
        cells += [np.zeros_like(cells[0])] * (count - len(cells))
        strips.append(np.concatenate(cells, axis=1))
    return np.concatenate(strips, axis=0) if strips else np.zeros((size, 3 * count * size, 3), np.uint8)


def pair_sheet(pairs: Sequence[Pair], columns: int = 2, size: int = 192) -> Image:
    """Pairs in a grid, each as it is, with its coarse mask's outline and with its fine one's, ``size`` px a patch.

    Without any pair the picture is one black row.
    """
    cells = [_pair_cell(pair, size) for pair in pairs] or [np.zeros((size, 3 * size, 3), np.uint8)]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    strips = [np.concatenate(cells[start : start + columns], axis=1) for start in range(0, len(cells), columns)]
    return np.concatenate(strips, axis=0)


def preview(image: Image, annotation: Annotation, masks: Mapping[str, Mask], height: int = 1000) -> Image:
    """One picture to judge by: the whole photograph with everything drawn on it, and close-ups beside it."""
    parts = (
        overlay(_scaled(image, height), *_scaled_drawing(annotation, masks, height)),
        closeups(image, annotation, masks),
    )
    return np.concatenate([_scaled(part, height) for part in parts], axis=1)


def _scaled(picture: NDArray[Any], height: int) -> NDArray[Any]:
    return _resized(picture, max(1, round(picture.shape[1] * height / picture.shape[0])), height)


def _resized(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    method = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method))


def _scaled_drawing(
    annotation: Annotation, masks: Mapping[str, Mask], height: int
) -> tuple[Annotation, dict[str, Mask]]:
    scale = height / annotation.height
    marks = tuple(Mark(mark.lesion, moved(mark.shape, 0, 0, scale)) for mark in annotation.marks)
    # Any lesion pixel keeps its place in the small picture, or microaneurysms would be gone.
    small = {lesion: _scaled(mask.astype(np.float32), height) > 0.1 for lesion, mask in masks.items()}
    return replace(annotation, marks=marks), small


def _closeup(image: Image, shapes: Sequence[Shape], shape: Shape, mask: Mask | None, lesion: str, size: int) -> Image:
    window = window_around(shape, image.shape[:2], 2.0)
    fine = None if mask is None else cut_mask(mask, window, size)
    return _cell(cut_image(image, window, size), cut_shapes(shapes, window, size), fine, lesion)


def _pair_cell(pair: Pair, size: int) -> Image:
    coarse, fine = (_resized(mask.astype(np.float32), size, size) >= 0.5 for mask in (pair.coarse, pair.fine))
    return _cell(_resized(pair.image, size, size), coarse, fine, pair.lesion)


def _cell(plain: Image, coarse: Mask, fine: Mask | None, lesion: str) -> Image:
    """One patch three times, side by side: as it is, with the coarse outline, and with the fine one if there is any."""
    drawn, shown = plain.copy(), plain.copy()
    _outline_mask(drawn, coarse, _COARSE, 1)
    if fine is not None:
        _outline_mask(shown, fine, colour_of(lesion), 1)
    cell = np.concatenate([plain, drawn, shown], axis=1)
    cell[:, -2:] = 0
    cell[-2:] = 0
    return _with_legend(cell, [(lesion, colour_of(lesion))], plain.shape[0] // 12)


def _size(shape: Shape) -> float:
    x0, y0, x1, y1 = extent(shape)
    return (x1 - x0) * (y1 - y0)


def _outline_shape(picture: Image, shape: Shape, line: int) -> None:
    if max(abs(end) for end in extent(shape)) > 30_000:  # beyond what OpenCV can place
        return
    if isinstance(shape, Ellipse):
        centre, axes = _sixteenths((shape.cx, shape.cy)), (round(shape.rx * 16), round(shape.ry * 16))
        cv2.ellipse(picture, centre, axes, shape.angle, 0, 360, _COARSE, line, cv2.LINE_AA, shift=4)
    elif isinstance(shape, Polygon):
        rings = [np.array([_sixteenths(corner) for corner in ring], np.int32) for ring in shape.rings]
        cv2.polylines(picture, rings, True, _COARSE, line, cv2.LINE_AA, shift=4)
    else:
        contours, _ = cv2.findContours(shape.crop.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, contours, -1, _COARSE, line, offset=(shape.left, shape.top))


def _sixteenths(place: tuple[float, float]) -> tuple[int, int]:
    """OpenCV counts from the middle of the first pixel, and takes sixteenths of a pixel with shift=4."""
    return round((place[0] - 0.5) * 16), round((place[1] - 0.5) * 16)


def _outline_mask(picture: Image, mask: Mask, colour: Colour, line: int) -> None:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, line)


def _with_legend(picture: Image, entries: Sequence[tuple[str, Colour]], height: int) -> Image:
    canvas = Pillow.fromarray(picture)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(height)
    x = height // 2
    for text, colour in entries:
        box = pen.textbbox((x, height // 3), text, font=font)
        pen.rectangle((box[0] - 3, box[1] - 3, box[2] + 3, box[3] + 3), fill=(0, 0, 0))
        pen.text((x, height // 3), text, fill=colour, font=font)
        x = round(box[2]) + height
    return np.asarray(canvas).copy()
