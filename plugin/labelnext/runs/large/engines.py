"""Where parts are scored: in threads of this process, or by Ray on this machine or a cluster.

A new engine is a function in this module and one entry in `_ENGINES`.
"""

from __future__ import annotations

import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from threading import Event, Thread
from time import monotonic
from typing import Any, cast
from uuid import uuid4

from labelnext import errors
from labelnext.adapter.protocol import Adapter, Part, Streams
from labelnext.config.config import Config
from labelnext.errors import LabelnextError, MissingExtra, Unavailable, unknown
from labelnext.runs.large.part import Scored, Task, do_part
from labelnext.support.started import how_to_install
from labelnext.support.store import Store
from labelnext.support.threads import at_most, in_order, n_threads

# A lost task is done again whole.
_TASKS = 8  # for each processor
_AHEAD = 2  # tasks of a processor that are under way, so that it never waits
_WORTH = 30.0  # seconds of work left for which Ray, which takes six to start, is started here
_MEANWHILE = 4  # parts that a processor does here until the next look whether Ray has started
_QUIET: Mapping[str, Any] = {"log_to_driver": False, "logging_level": "error"}

Engine = Callable[[Config, Streams, Sequence[Part], Task, Store], Iterator[Scored]]


def get_engine(name: str) -> Engine:
    """The engine of that name.

    Raises:
        UnknownName: if there is none.
    """
    if name not in _ENGINES:
        raise unknown("engine", name, _ENGINES)
    return _ENGINES[name]


def local(
    settings: Config, reader: Streams, parts: Sequence[Part], what: Task, store: Store
) -> Iterator[Scored]:
    """In this process, a thread for each processor; Arrow and numpy let go of the interpreter.

    A part that fails is raised when the others that have begun are done.
    """
    yield from in_order(lambda part: do_part(reader, part, what, store), parts)


def on_ray(
    settings: Config, reader: Streams, parts: Sequence[Part], what: Task, store: Store
) -> Iterator[Scored]:
    """By Ray, some parts a task; Ray schedules, and reruns whatever a failed node lost.

    Every worker opens the source for itself, so source and output must be where all can reach them.
    A part that fails is raised when the tasks that have begun are done. Until Ray has started on
    this machine, parts are done as by `local`.

    Raises:
        MissingExtra: if Ray is not installed.
        Unavailable: if the cluster does not answer.
    """
    with ready(settings):
        start, first, began = _start.get(), 0, monotonic()
        some = _MEANWHILE * n_threads()
        while first < len(parts) and start is not None:
            left = (monotonic() - began) / max(first, 1) * (len(parts) - first)
            if start.is_up(begin=left > _WORTH):
                break
            yield from local(settings, reader, parts[first : first + some], what, store)
            first += some
        if first < len(parts):
            yield from _by_workers(settings, parts[first:], what, store)


