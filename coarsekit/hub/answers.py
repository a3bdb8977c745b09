"""What the Hub may ask of its client: the hashes that name files in the cache are hashes, and lead nowhere else."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CLIMBS = re.compile(r"(^|/)\.\.(/|$)|/resolve(/.*)?//|[\\\x00-\x1f\x7f]")


class AnswerError(Exception):
    """Something is named as no Hub names it; the message repeats nothing of that."""


def guard_client() -> None:
    """Have every answer to the Hub's client looked at before the client uses it, from now on in this process.

    The client writes files, locks and references under names that the server chose: ETags, commits, revisions. One that
    is no hash, or leads out of the cache, is an `AnswerError`, and nothing is written.
    """
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    # Around whatever factory is set, which may know a proxy. A hook on the client alone would go with the client, which
    # is made anew in forked workers and after a connection that failed.
    make = _http._GLOBAL_CLIENT_FACTORY
    if not isinstance(make, _Guarded):
        set_client_factory(_Guarded(make))


@dataclass(frozen=True, slots=True)
class _Guarded:
    make: Callable[[], Any]

    def __call__(self) -> Any:
        client = self.make()
        client.event_hooks["request"].append(_look_at_request)
        client.event_hooks["response"].append(_look_at_response)
        return client


def _look_at_request(request: Any) -> None:
    """Refuse to ask for a revision or a file that leads out of its repository, for so it would be kept."""
    path = unquote(request.url.raw_path.decode("ascii").partition("?")[0])
    if _CLIMBS.search(path):
        raise AnswerError("a revision or a file is named that leads out of the repository")


def _look_at_response(response: Any) -> None:
    """Refuse names that are no hashes."""
    headers = response.headers
    names = {f"an {name}": headers[name] for name in ("X-Repo-Commit", "X-Xet-Hash") if name in headers}
    # As the client takes it: an error has none, and of a redirection to the same server it follows, the last answer's.
    if "X-Repo-Commit" in headers and response.request.method == "HEAD" and not _passed_over(response):
        etag = headers.get("X-Linked-Etag") or headers.get("ETag", "")
        names["an ETag"] = etag.lstrip("W/").strip('"')
    for header, name in names.items():
        if not _HASH.fullmatch(name):
            raise AnswerError(f"the Hub's answer has {header} that is no hash")


def _passed_over(response: Any) -> bool:
    if response.status_code >= 400:
        return True
    own, target = str(response.url), response.headers.get("Location")
    return bool(target) and urlsplit(urljoin(own, target))[:2] == urlsplit(own)[:2]
