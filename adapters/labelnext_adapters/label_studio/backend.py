"""An ML backend: what Label Studio asks of a model, answered from predictions or a probe.

The protocol is that of Label Studio's ML backends: /health and /setup when it is connected,
/predict for tasks that lack a prediction of the newest version, and /webhook when something
happens. What /setup and /webhook send is never read: labelnext asks the server itself.
"""

from __future__ import annotations

import base64
import ipaddress
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
import numpy as np

from labelnext.config.config import Config
from labelnext.config.opened import opened, read_pool
from labelnext.errors import ConfigError, LabelnextError
from labelnext.runs.ranked import predicted_of
from labelnext.support.serving import Answer, Request, serving
from labelnext.support.store import host_and_port
from labelnext.support.words import counted
from labelnext_adapters.label_studio import LabelStudioAdapter
from labelnext_adapters.label_studio.server.project import COPY

#: Variable of the environment with the user and password that Label Studio sends.
AUTH = "LABELNEXT_BACKEND_AUTH"
_LARGEST = 64 << 20  # bytes of a request: some hundred tasks with their data
_JSON = "application/json"
_CURE = "set source.model: probe and label two items of each class, or store a model's predictions"
_PRIVATE = "from 1.23 on, Label Studio must be started with ML_BLOCK_LOCAL_IP=false for that"

_log = logging.getLogger("labelnext.backend")


@dataclass(frozen=True)
class Known:
    """What is predicted at some time.

    Attributes:
        version: the model version, the same for the same data.
        answers: of each task by its number, what Label Studio stores.
        labels: the project's label count then.
        state: a text that changes with its tasks and predictions.
        project: the number of the project; 0 before it was read.
    """

    version: str
    answers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    labels: int = 0
    state: str = ""
    project: int = 0

    def __str__(self) -> str:
        labels, found = counted(self.labels, "label"), counted(len(self.answers), "task")
        if not self.answers:
            return f"{labels}, no predictions: {_CURE}"
        return f"{labels}, predictions of {found} as {self.version!r}"


class Backend:
    """Answers Label Studio's requests.

    Args:
        settings: the configuration of a project.
        auth: user and password, with a colon between them; None lets everybody ask.
    """

    def __init__(self, settings: Config, auth: str | None = None) -> None:
        self._settings = settings
        self._auth = None if auth is None else _sent(auth)
        self.news = threading.Event()
        self.known = Known("")

    def refresh(self, labels: int = 0) -> None:
        """Read the project again if it has so many new labels, or other tasks or predictions.

        Raises:
            LabelnextError: if it can't be read; what was known stays.
        """
        with opened(self._settings, None, None) as adapter:
            assert isinstance(adapter, LabelStudioAdapter), "the command refuses others"
            count, state = adapter.count_labels(), adapter.prediction_state()
            if state != self.known.state or abs(count - self.known.labels) >= labels:
                self.known = self._read(adapter, count, state)

    def _read(self, adapter: LabelStudioAdapter, count: int, state: str) -> Known:
        pool = read_pool(self._settings, adapter)
        predicted = predicted_of(pool, np.arange(len(pool)))
        version = f"{COPY}backend of {self._settings.write.run}:{pool.fingerprint()[:8]}"
        made = None if predicted is None else adapter.answers(predicted)
        if made is None:
            return Known(version, labels=count, state=state, project=adapter.number)
        rows = zip(made.task_ids, made.scores, made.results, strict=True)
        answers = {
            task: {"result": msgspec.Raw(result.encode()), "score": score, "model_version": version}
            for task, score, result in rows
        }
        return Known(version, answers, count, state, adapter.number)

    def answer(self, request: Request) -> Answer:
        """The answer to a request of Label Studio."""
        path = request.path.partition("?")[0].rstrip("/")
        if path == "/webhook" and request.method == "POST":  # sent without the password
            self.news.set()
            return Answer(HTTPStatus.CREATED, "{}", _JSON)
        sent = request.headers.get("authorization", "").encode()
        if self._auth is not None and not any(secrets.compare_digest(sent, a) for a in self._auth):
            asks = {"WWW-Authenticate": 'Basic realm="labelnext"'}
            return Answer(HTTPStatus.UNAUTHORIZED, headers=asks)
        known = self.known
        said: Any
        if path in ("", "/health"):
            said = {"status": "UP", "model_class": "labelnext"}
        elif path == "/setup":
            if known.project and _project_of(request.body) not in (None, known.project):
                why = f"This backend is for project {known.project}; connect it there"
                return Answer(HTTPStatus.CONFLICT, phrase=why)
            said = {"model_version": known.version}
        elif path == "/versions":
            said = {"versions": [known.version]}
        elif path == "/predict" and request.method == "POST":
            return _predicted(known, request.body)
        else:
            return Answer(HTTPStatus.NOT_FOUND)
        return Answer(HTTPStatus.OK, msgspec.json.encode(said).decode(), _JSON)


