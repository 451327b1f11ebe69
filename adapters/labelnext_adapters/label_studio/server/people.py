"""Who may label, who did what on a task that is not finished, and whom a tab's name means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import LabelnextError, NotFound, listed
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import UNFINISHED, has
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.shapes import Draft, Members, User

_PAGE = 200
_FIELDS = "id,annotations,completed_by,was_cancelled"
_REMOVED = "Deleted"  # the e-mail address of somebody who left the organization


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
        only = (UNFINISHED, has(column))
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


def list_members(client: Client) -> dict[int, tuple[str, ...]] | None:
    """What the members of the organization are called, by their numbers; None if not told.

    The server still lists people who were removed, but calls each of them "Deleted".
    """
    try:
        organization = client.get_row("api/current-user/whoami", User).get("active_organization")
        path, page, names, seen = f"api/organizations/{organization}/memberships", 1, {}, 0
        while True:
            body = client.get_row(path, Members, page=page, page_size=_PAGE)
            users = [row["user"] for row in body["results"]]
            names.update({int(u["id"]): _names(u) for u in users if u.get("email") != _REMOVED})
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
    fitting = {name: _called(name, members or {}) for name in names}
    return {name: found[0] for name, found in fitting.items() if len(found) == 1}


def doubtful_names(names: Sequence[str], members: Mapping[int, Iterable[str]] | None) -> list[str]:
    """What to say of names that should mean a member, and mean nobody or several.

    A name that is no e-mail address may stand for anything while no other name means a member.

    Example:
        >>> members = {7: ("ann@example.com", "ann"), 8: ("bo@example.com",)}
        >>> doubtful_names(["1", "2"], members), len(doubtful_names(["ann", "cy"], members))
        ([], 1)
    """
    if members is None:
        return []
    fitting = {name: _called(name, members) for name in names}
    meant = any(len(found) == 1 for found in fitting.values())
    nobody = [n for n, found in fitting.items() if not found and (meant or "@" in n)]
    several = [name for name, found in fitting.items() if len(found) > 1]
    lines = []
    if nobody:
        lines.append(
            f"Nobody in the organization is called {listed(nobody)}, so maybe nobody labels that "
            "part of the batch: correct write.annotators, or leave the name out."
        )
    if several:
        lines.append(
            f"Several people in the organization are called {listed(several)}: name them by their "
            "e-mail addresses in write.annotators."
        )
    return lines


def _called(name: str, members: Mapping[int, Iterable[str]]) -> list[int]:
    wanted = name.casefold()
    return [number for number, names in members.items() if wanted in names]


def person_name(number: int, members: Mapping[int, Sequence[str]] | None) -> str | None:
    """What to call somebody who labelled; None if the server no longer says who it was.

    Example:
        >>> person_name(7, {7: ("ann@example.com", "ann")}), person_name(9, {}), person_name(-1, {})
        ('ann@example.com', 'user 9', None)
    """
    if number < 0:
        return None
    return (members or {}).get(number, (f"user {number}",))[0]


__all__ = [
    "Work",
    "doubtful_names",
    "drafters_of",
    "known_people",
    "list_members",
    "person_name",
    "unfinished_work",
]
