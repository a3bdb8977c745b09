"""One file per dataset, listed in `READERS`; a reader is imported when it is asked for."""

from importlib import import_module
from pathlib import Path
from typing import Any

from coarsekit.datasets.base import Dataset
from coarsekit.errors import SourceError, did_you_mean

READERS = ("ddr", "eophtha", "fgadr", "folder", "idrid", "sample")
"""Names of all readers: each is a module of this folder with a class ``Reader``."""


def open_source(source: str) -> Dataset:
    """Open a SOURCE: ``sample``, or ``READER:PATH`` such as ``idrid:data/idrid``.

    Raises `SourceError` for an unknown reader, or a path that does not hold what the reader expects; the sentence says
    which other reader finds photographs and masks there.

    Examples:
        >>> coarsekit.open_source("sample").keys()
        ('IDRiD_19', 'IDRiD_46')
    """
    if not isinstance(source, str):  # a path alone does not say whose layout it has
        raise SourceError(
            f"{str(source)!r} is not a source; expected 'sample' or READER:PATH, such as 'folder:{source}'"
        )
    name, colon, path = source.partition(":")
    if name not in READERS:
        raise SourceError(
            f"{source!r} is not a source; expected 'sample' or READER:PATH with a reader of {', '.join(READERS)}"
            f"{did_you_mean(name, READERS)}"
        )
    if name == "sample":
        if colon:
            raise SourceError(f"{source!r}: the bundled sample takes no path; write 'sample'")
        return reader(name)()
    if not path:
        raise SourceError(f"{source!r} names no folder; write {name}:PATH")
    try:
        return reader(name)(Path(path))
    except SourceError as error:
        # What somebody described in a coarsekit.toml comes before what merely looks like a release.
        others = (other for other in ("folder", *READERS) if other not in ("sample", name) and _fits(other, Path(path)))
        fitting = next(others, None)
        advice = f"; write {fitting}:{path}, which finds photographs and masks there" if fitting else ""
        raise SourceError(f"{error}{advice}") from None


def _fits(name: str, path: Path) -> bool:
    try:
        dataset = reader(name)(path)
        return any(dataset.files(key).masks for key in dataset.keys())  # noqa: SIM118 - a dataset's keys are a method
    except (SourceError, OSError):
        return False


def reader(name: str) -> Any:
    """The reader of that name, one of `READERS`: its title, classes, licence and citation are readable without data."""
    return import_module(f"{__name__}.{name}").Reader
