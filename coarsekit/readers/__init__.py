"""One file per dataset; the folder is the registry, and a reader is imported when it is asked for."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from coarsekit.dataset import Dataset
from coarsekit.errors import SourceError
from coarsekit.nearest import suggestion


def names() -> tuple[str, ...]:
    """Names of all readers, without importing them."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def open_source(source: str) -> Dataset:
    """Open a SOURCE: ``sample``, or ``READER:PATH`` such as ``idrid:data/idrid``.

    Raises `SourceError` for an unknown reader, or a path that does not hold what the reader expects.
    """
    name, colon, path = source.partition(":")
    if name not in names():
        raise SourceError(
            f"{source!r} is not a source; expected 'sample' or READER:PATH with a reader of {', '.join(names())}"
            f"{suggestion(name, names())}"
        )
    if name == "sample":
        if colon:
            raise SourceError(f"{source!r}: the bundled sample takes no path; write 'sample'")
        return reader(name)()
    if not path:
        raise SourceError(f"{source!r} names no folder; write {name}:PATH")
    return reader(name)(Path(path))


def reader(name: str) -> Any:
    """The reader of that name, one of `names`: its title, classes, licence and citation are readable without data."""
    return import_module(f"{__name__}.{name}").Reader
