"""Addresses of photographs in tasks of Label Studio: where each lies, and by which name it is told from others."""

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit

from coarsekit.annotations.photograph_names import photograph_name
from coarsekit.images import PHOTOGRAPHS

_SCHEME = re.compile(r"([A-Za-z][\w+.-]*)://")
_WEB = ("http", "https", "file")
"""Schemes whose addresses are percent-encoded; keys in buckets are not."""
_SERVED = re.compile(r"(^|/)data/(upload|local-files)/")
"""What the tool's own server has, whose addresses are encoded, too."""
_LOCAL = re.compile(r"/local-files/?\?(?:[^#]*?&)?d=(.+)", re.DOTALL)
_NEXT_PARAMETER = re.compile(r"&[A-Za-z_]\w*=")
_RESOLVED = re.compile(r"/(?:resolve|presign)/?\?(?:[^#]*?&)?fileuri=([^&#]+)")
"""What the server fetches from a bucket; the address there is packed as base64."""
_UPLOADED = re.compile(r"(?:^|/)(?:data/(?=upload/)|(?=upload/\d+/))")
"""Where uploads lie, on the server and on its disk; what follows is the path of one."""
_HASH = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What stands before the file name of an upload."""
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")
_LONGEST = 200


class Picture(NamedTuple):
    """A photograph's name, and all of its address that tells it from others: bucket or host, folders, file.

    ``field``: of the task's data that has it. ``place``: its number where the field has a list; None where it has none.
    ``bare``: whether it is no address, but a name or a path alone, as may stand in the data beside an address.
    """

    name: str
    path: str
    field: str
    place: int | None = None
    bare: bool = False


def is_picture(text: str) -> bool:
    """Whether an address, or any other text of a task's data, ends as the name of a photograph does."""
    return PurePosixPath(_located(text)[1]).suffix.lower() in PHOTOGRAPHS


def picture_at(address: str, field: str, place: int | None = None) -> Picture:
    """The photograph at an address; uploads have eight characters and a hyphen before their name.

    Raises `AnnotationError` when the address has no file name.
    """
    host, path = _located(address)
    if not host and (upload := _UPLOADED.search(path)):
        path = path[upload.end() :]
        return Picture(_HASH.sub("", photograph_name(path.rpartition("/")[2])), _plain(path), field, place)
    name = photograph_name(path.lstrip("/") if host or "://" in address else path)
    bare = path == address and not _ABSOLUTE.match(path)
    return Picture(name, _plain(f"{host}/{path}"), field, place, bare)


def names_apart(pictures: Iterable[Picture], images: Path | None = None) -> dict[str, str]:
    """A name for each path of photographs: their own, or, where several have the same, the last parts of the paths.

    ``images``: the folder of the photographs; a file that lies there at the end of a path is that photograph.
    """
    own = {picture.path: picture.name for picture in pictures}
    if images is not None:
        for path, name in own.items():
            there = (tail for tail in _tails(path) if len(tail) > len(name) and (images / tail).is_file())
            own[path] = next(there, name)
    groups: dict[str, list[str]] = {}
    for path, name in own.items():
        groups.setdefault(name, []).append(path)
    for paths in groups.values():
        depth = 0
        while len(paths) > 1 and len({own[path] for path in paths}) < len(paths):
            depth += 1
            own |= {path: "/".join(path.split("/")[-depth:]) for path in paths}
    return own


def _tails(path: str) -> list[str]:
    """The ends of a path, the longest first, that can be names."""
    parts = path.split("/")
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return [end for end in ends if len(end) <= _LONGEST]


def _plain(path: str) -> str:
    """A path of parts that can all be folders."""
    return "/".join(part for part in re.split(r"[/\\]", path) if part not in ("", ".", "..") and part[-1] != ":")


def _located(text: str) -> tuple[str, str]:
    """The bucket or the host of an address, if any, and the path there; brackets would make it malformed.

    Keys in buckets and paths of files are what they are: ``#``, ``?`` and ``%`` are signs of them.
    """
    packed = _RESOLVED.search(text)
    if packed and (inner := _unpacked(packed[1])):
        return _located(inner)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in _WEB:
        bucket, _, key = text[scheme.end() :].partition("/")
        return bucket, f"/{key}"
    if not scheme and not _SERVED.search(text):
        return "", text
    if local := _LOCAL.search(text):
        return "", _local_path(local[1])
    parts = urlsplit(text.translate({ord("["): "%5B", ord("]"): "%5D"}))
    return "" if _SERVED.search(parts.path) else parts.netloc, unquote(parts.path) or text


def _local_path(text: str) -> str:
    """The path that a server of local files is asked for, whether or not somebody encoded it.

    A plus is a space only where the slashes are encoded, too, as by those who encode it so.
    """
    path = _NEXT_PARAMETER.split(text, maxsplit=1)[0]
    return unquote_plus(path) if re.search("%2f", path, re.IGNORECASE) else unquote(path)


def _unpacked(text: str) -> str:
    """What is packed as base64; empty for what is not."""
    plain = unquote(text).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (NoBase64, ValueError):
        return ""
