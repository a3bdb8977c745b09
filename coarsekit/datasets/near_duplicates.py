"""Pure: what part of a picture is retina, and when two pictures are of the same retina."""

from hashlib import blake2b

import cv2
import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Image, Mask

MAX_HAMMING = 40
"""Bits of 256 by which the prints of two files of one photograph differ at most.

Measured on IDRiD: any two of the 81 photographs differ by 78 bits or more; a copy at half the size, then as JPEG of
quality 50 or 20 % brighter, differs from its original by 22 at most.
"""
_WIDTH = 512


def field_of_view(image: Image) -> Mask:
    """The part of a photograph (h, w, 3) that shows the eye: (h, w) boolean, convex, a pixel in 512 too wide.

    It is the convex hull of the largest bright region. All True where it has no dark surround: when the
    region fills less than a quarter of the photograph, or nearly all of it.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _WIDTH / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    light = cv2.resize(image, size, interpolation=cv2.INTER_AREA).max(axis=2)
    bright = (light > 0.1 * np.percentile(light, 95)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    share = stats[1:, cv2.CC_STAT_AREA].max(initial=0) / bright.size
    if count < 2 or not 0.25 <= share <= 0.98:
        return np.ones((height, width), dtype=bool)
    largest = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    contours, _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.fillConvexPoly(np.zeros_like(largest), cv2.convexHull(contours[0]), 1)
    wide = cv2.dilate(hull, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_NEAREST), dtype=bool)


def content_hash(image: Image) -> bytes:
    """16 bytes that two pictures share when they have the same size and the same pixels, however they are stored."""
    return blake2b(np.ascontiguousarray(image).data, digest_size=16, key=str(image.shape).encode()).digest()


def perceptual_hash(image: Image, field: Mask) -> NDArray[np.uint8]:
    """A print of 256 bits, (32,) uint8, that changes little with size, compression and brightness.

    It has the signs of the low frequencies inside the field of view, so that the dark surround, which all fundus
    photographs share, has no say. A picture of one colour gives zeros.
    """
    rows, columns = np.flatnonzero(field.any(axis=1)), np.flatnonzero(field.any(axis=0))
    y, x, h, w = rows[0], columns[0], len(rows), len(columns)
    # The square inside the disk: 15 % off on every side.
    inner = image[y + int(0.15 * h) : y + h - int(0.15 * h), x + int(0.15 * w) : x + w - int(0.15 * w), 1]
    light = cv2.resize(inner, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = cv2.dct(light - light.mean())[:16, :16].ravel()
    return np.packbits(waves > (np.median(waves[1:]) if np.ptp(light) > 0 else np.inf))


def distances(one: NDArray[np.uint8], many: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bits by which the print ``one`` (32,) differs from each of ``many`` (n, 32): (n,), 0–256."""
    return np.bitwise_count(many ^ one).sum(axis=1, dtype=np.int64)
