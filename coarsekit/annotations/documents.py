"""Opening the files of other tools: JSON, XML or text, checked against a schema, with errors that name the field."""

import codecs
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from pydantic import BaseModel, ConfigDict, Field

from coarsekit.errors import AnnotationError

_UTF_16_XML = (codecs.BOM_UTF16_LE + b"<", codecs.BOM_UTF16_BE + b"\x00<")
Pixels: TypeAlias = Annotated[int, Field(gt=0, le=1_000_000)]
"""A side of a photograph in px."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was opened: ``content`` is what JSON has, an XML file's root element, or the text itself."""

    path: Path
    kind: Literal["json", "xml", "text"]
    content: Any

    def has(self, *fields: str) -> bool:
        """Whether it is a JSON object with all of ``fields``."""
        return isinstance(self.content, dict) and all(field in self.content for field in fields)


class LenientModel(BaseModel):
    """Base of what other tools write: the fields that matter have just their types, any others are allowed."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


def load(source: Path | Document) -> Document:
    """Open a file; its beginning says whether it is JSON, XML or text. A `Document` is given back as it is.

    Raises `AnnotationError` when the file is missing, cannot be read, or is cut or malformed; XML that defines entities
    is refused.
    """
    if isinstance(source, Document):
        return source
    path = source
    try:
        data = path.read_bytes()
        if data.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"<", *_UTF_16_XML)):
            return Document(path, "xml", _xml(data, path))
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; check the path of the annotation") from None
    except (OSError, UnicodeDecodeError) as cause:
        raise AnnotationError(f"{path}: cannot be read ({cause}); expected a JSON, XML or CSV file") from None
    if text.lstrip()[:1] in ("{", "[") or path.suffix.lower() == ".json":
        try:
            return Document(path, "json", json.loads(text))
        except (ValueError, RecursionError) as cause:
            raise AnnotationError(f"{path}: not JSON ({cause}); export it again") from None
    return Document(path, "text", text)


def _xml(data: bytes, path: Path) -> Element:
    """The parser decodes, because an XML file says itself how it is encoded."""
    try:
        return ElementTree.fromstring(data.lstrip())
    except (SyntaxError, ValueError, LookupError) as cause:
        raise AnnotationError(f"{path}: not XML that can be read ({cause}); export it again") from None


@contextmanager
def error_context(where: str) -> Iterator[None]:
    """Say in front of an `AnnotationError` where it was found."""
    try:
        yield
    except AnnotationError as error:
        raise AnnotationError(f"{where}: {error}") from None
