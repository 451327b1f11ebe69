"""The tasks of a project, as far as they are asked for, a page at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import Unavailable
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import Filter, all_of, where
from labelnext_adapters.label_studio.server.refusals import TimedOut
from labelnext_adapters.label_studio.server.task import Task

PAGE_SIZE = 1000
_IN_LIST = 500  # ids in one address, which proxies cut at about 8,000 signs


class _Page(msgspec.Struct):
    """An answer: tasks, and how many there are from the first of them on."""

    tasks: list[Task]
    total: int


def _parameters(
    project: int, fields: str, page_size: int, filters: tuple[Filter, ...], last: int
) -> dict[str, Any]:
    """Of the request for the tasks with a larger id than the last."""
    after = where("id", "Number", "greater", last)
    query = {"filters": all_of((*filters, after)), "ordering": ["tasks:id"]}
    nested = {"predictions", "annotations"}.intersection(fields.split(","))
    return {
        "project": project,
        # `include` alone leaves nested lists out; `fields` alone sends everything
        "fields": "all" if nested else "task_only",
        "include": fields,
        "resolve_uri": "false",
        "page_size": page_size,
        "query": json.dumps(query, separators=(",", ":")),  # an address must not be long
    }


def count_tasks(client: Client, project: int, filters: tuple[Filter, ...]) -> int:
    """How many tasks pass all of the filters."""
    return _ask_page(client, project, "id", 1, filters, 0).total


def newest_change(client: Client, project: int) -> str:
    """When a task of the project was last changed, as the server writes it; empty without tasks."""
    query = {"ordering": ["-tasks:updated_at"]}
    parameters = _parameters(project, "id,updated_at", 1, (), 0) | {"query": json.dumps(query)}
    page = client.decode(client.get("api/tasks", **parameters), _Page)
    return (page.tasks[0].updated_at or "") if page.tasks else ""


def task_pages(
    client: Client,
    project: int,
    fields: str,
    *,
    page_size: int = PAGE_SIZE,
    filters: tuple[Filter, ...] = (),
    context: Context | None = None,
    stage: str = "read tasks",
    after: int = 0,
) -> Iterator[list[Task]]:
    """The tasks of a project by rising id, a page at a time; those with a larger id than `after`.

    A page is asked for by the last id, not by its number: tasks that are deleted meanwhile
    shift no others out of sight, and where a page fails the reading goes on from there.
    """

    def ask(page_size: int, last: int) -> _Page:
        return _ask_page(client, project, fields, page_size, filters, last)

    last, seen, everything = after, 0, None
    while True:
        page, page_size = _next_page(client, ask, page_size, last)
        everything = everything or page.total
        if context is not None:
            context.report(stage, seen + len(page.tasks), everything)
        if not page.tasks:
            return
        last, is_last = page.tasks[-1].id, len(page.tasks) >= page.total
        seen += len(page.tasks)
        yield page.tasks
        if is_last:
            return


def few_tasks(
    client: Client,
    project: int,
    fields: str,
    most: float,
    *,
    page_size: int,
    filters: tuple[Filter, ...],
    context: Context,
) -> list[Task] | None:
    """The tasks that pass all of the filters, by rising id; None if there are more than `most`."""
    first = _ask_page(client, project, fields, page_size, filters, 0)
    if first.total > most:
        return None
    tasks = first.tasks
    if len(tasks) < first.total:
        options: dict[str, Any] = {"page_size": page_size, "filters": filters, "context": context}
        last = tasks[-1].id if tasks else 0  # none where somebody deleted them since the count
        rest = task_pages(client, project, fields, after=last, **options)
        tasks = [*tasks, *(task for page in rest for task in page)]
    return tasks


def pages_of(
    client: Client,
    project: int,
    fields: str,
    ids: Sequence[int],
    context: Context | None = None,
    stage: str = "read tasks",
) -> Iterator[list[Task]]:
    """These tasks of a project, by `task_pages`; those that are gone are left out."""
    for start in range(0, len(ids), _IN_LIST):
        only = where("id", "Number", "in_list", list(ids[start : start + _IN_LIST]))
        yield from task_pages(
            client, project, fields, filters=(only,), context=context, stage=stage
        )


def _ask_page(
    client: Client,
    project: int,
    fields: str,
    page_size: int,
    filters: tuple[Filter, ...],
    last: int,
) -> _Page:
    parameters = _parameters(project, fields, page_size, filters, last)
    return client.decode(client.get("api/tasks", **parameters), _Page)


def _next_page(
    client: Client,
    ask: Callable[[int, int], _Page],
    page_size: int,
    last: int,
) -> tuple[_Page, int]:
    """The page after the last id, and the size of those after it: half, where one took too long.

    The first page is asked for once: a server that is away is no reading that broke off.
    """
    for pause in client.pauses:
        try:
            return ask(page_size, last), page_size
        except Unavailable as error:
            if not last:
                raise
            if isinstance(error, TimedOut):
                page_size = max(page_size // 2, 1)
            time.sleep(pause)
    return ask(page_size, last), page_size


__all__ = [
    "PAGE_SIZE",
    "count_tasks",
    "few_tasks",
    "newest_change",
    "pages_of",
    "task_pages",
]