def _by_workers(
    settings: Config, parts: Sequence[Part], what: Task, store: Store
) -> Iterator[Scored]:
    import ray

    n_processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    n_tasks = max(1, min(len(parts), _TASKS * n_processors))
    ends = [len(parts) * n // n_tasks for n in range(n_tasks + 1)]
    do = ray.remote(scheduling_strategy="SPREAD")(_do_parts)
    stage = uuid4().hex
    ahead: deque[Any] = deque()
    try:
        for start, end in pairwise(ends):
            ahead.append(do.remote(stage, settings, what, store.place, parts[start:end]))
            if len(ahead) > _AHEAD * n_processors:
                yield _found(ray.get(ahead.popleft()))
        while ahead:
            yield _found(ray.get(ahead.popleft()))
    finally:  # Ray may crash where tasks are cancelled that are about to end
        if ahead:
            ray.wait([*ahead], num_returns=len(ahead))


@contextmanager
def ready(settings: Config) -> Iterator[None]:
    """Meanwhile the engine is ready for one task after the other: Ray is started once for all.

    Raises:
        MissingExtra: if Ray is not installed.
        Unavailable: if the cluster does not answer.
    """
    if settings.rest.engine != "ray" or _start.get() is not None:
        yield
        return
    if settings.ray.address is None:
        # Ray puts the machine's own address in the place of 127.0.0.1 unless clusters are off; the
        # name is of the systems where they are off by default. It is read when Ray is imported.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    if find_spec("ray") is None:
        raise MissingExtra(
            "engine ray needs the package ray, which is not installed.",
            hint=how_to_install("labelnext[ray]"),
        )
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield  # and is left as it was found
    elif settings.ray.address is None:
        with _started_beside():
            yield
    else:
        with _connected(settings.ray.address):
            yield


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """A connection to a cluster."""
    import ray

    try:
        _knock(address)
        ray.init(address=address, **_QUIET)
    except Exception as error:  # where a node is slow to start, Ray raises no other class
        raise _no_answer(address, error) from error
    try:
        yield
    finally:
        ray.shutdown()


def _no_answer(where: str, error: Exception) -> Unavailable:
    return Unavailable(
        f"Ray does not answer at {where}: {error}.",
        hint="set ray.address to that of the cluster, or to null.",
    )


class _Start(Thread):
    """Starts Ray on this machine beside other work, and ends it.

    Linux ends Ray's processes with the thread that began them, so this one stays until the end.
    """

    def __init__(self) -> None:
        super().__init__(name="ray", daemon=True)
        self._n = n_threads()  # what the thread that asks for Ray may use
        self._tried, self._over = Event(), Event()
        self._error: Exception | None = None

    def run(self) -> None:
        """Start Ray, and wait for the end."""
        import ray

        try:
            ray.init(address="local", num_cpus=self._n, include_dashboard=False, **_QUIET)
        except Exception as error:  # as in `_connected`
            self._error = error
        self._tried.set()
        self._over.wait()
        ray.shutdown()

    def is_up(self, *, begin: bool) -> bool:
        """Whether Ray has started.

        Args:
            begin: start it, if nobody did.

        Raises:
            Unavailable: if it can't.
        """
        if begin and self.ident is None:
            self.start()
        if self._error is not None:
            raise _no_answer("this machine", self._error) from self._error
        return self._tried.is_set()

    def end(self) -> None:
        """End Ray, if it was started."""
        self._over.set()
        if self.ident is not None:
            self.join()


_start: ContextVar[_Start | None] = ContextVar("start", default=None)


@contextmanager
def _started_beside() -> Iterator[None]:
    """Meanwhile, Ray is started on this machine, if that is worth it."""
    start = _Start()
    token = _start.set(start)
    try:
        yield
    finally:
        _start.reset(token)
        start.end()


def _knock(address: str) -> None:
    """Fail at once where nobody listens; Ray would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


@dataclass(frozen=True)
class _Refusal:
    """An error of a part; as an exception it would lose its hint on the way."""

    error: str
    message: str
    hint: str | None


def _found(answer: Scored | _Refusal) -> Scored:
    """What a task found; raises what one of its parts was refused for."""
    if isinstance(answer, _Refusal):
        raise getattr(errors, answer.error)(answer.message, hint=answer.hint)
    return answer


def _do_parts(
    stage: str, settings: Config, what: Task, place: str, parts: Sequence[Part]
) -> Scored | _Refusal:
    """Do some parts in a worker, which is one of many and takes one thread.

    Args:
        stage: of which these are a task.
        settings: with the source.
        what: is done with the parts.
        place: of the store.
        parts: to do.

    Returns:
        What was found in all of them: the command, which every task waits for, has less to do.
    """
    reader, found = _reader(stage, settings), Scored()
    try:
        with at_most(1):
            for part in parts:
                found.add(do_part(reader, part, what, Store(place)))
    except LabelnextError as error:
        return _Refusal(type(error).__name__, error.message, error.hint)
    return found


_opened: dict[str, Adapter] = {}


def _reader(stage: str, settings: Config) -> Streams:
    """The source, opened once in a worker for all tasks of a stage.

    To know how to read one part it may look at all others, which takes longer than a small part.
    """
    if stage not in _opened:
        while _opened:
            _opened.popitem()[1].close()
        _opened[stage] = settings.open_adapter()
    return cast("Streams", _opened[stage])


_ENGINES: Mapping[str, Engine] = {"local": local, "ray": on_ray}
