"""What earlier runs wrote on tasks, and which tasks somebody has begun."""

from __future__ import annotations

from collections.abc import Iterable

from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import Filter, where
from labelnext_adapters.label_studio.server.pages import count_tasks, task_pages
from labelnext_adapters.label_studio.server.task import TASK_FIELDS
from labelnext_adapters.label_studio.server.tasks import Tasks, matching_ids

# What somebody has on the screen is locked for others, which no request tells; a draft is saved as
# soon as something was drawn or chosen.
_DRAFTED = where("draft_exists", "Boolean", "equal", True)


def read_marks(
    client: Client, project: int, tasks: Tasks, names: Iterable[str], context: Context
) -> None:
    """What earlier runs wrote on tasks of the project, also on those that were not read.

    And which of these somebody has begun to label.

    Args:
        client: the server.
        project: its number.
        tasks: what was read; its values are filled.
        names: the data keys of ours to look for.
        context: for progress.
    """
    known = set(tasks.ids)
    for name in sorted({*names} - tasks.marked):
        there = _text(name, "empty", False)
        for page in task_pages(client, project, TASK_FIELDS, filters=(there,), context=context):
            for task in page:
                if task.id not in known:
                    known.add(task.id)
                    tasks.add(task, None)
                    tasks.item_ids[-1] = ""  # no item of the pool
                tasks.mark(task)
        tasks.marked.add(name)
    tasks.begun, tasks.drafted = set(), None
    if any(tasks.values[name] for name in names):
        tasks.drafted = drafted(client, project, context)
        marked = {task for name in names for task in tasks.values[name]}
        tasks.begun = marked & tasks.drafted


def is_marked(client: Client, project: int, names: Iterable[str]) -> bool:
    """Whether some task has a text in one of these data keys that isn't empty."""
    # "empty" takes an empty text for none only where the project's first task has one.
    return any(count_tasks(client, project, (_text(name, "regex", "."),)) for name in names)


def _text(name: str, operator: str, value: object) -> Filter:
    return where(f"data.{name}", "String", operator, value)


def drafted(client: Client, project: int, context: Context) -> set[int]:
    """Ids of the tasks that anybody has a draft of."""
    return matching_ids(client, project, _DRAFTED, context)


__all__ = ["drafted", "is_marked", "read_marks"]
