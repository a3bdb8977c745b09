"""A CVAT server on the loopback interface, which the real SDK annotates a task of.

It speaks the part of CVAT's HTTP interface that `cvat_sdk.auto_annotation.annotate_task` uses: about, login, a task,
its labels, its frames in chunks, and the upload of annotations.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

_NOW = "2026-01-01T00:00:00Z"


@dataclass
class Cvat:
    """``frames``: the bytes of an image file by name. ``labels``: their types by name. ``uploaded``: what came."""

    frames: dict[str, bytes]
    labels: dict[str, str]
    version: str = "2.80.0"
    url: str = ""
    uploaded: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def label_id(self, name: str) -> int:
        """The id that the task has for a label."""
        return 100 + list(self.labels).index(name)

    def task(self) -> dict[str, Any]:
        """The task."""
        count = len(self.frames)
        return {
            "id": 1,
            "name": "fundus",
            "url": f"{self.url}/api/tasks/1",
            "organization": None,
            "size": count,
            "data_chunk_size": 2,
            "data_original_chunk_type": "imageset",
            "data_compressed_chunk_type": "imageset",
            "created_date": _NOW,
            "updated_date": _NOW,
            "jobs": {"url": f"{self.url}/api/jobs?task_id=1", "count": 1, "completed": 0, "validation": 0},
            "labels": {"url": f"{self.url}/api/labels?task_id=1"},
        }

    def answer(self, path: str, query: dict[str, list[str]]) -> bytes:
        """What a request is answered."""
        if path == "/api/server/about":
            about = {"name": "CVAT", "description": "", "version": self.version, "logo_url": "", "subtitle": ""}
            return json.dumps(about).encode()
        if path == "/api/tasks/1":
            return json.dumps(self.task()).encode()
        if path == "/api/labels":
            labels = [
                {"id": self.label_id(name), "name": name, "color": "#ff0000", "attributes": [], "type": kind}
                | {"sublabels": [], "task_id": 1, "parent_id": None, "has_parent": False}
                for name, kind in self.labels.items()
            ]
            return json.dumps({"count": len(labels), "next": None, "previous": None, "results": labels}).encode()
        if path == "/api/tasks/1/data/meta":
            frames = [{"name": name, "related_files": 0, "width": 1, "height": 1} for name in self.frames]
            return json.dumps({"chunks_updated_date": _NOW, "frames": frames, "deleted_frames": []}).encode()
        if path == "/api/tasks/1/data" and query["type"] == ["chunk"]:
            first, chunk = 2 * int(query["number"][0]), BytesIO()
            with ZipFile(chunk, "w") as archive:
                for place, content in enumerate(list(self.frames.values())[first : first + 2]):
                    archive.writestr(f"{place:06d}.png", content)
            return chunk.getvalue()
        raise KeyError(path)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    cvat: Cvat

    def _send(self, status: int, content: bytes, kind: str, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content))), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        try:
            content = self.cvat.answer(address.path.rstrip("/"), parse_qs(address.query))
        except KeyError:
            self._send(404, b'{"detail": "Not found."}', "application/json")
        else:
            self._send(200, content, "application/zip" if content.startswith(b"PK") else "application/json")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        cookies = [("Set-Cookie", f"{name}=x; Path=/") for name in ("sessionid", "csrftoken")]
        self._send(200, b'{"key": "x"}', "application/json", *cookies)

    def _upload(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        action = parse_qs(urlsplit(self.path).query).get("action", ["replace"])[0]
        self.cvat.uploaded.append((action, content))
        self._send(200, json.dumps({"version": 1, "tags": [], "shapes": [], "tracks": []}).encode(), "application/json")

    do_PUT = do_PATCH = _upload  # noqa: N815 — names that http.server calls

    def log_message(self, *arguments: Any) -> None:
        """Standard error stays the tests' own."""


@contextmanager
def serving(cvat: Cvat) -> Iterator[Cvat]:
    """The server on a free port of 127.0.0.1 until the block is left."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"cvat": cvat}))
    server.daemon_threads = True
    cvat.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield cvat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
