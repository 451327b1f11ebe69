"""Listen for a platform's requests while `watch` waits, and show its figures at /metrics.

A request only says that something happened: what it holds is never read, and `watch` asks the
platform itself. So requests that come twice, late or out of order do no harm. Those that get lost
are made up for by polling.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from labelnext.config.config import Config
from labelnext.journal.lock import hold
from labelnext.journal.state import make_state
from labelnext.runs.callbacks import LISTENING, PATH, folder_of
from labelnext.support.serving import Answer, Request, serving

_SECRET = "X-Labelnext-Secret"  # noqa: S105  # a header's name
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_SETTLES = 0.2  # seconds until what a request tells of can be read
_APART = 0.5  # seconds between two looks at the platform
_SLICE = 0.1  # seconds until a stop is noticed
_HINT = "end it first, or leave watch.listen out."


class Listener:
    """What a platform's requests wake, and what /metrics shows.

    Args:
        callback: address under which the platform reaches it.

    Attributes:
        address: where the platform sends its requests. Nobody else knows it.
        headers: what it has to send along.
        figures: what /metrics shows; a value that is None is left out.
    """

    def __init__(self, callback: str = "") -> None:
        self._news = threading.Event()
        self._taken = self._refused = 0
        self._looked = time.monotonic()
        self.figures: Mapping[str, float | None] = {}
        self.headers = {_SECRET: secrets.token_urlsafe(24)}
        self._path = PATH + secrets.token_urlsafe(9)
        self.address = callback.rstrip("/") + self._path

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait for news or a stop, at most so long."""
        end = time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < end:
            if self._news.wait(min(_SLICE, seconds)):
                stop.wait(max(_SETTLES, self._looked + _APART - time.monotonic()))
                break
        self._looked = time.monotonic()
        self._news.clear()  # what comes from now on is seen at the next look

    def answer(self, request: Request) -> Answer:
        """Take a request of the platform, or show the figures."""
        if request.method == "GET":
            if request.path == "/metrics":
                return Answer(HTTPStatus.OK, self.metrics(), _PROMETHEUS)
            return Answer(HTTPStatus.NOT_FOUND)
        secret = request.headers.get(_SECRET.lower(), "")
        known = secrets.compare_digest(secret.encode(), self.headers[_SECRET].encode())
        if not known or not request.path.endswith(self._path):
            self._refused += 1
            return Answer(HTTPStatus.FORBIDDEN)
        self._taken += 1
        self._news.set()
        return Answer(HTTPStatus.OK)

    def metrics(self) -> str:
        """The figures as text for Prometheus."""
        shown = {name: value for name, value in self.figures.items() if value is not None}
        shown |= {"webhooks_total": self._taken, "webhooks_refused_total": self._refused}
        lines = []
        for name, value in shown.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# TYPE labelnext_{name} {kind}", f"labelnext_{name} {value:.17g}"]
        return "\n".join(lines) + "\n"


@contextmanager
def listening(settings: Config) -> Iterator[Listener | None]:
    """Listen where `watch.listen` says; None without it.

    Raises:
        ConfigError: if nobody can listen there, or another `watch` of the configuration does.
    """
    listen = settings.watch.listen
    if listen is None:
        yield None
        return
    folder = folder_of(settings)
    make_state(folder)
    listener = Listener(settings.watch.callback or f"http://{listen}")
    with (
        hold(folder / LISTENING, str(os.getpid()), "another watch listens: process", _HINT),
        serving(listen, listener.answer, "watch.listen"),
    ):
        yield listener
