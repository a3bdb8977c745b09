"""What comes from outside, checked once: TOML and JSON against a type, with one sentence that names the field."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from coarsekit.errors import AnnotationError, CoarsekitError

T = TypeVar("T")


def validated(
    kind: type[T],
    content: Any,
    where: str,
    *,
    error: type[CoarsekitError] = AnnotationError,
    strict: bool | None = True,
    within: str = "",
) -> T:
    """The content as a pydantic model, a dataclass or any other type.

    Args:
        kind: The type that is expected.
        content: What a JSON or TOML file has.
        where: The file, or the place in it, that an error names first; empty for none.
        error: The class of the error.
        strict: Whether a number may not stand for a text, a whole number for a truth value, and so on; None to let each
            field of ``kind`` say so.
        within: The field of the file that the content is of; empty for the whole file.

    Returns:
        An object of ``kind``.

    Raises:
        CoarsekitError: Of class ``error``, when the content does not fit: the place, the field, what was expected and
            what was found.
    """
    try:
        return TypeAdapter(kind).validate_python(content, strict=strict)
    except ValidationError as cause:
        sentence = error_sentence(cause, within)
        raise error(f"{where}: {sentence}" if where else sentence) from None


def error_sentence(error: ValidationError, within: str = "") -> str:
    """What the first of pydantic's errors says, as a sentence: the field, what was expected, and what was found."""
    first = error.errors()[0]
    # Of a union pydantic names the branch too: a type, in the place of a field.
    parts = [*filter(None, [within]), *(str(part) for part in first["loc"])]
    where = ".".join(part for part in parts if "[" not in part and not part.startswith("_")) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "missing":
        return f"{where} is missing; add it{more}"
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{where} is not a field of this format; check its spelling{more}"
    got = json.dumps(first["input"], default=str)
    expected = _length_in(first["type"], first.get("ctx", {})) or re.sub(r" or instance of \w+", "", first["msg"])
    expected = expected.removeprefix("Input should be ").removeprefix("Value error, ").removeprefix("expected ")
    return f"{where}: expected {expected}, got {got if len(got) < 60 else got[:57] + '...'}{more}"


def _length_in(kind: str, limits: Mapping[str, Any]) -> str:
    """The length that was expected, where that is what pydantic's ``kind`` of error is about; else empty."""
    match kind.removeprefix("string_"):
        case "too_short":
            return f"a length of {limits['min_length']} or more"
        case "too_long":
            return f"a length of {limits['max_length']} at most"
    return ""


def load_toml(path: Path, error: type[CoarsekitError], missing: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Args:
        path: The file.
        error: The class of the error.
        missing: What to do where there is no such file.

    Returns:
        What the file has.

    Raises:
        CoarsekitError: Of class ``error``, when the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors put a mark in front
    except FileNotFoundError:
        raise error(f"{path}: no such file; {missing}") from None
    except (OSError, ValueError, RecursionError) as cause:
        raise error(f"{path}: cannot be read as TOML ({cause}); correct it") from None
