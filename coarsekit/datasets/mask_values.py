"""Pure: what the raw pixels of a mask or a label map say, and in words what no such file should have."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coarsekit.types import Mask

_FEW = 16
"""Colours or values that may be classes; soft edges have more."""
_NUMBERS = 32
"""Whole numbers up to it are counts or names of something, and no brightness."""
_GREY = 16
"""A threshold above it is one of brightness, which says nothing of masks of 0 and 1."""
_OTHER = 0.5
"""By which a colour differs from another in a channel at least, both of full brightness."""
_SHARE = 0.05
"""Of a mask's pixels, which have another colour at least; soft edges and JPEG leave fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One mask file: (h, w) masks by lesion class, and what is odd about it, in words that follow "the mask".

    ``usable``: whether the masks may be used all the same.
    """

    masks: Mapping[str, Mask]
    oddity: str = ""
    usable: bool = True


def decode_binary(pixels: NDArray, alpha: NDArray | None, threshold: float, lesions: Collection[str]) -> Decoded:
    """Decode a file of one class, or the same mask of several.

    Args:
        pixels: (h, w) raw values, or (h, w, c) of colours that differ, without alpha.
        alpha: (h, w), where the file has it.
        threshold: The mask has the pixels whose greatest value is above it; 0 for masks of one value beside 0. Masks of
            1 bit have no edges that could be soft, and those of 0 and 1 none of brightness.
        lesions: The classes.
    """
    values = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    binary = not threshold or values.dtype == bool
    mask = np.asarray(values != 0 if binary else values > threshold)
    masks = dict.fromkeys(lesions, mask)
    if _is_in_alpha(values, alpha):
        return Decoded(masks, _IN_ALPHA, usable=False)
    if not binary and not mask.any():
        held = np.unique(values[values != 0]).tolist()
        if held == [1] and threshold > _GREY:
            return Decoded(dict.fromkeys(lesions, values != 0))
        # Several values may be votes, too few of which agree.
        return Decoded(masks, _below(held, threshold) if held else "", usable=len(held) != 1)
    if pixels.ndim == 3:
        oddity = _colours(pixels[mask]) if binary else _mixed_colours(pixels[mask])
    else:
        oddity = _in_between(values, np.unique(values[mask]).tolist()) if binary else ""
    return Decoded(masks, oddity, usable=not oddity)


def decode_classes(
    pixels: NDArray, alpha: NDArray | None, classes: Mapping[int, str], lesions: Collection[str]
) -> Decoded:
    """Decode a label map into the masks of ``lesions``; see `decode_binary`.

    ``classes``: lesion class by value. A value that it lacks is odd, but no lesion; colours are odd and no values.
    """
    values = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    masks = {lesion: np.zeros(values.shape, dtype=bool) for lesion in lesions}
    for value, lesion in classes.items():
        masks[lesion] |= values == value
    if _is_in_alpha(values, alpha):
        return Decoded(masks, _IN_ALPHA, usable=False)
    if pixels.ndim == 3:
        return Decoded(masks, _COLOURED, usable=False)
    odd = [value for value in np.unique(values).tolist() if value != 0 and value not in classes]
    lacking = f"has the values {_listed(odd)}; expected 0 and those of the table of classes; add them there"
    return Decoded(masks, lacking if odd else "")


_IN_ALPHA = "has one colour, and shapes in its alpha channel, which is not read; save them as black and white"
_COLOURED = (
    "is coloured, and its colours are no values that a table of classes could name; save it as grey values or with a "
    "palette"
)


def _is_in_alpha(values: NDArray, alpha: NDArray | None) -> bool:
    return alpha is not None and np.ptp(alpha) > 0 and values.min() == values.max()


def _in_between(values: NDArray, held: list[float]) -> str:
    """What is odd about a mask of the values ``held`` beside 0; nothing about one or none."""
    if len(held) < 2:
        return ""
    half = max(held) / 2
    threshold = f"threshold={half:.0f}" if half >= 100 else f"threshold={half:.3g}"
    whole = all(float(value).is_integer() for value in held)
    if whole and max(held) != 255 and max(held) <= max(_NUMBERS, 2 * len(held)):
        votes = f", votes or soft edges (such as {threshold})" if _touch(values) else ""
        return (
            f"has the values {_listed(held)}, which may be numbers of lesions (then say threshold=0.5) or classes (a "
            f"table [label_map]){votes}; expected 0 and one other; say which, or save it anew"
        )
    classes = ", or make a table [label_map] of them if they are classes" if len(held) <= _FEW else ""
    return (
        f"has the values {_listed(held)}, as after JPEG, of soft edges or of several people's votes; expected 0 and "
        f"one other; say above which value a lesion begins, such as {threshold}, or save it anew{classes}"
    )


def _touch(values: NDArray) -> bool:
    """Whether two values other than 0 lie side by side: edges and votes fall off, numbered lesions stand apart."""
    sides = ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1]))
    return any(((one != other) & (one != 0) & (other != 0)).any() for one, other in sides)


def _below(held: list[float], threshold: float) -> str:
    highest = f"values up to {max(held):g}, and none" if len(held) > 1 else f"the value {held[0]:g} alone, which is not"
    return (
        f"has {highest} above the threshold {threshold:g}; save it as 0 and 255, or as zeros where nothing in it counts"
    )


def _colours(colours: NDArray) -> str:
    """What is odd about a mask of these colours (n, c) beside black; nothing about one or none."""
    if colours.dtype.itemsize <= 2:  # much faster than rows are compared
        packed = colours.astype(np.uint64) << (16 * np.arange(colours.shape[1], dtype=np.uint64))
        _, first = np.unique(packed.sum(axis=1, dtype=np.uint64), return_index=True)
        distinct = colours[first]
    else:
        distinct = np.unique(colours, axis=0)
    if len(distinct) < 2:
        return ""
    shown = "; ".join(" ".join(f"{part:g}" for part in colour) for colour in distinct[:3].tolist())
    shown += "; …" if len(distinct) > 3 else ""
    soft = "" if len(distinct) <= _FEW else "; or, where they are soft edges, say threshold=128"
    return (
        f"has {len(distinct)} colours ({shown}); expected black and one other; save a file "
        f"for each class, or a label map with a palette or of grey values{soft}"
    )


def _mixed_colours(colours: NDArray) -> str:
    """What is odd about the colours (n, c) above the threshold; nothing about one of any brightness."""
    plain = colours / colours.max(axis=1, keepdims=True)
    usual = np.percentile(plain, 50, axis=0, method="nearest")
    if np.mean(np.abs(plain - usual).max(axis=1) > _OTHER) < _SHARE:
        return ""
    return (
        "has several colours above the threshold; expected black and one other; save a file for each class, or a label "
        "map with a palette or of grey values"
    )


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values[:5]) + (", …" if len(values) > 5 else "")
