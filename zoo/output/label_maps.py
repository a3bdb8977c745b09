"""Label maps: one PNG for each photograph, whose values are classes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coarsekit.errors import ParameterError
from coarsekit.images import read_mask, write_label_map
from coarsekit.storage.files import write_text
from coarsekit.types import LESIONS, Mask
from coarsekit.visualize.colours import colours_for

LEGEND = "labels.json"
"""The file that says which value is which class."""
_MOST = 255


def label_map(masks: Mapping[str, Mask], values: Mapping[str, int], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Masks of classes as one map.

    Args:
        masks: (h, w) boolean by lesion class.
        values: The value of each class, 1–255.
        shape: (h, w).

    Returns:
        (h, w), 0 where no class is. A pixel of several classes has that with the smallest mask, so that a
        microaneurysm in a haemorrhage is not lost.
    """
    found = np.zeros(shape, np.uint8)
    for lesion in sorted(masks, key=lambda lesion: (-int(np.count_nonzero(masks[lesion])), lesion)):
        found[masks[lesion]] = values[lesion]
    return found


def values_of(lesions: Sequence[str], earlier: Sequence[str] = ()) -> dict[str, int]:
    """The value of each class: the known ones are 1 to 4 whether they occur or not, others follow by name.

    ``earlier``: the classes that the maps of a folder have already, in the order of their values, the known ones first;
    they keep their values.

    Raises `ParameterError` for more than 255 classes.
    """
    names = [*(earlier or LESIONS)]
    names += sorted(set(lesions) - set(names))
    if len(names) > _MOST:
        raise ParameterError(f"a label map holds {_MOST} classes, got {len(names)}; leave some out by labels=…")
    return {name: place for place, name in enumerate(names, start=1)}


def files_of(place: Path, stems: Iterable[str]) -> list[Path]:
    """The files of label maps in the folder ``place``, the legend last; ``stems``: the names of the results."""
    return [*(place / f"{stem}.png" for stem in stems), place / LEGEND]


def write_label_maps(place: Path, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a label map for the record of each photograph, with a palette of the classes' colours, and the legend.

    ``records``: by the names of the results, which the maps share with the masks. Maps of other photographs may lie
    there from an earlier run, so its classes keep their values.
    """
    lesions = [mask["lesion"] for record in records.values() for mask in record["masks"]]
    values = values_of(lesions, _earlier_classes(place / LEGEND))
    colours = colours_for(values)
    palette = {value: colours[lesion] for lesion, value in values.items()}
    *files, legend = files_of(place, records)
    for file, record in zip(files, records.values(), strict=True):
        masks = {mask["lesion"]: read_mask(mask["file"]) for mask in record["masks"]}
        write_label_map(file, label_map(masks, values, (record["height"], record["width"])), palette)
    write_text(legend, json.dumps({"background": 0, **values}, indent=1) + "\n")


def _earlier_classes(legend: Path) -> tuple[str, ...]:
    """The classes of the legend that is there, in the order of their values; none where it is missing or no legend."""
    try:
        found = json.loads(legend.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ()
    names = tuple(found)[1:] if isinstance(found, dict) else ()
    ours = {"background": 0, **values_of((), names)} if len(names) <= _MOST else {}
    return names if names[: len(LESIONS)] == LESIONS and found == ours else ()
