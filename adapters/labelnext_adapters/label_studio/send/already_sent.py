"""What was sent before: the project that was made for a dataset, and the tasks by their items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import msgspec

from labelnext.adapter.batch import Kind, Origin
from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import all_of, lacks, where
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.project import get_project, list_projects
from labelnext_adapters.label_studio.server.standing import Standing, find_standing
from labelnext_adapters.label_studio.server.tasks import FIELDS, TASK_FIELDS, Begun, Tasks


@dataclass(frozen=True)
class Sent:
    """A task that was sent.

    Attributes:
        task: its number.
        labelled: with as many annotations as it needs.
        begun: what people did on it, if anything.
        values: of the data keys that are ours.
    """

    task: int
    labelled: bool
    begun: Begun | None = None
    values: dict[str, Any] = field(default_factory=dict)


def made_for(client: Client, marks: Sequence[str]) -> int | None:
    """The number of the newest project whose description holds one of the marks."""
    rows = list_projects(client, "description")
    told = ((int(row["id"]), row.get("description") or "") for row in rows)
    return max((n for n, text in told if any(mark in text for mark in marks)), default=None)


def made_project(client: Client, mark: str) -> int | None:
    """The number of the newest project whose description holds the mark."""
    return made_for(client, [mark])


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
    sent: dict[str, Sent] = {}
    pages = task_pages(client, project, TASK_FIELDS, context=context, stage="send: look")
    for page in pages:
        for task in page:
            raw = task.data.get(key)
            item = None if raw is None else msgspec.json.decode(raw)
            # Of two tasks of one item, which only people make, the older one is ours.
            if isinstance(item, str) and item not in sent:
                values = {n: msgspec.json.decode(task.data[n]) for n in FIELDS if n in task.data}
                made, skipped = task.total_annotations or 0, task.cancelled_annotations or 0
                begun = Begun(made, skipped, bool(task.is_labeled)) if made or skipped else None
                sent[item] = Sent(task.id, task.finished, begun, values)
    return sent


def standing_of(
    client: Client, project: int, sent: Mapping[str, Sent], context: Context
) -> Standing:
    """Which of the sent tasks Label Studio would still hand to somebody.

    Args:
        client: the server.
        project: its number.
        sent: the tasks by their items.
        context: for progress.
    """
    tasks = Tasks(
        ids=[task.task for task in sent.values()],
        item_ids=list(sent),
        labelled=[task.labelled for task in sent.values()],
        begun_by={task.task: task.begun for task in sent.values() if task.begun is not None},
    )
    return find_standing(client, get_project(client, project), tasks, None, context)


class _Touched(msgspec.Struct):
    id: int
    total_annotations: int | None = 0
    cancelled_annotations: int | None = 0
    draft_exists: bool | None = False
    comment_count: int | None = 0
    drafts: list[Any] = []


class _Page(msgspec.Struct):
    tasks: list[_Touched]


def untouched(client: Client, project: int, tasks: Sequence[int]) -> set[int]:
    """Those of the tasks that nobody annotated, skipped, commented on or began.

    Args:
        client: the server.
        project: its number.
        tasks: few enough for one address.
    """
    only = where("id", "Number", "in_list", list(tasks))
    # `drafts` are the token's own user's; `draft_exists` tells of everybody's.
    names = "total_annotations,cancelled_annotations,drafts,draft_exists,comment_count"
    body = client.get(
        "api/tasks",
        project=project,
        fields="all",
        include=f"id,{names}",
        resolve_uri="false",
        page_size=len(tasks),
        query=json.dumps({"filters": all_of((only,))}),
    )
    rows = client.decode(body, _Page).tasks
    return {row.id for row in rows if not any(getattr(row, name) for name in names.split(","))}


def delete_untouched(client: Client, project: int, tasks: Sequence[int]) -> None:
    """Delete tasks, except those that somebody has begun since: the server looks once more.

    Args:
        client: the server.
        project: its number.
        tasks: that nobody had touched; never empty, which the server takes for all.
    """
    if not tasks:
        return
    nothing_done = (
        lacks("total_annotations"),
        lacks("cancelled_annotations"),
        where("draft_exists", "Boolean", "equal", False),
    )
    body = {
        "selectedItems": {"all": False, "included": sorted(tasks)},
        "filters": all_of(nothing_done),
    }
    client.send("POST", "api/dm/actions/", body, id="delete_tasks", project=project)


def project_mark(
    origin: Origin, kind: Kind, fields: Sequence[str] = (), attributes: Sequence[str] = ()
) -> str:
    """What stands in the description of a project that was made for a dataset.

    Example:
        >>> project_mark(Origin("fiftyone", "street", "6561"), "box", ["weather"])
        '[fiftyone:6561:objects+weather]'
    """
    what = "objects" if kind == "box" else kind
    more = "".join(f"+{name}" for name in sorted({*fields, *attributes}))
    return f"[{origin.platform}:{origin.dataset_id}:{what}{more}]"


def project_marks(
    origin: Origin, fields: Sequence[str], attributes: Sequence[str]
) -> tuple[str, ...]:
    """What may stand in the description of a project for a dataset, one of which must.

    Args:
        origin: the dataset.
        fields: further fields that people label there; any when there are no names at all.
        attributes: of objects.
    """
    if not (fields or attributes):
        return (f"[{origin.platform}:{origin.dataset_id}:",)
    return tuple(project_mark(origin, kind, fields, attributes) for kind in get_args(Kind))
