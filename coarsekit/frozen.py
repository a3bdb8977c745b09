"""A dictionary that cannot be changed, for the nouns: it is still a dictionary for JSON, pickle and ``asdict``."""

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class FrozenDict(dict[Key, Value]):
    """A dictionary of which every change is a `TypeError`; ``dict(frozen)`` and ``frozen.copy()`` can be changed."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this is part of something that cannot be changed; make a new one, as by dataclasses.replace")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def frozen(content: Mapping[Key, Value]) -> FrozenDict[Key, Value]:
    """A copy of a mapping that cannot be changed, nor can the mappings in it; lists in it are copied."""
    if isinstance(content, FrozenDict):
        return content
    return FrozenDict({key: _own(value) for key, value in content.items()})


def _own(value: Any) -> Any:
    if isinstance(value, (dict, Mapping)):
        return frozen(value)
    return [_own(item) for item in value] if isinstance(value, list) else value
