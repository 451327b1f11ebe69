"""What was sent before: the project that was made for a dataset, and the tasks by their items."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from labelnext.adapter.batch import Origin
from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import list_projects
from labelnext_adapters.label_studio.server.tasks import FIELDS, task_pages


@dataclass(frozen=True)
class Sent:
    """A task that was sent.

    Attributes:
        task: its number.
        labelled: with at least one annotation that was not cancelled.
        values: of the data keys that are ours.
    """

    task: int
    labelled: bool
    values: dict[str, Any] = field(default_factory=dict)


def made_project(client: Client, mark: str) -> int | None:
    """The number of the project whose description holds the mark; the newest of several."""
    rows = list_projects(client, "description")
    found = [int(row["id"]) for row in rows if mark in (row.get("description") or "")]
    return max(found, default=None)


def sent_tasks(
    client: Client, project: int, key: str, context: Context | None = None
) -> dict[str, Sent]:
    """The tasks of a project that carry the id of an item, by that id.

    Args:
        client: the server.
        project: its number.
        key: the data key of the ids.
        context: for progress.
    """
    found: dict[str, Sent] = {}
    pages = task_pages(
        client, project, "id,data,total_annotations", context=context, stage="send: look"
    )
    for page in pages:
        for task in page:
            raw = task.data.get(key)
            item = None if raw is None else msgspec.json.decode(raw)
            # Of two tasks of one item, which only people make, the older one is ours.
            if isinstance(item, str) and item not in found:
                values = {n: msgspec.json.decode(task.data[n]) for n in FIELDS if n in task.data}
                found[item] = Sent(task.id, bool(task.total_annotations), values)
    return found


class _Touched(msgspec.Struct):
    id: int
    total_annotations: int | None = 0
    cancelled_annotations: int | None = 0
    drafts: list[Any] = []


class _Page(msgspec.Struct):
    tasks: list[_Touched]


def untouched(client: Client, project: int, tasks: Sequence[int]) -> set[int]:
    """Those of the tasks that nobody annotated, skipped or began.

    Args:
        client: the server.
        project: its number.
        tasks: few enough for one address.
    """
    only = {"filter": "filter:tasks:id", "operator": "in_list", "type": "Number"}
    items = [{**only, "value": list(tasks)}]
    body = client.get(
        "api/tasks",
        project=project,
        fields="all",
        include="id,total_annotations,cancelled_annotations,drafts",
        resolve_uri="false",
        page_size=len(tasks),
        query=json.dumps({"filters": {"conjunction": "and", "items": items}}),
    )
    rows = client.decode(body, _Page).tasks
    return {
        row.id
        for row in rows
        if not (row.total_annotations or row.cancelled_annotations or row.drafts)
    }


def project_mark(origin: Origin, unit: str) -> str:
    """What stands in the description of a project that was made for a dataset."""
    return f"[{origin.platform}:{origin.dataset_id}:{unit}]"
