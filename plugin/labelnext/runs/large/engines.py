"""Where parts are scored: in threads of this process, or by Ray on this machine or a cluster.

A new engine is a function in this module and one entry in `_ENGINES`.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, cast

from labelnext import errors
from labelnext.adapter.protocol import Part, Streams
from labelnext.config.config import Config
from labelnext.errors import LabelnextError, MissingExtra, Unavailable, unknown
from labelnext.runs.large.part import Scored, Task, do_part
from labelnext.support.started import how_to_install
from labelnext.support.store import Store
from labelnext.support.threads import in_order

# A task costs Ray Data as much time as a small part; what a lost one had done is not done again.
_TASKS = 8  # for each processor

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
    """By Ray Data, some parts a task; Ray schedules, and does again what a lost node took along.

    Every worker opens the source for itself, so source and output must be where all can reach them.

    Raises:
        MissingExtra: if Ray is not installed.
        Unavailable: if the cluster does not answer.
    """
    with ready(settings):
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False  # ours is there
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        rows = [{"part": json.dumps(asdict(part))} for part in parts]
        task = _Worker(settings, what, store.place)
        n_tasks = min(len(rows), _TASKS * int(ray.cluster_resources().get("CPU", 1)))
        data = ray.data.from_items(rows, override_num_blocks=n_tasks)
        for row in data.map_batches(task, batch_size=None).iter_rows():
            answer = json.loads(row["answer"])
            if "error" in answer:
                raise getattr(errors, answer["error"])(answer["message"], hint=answer["hint"])
            yield Scored(**answer)


@contextmanager
def ready(settings: Config) -> Iterator[None]:
    """Meanwhile the engine is ready for one task after the other: Ray is started once for all.

    Raises:
        MissingExtra: if Ray is not installed.
        Unavailable: if the cluster does not answer.
    """
    if settings.rest.engine != "ray":
        yield
        return
    if settings.ray.address is None:
        # Ray puts the machine's own address in the place of 127.0.0.1 unless clusters are off; the
        # name is of the systems where they are off by default. It is read when Ray is imported.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            "engine ray needs the package ray, which is not installed.",
            hint=how_to_install("labelnext[ray]"),
        ) from error
    with _connected(settings.ray.address):
        yield


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """A connection to Ray, left as it was found; without an address Ray is started here."""
    import ray

    if ray.is_initialized():
        yield
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    try:
        if address is None:
            ray.init(address="local", include_dashboard=False, **quiet)
        else:
            _knock(address)
            ray.init(address=address, **quiet)
    except Exception as error:  # where a node is slow to start, Ray raises no other class
        raise Unavailable(
            f"Ray does not answer at {address or 'this machine'}: {error}.",
            hint="set ray.address to that of the cluster, or to null.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Fail at once where nobody listens; Ray would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


class _Worker:
    """Does some parts in a worker.

    Args:
        settings: with the source, which the worker opens for itself: once for these parts, since it
            may look at all others to know how to read one.
        what: is done with the parts.
        place: of the store.
    """

    def __init__(self, settings: Config, what: Task, place: str) -> None:
        self._settings, self._what, self._place = settings, what, place

    def __call__(self, rows: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        adapter = self._settings.open_adapter()
        try:
            answers = [self._answer(cast("Streams", adapter), str(part)) for part in rows["part"]]
        finally:
            adapter.close()
        return {"answer": answers}

    def _answer(self, reader: Streams, part: str) -> str:
        """What was found, or the error; an exception would lose its hint on the way."""
        try:
            scored = do_part(reader, Part(**json.loads(part)), self._what, Store(self._place))
        except LabelnextError as error:
            told = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
            return json.dumps(told)
        return json.dumps(vars(scored))


_ENGINES: Mapping[str, Engine] = {"local": local, "ray": on_ray}
