"""A Hugging Face Hub on the loopback interface, which the real client pushes to and loads from.

It speaks the part of the Hub's HTTP interface that `huggingface_hub` and `datasets` use for repositories of models and
datasets: accounts and tokens, private repositories, creation, regular and LFS uploads, commits, trees and downloads.
It holds everything in memory and keeps a log of what it was asked. Xet, which needs a server of another kind, is
switched off in the client by its documented variable, so that large files take the LFS way.

"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests import loopback_contents

_CONTENTS = vars(loopback_contents)
File, Repository, Request, Hub, RefusalError, LARGE, folder_entry = (
    _CONTENTS[name] for name in ("File", "Repository", "Request", "Hub", "RefusalError", "LARGE", "folder_entry")
)


@contextmanager
def serving(users: dict[str, str], readers: frozenset[str] = frozenset()) -> Iterator[Hub]:
    """A Hub on a free port of 127.0.0.1 until the block is left."""
    hub = Hub(users, readers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub, "lock": threading.Lock()}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


REPO = r"(?P<name>[\w.-]+/[\w.-]+?)"
API = rf"/api/(?P<kind>model|dataset)s/{REPO}"
REV = r"(?P<revision>[^/]+)"


class Handler(BaseHTTPRequestHandler):
    """One request. The table of routes is at the end; a route's method takes the named groups of its pattern."""

    protocol_version = "HTTP/1.1"
    hub: Hub
    lock: threading.Lock

    def _answer(self) -> None:
        self.address, self.body = urlsplit(self.path), self._read_body()
        with self.lock:
            self.hub.log.append(Request(self.command, unquote(self.address.path), len(self.body)))
            try:
                action, places = self._route()
                action(self, **places)
            except RefusalError as refusal:
                headers = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message}
                headers |= {"X-Repo-Commit": refusal.commit} if refusal.commit else {}
                self._send(refusal.status, json.dumps({"error": refusal.message}).encode(), headers)
            if self.hub.lie:
                self.hub.lie(self)
        # Written after the lock is free, for a client may ask again before it has read everything.
        self.send_response(self.status)
        for name, value in (self.fields | {"Content-Length": str(len(self.content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 — names that http.server calls

    # --- accounts and repositories

    def whoami(self) -> None:
        user = self._user()
        if user is None:
            raise RefusalError(401, "", "Invalid credentials in Authorization header")
        self._json({"type": "user", "name": user, "fullname": user, "orgs": [], "auth": {"type": "access_token"}})

    def create(self) -> None:
        wish = json.loads(self.body)
        name = f"{wish.get('organization') or self._user()}/{wish['name']}"
        self._must_own(name)
        kind = wish.get("type", "model")
        there = (kind, name) in self.hub.repositories
        if not there:
            private = wish.get("visibility") == "private" or wish.get("private") is True
            self.hub.repositories[kind, name] = Repository(name, kind, private)
        url = f"{self.hub.url}/{'datasets/' if kind == 'dataset' else ''}{name}"
        self._json({"url": url, "name": name, "error": "You already created this repo"}, 409 if there else 200)

    def validate(self) -> None:
        self._json({"errors": [], "warnings": []})

    def information(self, kind: str, name: str, revision: str = "main") -> None:
        repository, commit = self._commit(kind, name, revision)
        files = repository.commits[commit]
        self._json(
            {
                "id": name,
                "sha": commit,
                "private": repository.private,
                "siblings": [{"rfilename": path, "size": len(file.content)} for path, file in files.items()],
            }
        )

    def tree(self, kind: str, name: str, revision: str, folder: str) -> None:
        repository, commit = self._commit(kind, name, revision)
        files, prefix = repository.commits[commit], f"{folder}/" if folder else ""
        inside = [path for path in files if path.startswith(prefix)]
        if folder and not inside:
            raise RefusalError(404, "EntryNotFound", f"{folder} does not exist on {revision!r}")
        deep = parse_qs(self.address.query).get("recursive", [""])[0].lower() in ("true", "1")
        parts = [path[len(prefix) :].split("/") for path in inside]
        depth = max(map(len, parts), default=1) if deep else 1
        folders = {prefix + "/".join(part[:size]) for part in parts for size in range(1, min(len(part), depth + 1))}
        found = [folder_entry(path) for path in sorted(folders)]
        found += [files[path].entry(path) for path, part in zip(inside, parts, strict=True) if len(part) <= depth]
        self._json(found)

    def paths_info(self, kind: str, name: str, revision: str) -> None:
        repository, commit = self._commit(kind, name, revision)
        files, found = repository.commits[commit], []
        for path in parse_qs(self.body.decode())["paths"]:
            if path in files:
                found.append(files[path].entry(path))
            elif any(name.startswith(f"{path}/") for name in files):
                found.append(folder_entry(path))
        self._json(found)

    # --- uploads

    def preupload(self, kind: str, name: str, revision: str) -> None:
        repository, commit = self._commit(kind, name, revision, write=True)
        there = repository.commits[commit]
        self._json(
            {
                "files": [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                        "shouldIgnore": False,
                        "oid": there[file["path"]].etag if file["path"] in there else None,
                    }
                    for file in json.loads(self.body)["files"]
                ]
            }
        )

    def batch(self, prefix: str, name: str) -> None:
        self._commit("dataset" if prefix else "model", name, "main", write=True)
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.large:
                there = f"{self.hub.url}/lfs/{wanted['oid']}"
                entry["actions"] = {"upload": {"href": there}, "verify": {"href": f"{there}/verify"}}
            objects.append(entry)
        self._json({"transfer": "basic", "objects": objects})

    def receive(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise RefusalError(400, "", "the content is not what its SHA-256 says")
        self.hub.large[oid] = self.body
        self._json({})

    def verify(self, oid: str) -> None:
        size = json.loads(self.body)["size"]
        if len(self.hub.large.get(oid, b"")) != size:
            raise RefusalError(404, "", f"{oid} was not uploaded whole")
        self._json({})

    def commit(self, kind: str, name: str, revision: str) -> None:
        repository, commit = self._commit(kind, name, revision, write=True)
        files, message = dict(repository.commits[commit]), ""
        for line in self.body.splitlines():
            item = json.loads(line)
            value = item["value"]
            match item["key"]:
                case "header":
                    message = value["summary"]
                case "file":
                    files[value["path"]] = File(base64.b64decode(value["content"]), large=False)
                case "lfsFile":
                    if value["oid"] not in self.hub.large:
                        raise RefusalError(400, "", f"{value['path']}: its content was not uploaded")
                    files[value["path"]] = File(self.hub.large[value["oid"]], large=True)
                case "deletedFile":
                    del files[value["path"]]
                case "deletedFolder":
                    files = {path: file for path, file in files.items() if not path.startswith(value["path"])}
        new = repository.commit(files, message)
        self._json({"success": True, "commitOid": new, "commitUrl": f"{self.hub.url}/{name}/commit/{new}"})

    # --- downloads

    def resolve(self, prefix: str, name: str, revision: str, path: str) -> None:
        repository, commit = self._commit("dataset" if prefix else "model", name, revision)
        file = repository.commits[commit].get(path)
        if file is None:
            raise RefusalError(404, "EntryNotFound", f"{path} does not exist on {revision!r}", commit)
        headers = {
            "ETag": f'"{file.etag}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        if file.large:
            headers |= {"X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(len(file.content))}
        part = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not part:
            self._send(200, file.content, headers)
            return
        size = len(file.content)
        start = int(part[1]) if part[1] else max(0, size - int(part[2]))
        stop = min(int(part[2]) + 1, size) if part[1] and part[2] else size
        if start >= size:
            raise RefusalError(416, "", f"{path} has {size} bytes")
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        self._send(206, file.content[start:stop], headers)

    # --- what routes share

    def _user(self) -> str | None:
        return self.hub.users.get(self._token())

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _must_own(self, name: str) -> None:
        if self._user() is None:
            raise RefusalError(401, "", "Invalid username or password.")
        if self._token() in self.hub.readers or name.partition("/")[0] != self._user():
            raise RefusalError(403, "", f"You don't have the rights to write to {name}")

    def _commit(self, kind: str, name: str, revision: str, write: bool = False) -> tuple[Repository, str]:
        repository = self.hub.repositories.get((kind, name))
        if repository is None or (repository.private and self._user() != name.partition("/")[0]):
            raise RefusalError(404 if self._user() else 401, "RepoNotFound", "Repository not found")
        if write:
            self._must_own(name)
        commit = repository.head if revision in ("main", "refs/heads/main") else revision
        if commit not in repository.commits:
            raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repository, commit

    def _json(self, answer: Any, status: int = 200) -> None:
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, fields: dict[str, str]) -> None:
        self.status, self.content, self.fields = status, content, fields

    def _route(self) -> tuple[Callable[..., None], dict[str, str]]:
        for methods, pattern, action in ROUTES:
            match = re.fullmatch(pattern, self.address.path)
            if match and self.command in methods.split():
                return action, {name: unquote(value or "") for name, value in match.groupdict().items()}
        raise RefusalError(404, "RouteNotFound", f"this Hub does not know {self.command} {self.address.path}")

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def log_message(self, *arguments: Any) -> None:
        """Requests are in the Hub's log, and standard error stays the tests' own."""


ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("GET", "/api/whoami-v2", Handler.whoami),
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", Handler.validate),
    ("GET", API, Handler.information),
    ("GET", rf"{API}/revision/{REV}", Handler.information),
    ("GET", rf"{API}/tree/{REV}(?:/(?P<folder>.+))?", Handler.tree),
    ("POST", rf"{API}/paths-info/{REV}", Handler.paths_info),
    ("POST", rf"{API}/preupload/{REV}", Handler.preupload),
    ("POST", rf"{API}/commit/{REV}", Handler.commit),
    ("POST", rf"/(?P<prefix>datasets/)?{REPO}\.git/info/lfs/objects/batch", Handler.batch),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", Handler.receive),
    ("POST", r"/lfs/(?P<oid>[0-9a-f]{64})/verify", Handler.verify),
    ("GET HEAD", rf"/(?P<prefix>datasets/)?{REPO}/resolve/{REV}/(?P<path>.+)", Handler.resolve),
]
