"""A proxy on the loopback that passes everything on, but for the requests it is told to spoil."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx

Fault = Literal["500", "429", "timeout", "cut"]
FAULTS: tuple[Fault, ...] = ("500", "429", "timeout", "cut")
HELD = "x-labelnext/held-back"  # the type of an answer that never comes


class FaultyProxy:
    """Spoils the requests `first` to `first + times − 1`, counted from 0.

    500 and 429 are answered without asking the server. A timeout and a cut connection come after
    the server did what was asked, so that only its answer is lost. `timing_out` makes the timeouts
    of answers that say that they are held back: nobody waits for a clock.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.url = ""
        self.refused = ""  # what is in an address that the server is not asked for
        self.refused_with = 403
        self.spoil(None, 0, 0)

    def spoil(self, fault: Fault | None, first: int, times: int) -> None:
        """What to do from now on; counting begins anew.

        Attributes set: `seen`, how many requests came; `first_refused`, the number of the first one
        that was refused, 0 if none was.
        """
        self._fault, self._first, self._times, self.seen = fault, first, times, 0
        self.first_refused = 0
        self._lock = threading.Lock()

    def next_fault(self) -> Fault | None:
        """Of the request that has just come."""
        with self._lock:
            number, self.seen = self.seen, self.seen + 1
        return self._fault if self._first <= number < self._first + self._times else None


@contextmanager
def timing_out() -> Iterator[None]:
    """Here an answer that is held back is one that did not come in time."""
    send = httpx.HTTPTransport.handle_request

    def sent(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        response = send(transport, request)
        if response.headers.get("content-type") == HELD:
            response.close()
            raise httpx.ReadTimeout("held back", request=request)
        return response

    with patch.object(httpx.HTTPTransport, "handle_request", sent):
        yield


@contextmanager
def running_proxy(target: str, tls: ssl.SSLContext | None = None) -> Iterator[FaultyProxy]:
    """A proxy before that server, with TLS where it is given a certificate."""
    proxy = FaultyProxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else each answer waits 40 ms between its head and its body, on a connection that is kept.
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            fault = proxy.next_fault()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fault in ("500", "429"):
                self._answer(int(fault), b'{"detail": "spoilt"}', "application/json")
                return
            if proxy.refused and proxy.refused in self.path:
                proxy.first_refused = proxy.first_refused or proxy.seen - 1
                # What a server that does not know an address answers is a page.
                page = proxy.refused_with == 404
                body = b"<h1>Not Found</h1>" if page else b'{"detail": "refused"}'
                kind = "text/html" if page else "application/json"
                self._answer(proxy.refused_with, body, kind)
                return
            server = http.client.HTTPConnection(proxy.host, proxy.port, timeout=120)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            server.request(self.command, self.path, body=body or None, headers=headers)
            answer = server.getresponse()
            content = answer.read()
            server.close()
            if fault is None:
                self._answer(answer.status, content, answer.getheader("Content-Type") or "")
                return
            if fault == "timeout":
                self._answer(200, b"", HELD)
                return
            self.close_connection = True
            self.connection.close()

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def _answer(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a cut connection is no news

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    proxy.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
