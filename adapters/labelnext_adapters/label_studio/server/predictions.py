"""Sending predictions in bulk, and removing them one by one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import LabelnextError, NotFound
from labelnext_adapters.label_studio.server.client import MOST_BYTES, Client
from labelnext_adapters.label_studio.server.give_way import give_way
from labelnext_adapters.label_studio.server.project import count_version
from labelnext_adapters.label_studio.server.refusals import Failed
from labelnext_adapters.label_studio.server.task import Prediction

_AT_ONCE = 10_000  # predictions in a request
REFUSALS = 3  # requests that fail, before the rest is left
_SLOW = 1.5  # seconds for one deletion, after which the server is left to the annotators
_PATIENCE = 20.0  # seconds in all: the server saves a task for each prediction it deletes


def send_predictions(
    client: Client, context: Context, project: int, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Send predictions, in as few requests as others can bear.

    On SQLite nobody else can write while the server stores a request, and what waits for five
    seconds fails: on a busy machine 20,000 at once were too many. But after each request the server
    counts the predictions of all of the project's tasks again, which makes people wait, too: with
    three requests for 20,000 tasks up to 24 s, with one up to 6 s.

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
    for body in _bodies(rows):
        context.report("write predictions", sent, len(rows))
        start = time.monotonic()
        created += _store(client, project, version, there + created, body)
        sent += len(body)
        if sent < len(rows):
            give_way(time.monotonic() - start)
    return created


def _store(
    client: Client, project: int, version: str, known: int, body: Sequence[msgspec.Raw]
) -> int:
    """Send a request, again if the server failed before it stored anything; how many it took.

    Args:
        client: the server.
        project: its number.
        version: of the predictions.
        known: how many predictions of that version there are.
        body: the predictions.
    """
    path = f"api/projects/{project}/import/predictions"
    for pause in client.pauses:
        try:
            return int(client.send("POST", path, body, retry=False).get("created", 0))
        except Failed:  # on SQLite, when others don't let it write for seconds
            if count_version(client, project, version) != known:
                raise
            time.sleep(pause)
    return int(client.send("POST", path, body, retry=False).get("created", 0))


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
    client: Client, context: Context, rows: Sequence[Prediction], *, patient: bool = False
) -> int:
    """Delete predictions one by one, as long as the server has time for it.

    Args:
        client: the server.
        context: for progress.
        rows: what to delete.
        patient: delete all, however long it takes, or fail.

    Returns:
        How many are gone.
    """
    end = time.monotonic() + _PATIENCE
    waiting, refused = deque(rows), 0
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
        if not patient and waiting:
            if took > _SLOW or time.monotonic() > end:
                return done + 1
            give_way(took)
    return len(rows)


__all__ = ["REFUSALS", "remove_predictions", "send_predictions"]
