"""What a shell completes the values of options with; the names are looked up when it asks."""

from collections.abc import Callable, Iterable

import click

Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def offering(names: Callable[[], Iterable[str]]) -> Completion:
    """The completion of an option whose values are ``names``."""

    def complete(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
        """The values that begin so."""
        return [name for name in names() if name.startswith(begun)]

    return complete


def _styles() -> Iterable[str]:
    from coarsekit.simulation.styles import STYLES

    return STYLES


def _formats() -> Iterable[str]:
    from coarsekit.annotations import writable_formats

    return writable_formats()


def _sources() -> Iterable[str]:
    from coarsekit.datasets import READERS

    return ["sample", *(f"{name}:" for name in READERS)]


complete_styles, complete_formats, complete_sources = offering(_styles), offering(_formats), offering(_sources)
