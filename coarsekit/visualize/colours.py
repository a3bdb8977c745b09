"""The colours of the lesion classes, which people with any of the three colour deficiencies can tell apart.

The palette was found by a search over a grid of colours for the greatest least distance (CIE Lab) between any two, and
to the colours of a fundus, as people with normal vision, protanopia, deuteranopia and tritanopia see them: Machado,
Oliveira & Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE Transactions on
Visualization and Computer Graphics 15 (6), 2009, at severity 1.0. The tests measure the distances.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, product
from typing import Any

from PIL import ImageColor

from coarsekit.annotations.details import definitions_of, tool_label
from coarsekit.types import EX, HE, MA, SE, Annotation

Colour = tuple[int, int, int]
"""Red, green and blue, 0–255."""
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
NOTHING_FOUND: Colour = (232, 232, 232)
"""Grey-white, for a mark for which nothing was found; no class of the palette is near it."""
KNOWN: Mapping[str, Colour] = {MA: (96, 240, 255), HE: (240, 255, 128), EX: (80, 128, 176), SE: (192, 64, 255)}
"""Cyan, pale lime, blue and violet."""
OTHERS: tuple[Colour, ...] = (
    (176, 160, 255),
    (64, 192, 176),
    (144, 96, 208),
    (160, 112, 112),
    (128, 176, 208),
    (176, 192, 255),
    (112, 144, 160),
    (176, 128, 255),
)
"""For all other classes, in the order in which they are given: with the first four any two are further apart."""
_SHADES = (0.75, 0.55)
"""Shares of the palette's brightness, for pictures of more classes than the palette has colours."""
_NEAR = 24
"""Two colours are taken for the same where red, green and blue each differ by less."""
_DARKEST = 64
"""A tool's colour whose red, green and blue are all below this would not be seen beside a line's dark rim."""


def colour_of(lesion: str) -> Colour:
    """The colour of a class that is alone in a picture: the fixed one of a known class, else the first of the others.

    A picture of several classes asks `colours_for`, which gives no two the same.
    """
    return KNOWN.get(lesion, OTHERS[0])


def colours_for(
    lesions: Iterable[str], definitions: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Colour]:
    """A colour for each class of one picture, no two of them alike.

    Args:
        lesions: The classes, in order of appearance; one that appears again is the same class.
        definitions: The definitions of labels by class, as a tool has them; ``color`` is a CSS colour, such as
            ``#ff0000``. One that cannot be read, or is too dark, says nothing.

    Returns:
        The tool's own colour where a class has one; else the fixed colour of a known class; else the next free colour
        of the palette. A colour that an earlier class has is not given again, the later class falls back to the next of
        these; only beyond two hundred classes colours may repeat.
    """
    names = list(dict.fromkeys(lesions))
    said = {name: _read((definitions or {}).get(name, {}).get("color")) for name in names}
    found: dict[str, Colour] = {}
    for wanted in (said, KNOWN):
        for name in names:
            colour = wanted.get(name)
            if name not in found and colour is not None and _is_free(colour, found.values()):
                found[name] = colour
    free = _palette()
    for name in names:
        if name not in found:
            found[name] = next((colour for colour in free if _is_free(colour, found.values())), OTHERS[0])
    return {name: found[name] for name in names}


def colours_in(annotation: Annotation, lesions: Iterable[str] = ()) -> dict[str, Colour]:
    """`colours_for` of an annotation's classes, with the colours of the tool that it comes from.

    A class of several labels of a tool has the colour of the first that appears.

    ``lesions``: more classes of the picture, such as those of masks.
    """
    labels: dict[str, str] = {}
    for mark in annotation.marks:
        labels.setdefault(mark.lesion, tool_label(mark))
    defined = definitions_of([annotation])
    own = {lesion: defined[label] for lesion, label in labels.items() if label in defined}
    return colours_for([*annotation.lesions, *lesions], own)


def _palette() -> Iterator[Colour]:
    """The colours for other classes; then darker ones of the whole palette, and at last any that is not dark."""
    dark = (
        (round(share * red), round(share * green), round(share * blue))
        for share in _SHADES
        for red, green, blue in (*KNOWN.values(), *OTHERS)
    )
    steps = range(255, _DARKEST, -_NEAR)
    return chain(OTHERS, dark, product(steps, steps, steps))


def _is_free(colour: Colour, taken: Iterable[Colour]) -> bool:
    return all(max(abs(one - other) for one, other in zip(colour, own, strict=True)) >= _NEAR for own in taken)


def _read(text: object) -> Colour | None:
    """A CSS colour; None where it is none, or too dark."""
    try:
        red, green, blue = ImageColor.getrgb(str(text).strip())[:3]
    except ValueError:
        return None
    colour = (red, green, blue)
    return colour if _DARKEST <= max(colour) <= 255 and min(colour) >= 0 else None
