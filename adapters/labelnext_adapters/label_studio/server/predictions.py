"""Sending predictions in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.server.client import MOST_BYTES, Client


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


__all__ = ["send_predictions"]
