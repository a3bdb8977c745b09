"""Marks that are refined alike, and why."""

from dataclasses import dataclass

BY_LABEL, BY_CONTENT, CONTRADICTION = "label", "content", "contradiction"
"""Why marks are refined as a class: their label says so; it says nothing to the refiner, and they look like it; or they
look like the opposite of what it says."""


@dataclass(frozen=True, slots=True)
class Group:
    """Marks of one label in one photograph that are refined alike.

    ``taken_as``: the class that the refiner is told; empty for none. ``why``: `BY_LABEL`, `BY_CONTENT` or
    `CONTRADICTION`. ``marks``: their places in the annotation's marks, in order.
    """

    lesion: str
    taken_as: str
    why: str
    marks: tuple[int, ...]
