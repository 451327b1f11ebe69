"""Who may label, who did what on a task that is not finished, and whom a tab's name means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import LabelnextError, NotFound
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.shapes import Draft, Members, User

_PAGE = 200
_FIELDS = "id,annotations,completed_by,was_cancelled"


@dataclass
class Work:
    """What people did on one task.

    Attributes:
        annotated: numbers of those who submitted an annotation.
        skipped: numbers of those who skipped it, and did not annotate it.
    """

    annotated: set[int] = field(default_factory=set)
    skipped: set[int] = field(default_factory=set)


def unfinished_work(client: Client, project: int, context: Context) -> dict[int, Work]:
    """By task, what people did on those that are begun and still handed out."""
    unfinished: dict[int, Work] = {}
    for column in ("total_annotations", "cancelled_annotations"):
        only = (_filter("is_labeled", "Boolean", "equal", False), _filter(column))
        pages = task_pages(client, project, _FIELDS, page_size=_PAGE, filters=only, context=context)
        for task in (task for page in pages for task in page):
            work = unfinished.setdefault(task.id, Work())
            for annotation in task.annotations:
                (work.skipped if annotation.was_cancelled else work.annotated).add(
                    annotation.person
                )
            work.skipped -= work.annotated
    return unfinished


def drafters_of(client: Client, tasks: Iterable[int]) -> dict[int, set[int]]:
    """By task, the numbers of those who have a draft of it; a request each."""
    by_task = {}
    for task in tasks:
        with suppress(NotFound):  # deleted since
            # It is the list of all people's; `drafts` of a task are the token's own user's.
            rows = client.get_list(f"api/tasks/{task}/drafts", Draft)
            numbers = {row["created_username"].rpartition(", ")[2] for row in rows}
            by_task[task] = {int(number) for number in numbers if number.isdecimal()}
    return by_task


def _filter(
    column: str, kind: str = "Number", operator: str = "greater", value: object = 0
) -> dict[str, Any]:
    return {
        "filter": f"filter:tasks:{column}",
        "operator": operator,
        "type": kind,
        "value": value,
    }


def list_members(client: Client) -> dict[int, tuple[str, ...]] | None:
    """What the members of the organization are called, by their numbers; None if not told."""
    try:
        organization = client.get_row("api/current-user/whoami", User).get("active_organization")
        path, page, names, seen = f"api/organizations/{organization}/memberships", 1, {}, 0
        while True:
            body = client.get_row(path, Members, page=page, page_size=_PAGE)
            users = [row["user"] for row in body["results"]]
            names.update({int(user["id"]): _names(user) for user in users})
            seen += len(users)
            if not users or seen >= int(body["count"]):
                return names or None
            page += 1
    except (LabelnextError, LookupError, TypeError, ValueError):
        return None  # an older server, or a token without the right to see them


def _names(user: Mapping[str, Any]) -> tuple[str, ...]:
    first, last = str(user.get("first_name") or ""), str(user.get("last_name") or "")
    email = str(user.get("email") or "")
    names = (email, user.get("username"), f"{first} {last}".strip(), first, email.partition("@")[0])
    return tuple(str(name).casefold() for name in names if name)


def known_people(
    names: Sequence[str], members: Mapping[int, Iterable[str]] | None
) -> dict[str, int]:
    """The member whom each name means; names that mean nobody or several are left out.

    Example:
        >>> known_people(["Ann", "2"], {7: ("ann@example.com", "ann"), 8: ("bo@example.com",)})
        {'Ann': 7}
    """
    people = {}
    for name in names:
        wanted = name.casefold()
        fitting = [
            user for user, names_of_user in (members or {}).items() if wanted in names_of_user
        ]
        if len(fitting) == 1:
            people[name] = fitting[0]
    return people


__all__ = ["Work", "drafters_of", "known_people", "list_members", "unfinished_work"]
