"""Safe files: written whole or not at all."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from coarsekit.errors import ParameterError

PARTIAL = ".*.part"
"""Pattern of the names of temporary files; one that is left was left by a killed run."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` to write to, and rename it to ``path`` once the block has succeeded.

    An error of the disk that names no file, as that of a full one, gets the name of this one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def given_path(path: str | os.PathLike[str], name: str) -> Path:
    """The path that a caller gives as the parameter ``name``.

    Raises `ParameterError` for an empty text, which would be the present folder, and for what is no path.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ParameterError(f"the parameter {name} must be a path, a text or a Path, got {type(path).__name__}")
    if path == "":
        raise ParameterError(f"the parameter {name} is an empty text; give a path, or '.' for the present folder")
    return Path(path)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_write(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write several texts as UTF-8, all of them or none."""
    written = {path: _temporary(path) for path in texts}
    try:
        for path, temporary in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(texts[path], encoding="utf-8")
        for path, temporary in written.items():
            temporary.replace(path)
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")
