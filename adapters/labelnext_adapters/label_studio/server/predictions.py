"""Sending predictions in bulk, and removing them one by one."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import LabelnextError, NotFound, Unavailable
from labelnext_adapters.label_studio.server.client import MOST_BYTES, Client
from labelnext_adapters.label_studio.server.give_way import give_way
from labelnext_adapters.label_studio.server.project import count_version, get_project
from labelnext_adapters.label_studio.server.refusals import Failed
from labelnext_adapters.label_studio.server.task import Prediction

_AT_ONCE = 10_000  # predictions in a request
_SMALL = 1000  # tasks that the server counts in a second
_FEW = 2000  # predictions that may take a request each
_AT_LEAST = 100  # of them, however slow the server is
REFUSALS = 3  # requests that fail, before the rest is left
_SLOW = 1.5  # seconds for one deletion, after which the server is left to the annotators
_MOST_SLOW = 3  # slow deletions in a row, after which an undo leaves the rest, too
_REST = 5.0  # seconds to leave it to them, before it is tried again
_PATIENCE = 20.0  # seconds in all: the server saves a task for each prediction it deletes


def send_predictions(
    client: Client, context: Context, project: int, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Send predictions, in as few requests as others can bear.

    On SQLite nobody else can write while the server stores a request, and what waits for five
    seconds fails: on a busy machine 20,000 at once were too many. But after each request, the
    server counts the predictions of all of the project's tasks again, which makes people wait, too.

    A request whose answer was lost may have been carried out, and is not sent again.

    Args:
        client: the server.
        context: for progress.
        project: its number.
        rows: with task, model_version (the same for all), score and result.

    Returns:
        How many the server took.

    Raises:
        InvalidInput: if one of the tasks is gone; of that request, the server takes none.
    """
    if not rows:
        return 0
    created = sent = 0
    version = rows[0]["model_version"]
    there = count_version(client, project, version)
    path = f"api/projects/{project}/import/predictions"
    for body in _bodies(rows):
        context.report("write predictions", sent, len(rows))
        start = time.monotonic()
        answer = _store(client, project, version, there + created, path, body)
        created += int(answer.get("created", 0))
        sent += len(body)
        if sent < len(rows):
            give_way(time.monotonic() - start)
    return created


def are_sent_each(client: Client, project: int, n: int) -> bool:
    """Whether so many predictions are sent one by one, as people would wait for a large request.

    After a request with many predictions, even if it has one, the server counts those of all of the
    project's tasks: with 20,000 tasks on SQLite for 15 s, in which people wait for up to 35 s. A
    prediction that comes by itself is counted by itself: 5 to 20 a second, and nobody notices.
    """
    return 0 < n <= _FEW and get_project(client, project)["task_number"] > _SMALL


def send_each(
    client: Client,
    context: Context,
    project: int,
    rows: Sequence[Mapping[str, Any]],
    *,
    seconds: float = math.inf,
) -> int:
    """Send predictions one by one, with pauses; regions that don't fit the setup are taken, too.

    Args:
        client: the server.
        context: for progress.
        project: its number.
        rows: as for `send_predictions`.
        seconds: after which no more are sent, but for a hundred.

    Returns:
        How many were sent, the first ones.

    Raises:
        InvalidInput: if a task is gone; those before it are sent.
    """
    end = time.monotonic() + seconds
    there = count_version(client, project, rows[0]["model_version"]) if rows else 0
    for done, row in enumerate(rows):
        context.report("write predictions", done, len(rows))
        start = time.monotonic()
        if start > end and done >= _AT_LEAST:
            return done
        body = {**row, "project": project}
        _store(client, project, row["model_version"], there + done, "api/predictions/", body)
        give_way(time.monotonic() - start)
    return len(rows)


def _store(
    client: Client, project: int, version: str, known: int, path: str, body: Any
) -> dict[str, Any]:
    """Send a request, again if the server failed before it stored anything; its answer.

    If the answer was lost, what is stored tells whether the server carried the request out.

    Args:
        client: the server.
        project: its number.
        version: of the predictions.
        known: how many predictions of that version there are.
        path: of the request.
        body: the predictions.
    """
    n = len(body) if isinstance(body, list) else 1
    lost = False
    for pause in (*client.pauses, 0.0):
        try:
            if not lost:
                return dict(client.send("POST", path, body, retry=False))
        except Unavailable as error:  # on SQLite, when others don't let it write for seconds
            failure, lost = error, not isinstance(error, Failed)
        stored = count_version(client, project, version) - known
        if stored == n:
            return {"created": n}
        if stored:
            break
        time.sleep(pause)
    raise failure


def _bodies(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[msgspec.Raw]]:
    """The rows in requests of at most 10,000, as far as the server's limit allows."""
    body: list[msgspec.Raw] = []
    size = 0
    for row in rows:
        encoded = msgspec.Raw(msgspec.json.encode(row))
        full = len(body) == _AT_ONCE
        if full or (body and size + len(bytes(encoded)) + 1 > MOST_BYTES):
            yield body
            body, size = [], 0
        body.append(encoded)
        size += len(bytes(encoded)) + 1
    if body:
        yield body


def remove_predictions(
    client: Client,
    context: Context,
    rows: Sequence[Prediction],
    *,
    patient: bool = False,
    seconds: float | None = None,
) -> int:
    """Delete predictions one by one, with pauses, as long as the server has time for it.

    Args:
        client: the server.
        context: for progress.
        rows: what to delete.
        patient: delete all, however long it takes, or fail.
        seconds: how long to go on at most; the server is then left alone for a while after a slow
            answer, and for good after three of them in a row. After the first one, if None.

    Returns:
        How many are gone.
    """
    end = time.monotonic() + (_PATIENCE if seconds is None else seconds)
    most_slow = 1 if seconds is None else _MOST_SLOW
    waiting, refused, slow = deque(rows), 0, 0
    while waiting:
        prediction, done = waiting[0], len(rows) - len(waiting)
        context.report("remove predictions", done, len(rows))
        start = time.monotonic()
        try:
            client.send("DELETE", f"api/predictions/{prediction.id}/", None, retry=True)
        except NotFound:
            pass
        except LabelnextError:
            refused += 1
            if patient:
                raise
            if refused > REFUSALS:
                return done
            continue
        waiting.popleft()
        took = time.monotonic() - start
        slow = slow + 1 if took > _SLOW else 0
        if not patient and (slow == most_slow or time.monotonic() > end):
            return done + 1
        if waiting:
            give_way(took)
            time.sleep(_REST if slow and not patient else 0)
    return len(rows)


__all__ = ["REFUSALS", "are_sent_each", "remove_predictions", "send_each", "send_predictions"]
