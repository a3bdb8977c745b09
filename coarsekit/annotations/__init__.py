"""One file per annotation format; the folder is the registry, and a format is imported when it is asked for."""

import os
from pathlib import Path

from coarsekit.annotations import native
from coarsekit.errors import AnnotationError
from coarsekit.geometry import extent
from coarsekit.types import Annotation


def read_annotation(path: str | os.PathLike[str]) -> Annotation:
    """Read an annotation file, and check that every mark reaches into its photograph.

    Raises `AnnotationError` when the file is missing or malformed (the field is named), or a mark lies wholly outside.
    """
    annotation = native.read(Path(path))
    for place, mark in enumerate(annotation.marks):
        x0, y0, x1, y1 = extent(mark.ellipse)
        if x1 <= 0 or y1 <= 0 or x0 >= annotation.width or y0 >= annotation.height:
            raise AnnotationError(
                f"{path}: ellipses.{place} lies wholly outside the photograph of {annotation.width} × "
                f"{annotation.height} px (its centre is {mark.ellipse.cx:g}, {mark.ellipse.cy:g}); remove or move it"
            )
    return annotation
