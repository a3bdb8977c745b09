"""What was drawn as a caller has it: an annotation, the file of one, or a list of marks."""

import os
from collections.abc import Sequence
from typing import TypeAlias

from coarsekit.annotations import read_annotation
from coarsekit.types import Annotation, Mark, check_drawn_on

AnnotationLike: TypeAlias = Annotation | str | os.PathLike[str] | Sequence[Mark]
"""What `as_annotation` takes."""


def as_annotation(annotation: AnnotationLike | object, shape: tuple[int, ...], name: str = "") -> Annotation:
    """What was drawn on a photograph.

    Args:
        annotation: An annotation; the path of a file of any format that is read, see `read_annotation`; or marks, px
            of the photograph.
        shape: (h, w, …) of the photograph, px.
        name: The photograph's file name, which finds it in a file of several; empty for none.

    Returns:
        The annotation, in the photograph's pixels.

    Raises:
        AnnotationError: When a file cannot be read, or it was drawn on an image of another size.
        TypeError: When it is none of these, or one of the marks is no mark.
    """
    if isinstance(annotation, (str, os.PathLike)):
        drawn = read_annotation(annotation, name or None)
    elif isinstance(annotation, Sequence):
        marks: list[Mark] = []
        for place, mark in enumerate(annotation):
            if not isinstance(mark, Mark):
                raise TypeError(f"mark {place}: expected a Mark, such as Mark('MA', Ellipse(…)), got {_kind(mark)}")
            marks.append(mark)
        drawn = Annotation(name or "photograph", shape[1], shape[0], tuple(marks))
    elif isinstance(annotation, Annotation):
        drawn = annotation
    else:
        raise TypeError(f"what was drawn is an Annotation, a path, or a list of marks, got {_kind(annotation)}")
    check_drawn_on(drawn, shape)
    return drawn


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}".removeprefix("builtins.")
