"""The caches that trainings and evaluations keep in their folders to go on from: what is in them, and dropping it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from coarsekit.storage.outputs import at_work
from zoo.checkpoints.folder import CACHE

_KINDS = {
    re.compile(r"[0-9a-f]{64}\.npy"): "decoded photographs and masks",
    re.compile(r"[0-9a-f]{64}"): "unpacked pairs",
    re.compile(r"[0-9a-f]{32}\.json"): "scores of drawings",
}
"""What lies in a cache, by the form of the name, which is a digest. What has another name is none of the product's."""


class CacheRow(NamedTuple):
    """One kind of content in the cache of a folder: how many entries, and their size."""

    folder: str
    kind: str
    entries: int
    megabytes: float


def list_caches(folder: Path) -> list[CacheRow]:
    """What the cache in a folder of ``zoo train`` or ``zoo evaluate`` has, by kind; nothing where there is none."""
    found: dict[str, list[Path]] = {}
    for path, kind in _entries(folder):
        found.setdefault(kind, []).append(path)
    return [
        CacheRow(str(folder), kind, len(paths), round(sum(map(_size, paths)) / 1e6, 1)) for kind, paths in found.items()
    ]


def drop_caches(folder: Path) -> None:
    """Remove what `list_caches` lists; other files are left.

    Raises `OutputError` when a run is at work in the folder.
    """
    with at_work(folder, CACHE):
        for path, _ in _entries(folder):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        place = folder / CACHE
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def _entries(folder: Path) -> Iterator[tuple[Path, str]]:
    place = folder / CACHE
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        kind = next((kind for form, kind in _KINDS.items() if form.fullmatch(path.name)), None)
        if kind and not path.is_symlink():
            yield path, kind


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
