"""Photographs for the page: one at most 2000 px wide, and tiles at full resolution."""

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from coarsekit.images import write_jpeg
from coarsekit.types import Image

OVERVIEW_WIDTH = 2000
"""Width of the whole photograph, px, at most."""
TILE = 1024
"""Side of a tile, px of the photograph."""
_QUALITY = 90


class Tile(NamedTuple):
    """A tile: its column and row, and the name of its file."""

    column: int
    row: int

    @property
    def file(self) -> str:
        return f"tile_{self.column}_{self.row}.jpg"


OVERVIEW = "overview.jpg"


def tiles_of(width: int, height: int) -> list[Tile]:
    """The tiles of a photograph of this size, px, row by row; none where the overview has full resolution."""
    if width <= OVERVIEW_WIDTH:
        return []
    return [Tile(column, row) for row in range(ceil(height / TILE)) for column in range(ceil(width / TILE))]


def write_pictures(image: Image, folder: Path) -> None:
    """Write the overview of a photograph (h, w, 3) and its tiles to a folder."""
    for name, picture in _pictures(image):
        write_jpeg(folder / name, picture, _QUALITY)


def _pictures(image: Image) -> Iterator[tuple[str, Image]]:
    height, width = image.shape[:2]
    if width > OVERVIEW_WIDTH:
        size = (OVERVIEW_WIDTH, max(1, round(height * OVERVIEW_WIDTH / width)))
        yield OVERVIEW, np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    else:
        yield OVERVIEW, image
    for tile in tiles_of(width, height):
        yield tile.file, image[tile.row * TILE : (tile.row + 1) * TILE, tile.column * TILE : (tile.column + 1) * TILE]