def _sent(auth: str) -> list[bytes]:
    """The headers that stand for a user and password: Label Studio sends Latin-1 if it can.

    Raises:
        ConfigError: if there is no colon between them.
    """
    if ":" not in auth:
        raise ConfigError(
            f"{AUTH} must be user:password; got a text without a colon.",
            hint="give the same user and password to Label Studio.",
        )
    forms = {auth.encode()}
    with suppress(UnicodeEncodeError):
        forms.add(auth.encode("latin-1"))
    return [b"Basic " + base64.b64encode(form) for form in forms]


class _Setup(msgspec.Struct):
    project: str = ""


def _project_of(body: bytes) -> int | None:
    """The project that asks, by its number and the time of its creation; None if it isn't said.

    Example:
        >>> _project_of(b'{"project": "7.1764500000"}'), _project_of(b"")
        (7, None)
    """
    try:
        return int(msgspec.json.decode(body, type=_Setup).project.partition(".")[0])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


class _Task(msgspec.Struct):
    id: int


class _Tasks(msgspec.Struct):
    tasks: list[_Task]


def _predicted(known: Known, body: bytes) -> Answer:
    """The predictions of the tasks, in their order; none for one of which nothing is predicted."""
    try:
        asked = msgspec.json.decode(body, type=_Tasks).tasks
    except (msgspec.DecodeError, RecursionError) as error:
        return Answer(HTTPStatus.BAD_REQUEST, f"tasks must be a list with ids: {error}\n")
    results = [[known.answers[t.id]] if t.id in known.answers else [] for t in asked]
    said = {"results": results, "model_version": known.version}
    return Answer(HTTPStatus.OK, msgspec.json.encode(said).decode(), _JSON)


def serve_backend(
    settings: Config,
    listen: str,
    auth: str | None,
    stop: threading.Event,
    tell: Callable[[str], None],
    *,
    labels: int = 20,
    poll: float = 10.0,
) -> None:
    """Answer Label Studio until the stop, and read the project again after so many new labels.

    It is also read again when tasks are added or deleted, or others have stored predictions.

    Args:
        settings: the configuration of a project.
        listen: host and port.
        auth: user and password, with a colon between them; needed unless `listen` is loopback.
        stop: ends it when set.
        tell: called with what is known, whenever that changes.
        labels: number of new labels after which the project is read again.
        poll: seconds between two looks at the label count.

    Raises:
        ConfigError: if nobody can listen there, or everybody could ask.
        LabelnextError: if the project can't be read at the start.
    """
    where = host_and_port(listen)
    if where is not None and auth is None and not _is_loopback(where[0]):
        raise ConfigError(
            f"--listen must be an address of this machine alone, such as 127.0.0.1:9090, without a "
            f"password; got {listen!r}.",
            hint=f"set {AUTH} to user:password, and give both to Label Studio.",
        )
    backend = Backend(settings, auth)
    # A port that is taken is told before a large project is read.
    with serving(listen, backend.answer, "--listen", largest=_LARGEST) as port:
        backend.refresh()
        said = str(backend.known)
        tell(said)
        address = f"{listen.rpartition(':')[0]}:{port}"
        tell(f"listening on {address}")
        if where is not None and _is_loopback(where[0]):
            tell(f"connect http://{address} in the project's Settings > Model; {_PRIVATE}")
        while not stop.is_set():
            _wait(stop, backend.news, poll)
            try:
                backend.refresh(labels)
                now = str(backend.known)
            except LabelnextError as error:
                now = f"answering as before, and trying again: {error.message}"
            if now != said and not stop.is_set():
                said = now
                tell(said)


def _wait(stop: threading.Event, news: threading.Event, seconds: float) -> None:
    """Wait for a stop or news, at most so long."""
    end = time.monotonic() + seconds
    while not stop.is_set() and not news.is_set() and time.monotonic() < end:
        stop.wait(0.2)
    news.clear()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


__all__ = ["AUTH", "Backend", "Known", "serve_backend"]
