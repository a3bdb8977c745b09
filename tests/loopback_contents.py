"""What the loopback Hub of ``hub.py`` holds: users, repositories with their commits, uploads, and a log of requests."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

LARGE = (".parquet", ".safetensors", ".jpg", ".png")
"""Files that go the LFS way, as the Hub's own .gitattributes has it."""
DATE = "2025-01-01T00:00:00.000Z"


class File(NamedTuple):
    """One file of a commit; ``large`` is one of LFS, known by its SHA-256 instead of git's SHA-1."""

    content: bytes
    large: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def git(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.git

    def entry(self, path: str) -> dict[str, Any]:
        """What a listing says of it."""
        size, last = len(self.content), {"id": "0" * 40, "title": "", "date": DATE}
        entry = {"type": "file", "path": path, "size": size, "oid": self.git, "lastCommit": last}
        return entry | ({"lfs": {"oid": self.sha256, "size": size, "pointerSize": 130}} if self.large else {})


def folder_entry(path: str) -> dict[str, Any]:
    """What a listing says of a folder."""
    return {"type": "directory", "path": path, "size": 0, "oid": hashlib.sha1(path.encode()).hexdigest()}


@dataclass
class Repository:
    """Files by path at each commit; the last one is main. ``messages`` are those of the commits."""

    name: str
    kind: str
    private: bool
    commits: dict[str, dict[str, File]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.commit(
            {".gitattributes": File(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n", large=False)}, "initial"
        )

    @property
    def head(self) -> str:
        return list(self.commits)[-1]

    @property
    def files(self) -> dict[str, File]:
        """The files of main."""
        return self.commits[self.head]

    def commit(self, files: dict[str, File], message: str) -> str:
        name = hashlib.sha1(f"{len(self.commits)} {self.name} {message}".encode()).hexdigest()
        self.commits[name] = files
        self.messages.append(message)
        return name


class Request(NamedTuple):
    """A line of the log: method, path without the query, and how many bytes came with it."""

    method: str
    path: str
    size: int


@dataclass
class Hub:
    """What the server holds: users by token (those of ``readers`` may not write), repositories, uploads, its log."""

    users: dict[str, str]
    readers: frozenset[str] = frozenset()
    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    log: list[Request] = field(default_factory=list)
    url: str = ""
    lie: Callable[[Any], None] | None = None
    """What is done to an answer (a ``Handler`` with its status, content and fields) before it is sent."""

    def repository(self, name: str, kind: str = "dataset") -> Repository:
        return self.repositories[kind, name]

    def uploaded(self) -> int:
        """Bytes of large files that were sent so far."""
        return sum(request.size for request in self.log if request.method == "PUT")

    def environment(self, home: Path, token: str | None) -> dict[str, str]:
        """The environment of a process whose client is to use this Hub, its cache and login in ``home``."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        own = {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "NO_PROXY": "127.0.0.1",
        }
        return inherited | own | ({"HF_TOKEN": token} if token else {})


class RefusalError(Exception):
    """An answer that is an error: its status, the Hub's code for it, a sentence, and the commit that lacks a file."""

    def __init__(self, status: int, code: str, message: str, commit: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.commit = status, code, message, commit
