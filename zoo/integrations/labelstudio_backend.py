"""A machine learning backend of Label Studio: a small WSGI application that answers as the tool's own servers do."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from socket import SHUT_WR
from socketserver import TCPServer, ThreadingMixIn
from time import monotonic
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from coarsekit.errors import CoarsekitError, ParameterError
from zoo.integrations.labelstudio_controls import read_config
from zoo.integrations.labelstudio_photographs import MOST_BYTES
from zoo.integrations.labelstudio_predict import LabelStudioRefiner
from zoo.refiner import no_progress

Answer = tuple[int, dict[str, Any]]
"""A status, and what is sent as JSON."""
_SECONDS = 120
"""How long a client may be silent in the middle of a request."""
_PATIENCE = 10
"""How many seconds what a client goes on sending is taken after the answer, and passed over."""
_TRAINING = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATION_DELETED", "START_TRAINING")
"""Events after which other backends train."""


class _RefusedError(CoarsekitError):
    """A request that cannot be answered, whatever it asks for."""


class LabelStudioBackend:
    """The WSGI application: health, setup, predict and webhook, as Label Studio asks for them.

    A request that cannot be answered gets the status 400 and a sentence under ``error``.

    Args:
        refiner: What refines.
        log: Called with a sentence for each request, and for what is left out of an answer.
        worded: Gives a sentence of the library in the words of who runs the server; as it is by default.
    """

    def __init__(
        self,
        refiner: LabelStudioRefiner,
        log: Callable[[str], None] = no_progress,
        worded: Callable[[str], str] = str,
    ) -> None:
        self._refiner = refiner
        # Names of files may have line breaks in them, which would look like lines of others.
        self._worded: Callable[[str], str] = lambda sentence: " ".join(worded(sentence).split())
        self._log: Callable[[str], None] = lambda sentence: log(self._worded(sentence))
        self._routes: Mapping[tuple[str, str], Callable[[Any], Answer]] = {
            ("GET", "/"): self._health,
            ("GET", "/health"): self._health,
            ("GET", "/metrics"): lambda _: (200, {}),
            ("GET", "/versions"): lambda _: (200, {"versions": [refiner.model_version]}),
            ("POST", "/setup"): self._setup,
            ("POST", "/predict"): self._predict,
            ("POST", "/webhook"): self._webhook,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/"
        begun = monotonic()
        place = path.rstrip("/") or "/"
        # Who watches over servers asks for the head of a page alone.
        status, answer = self._answered("GET" if method == "HEAD" else method, place, environ)
        count = len(answer.get("results", ()))
        said = answer.get("error", f"{count} task{'s'[: count != 1]}" if count else "done")
        self._log(f"{method} {path[:80]!r}: {status}, {said}, {monotonic() - begun:.1f} s")
        content = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(content)))]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", ", ".join(sorted(self._ways(place)))))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [b"" if method == "HEAD" else content]

    def _ways(self, path: str) -> set[str]:
        """The methods that a page takes; none where there is no such page."""
        return {way for way, place in self._routes if place == path}

    def _answered(self, method: str, path: str, environ: Mapping[str, Any]) -> Answer:
        known = self._ways(path)
        if not known:
            return 404, {"error": f"no page {path[:80]!r}; expected {', '.join(sorted({p for _, p in self._routes}))}"}
        if method not in known:
            return 405, {"error": f"{path} takes {' and '.join(sorted(known))}, got {method[:20]!r}"}
        try:
            return self._routes[method, path](_content(environ) if method == "POST" else None)
        except CoarsekitError as error:
            return 400, {"error": self._worded(str(error))}
        except Exception as error:  # a client gets no traceback, whatever goes wrong
            return 500, {"error": f"the request failed inside the server ({type(error).__name__}); report it"}

    def _health(self, _: Any) -> Answer:
        return 200, {"status": "UP", "model_class": type(self._refiner.refiner).__name__}

    def _setup(self, content: Any) -> Answer:
        """The version; the configuration of the project is checked here, where the tool shows what is wrong."""
        schema = content.get("schema")
        read_config(schema if isinstance(schema, str) else "")
        return 200, {"model_version": self._refiner.model_version}

    def _predict(self, content: Any) -> Answer:
        predictions = self._refiner.predict(content, self._log)
        for prediction in predictions:
            if "error" in prediction:
                prediction["error"] = self._worded(prediction["error"])
        return 200, {"results": predictions}

    def _webhook(self, content: Any) -> Answer:
        """Nothing is trained here."""
        if content.get("action") not in _TRAINING:
            return 200, {"status": "Unknown event"}
        return 201, {"result": {}, "status": "ok"}


def _content(environ: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises `CoarsekitError` when it has no length, is too long or cut short, or is no JSON object.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        raise _RefusedError("the request has no length; send JSON with the header Content-Length")
    if int(length) > MOST_BYTES:
        raise _RefusedError(f"the request has more than {MOST_BYTES >> 20} MB; send fewer tasks at once")
    try:
        data = environ["wsgi.input"].read(int(length))
    except OSError:
        data = b""
    if len(data) != int(length):
        raise _RefusedError(f"the request is cut short: {len(data)} bytes of {length}; send it again")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as cause:
        raise _RefusedError(f"the request is not JSON ({cause}); send a JSON object") from None
    if not isinstance(content, dict):
        raise _RefusedError(f"the request is {type(content).__name__}; send a JSON object")
    return content


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Without asking a name server for the name of this computer, as the base class does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def shutdown_request(self, request: Any) -> None:
        """End a connection without cutting off a client that still sends: it would read no answer."""
        end = monotonic() + _PATIENCE
        with suppress(OSError):
            request.shutdown(SHUT_WR)
            request.settimeout(1)
            while monotonic() < end and request.recv(2**16):
                pass
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of the server's errors; the application catches its own."""


class _Handler(WSGIRequestHandler):
    timeout = _SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the name of the base class
        """Requests are logged by the application, and those that are no HTTP are of no interest."""


@contextmanager
def serving(backend: LabelStudioBackend, host: str = "127.0.0.1", port: int = 9090) -> Iterator[WSGIServer]:
    """A server of the backend that listens until the block is left; ``serve_forever`` answers requests.

    Args:
        backend: The application.
        host: The address to listen at; ``0.0.0.0`` for all of this computer's.
        port: 0 for any that is free.

    Yields:
        The server; its ``server_port`` is the port.

    Raises:
        ParameterError: When it cannot listen there.
    """
    try:
        server = _Server((host, port), _Handler)
    except (OSError, OverflowError) as cause:
        reason = getattr(cause, "strerror", None) or cause
        raise ParameterError(f"cannot listen at {host}:{port} ({reason}); give another port=… or host=…") from None
    server.set_app(backend)
    with server:
        yield server
