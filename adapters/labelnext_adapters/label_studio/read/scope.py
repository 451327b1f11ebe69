"""Which tasks of a project are read: all of them, or those that match the server's filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted, some
from labelnext_adapters.label_studio.options import LabelStudioSource
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import count_tasks, task_pages
from labelnext_adapters.label_studio.server.tab import View, list_tabs
from labelnext_adapters.label_studio.server.tasks import Task

Filter = dict[str, Any]


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
        message = (
            f"Left out {n_tasks - n_read} of {counted(n_tasks, 'task')}: {_and(self.options)}."
        )
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
        every.append(_filter("is_labeled", "equal", "Boolean", False))
        options.append("source.unlabelled")
    if source.updated_since is not None:
        every.append(_filter("updated_at", "greater", "Datetime", _instant(source.updated_since)))
        options.append(f"source.updated_since {source.updated_since.isoformat()}")
    if source.tab is not None:
        lists = _tab_lists(_find_tab(list_tabs(client, source.number), source.tab))
        options.append(f"source.tab {source.tab!r}")
    return Part(tuple((*every, *filters) for filters in lists), tuple(options))


def _filter(column: str, operator: str, kind: str, value: object) -> Filter:
    return {
        "filter": f"filter:tasks:{column}",
        "operator": operator,
        "type": kind,
        "value": value,
    }


def _instant(when: datetime) -> str:
    """As the server's filters want it; a time without a zone is UTC."""
    utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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
        if item.get("value") is not None and str(item.get("filter")).startswith("filter:tasks:")
    ]
    if group.get("conjunction") == "or":
        return tuple((item,) for item in items) or ((),)
    return (tuple(items),)


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names)


__all__ = ["Part", "find_part"]
