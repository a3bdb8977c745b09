"""Decoded photographs on disk, read by the window: training touches every one of them in every epoch."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coarsekit.datasets.base import Dataset
from coarsekit.simulation.simulate import enclosing_ellipses, find_components
from coarsekit.simulation.styles import Style
from coarsekit.storage.files import atomic_write
from coarsekit.types import Ellipse, Fundus, Image, Mask
from zoo.refiner import no_progress


@dataclass(frozen=True, slots=True, eq=False)
class CachedPhotograph:
    """A photograph of the store: its arrays are memory-mapped, so that only the windows that are cut get read.

    ``outlines``: the exact ellipses by lesion class, for each (style name, reduction factor).
    """

    key: str
    image: Image
    fine: Mapping[str, Mask]
    outlines: Mapping[tuple[str, float], Mapping[str, tuple[Ellipse, ...]]]


def cache_photographs(
    dataset: Dataset,
    keys: Iterable[str],
    folder: Path,
    styles: Iterable[Style],
    reductions: Iterable[float],
    lesions: Collection[str] = (),
    advance: Callable[[int], None] = no_progress,
) -> list[CachedPhotograph]:
    """Decode the photographs of ``keys`` into ``folder`` and outline their lesions; what is there already is kept.

    ``lesions``: only these classes, empty for all.
    """
    styles, reductions = list(styles), list(reductions)
    photographs = []
    for key in keys:
        fundus = dataset.read(key)
        if lesions:
            fundus = replace(fundus, fine={name: mask for name, mask in fundus.fine.items() if name in lesions})
        image = _mapped(folder / f"{key}.npy", fundus.image)
        fine = {lesion: _mapped(folder / f"{key}_{lesion}.npy", mask) for lesion, mask in fundus.fine.items()}
        photographs.append(CachedPhotograph(key, image, fine, _outlines(fundus, styles, reductions)))
        advance(1)
    return photographs


def _outlines(fundus: Fundus, styles: list[Style], reductions: list[float]) -> dict:
    outlines: dict[tuple[str, float], dict[str, tuple[Ellipse, ...]]] = {}
    for style in styles:
        for lesion, mask in fundus.fine.items():
            components = find_components(mask, style)
            for reduction in reductions:
                ellipses = enclosing_ellipses(components, reduction, style, mask.shape[1])
                outlines.setdefault((style.name, reduction), {})[lesion] = ellipses
    return outlines


def _mapped(path: Path, array: NDArray) -> NDArray:
    if not path.exists():
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.save(file, array)
    return np.load(path, mmap_mode="r")
