"""Which tasks of a project are read: all of them, or those that match the server's filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted, some
from labelnext_adapters.label_studio.options import LabelStudioSource
from labelnext_adapters.label_studio.server.changes import changed_after
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import COLUMN, UNFINISHED, Filter
from labelnext_adapters.label_studio.server.pages import count_tasks, task_pages
from labelnext_adapters.label_studio.server.tab import View, list_tabs
from labelnext_adapters.label_studio.server.tasks import Task


@dataclass(frozen=True)
class Part:
    """A part of a project.

    Attributes:
        lists: each a list of filters; a task is read if it passes all filters of any list.
        options: the options that restrict it, as named in reports; empty for all tasks.
    """

    lists: tuple[tuple[Filter, ...], ...] = ((),)
    options: tuple[str, ...] = ()

    def count(self, client: Client, project: int) -> int:
        """How many tasks pass, at most: what passes two lists counts twice."""
        return sum(count_tasks(client, project, filters) for filters in self.lists)

    def pages(
        self, client: Client, project: int, fields: str, **options: Any
    ) -> Iterator[list[Task]]:
        """The tasks, each once, a page at a time; see `task_pages`."""
        seen: set[int] = set()
        for filters in self.lists:
            for page in task_pages(client, project, fields, filters=filters, **options):
                yield [task for task in page if task.id not in seen]
                if len(self.lists) > 1:
                    seen.update(task.id for task in page)

    def notices(self, n_read: int, n_tasks: int) -> list[Notice]:
        """What was left out."""
        if not self.options or n_read >= n_tasks:
            return []
        why = " and ".join(self.options)
        message = f"Left out {n_tasks - n_read} of {counted(n_tasks, 'task')}: {why}."
        return [Notice("filtered_tasks", message)]


def find_part(client: Client, source: LabelStudioSource) -> Part:
    """The part that the options of the source name.

    Raises:
        NotFound: if there is no such tab.
        InvalidInput: if several tabs have that title.
    """
    every: list[Filter] = []
    lists: tuple[tuple[Filter, ...], ...] = ((),)
    options: list[str] = []
    if source.unlabelled:
        every.append(UNFINISHED)
        options.append("source.unlabelled")
    if (since := source.updated_since) is not None:  # without a zone, it is in UTC
        every.append(changed_after(since if since.tzinfo else since.replace(tzinfo=UTC)))
        options.append(f"source.updated_since {since.isoformat()}")
    if source.tab is not None:
        lists = _tab_lists(_find_tab(list_tabs(client, source.number), source.tab))
        options.append(f"source.tab {source.tab!r}")
    return Part(tuple((*every, *filters) for filters in lists), tuple(options))


def _find_tab(views: list[View], wanted: int | str) -> View:
    matching = [v for v in views if wanted in (v["id"], v["data"].get("title"))]
    if not matching:
        known = some([f"{v['id']} ({v['data'].get('title')!r})" for v in views]) or "none"
        raise NotFound(
            f"tab must be the number or title of a tab in the project; got {wanted!r}.",
            hint=f"available tabs: {known}.",
        )
    if len(matching) > 1:
        raise InvalidInput(
            f"tab must identify a single tab; got {wanted!r}, the title of tabs "
            f"{listed(v['id'] for v in matching)}.",
            hint="use its number, which is in the tab's address.",
        )
    return matching[0]


def _tab_lists(view: View) -> tuple[tuple[Filter, ...], ...]:
    """The filters of a tab: one list if all must match, one list per filter if any may."""
    group = view["data"].get("filters") or {}
    # The server ignores filters without a value, and filters on anything but tasks.
    items = [
        item
        for item in group.get("items") or ()
        if item.get("value") is not None and str(item.get("filter")).startswith(COLUMN)
    ]
    if group.get("conjunction") == "or":
        return tuple((item,) for item in items) or ((),)
    return (tuple(items),)


__all__ = ["Part", "find_part"]
