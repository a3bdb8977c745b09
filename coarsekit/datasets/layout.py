"""Where the files of a dataset lie, however its archive was unpacked and its suffixes are written."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from coarsekit.errors import SourceError
from coarsekit.images.names import PHOTOGRAPHS, folded, folded_stem


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


def fitting_file(path: Path) -> Path | None:
    """The file at ``path`` by the rule of `in_any_case`, or the only one of `near_files`; None where there is none."""
    near = [] if (found := in_any_case(path)) else near_files(path)
    return near[0] if len(near) == 1 else found


def in_any_case(path: Path) -> Path | None:
    """The file at ``path``, or the first whose suffix differs from it in case alone; None where there is none."""
    if path.exists():
        return path
    name = _names(path.parent).in_any_case.get((path.stem, path.suffix.lower()))
    return path.with_name(name) if name else None


def near_files(path: Path) -> list[Path]:
    """The files that are called like ``path`` but for case and accents, or else but for the suffix of an image, too.

    Accents are letters of their own on some systems, and marks behind letters on others. The folders above may differ
    so, too.
    """
    folder = _near_folder(path.parent)
    if folder is None:
        return []
    names, plain = _names(folder), folded(path.name)
    found = names.folded.get(plain) or names.by_stem.get(folded_stem(path.name), [])
    return [folder / name for name in found if not (folder / name).is_dir()]


def near_name(path: Path) -> str:
    """What paths share of which `near_files` takes one for the other."""
    return folded_stem(path.as_posix())


def _near_folder(path: Path) -> Path | None:
    """The folder at ``path``, or the only one whose path differs in case and accents alone."""
    if path.is_dir() or path == path.parent:
        return path
    above = _near_folder(path.parent)
    near = [above / name for name in _names(above).folded.get(folded(path.name), [])] if above else []
    return near[0] if len(near) == 1 and near[0].is_dir() else None


class _Names(NamedTuple):
    """The names in a folder by what may stand for them; hidden ones only by stem and suffix in small letters."""

    in_any_case: dict[tuple[str, str], str]
    folded: dict[str, list[str]]
    by_stem: dict[str, list[str]]


def _names(folder: Path) -> _Names:
    """The names in a folder; none where there is no such folder."""
    try:
        return _names_as_of(folder, folder.stat().st_mtime_ns)
    except OSError:
        return _Names({}, {}, {})


@lru_cache(maxsize=64)
def _names_as_of(folder: Path, _changed: int) -> _Names:
    """The names in a folder, as it was when it changed; of several that differ in a suffix's case the first counts."""
    found = _Names({}, {}, {})
    for path in sorted(folder.iterdir()):
        found.in_any_case.setdefault((path.stem, path.suffix.lower()), path.name)
        if not path.name.startswith("."):
            found.folded.setdefault(folded(path.name), []).append(path.name)
            if (stem := folded_stem(path.name)) != folded(path.name):
                found.by_stem.setdefault(stem, []).append(path.name)
    return found
