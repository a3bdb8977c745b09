"""Where the files of a dataset lie, however its archive was unpacked and its suffixes are written."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from coarsekit.errors import SourceError
from coarsekit.images import PHOTOGRAPHS


def root_with(root: Path, *inside: str) -> Path:
    """The folder that has one of the paths ``inside``: the root, one in it, one in those, or the one above it.

    So an archive is read as it was unpacked, one folder higher or lower. The root itself where none has it.
    """
    if not root.is_dir():
        return root
    lower = sorted(path for path in root.iterdir() if path.is_dir())
    deeper = (path for folder in lower for path in sorted(folder.iterdir()) if path.is_dir())
    places = (place for places in ([root], lower, deeper, [root.parent]) for place in places)
    return next((place for place in places if any((place / path).is_dir() for path in inside)), root)


def list_images(folder: Path, suffixes: Iterable[str] = PHOTOGRAPHS) -> list[Path]:
    """The files of ``folder`` with one of ``suffixes`` in any case, sorted; none when it is missing.

    Hidden files, such as the ``._NAME.jpg`` that some systems leave beside a file, are passed over.
    """
    if not folder.is_dir():
        return []
    kinds = {suffix.lower() for suffix in suffixes}
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in kinds and not path.name.startswith("."))


def by_name(photographs: Iterable[tuple[str, Path]]) -> dict[str, tuple[str, Path]]:
    """Split and path of each photograph by its name without the suffix.

    Raises `SourceError` when two have the same name.
    """
    found: dict[str, tuple[str, Path]] = {}
    for split, path in photographs:
        if path.stem in found:
            raise SourceError(
                f"{path}: a second photograph of that name (the first is {found[path.stem][1]}); keep one of them"
            )
        found[path.stem] = split, path
    return found


def split_keys(photographs: Mapping[str, tuple[str, Path]]) -> dict[str, tuple[str, ...]]:
    """Keys by split, of photographs as `by_name` gives them."""
    by_split: dict[str, list[str]] = {}
    for key, (split, _) in photographs.items():
        by_split.setdefault(split, []).append(key)
    return {split: tuple(keys) for split, keys in by_split.items()}


def in_any_case(path: Path) -> Path | None:
    """The file at ``path``, or the first whose suffix differs from it in case alone; None where there is none."""
    if path.exists():
        return path
    try:
        names = _names(path.parent, path.parent.stat().st_mtime_ns)
    except OSError:
        return None
    name = names.get((path.stem, path.suffix.lower()))
    return path.with_name(name) if name else None


@lru_cache(maxsize=64)
def _names(folder: Path, _changed: int) -> dict[tuple[str, str], str]:
    """The names in a folder, as it was when it changed, by stem and suffix in small letters; of several the first."""
    return {(path.stem, path.suffix.lower()): path.name for path in sorted(folder.iterdir(), reverse=True)}
