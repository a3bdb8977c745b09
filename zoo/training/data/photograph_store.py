"""Decoded photographs on disk, read by the window: training touches every one of them in every epoch.

A file is named by the digest of the pixels in it, whatever photograph they are of, so it is never out of date.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coarsekit.datasets.base import Dataset
from coarsekit.datasets.readable import OnFailure, readable
from coarsekit.simulation.simulate import Component, enclosing_sweep, find_components
from coarsekit.simulation.styles import Style
from coarsekit.storage.digests import masks_sha256, sha256_of
from coarsekit.storage.files import atomic_write
from coarsekit.types import Ellipse, Fundus, Image, Mask
from zoo.refiner import no_progress

Outlines = Mapping[tuple[str, float], Mapping[str, tuple[Ellipse, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class CachedPhotograph:
    """A photograph of the store: its arrays are memory-mapped, so that only the windows that are cut get read.

    ``outlines``: the exact ellipses by lesion class, for each (style name, reduction factor). ``photograph_sha256``,
    ``masks_sha256``: the digests of its pixels and of its masks. ``kept``: whether all of it was in the store before.
    """

    key: str
    image: Image
    fine: Mapping[str, Mask]
    outlines: Outlines
    photograph_sha256: str
    masks_sha256: str
    kept: bool

    @property
    def shown(self) -> list[str]:
        """The lesion classes that it shows."""
        return list(dict.fromkeys(lesion for drawn in self.outlines.values() for lesion in drawn if drawn[lesion]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the files again, instead of getting a copy of all pixels."""
        places = {lesion: _file(mask) for lesion, mask in self.fine.items()}
        return _opened, (self.key, _file(self.image), places, self.outlines, self.photograph_sha256, self.masks_sha256)


def cache_photographs(
    dataset: Dataset,
    keys: Collection[str],
    folder: Path,
    styles: Iterable[Style],
    reductions: Iterable[float],
    lesions: Collection[str] = (),
    advance: Callable[[int], None] = no_progress,
    on_failure: OnFailure | None = None,
) -> list[CachedPhotograph]:
    """Decode the photographs of ``keys`` into ``folder`` and outline their lesions; what is there already is kept.

    ``lesions``: only these classes, empty for all. ``on_failure``: see `readable`.
    """
    styles, reductions = list(styles), list(reductions)
    photographs = []
    for whole in readable(dataset, keys, on_failure):
        shown = {name: mask for name, mask in whole.fine.items() if not lesions or name in lesions}
        fundus = replace(whole, fine=shown)
        parts = {"": fundus.image, **fundus.fine}
        digests = {name: sha256_of(part) for name, part in parts.items()}
        kept = [_store(folder / f"{digests[name]}.npy", part) for name, part in parts.items()]
        image, *masks = (_mapped(folder / f"{digests[name]}.npy") for name in parts)
        photographs.append(
            CachedPhotograph(
                key=fundus.key,
                image=image,
                fine=dict(zip(fundus.fine, masks, strict=True)),
                outlines=_outlines(fundus, styles, reductions),
                photograph_sha256=digests[""],
                masks_sha256=masks_sha256(fundus.fine),
                kept=all(kept),
            )
        )
        advance(1)
    return photographs


def _outlines(fundus: Fundus, styles: list[Style], reductions: list[float]) -> dict:
    outlines: dict[tuple[str, float], dict[str, tuple[Ellipse, ...]]]
    outlines = {(style.name, reduction): {} for style in styles for reduction in reductions}
    for lesion, mask in fundus.fine.items():
        found: dict[tuple[float, ...], list[Component]] = {}  # which takes nearly all of the time
        for style in {style.name: style for style in styles}.values():
            alike = style.dilate, style.smooth, style.reference_width
            if alike not in found:
                found[alike] = find_components(mask, style)
            swept = enclosing_sweep(found[alike], reductions, style, mask.shape[1])
            for reduction, ellipses in zip(reductions, swept, strict=True):
                outlines[style.name, reduction][lesion] = ellipses
    return outlines


def _store(path: Path, array: NDArray) -> bool:
    """Write an array, unless it is there already, undamaged: whether it was."""
    try:
        there = _mapped(path)
        if there.dtype == array.dtype and np.array_equal(there, array):
            return True
    except (OSError, ValueError, EOFError):  # missing, cut short, or no array
        pass
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
    return False


def _mapped(path: Path) -> NDArray:
    return np.load(path, mmap_mode="r")


def _file(array: Any) -> Path:
    return Path(array.filename)


def _opened(
    key: str, image: Path, fine: Mapping[str, Path], outlines: Outlines, photograph: str, masks: str
) -> CachedPhotograph:
    opened = {lesion: _mapped(path) for lesion, path in fine.items()}
    return CachedPhotograph(key, _mapped(image), opened, outlines, photograph, masks, kept=True)
