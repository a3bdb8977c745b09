"""Which photographs a folder has, in which split, and by which key."""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from glob import escape
from pathlib import Path, PurePosixPath

from coarsekit.datasets.folder_config import FolderConfig
from coarsekit.datasets.layout import list_images
from coarsekit.errors import SourceError

_ORDER = ("train", "training", "valid", "val", "validation", "test", "testing")
_NO_PHOTOGRAPHS = (".", "@", "__")
"""How folders begin that systems make: hidden ones, ``@eaDir``, ``__MACOSX``."""
_COMMENT = re.compile(r"(?:^|\s)#")


def find_photographs(root: Path, config: FolderConfig, suffixes: Collection[str]) -> list[tuple[str, Path]]:
    """Split and path of each photograph, in reading order; masks that lie among them are still there.

    Raises `SourceError` for a list file that cannot be read, leads outside the folder, or names several at once.
    """
    images = root / config.images
    if config.splits:
        return [
            (split, path) for split, name in config.splits.items() for path in _listed(root / name, images, suffixes)
        ]
    flat = [("all", path) for path in list_images(images, suffixes)]
    return flat or [(folder.name, path) for folder in _split_folders(images) for path in list_images(folder, suffixes)]


def keyed(photographs: list[tuple[str, Path]]) -> dict[str, tuple[str, Path]]:
    """Split and path of each photograph by its key: its name without the suffix, if need be after the split.

    Of those of a split that have one name the key is the whole name.
    """
    different = list(dict.fromkeys(photographs))
    stems = Counter(path.stem for _, path in different)
    own = Counter((split, path.stem) for split, path in different)
    unique = all(stems[stem] == count for (_, stem), count in own.items())
    found: dict[str, tuple[str, Path]] = {}
    for split, path in different:
        key = path.stem if own[split, path.stem] == 1 else path.name
        key = key if unique else f"{split}-{key}"
        while key in found:
            key += "-"
        found[key] = split, path
    return found


def hidden_photographs(
    root: Path, config: FolderConfig, suffixes: Collection[str], read: Collection[Path]
) -> list[Path]:
    """Images in folders below that of the photographs that are not ``read``, since photographs lie above them.

    What list files leave out is left out on purpose. In a folder that holds more than photographs, since its
    coarsekit.toml lies there too, only folders that are called like a split count.
    """
    images = root / config.images
    if config.splits or not images.is_dir():
        return []
    tops = [folder for folder in _split_folders(images) if images != root or folder.name in _ORDER]
    own = {path.parent for path in read}
    folders = [
        folder
        for top in tops
        for folder in (top, *sorted(path for path in top.rglob("*") if path.is_dir()))
        if folder not in own and not any(part.startswith(_NO_PHOTOGRAPHS) for part in folder.relative_to(images).parts)
    ]
    return [path for folder in folders for path in list_images(folder, suffixes)]


def _split_folders(images: Path) -> list[Path]:
    folders = [folder for folder in images.iterdir() if folder.is_dir()] if images.is_dir() else []
    folders = [folder for folder in folders if not folder.name.startswith(_NO_PHOTOGRAPHS)]
    return sorted(
        folders, key=lambda folder: (_ORDER.index(folder.name) if folder.name in _ORDER else len(_ORDER), folder.name)
    )


def _listed(file: Path, images: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """The photographs that a list file names, one a line, by path or by name without suffix.

    A '#' at the start of a line or after a space starts a comment, unless a photograph is called so.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as cause:
        raise SourceError(f"{file}: cannot be read ({cause}); expected one photograph a line") from None
    for number, line in enumerate(lines, start=1):
        cuts = [comment.start() for comment in _COMMENT.finditer(line)]
        *longer, name = [line[:cut].strip() for cut in (None, *reversed(cuts))]
        if _leads_outside(name):
            raise SourceError(f"{file}: line {number} leads outside the folder of photographs ({name!r}); correct it")
        fits = (_named(images, text, suffixes) for text in (*longer, name) if text and not _leads_outside(text))
        fitting = next(filter(None, fits), [images / name] if name else [])
        if len(fitting) > 1:
            raise SourceError(
                f"{file}: line {number} ({name!r}) fits {' and '.join(path.name for path in fitting[:2])}; write the "
                "one that is meant"
            )
        yield from fitting


def _leads_outside(name: str) -> bool:
    return PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\0" in name


def _named(images: Path, name: str, suffixes: Collection[str]) -> list[Path]:
    """The file of that name, or those that have it without a suffix; none where there is none."""
    plain = images / name
    if os.path.isfile(plain):  # noqa: PTH113 - a comment may be longer than any name, at which Path's own fails
        return [plain]
    near, kinds = sorted(plain.parent.glob(f"{escape(plain.name)}.*")), {suffix.lower() for suffix in suffixes}
    return [path for path in near if path.stem == plain.name and path.suffix.lower() in kinds]
