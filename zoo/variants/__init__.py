"""One file per variant; the folder is the registry, and a variant is imported when it is asked for."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from coarsekit.errors import RefinerError
from coarsekit.nearest import suggestion

if TYPE_CHECKING:
    from zoo.network import Network


def names() -> tuple[str, ...]:
    """Names of all variants, without importing them; a dash in a name is an underscore in its file's."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules(__path__)))


def variant(name: str) -> "type[Network]":
    """The class of a variant.

    Raises `RefinerError` for an unknown one.
    """
    if name not in names():
        raise RefinerError(f"no variant {name!r}; choose one of {', '.join(names())}{suggestion(name, names())}")
    return import_module(f"{__name__}.{name.replace('-', '_')}").Network
