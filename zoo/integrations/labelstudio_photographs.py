"""The photographs that tasks of Label Studio name: in a folder, in the address itself, or on the tool's own server."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote_to_bytes, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from coarsekit.annotations.labelstudio_addresses import names_apart, picture_at
from coarsekit.annotations.photographs import PhotographFolder
from coarsekit.errors import ImageError, ParameterError
from coarsekit.images import read_image
from coarsekit.types import Image

MOST_BYTES = 200 * 2**20
"""Of a photograph that is fetched, and of a request."""
_SECONDS = 60.0
"""How long the tool's server may take for each part of a photograph."""
_SHOWN = 80


@dataclass(frozen=True)
class TaskPhotographs:
    """Where the photographs of tasks are looked for.

    Args:
        images: A folder of photographs, which are found by name as those of exports are; None for none.
        url: The address of Label Studio's server, such as ``http://127.0.0.1:8080``, which is asked for photographs
            that are not in the folder; None asks no server.
        token: The access token of that server; it is sent to no other. None for none.

    Raises:
        ParameterError: When ``images`` is no folder, or ``url`` no address of a server.
    """

    images: Path | None = None
    url: str | None = None
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.images is not None and not self.images.is_dir():
            raise ParameterError(f"{self.images} is no folder; give the folder of the photographs as images=…")
        if self.url is not None and not _server(_split(self.url)):
            raise ParameterError(f"{self.url!r} is no address of a server; give one such as http://127.0.0.1:8080")
        if self.url is not None and "@" in _split(self.url).netloc:
            raise ParameterError(
                f"the address {_named(self.url)} has a user's name in it, with which no photograph is fetched; give it "
                "without, and an access token in LABEL_STUDIO_API_KEY"
            )

    def read(self, address: str) -> Image:
        """The photograph at an address that a task names.

        Args:
            address: A path, an address of Label Studio's such as ``/data/upload/3/a.png`` or
                ``/data/local-files/?d=left/a.png``, one of the web, or a ``data:`` URL.

        Returns:
            (h, w, 3) uint8 RGB.

        Raises:
            ImageError: When it is not in the folder and may not be fetched, or cannot be fetched or read.
        """
        if address[:5].lower() == "data:":
            return _decoded(_content_of(address), "the photograph in the task")
        file, reason = self._find(address)
        if file is not None:
            return read_image(file)
        place = _without_user(urljoin(self.url or "", address))
        own = self.url is not None and _server(_split(place)) == _server(_split(self.url))
        # A path that is none of Label Studio's lies on somebody's disk, and is no address.
        if own and (_server(_split(address)) or address.startswith("/data/")):
            return _decoded(self._fetched(place, address), _named(address))
        raise ImageError(f"the photograph {_named(address)} is not fetched, since {reason or self._why_not(address)}")

    def _find(self, address: str) -> tuple[Path | None, str]:
        """The file in the folder, or why there is none; no reason where there is no folder."""
        if self._folder is None:
            return None, ""
        picture = picture_at(address, "image")
        try:
            return self._folder.find(names_apart([picture], self.images)[picture.path]), ""
        except ImageError as error:
            return None, str(error)

    @cached_property
    def _folder(self) -> PhotographFolder | None:
        return None if self.images is None else PhotographFolder(self.images)

    def _why_not(self, address: str) -> str:
        if _server(_split(address)):
            return f"its server is not {self.url}" if self.url else "the server of Label Studio is not known"
        return "the folder of the photographs is not known; start the server with images=…"

    def _fetched(self, place: str, address: str) -> bytes:
        """What the server of Label Studio has at ``place``."""
        headers = {"Authorization": f"Token {self.token.strip()}"} if self.token else {}
        try:
            with build_opener(_SameServer).open(Request(place, headers=headers), timeout=_SECONDS) as answer:
                content = answer.read(MOST_BYTES + 1)
        except HTTPError as error:
            error.close()
            more = "; set LABEL_STUDIO_API_KEY to an access token" if error.code in (401, 403) else ""
            raise ImageError(
                f"the photograph {_named(address)} cannot be fetched: {self.url} answers {error.code}{more}"
            ) from None
        except URLError as error:
            raise ImageError(f"the photograph {_named(address)} cannot be fetched ({error.reason})") from None
        except (OSError, HTTPException):
            raise ImageError(f"the photograph {_named(address)} cannot be fetched whole from {self.url}") from None
        except ValueError:  # its text may quote the header
            raise ImageError("LABEL_STUDIO_API_KEY is no access token; copy it again, without line breaks") from None
        if len(content) > MOST_BYTES:
            raise ImageError(f"the photograph {_named(address)} has more than {MOST_BYTES >> 20} MB; make it smaller")
        return content


class _SameServer(HTTPRedirectHandler):
    """Follows the tool's server to itself alone, because the token is sent along."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if _server(_split(newurl)) != _server(_split(req.full_url)):
            raise URLError("the server of Label Studio sends on to another, which is not asked")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def without_data_urls(data: Mapping[str, object]) -> dict[str, object]:
    """The data of a task in which an address stands for each ``data:`` URL, alone or in a list."""
    return {
        name: [_short(each, f"{name}.{place}") for place, each in enumerate(value)]
        if isinstance(value, list)
        else _short(value, name)
        for name, value in data.items()
    }


def short_address(address: str, name: str) -> str:
    """An address as readers and sentences take it: for a ``data:`` URL the name of a file."""
    return f"{name}.png" if _is_data_url(address) else address


def _short(value: object, name: str) -> object:
    return f"/data/upload/{name}.png" if isinstance(value, str) and _is_data_url(value) else value


def _is_data_url(address: str) -> bool:
    return address[:5].lower() == "data:"


def _content_of(url: str) -> bytes:
    """The bytes in a ``data:`` URL."""
    head, comma, body = url.partition(",")
    try:
        content = unquote_to_bytes(body)
        if not comma or not head[5:].startswith("image/"):
            raise ValueError
        return b64decode(content, validate=True) if head.endswith(";base64") else content
    except ValueError:
        raise ImageError(
            f"{head[:_SHOWN]!r} begins no image in a data: URL; expected data:image/png;base64,…"
        ) from None


def _decoded(content: bytes, name: str) -> Image:
    """The photograph in the bytes of an image file, which sentences call ``name``."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "photograph"
        file.write_bytes(content)
        try:
            return read_image(file)
        except ImageError as error:
            raise ImageError(str(error).replace(str(file), name)) from None


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _server(parts: SplitResult) -> tuple[str, str, int] | None:
    """Scheme, host and port of an address of the web; None for any other."""
    try:
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}[parts.scheme]


def _without_user(address: str) -> str:
    """An address of the web without a user's name and password, which are nobody's who fetches."""
    return re.sub(r"(?<=://)[^/?#]*@", "", address)


def _named(address: str) -> str:
    """An address as sentences quote it: without what may be secret in a query or before a host, and not too long."""
    text = address if "://" not in address else _without_user(address.partition("?")[0])
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
