"""Which tasks were changed since a moment, by the server's clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import Filter, where
from labelnext_adapters.label_studio.server.pages import newest_change
from labelnext_adapters.label_studio.server.task import Task

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


def read_on(since: datetime, asked: datetime | None, changed: Iterable[Task]) -> datetime:
    """What `read_until` would say, of a reading of the tasks that were changed since.

    Args:
        since: up to when all was known.
        asked: the server's clock before they were read.
        changed: all that the server dated later.
    """
    newest = max((moment for task in changed if (moment := task.updated_at)), default=None)
    if newest is None or asked is None:
        return since
    return max(since, min(datetime.fromisoformat(newest), asked - _MARGIN))


def changed_after(since: datetime) -> Filter:
    """The filter of tasks that were changed later: themselves, their labels or predictions."""
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return where("updated_at", "Datetime", "greater", moment)


__all__ = ["changed_after", "read_on", "read_until"]
