"""Opening the files of other tools: JSON, XML or text, alone or in a ZIP, checked against a schema."""

import codecs
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias
from xml.etree.ElementTree import Element
from zipfile import BadZipFile, ZipFile

from defusedxml import ElementTree
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from coarsekit.errors import AnnotationError

SUFFIXES = (".json", ".xml", ".csv")
"""Of annotation files, which find them in a folder or a ZIP; their content says which format they are in."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_16_XML = (codecs.BOM_UTF16_LE + b"<", codecs.BOM_UTF16_BE + b"\x00<")
_ZIP = b"PK\x03\x04"
_MOST_BYTES = 2**30
"""Of a file in a ZIP; one that claims more is refused before memory is asked for."""
Pixels: TypeAlias = Annotated[int, Field(gt=0, le=1_000_000)]
"""A side of a photograph in px."""
SaidPixels: TypeAlias = Annotated[Pixels | None, BeforeValidator(lambda value: None if is_unsaid(value) else value)]
"""The same, where the file says it: scripts that do not open the photograph leave it out or write 0."""


def is_unsaid(value: object) -> bool:
    """Whether a side of a photograph is missing, empty or 0."""
    return value is None or (isinstance(value, (int, float, str)) and str(value).strip() in ("", "0", "0.0"))


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was opened.

    ``content``: what JSON has, an XML file's root element, or the text itself. ``folder``: the folders between the one
    that was read and the file, with ``/`` between them.
    """

    path: Path
    kind: Literal["json", "xml", "text"]
    content: Any
    folder: str = ""

    def has(self, *fields: str) -> bool:
        """Whether it is a JSON object with all of ``fields``."""
        return isinstance(self.content, dict) and all(field in self.content for field in fields)


class LenientModel(BaseModel):
    """Base of what other tools write: numbers may be texts, as scripts leave them, and other fields are allowed."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, coerce_numbers_to_str=True)


def load(source: Path | Document) -> Document:
    """Open a file; its beginning says whether it is JSON, XML or text. A `Document` is given back as it is.

    Raises `AnnotationError` when the file is missing, cannot be read, or is cut or malformed; XML that defines entities
    is refused.
    """
    return source if isinstance(source, Document) else _document(source, _bytes(source))


def open_files(path: Path, folder: str = "") -> Iterator[Document | AnnotationError]:
    """The file, or each annotation file in a ZIP, and the error of one that cannot be opened.

    ``folder``: of the documents.
    """
    try:
        data = _bytes(path)
        if not data.startswith(_ZIP):
            yield _document(path, data, folder)
            return
        names = _names_in(path)
    except AnnotationError as error:
        yield error
        return
    for name in names:
        try:
            yield _document(path / name, _bytes_in(path, name), str(PurePosixPath(folder, name).parent).lstrip("."))
        except AnnotationError as error:
            yield error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; check the path of the annotation") from None
    except OSError as cause:
        raise AnnotationError(f"{path}: cannot be read ({cause}); expected a JSON, XML or CSV file") from None


def _names_in(path: Path) -> list[str]:
    """The annotation files in a ZIP, by name."""
    with _unpacking(path), ZipFile(path) as archive:
        names = [PurePosixPath(info.filename) for info in archive.infolist() if not info.is_dir()]
    hidden = {name for name in names if any(part.startswith((".", "__MACOSX")) for part in name.parts)}
    found = sorted(str(name) for name in names if name.suffix.lower() in SUFFIXES and name not in hidden)
    if not found:
        raise AnnotationError(f"{path}: no annotation file in this ZIP; expected {', '.join(SUFFIXES)}")
    return found


def _bytes_in(path: Path, name: str) -> bytes:
    with _unpacking(path), ZipFile(path) as archive:
        if archive.getinfo(name).file_size > _MOST_BYTES:
            raise AnnotationError(f"{path}: {name} claims more than {_MOST_BYTES >> 20} MB; unpack it and check it")
        return archive.read(name)


@contextmanager
def _unpacking(path: Path) -> Iterator[None]:
    try:
        yield
    # What zipfile raises of damaged archives, of encrypted ones, and of compressions that it lacks.
    except (BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError) as cause:
        raise AnnotationError(f"{path}: the ZIP cannot be unpacked ({cause}); download it again") from None


def _document(path: Path, data: bytes, folder: str = "") -> Document:
    if data.startswith(_ZIP):
        raise AnnotationError(f"{path}: a ZIP where one annotation file is expected; unpack it")
    if data.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"<", *_UTF_16_XML)):
        return Document(path, "xml", _xml(data, path), folder)
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as cause:
        raise AnnotationError(
            f"{path}: cannot be read, since it is not UTF-8 text (byte {cause.start}: {data[cause.start]:#04x}); "
            "save it as UTF-8 in a text editor, or export it again"
        ) from None
    if not text.strip() or "\0" in text:
        raise AnnotationError(f"{path}: {'holds bytes that are no text' if text else 'is empty'}; export it again")
    if text.lstrip()[:1] in ("{", "[") or path.suffix.lower() == ".json":
        try:
            return Document(path, "json", json.loads(text), folder)
        except (ValueError, RecursionError) as cause:
            raise AnnotationError(f"{path}: not JSON ({cause}); export it again") from None
    return Document(path, "text", text, folder)


def _xml(data: bytes, path: Path) -> Element:
    """The parser decodes, because an XML file says itself how it is encoded.

    But a mark in front of it says so better, which editors put there that leave the declaration as it was; of a text
    the parser passes over the declared encoding.
    """
    try:
        if data.startswith((codecs.BOM_UTF8, *_UTF_16)):
            return ElementTree.fromstring(data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig").lstrip())
        return ElementTree.fromstring(data.lstrip())
    except (SyntaxError, ValueError, LookupError) as cause:
        raise AnnotationError(f"{path}: not XML that can be read ({cause}); export it again") from None


def finite_number(text: str | None, field: str) -> float:
    """The number that an XML file has as text.

    Raises `AnnotationError` when it is none, or not finite.
    """
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise AnnotationError(f"{field} must be a finite number, got {(text or '')[:40]!r}")
    return value


@contextmanager
def error_context(where: str) -> Iterator[None]:
    """Say in front of an `AnnotationError` where it was found."""
    try:
        yield
    except AnnotationError as error:
        raise AnnotationError(f"{where}: {error}") from None
