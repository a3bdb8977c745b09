"""Photograph and annotation → pairs: one window for each shape, with the coarse and the fine mask in it. Pure."""

from collections.abc import Iterator

import numpy as np

from coarsekit.annotations.approximate import as_ellipse
from coarsekit.errors import ParameterError
from coarsekit.types import Annotation, Fundus, Pair, check_drawn_on
from coarsekit.windows import bounding_boxes, cut_image, cut_mask, cut_shapes, reaching, window_around

LEAST_SIZE, MOST_SIZE = 8, 8192
"""Sides of a patch, px: the least, and the most, beyond any photograph, so that a slip of the finger is a sentence."""
PAIRS_VERSION = 1
"""The version of what draws ellipses and cuts pairs; raise it when the same photographs give other pairs."""


def pairs_of(fundus: Fundus, annotation: Annotation, size: int | None = None, context: float = 1.5) -> Iterator[Pair]:
    """Cut one pair around each shape of an annotation, class by class.

    The coarse mask has every shape of the class that reaches into the window, and a class without a fine mask has an
    empty one. A shape that is no ellipse counts as the ellipse of its pixels' moments.

    Args:
        fundus: The photograph and its fine masks.
        annotation: What was drawn on it.
        size: Side of the patches, px; None leaves each window at its native size.
        context: Side of a window over that of the shape's bounding box, 1 or more.

    Yields:
        A pair for each shape; none for an annotation without marks.

    Raises:
        AnnotationError: When the annotation was drawn on a photograph of another size.
        ParameterError: When the size is below `LEAST_SIZE` or the context below 1.
    """
    check_drawn_on(annotation, fundus.shape, fundus.name)
    if size is not None and size < LEAST_SIZE:
        raise ParameterError(f"the size of a patch must be {LEAST_SIZE} px or more, got {size}")
    for lesion in annotation.lesions:
        shapes = annotation.of(lesion)
        boxes = bounding_boxes(shapes)
        fine = fundus.fine.get(lesion, np.zeros(fundus.shape, bool))
        for shape in shapes:
            window = window_around(shape, fundus.shape, context)
            side = window.side if size is None else size
            yield Pair(
                image=cut_image(fundus.image, window, side),
                coarse=cut_shapes(reaching(shapes, boxes, window), window, side),
                fine=cut_mask(fine, window, side),
                lesion=lesion,
                ellipse=as_ellipse(shape),
                window=window,
            )


def some_pairs_of(fundus: Fundus, annotation: Annotation, size: int, each: int = 2) -> list[Pair]:
    """Up to ``each`` of the `pairs_of` every class, spread over its shapes; raises what that raises."""
    wanted, start = set(), 0
    for lesion in annotation.lesions:
        count = len(annotation.of(lesion))
        wanted |= {start + count * (2 * turn + 1) // (2 * each) for turn in range(each)}
        start += count
    return [pair for place, pair in enumerate(pairs_of(fundus, annotation, size)) if place in wanted]
