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
from labelnext_adapters.label_studio.server.task import Prediction

REFUSALS = 3  # requests that fail, before the rest is left
_SLOW = 1.5  # seconds for one deletion, after which the server is left to the annotators
_PATIENCE = 20.0  # seconds in all: the server saves a task for each prediction it deletes


def send_predictions(
    client: Client, context: Context, project: int, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Send predictions, in one request unless it would be too large.

    Never sent twice by itself: a request whose answer was lost may have been carried out.

    Args:
        client: the server.
        context: for progress.
        project: its number.
        rows: with task, model_version, score and result.

    Returns:
        How many the server took.

    Raises:
        InvalidInput: if one of the tasks is gone; of that request, the server takes none.
    """
    created = 0
    for done, body in enumerate(_bodies(rows)):
        context.report("write predictions", done, None)
        path = f"api/projects/{project}/import/predictions"
        answer = client.send("POST", path, body, retry=False)
        created += int(answer.get("created", 0))
    return created


def _bodies(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[msgspec.Raw]]:
    """The rows in as few requests as the server's limit allows."""
    body: list[msgspec.Raw] = []
    size = 0
    for row in rows:
        encoded = msgspec.Raw(msgspec.json.encode(row))
        if body and size + len(bytes(encoded)) + 1 > MOST_BYTES:
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
            time.sleep(took)  # SQLite lets one writer in at a time
    return len(rows)


__all__ = ["REFUSALS", "remove_predictions", "send_predictions"]
