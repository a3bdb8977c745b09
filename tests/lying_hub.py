"""Ways in which a Hub misbehaves, and a command that runs another against such a Hub.

``python -m tests.lying_hub MODE COMMAND…`` serves a model ``o/x`` and a dataset ``o/pairs`` (what the folder in $PAIRS
has, if it is set) to the command, whose token is SECRET. A lie changes an answer of ``loopback_hub.Handler`` before it
is sent.
"""

import json
import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from tests import loopback_hub
from tests.places import BUNDLED

SECRET = "hf_SECRETsecretSECRET"
OUTSIDE = "../../../../../evil"


def other_bytes_of(file: str) -> Callable[[loopback_hub.Handler], None]:
    """A file of the same length as it should have, but of other bytes."""

    def lie(answer: loopback_hub.Handler) -> None:
        if "/resolve/" in answer.path and answer.path.endswith(file) and answer.status in (200, 206):
            answer.content = bytes(byte ^ 1 for byte in answer.content)

    return lie


def headed(header: str, value: str, file: str = "") -> Callable[[loopback_hub.Handler], None]:
    """A header of every answer for a file, or for one of that name."""

    def lie(answer: loopback_hub.Handler) -> None:
        if "/resolve/" in answer.path and answer.path.endswith(file):
            answer.fields = answer.fields | {header: value}

    return lie


def second_etag(value: str) -> Callable[[loopback_hub.Handler], None]:
    """An ETag that only the second question for a file gets: the first one is answered well."""

    def lie(answer: loopback_hub.Handler) -> None:
        asked = [request for request in answer.hub.log if request.method == "HEAD"]
        if "/resolve/" in answer.path and len(asked) > 1:
            answer.fields = answer.fields | {"ETag": value, "X-Linked-Etag": value}

    return lie


def missing_at(commit: str) -> Callable[[loopback_hub.Handler], None]:
    """Every file but the config is missing, at a commit of that name."""

    def lie(answer: loopback_hub.Handler) -> None:
        if "/resolve/" in answer.path and not answer.path.endswith("/config.json"):
            answer.status, answer.content = 404, b"{}"
            answer.fields = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}

    return lie


def commit_of_information(value: str) -> Callable[[loopback_hub.Handler], None]:
    """A commit in what is said of a repository, which has no README."""

    def lie(answer: loopback_hub.Handler) -> None:
        if answer.path.endswith("/README.md"):
            answer.status, answer.content = 404, b"{}"
            answer.fields = answer.fields | {"X-Error-Code": "EntryNotFound"}
        elif "/api/datasets/" in answer.path and "/resolve/" not in answer.path and "sha" in str(answer.content):
            answer.content = json.dumps(json.loads(answer.content) | {"sha": value}).encode()

    return lie


def refusing(status: int, message: str) -> Callable[[loopback_hub.Handler], None]:
    """An error for every question, with a message in header and body; ``{token}`` in it is the token that came."""

    def lie(answer: loopback_hub.Handler) -> None:
        token = answer.headers.get("Authorization", "").removeprefix("Bearer ")
        coded = b64encode(f"user:{token}".encode()).decode()
        said = message.format(token=token, quoted=quote(token.replace("_", "%5F")), coded=coded, spaced=" ".join(token))
        one_line = "".join(letter for letter in said if " " <= letter <= "~")
        answer.status, answer.content = status, json.dumps({"error": said}).encode()
        answer.fields = {"Content-Type": "application/json", "X-Error-Message": one_line, "X-HF-Warning": one_line}

    return lie


def whoami(content: bytes) -> Callable[[loopback_hub.Handler], None]:
    """Another answer to who the token's user is."""

    def lie(answer: loopback_hub.Handler) -> None:
        if "whoami" in answer.path:
            answer.content = content

    return lie


LIES: dict[str, Callable[[loopback_hub.Handler], None]] = {
    "badhash": other_bytes_of("model.safetensors"),
    "etagtraversal": headed("ETag", f'"{OUTSIDE}"'),
    "committraversal": headed("X-Repo-Commit", OUTSIDE),
    "secondetag": second_etag(OUTSIDE),
    "status500": refusing(500, "error for token Bearer {token}"),
    "status400esc": refusing(400, "no\x1b[31m\u202e\n\r way {token}"),
    "whoamijunk": whoami(b"[1]"),
}


def main(mode: str, *command: str) -> int:
    """Run a command against a Hub that lies; give its exit status."""
    with loopback_hub.serving({SECRET: "o"}) as hub, tempfile.TemporaryDirectory() as home:
        for kind, name, folder in (("model", "o/x", BUNDLED / "lite"), ("dataset", "o/pairs", os.environ.get("PAIRS"))):
            if folder:
                serve_folder(hub, kind, name, Path(folder))
        hub.lie = LIES[mode]
        return subprocess.run(command, env=hub.environment(Path(home), SECRET), check=False).returncode


def serve_folder(hub: loopback_hub.Hub, kind: str, name: str, folder: Path) -> loopback_hub.Repository:
    """Put a folder's files into a public repository."""
    files = {
        path.relative_to(folder).as_posix(): loopback_hub.File(
            path.read_bytes(), path.name.endswith(loopback_hub.LARGE)
        )
        for path in folder.rglob("*")
        if path.is_file()
    }
    repository = hub.repositories[kind, name] = loopback_hub.Repository(name, kind, private=False)
    repository.commit(files, "x")
    return repository


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
