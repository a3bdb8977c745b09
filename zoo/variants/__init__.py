"""One file per variant; the folder is the registry, and a variant is imported when it is asked for."""

import ast
from importlib import import_module
from pathlib import Path
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
    _check(name)
    return import_module(f"{__name__}.{name.replace('-', '_')}").Network


def about(name: str) -> str:
    """The first sentence that a variant's file says of it, read without importing it.

    Raises `RefinerError` for an unknown one.
    """
    _check(name)
    [folder] = __path__
    source = Path(folder, f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    first = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]
    return " ".join(first.removeprefix(f"``{name}``: ").split())


def _check(name: str) -> None:
    if name not in names():
        raise RefinerError(f"no variant {name!r}; choose one of {', '.join(names())}{suggestion(name, names())}")
