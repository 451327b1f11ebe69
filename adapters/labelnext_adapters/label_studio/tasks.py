"""The tasks of a project: pages of what is needed of them, and their data keys that are ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from labelnext.adapter import Context
from labelnext.errors import InvalidInput, listed
from labelnext_adapters.label_studio.client import Client

PRIORITY = "labelnext_priority"
BATCH = "labelnext_batch"


@dataclass(frozen=True)
class Keys:
    """The data keys of a purpose; each purpose has its own, so that two queues live side by side.

    Attributes:
        priority: the order, as a text.
        batch: the shard of those in the batch.
    """

    priority: str
    batch: str


KEYS: dict[str, Keys] = {
    "label": Keys(PRIORITY, BATCH),
    "review": Keys("labelnext_review_priority", "labelnext_review_batch"),
}
FIELDS = tuple(name for keys in KEYS.values() for name in (keys.priority, keys.batch))
PAGE_SIZE = 1000


class Prediction(msgspec.Struct):
    """A stored prediction; `result` is decoded only if the prediction is used."""

    id: int
    task: int = 0
    model_version: str | None = None
    score: float | None = None
    result: msgspec.Raw = msgspec.Raw(b"[]")


class Annotation(msgspec.Struct):
    """What a person submitted."""

    id: int
    result: msgspec.Raw = msgspec.Raw(b"[]")
    was_cancelled: bool = False
    ground_truth: bool = False
    created_at: str = ""
    updated_at: str = ""
    completed_by: int | dict[str, Any] | None = None

    @property
    def person(self) -> int:
        """Number of the user who submitted it; −1 where the server does not say."""
        who = self.completed_by
        who = who.get("id") if isinstance(who, dict) else who
        return -1 if who is None else int(who)


class Task(msgspec.Struct):
    """A task, as far as it was asked for."""

    id: int
    data: dict[str, msgspec.Raw] = {}
    total_annotations: int | None = 0
    predictions: list[Prediction] = []
    annotations: list[Annotation] = []


class _Page(msgspec.Struct):
    tasks: list[Task]
    total: int


@dataclass
class Tasks:
    """The tasks of a project, as columns, by task id.

    Attributes:
        ids: the platform's ids, rising.
        item_ids: what the pool calls them; empty where the key is missing.
        labelled: with at least one annotation that was not cancelled.
        values: for each data key of ours, what each task has; no entry where it has none.
    """

    ids: list[int] = field(default_factory=list)
    item_ids: list[str] = field(default_factory=list)
    labelled: list[bool] = field(default_factory=list)
    values: dict[str, dict[int, Any]] = field(default_factory=lambda: {f: {} for f in FIELDS})

    def add(self, task: Task, key: str | None) -> None:
        """Take what is needed of a task; its data is let go."""
        self.ids.append(task.id)
        self.item_ids.append(str(task.id) if key is None else _key_value(task.data.get(key)))
        self.labelled.append(bool(task.total_annotations))
        for name in FIELDS:
            if name in task.data:
                self.values[name][task.id] = msgspec.json.decode(task.data[name])

    def check_keys(self, key: str | None) -> None:
        """Raise InvalidInput unless each task has its own value of the key."""
        if key is None:
            return
        without = [t for t, i in zip(self.ids, self.item_ids, strict=True) if not i]
        if without:
            raise InvalidInput(
                f"source.key must name a text or number in the data of every task; got {key!r}, "
                f"which {len(without)} tasks do not have: {listed(without)}.",
                hint="leave source.key out to use Label Studio's own task ids.",
            )
        first: dict[str, int] = {}
        twice = [
            f"{i!r} (tasks {first[i]} and {t})"
            for t, i in zip(self.ids, self.item_ids, strict=True)
            if first.setdefault(i, t) != t
        ]
        if twice:
            raise InvalidInput(
                f"source.key must tell all tasks apart; got {key!r}, whose values repeat "
                f"{len(twice)} times: {listed(twice)}.",
                hint="leave source.key out to use Label Studio's own task ids.",
            )


def _key_value(raw: msgspec.Raw | None) -> str:
    value = None if raw is None else msgspec.json.decode(raw)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def task_pages(
    client: Client,
    project: int,
    fields: str,
    *,
    page_size: int = PAGE_SIZE,
    filters: tuple[dict[str, Any], ...] = (),
    context: Context | None = None,
    stage: str = "read tasks",
) -> Iterator[list[Task]]:
    """The tasks of a project by rising id, a page at a time.

    A page is asked for by the last id, not by its number: tasks that are deleted meanwhile
    shift no others out of sight.
    """
    last, seen, everything = 0, 0, None
    while True:
        after = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number"}
        items = [*filters, {**after, "value": last}]
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
        body = client.get(
            "api/tasks",
            project=project,
            # `include` alone leaves nested lists out; `fields` alone sends everything
            fields="all"
            if "predictions" in fields or "annotations" in fields.split(",")
            else "task_only",
            include=fields,
            resolve_uri="false",
            page_size=page_size,
            query=json.dumps(query),
        )
        page = client.decode(body, _Page)
        everything = everything or page.total
        seen += len(page.tasks)
        if context is not None:
            context.report(stage, seen, everything)
        if page.tasks:
            yield page.tasks
            last = page.tasks[-1].id
        if len(page.tasks) >= page.total or not page.tasks:
            return


def read_tasks(client: Client, project: int, context: Context) -> Tasks:
    """The tasks without their predictions."""
    tasks = Tasks()
    for page in task_pages(client, project, "id,data,total_annotations", context=context):
        for task in page:
            tasks.add(task, context.key)
    tasks.check_keys(context.key)
    return tasks
