"""Safe files: written whole or not at all, and never over what is there unless asked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coarsekit.errors import OutputError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` to write to, and rename it to ``path`` once the block has succeeded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_write(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")


def refuse_overwrite(paths: list[Path], force: bool) -> None:
    """Check before any work that none of ``paths`` exists.

    Raises `OutputError` when one does and ``force`` is not set.
    """
    taken = [path for path in paths if path.exists()]
    if taken and not force:
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        raise OutputError(f"{taken[0]}{more} is already there; give force=True to write over it, or another out=…")
