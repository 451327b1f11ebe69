"""A small HTTP server in a thread of its own, for the few requests that platforms send."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from labelnext.errors import ConfigError
from labelnext.support.store import host_and_port

_log = logging.getLogger("labelnext")

_SLOWEST = 5.0  # seconds in which a request sends nothing
_SLICE = 0.1  # seconds until the end is noticed


@dataclass(frozen=True)
class Request:
    """What somebody sent.

    Attributes:
        method: GET or POST.
        path: as sent, from the first slash.
        headers: by their names in lower case.
        body: what came with it.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is sent back: a status, and text of a media type.

    Attributes:
        status: in numbers.
        text: the body; the phrase and a line break if empty.
        media_type: of the body.
        headers: further ones.
        phrase: the status in words, which some clients show alone; as HTTP has it when None.
    """

    status: HTTPStatus
    text: str = ""
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] | None = None
    phrase: str | None = None


@contextmanager
def serving(
    listen: str, answer: Callable[[Request], Answer], key: str, *, largest: int = 1 << 20
) -> Iterator[int]:
    """Answer requests until the end of the block; gives the port.

    Args:
        listen: host and port; port 0 is a free one.
        answer: called for each request, in threads of their own.
        key: what `listen` is called where it was given, for messages.
        largest: bytes of a request; a larger one is refused unread.

    Raises:
        ConfigError: if nobody can listen there.
    """
    where = host_and_port(listen)
    if where is None:
        raise ConfigError(
            f"{key} must be a host and a port, such as 127.0.0.1:8765; got {listen!r}."
        )
    try:
        server = _Server(where, answer, largest)
    except OSError as error:
        raise ConfigError(
            f"{key} must be a host and port that are free here; got {listen!r} ({error}).",
            hint="somebody else may listen there; choose another port.",
        ) from error
    threading.Thread(target=server.serve_forever, args=(_SLICE,), daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], answer: Callable[[Request], Answer], largest: int
    ) -> None:
        self.answer, self.largest = answer, largest
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A request that breaks off is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "labelnext", ""
    timeout = _SLOWEST

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if not (size.isascii() and size.isdecimal()) or int(size) > self.server.largest:
            self._say(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        self._answer(self.rfile.read(int(size)))

    def _answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.answer(Request(self.command, self.path, headers, body))
        except Exception as error:  # the sender gets an answer all the same
            _log.warning("a request to %s failed: %r", self.path.partition("?")[0], error)
            answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._say(answer)

    def _say(self, answer: Answer) -> None:
        phrase = answer.phrase or answer.status.phrase
        body = (answer.text or f"{phrase}\n").encode()
        self.send_response(answer.status, phrase)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (answer.headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses and bodies may hold secrets."""


__all__ = ["Answer", "Request", "serving"]
