"""The tasks of a project: pages of what is needed of them, and their data keys that are ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, listed
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import Filter, has, lacks
from labelnext_adapters.label_studio.server.pages import (
    task_pages,
)
from labelnext_adapters.label_studio.server.task import (
    BATCH,
    FIELDS,
    KEYS,
    PRIORITY,
    SORTED,
    STATE_FIELDS,
    TASK_FIELDS,
    Begun,
    Keys,
    Prediction,
    Task,
)
from labelnext_adapters.label_studio_format.export import check_keys, key_value

if TYPE_CHECKING:
    from labelnext_adapters.label_studio.server.standing import Standing


@dataclass
class Tasks:
    """The tasks of a project, as columns, by task id.

    Attributes:
        ids: the platform's ids, rising.
        item_ids: what the pool calls them; empty where there is no key, or the task was not read.
        labelled: with as many annotations as the task needs; skipped ones are none.
        begun_by: what is known of those that somebody annotated or skipped.
        overlaps: how many annotations a task needs, where it is more than one.
        undecided: how many people said something of each task on which they disagree, without a
            majority.
        standing: how those that are not finished stand; None until it is asked for.
        others: the model versions that answer other control tags only.
        values: for each data key of ours, what each task has; no entry where it has none.
        marked: the data keys of ours whose `values` are of all tasks of the project.
        drafted: ids of those that anybody has a draft of; None until they are asked for.
        begun: ids of those that an earlier run wrote on and somebody has a draft of.
        metadata: for each further data key that is asked for, what each task has; no entry where it
            has none.
        keys: all data keys that some task has, where some are asked for.
    """

    ids: list[int] = field(default_factory=list)
    item_ids: list[str] = field(default_factory=list)
    labelled: list[bool] = field(default_factory=list)
    values: dict[str, dict[int, Any]] = field(default_factory=lambda: {f: {} for f in FIELDS})
    marked: set[str] = field(default_factory=set)
    drafted: set[int] | None = None
    begun: set[int] = field(default_factory=set)
    begun_by: dict[int, Begun] = field(default_factory=dict)
    overlaps: dict[int, int] = field(default_factory=dict)
    undecided: dict[int, int] = field(default_factory=dict)
    standing: Standing | None = None
    others: Set[str | None] = frozenset()
    metadata: dict[str, dict[int, Any]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    def add(self, task: Task, key: str | None) -> None:
        """Take what is needed of a task; its data is let go."""
        self.ids.append(task.id)
        self.item_ids.append(str(task.id) if key is None else key_value(task.data, key))
        self.labelled.append(task.finished)
        self.take_state(task)
        self.mark(task)

    @property
    def annotated(self) -> list[bool]:
        """Whether each task has an annotation, though it may need more."""
        rows = zip(self.ids, self.labelled, strict=True)
        return [done or self.made(task) > 0 for task, done in rows]

    def made(self, task: int) -> int:
        """How many annotations a task has that is not finished."""
        begun = self.begun_by.get(task)
        return 0 if begun is None else begun.annotated

    def take_state(self, task: Task) -> None:
        """Take what people did on a task, and how many of them it needs."""
        made, skipped = task.total_annotations or 0, task.cancelled_annotations or 0
        if made or skipped:
            self.begun_by[task.id] = Begun(made, skipped, bool(task.is_labeled))
        if (task.overlap or 1) > 1:
            self.overlaps[task.id] = task.overlap or 1

    def mark(self, task: Task) -> None:
        """Take our own data keys of a task, and those that are asked for."""
        for known in (self.values, self.metadata):
            for name, values in known.items():
                if name in task.data:
                    values[task.id] = msgspec.json.decode(task.data[name])
        if self.metadata:
            self.keys.update(task.data)

    def columns(self) -> dict[str, list[Any]] | None:
        """The metadata, a value or None for each task; None if nothing is asked for.

        Raises:
            InvalidInput: if no task has one of the keys; lists those that there are.
        """
        check_keys([*self.metadata], sorted(self.keys.difference(FIELDS)))
        named = self.metadata.items()
        return {name: [values.get(i) for i in self.ids] for name, values in named} or None

    def check_keys(self, key: str | None) -> None:
        """Raise InvalidInput unless each task has its own value of the key."""
        if key is None:
            return
        without = [t for t, i in zip(self.ids, self.item_ids, strict=True) if not i]
        if without:
            raise InvalidInput(
                f"source.key must be a key with text or a number in every task's data; "
                f"got {key!r}, missing from {counted(len(without), 'task')}: {listed(without)}.",
                hint="leave out source.key to use Label Studio's task ids.",
            )
        first: dict[str, int] = {}
        twice = [
            f"{i!r} (tasks {first[i]} and {t})"
            for t, i in zip(self.ids, self.item_ids, strict=True)
            if first.setdefault(i, t) != t
        ]
        if twice:
            raise InvalidInput(
                f"source.key must be unique for every task; got {key!r} with "
                f"{counted(len(twice), 'repeated value')}: {listed(twice)}.",
                hint="leave out source.key to use Label Studio's task ids.",
            )


def alive_tasks(client: Client, project: int, context: Context) -> frozenset[int]:
    """The numbers of the tasks that a project has now."""
    pages = task_pages(client, project, "id", context=context)
    return frozenset(task.id for page in pages for task in page)


def read_tasks(client: Client, project: int, context: Context) -> Tasks:
    """The tasks without their predictions."""
    pages = task_pages(client, project, TASK_FIELDS, context=context)
    tasks = collect(pages, context.key, context.metadata)
    tasks.marked.update(FIELDS)
    return tasks


def collect(
    pages: Iterable[Sequence[Task]], key: str | None, metadata: Iterable[str] = ()
) -> Tasks:
    """The tasks of these pages.

    Args:
        pages: of tasks.
        key: the data key that is an item's id; the task's number when None.
        metadata: further data keys to take.

    Raises:
        InvalidInput: if the key does not tell them apart.
    """
    tasks = Tasks(metadata={name: {} for name in metadata})
    for page in pages:
        for task in page:
            tasks.add(task, key)
    tasks.check_keys(key)
    return tasks


def collect_ids(
    client: Client,
    project: int,
    predicted: Set[int],
    n_tasks: int,
    context: Context,
    overlap: int = 1,
) -> Tasks | None:
    """All tasks by their ids alone, asking only for those of which something else must be known.

    The list of predictions names the tasks that have one; a page of tasks costs the server more
    than the predictions of those tasks, whatever is asked of them.

    Args:
        client: the server.
        project: its number.
        predicted: ids of the tasks that have a prediction.
        n_tasks: how many tasks the project has.
        context: for progress.
        overlap: how many annotations each task needs.

    Returns:
        None if these are not all of the tasks: the server's counters may be behind, and tasks
        come and go.
    """
    without = matching_ids(client, project, lacks("total_predictions"), context)
    begun: dict[int, Task] = {}
    for column in ("total_annotations", "cancelled_annotations"):
        only = (has(column),)
        for page in task_pages(client, project, STATE_FIELDS, filters=only, context=context):
            begun.update({task.id: task for task in page})
    finished = {task.id for task in begun.values() if task.finished}
    ids = sorted({*predicted, *without, *begun})
    if len(ids) != n_tasks:
        return None
    tasks = Tasks(ids, [str(i) for i in ids], [i in finished for i in ids])
    tasks.overlaps = dict.fromkeys(ids, overlap) if overlap > 1 else {}
    for task in begun.values():
        tasks.take_state(task)
    return tasks


def matching_ids(client: Client, project: int, only: Filter, context: Context) -> set[int]:
    """Ids of the tasks that pass a filter."""
    pages = task_pages(client, project, "id", filters=(only,), context=context)
    return {task.id for page in pages for task in page}


__all__ = [
    "BATCH",
    "FIELDS",
    "KEYS",
    "PRIORITY",
    "SORTED",
    "STATE_FIELDS",
    "TASK_FIELDS",
    "Begun",
    "Keys",
    "Prediction",
    "Task",
    "Tasks",
    "alive_tasks",
    "collect",
    "collect_ids",
    "matching_ids",
    "read_tasks",
]
