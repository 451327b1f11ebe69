"""Which tasks were changed since a moment, by the server's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import newest_change

# What was under way while tasks were read may be dated earlier than the newest that was seen.
_MARGIN = timedelta(seconds=30)


def read_until(client: Client, project: int) -> datetime | None:
    """The last change by the server's clock, unless others may be under way.

    What is read now holds all that the server dates earlier; None if it has no dates.
    """
    said = newest_change(client, project)
    if not said or client.clock is None:
        return None
    return min(datetime.fromisoformat(said), client.clock - _MARGIN)


def changed_after(since: datetime) -> dict[str, Any]:
    """The filter of tasks that were changed later: themselves, their labels or predictions."""
    return {
        "filter": "filter:tasks:updated_at",
        "operator": "greater",
        "type": "Datetime",
        "value": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


__all__ = ["changed_after", "read_until"]
