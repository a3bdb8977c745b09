"""Photograph and annotation → pairs: one window for each ellipse, with the coarse and the fine mask in it. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.geometry import extent
from coarsekit.patches import cut_ellipses, cut_image, cut_mask, window_around
from coarsekit.types import Annotation, Ellipse, Fundus, Pair, Window

LEAST_SIZE = 8
"""Least side of a patch, px."""


def pairs_of(fundus: Fundus, annotation: Annotation, size: int | None = None, context: float = 1.5) -> Iterator[Pair]:
    """One pair for each ellipse of ``annotation``, class by class; an annotation without marks gives none.

    ``size``: side of the patches, px; None leaves each window at its native size. ``context``: side of a window over
    that of the ellipse's bounding box. The coarse mask holds every ellipse of the class that reaches into the window,
    and a class without a fine mask has an empty one.

    Raises `AnnotationError` when the annotation was drawn on a photograph of another size, `ParameterError` for a size
    below `LEAST_SIZE` or a context below 1.
    """
    if (annotation.height, annotation.width) != fundus.shape:
        raise AnnotationError(
            f"{fundus.name}: drawn on {annotation.width} × {annotation.height} px, but the photograph has "
            f"{fundus.shape[1]} × {fundus.shape[0]}; pair each annotation with the photograph it was drawn on"
        )
    if size is not None and size < LEAST_SIZE:
        raise ParameterError(f"the size of a patch must be {LEAST_SIZE} px or more, got {size}")
    for lesion in annotation.lesions:
        ellipses = annotation.of(lesion)
        boxes = np.array([extent(ellipse) for ellipse in ellipses])
        fine = fundus.fine.get(lesion, np.zeros(fundus.shape, bool))
        for ellipse in ellipses:
            window = window_around(ellipse, fundus.shape[1], context)
            side = window.side if size is None else size
            yield Pair(
                image=cut_image(fundus.image, window, side),
                coarse=cut_ellipses(_reaching(ellipses, boxes, window), window, side),
                fine=cut_mask(fine, window, side),
                lesion=lesion,
                ellipse=ellipse,
                window=window,
            )


def _reaching(ellipses: Sequence[Ellipse], boxes: NDArray[np.float64], window: Window) -> list[Ellipse]:
    """The ellipses whose bounding ``boxes`` (n, 4) meet the window: all others would draw nothing in it."""
    left, top, right, bottom = boxes.T
    across = (right > window.x) & (left < window.x + window.side)
    down = (bottom > window.y) & (top < window.y + window.side)
    return [ellipse for ellipse, meets in zip(ellipses, across & down, strict=True) if meets]
