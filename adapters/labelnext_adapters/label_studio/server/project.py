"""The settings of a project, and the model versions of its predictions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from labelnext.errors import LabelnextError, NotFound, listed
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.refusals import NoSuchObject
from labelnext_adapters.label_studio.server.shapes import Project, Projects, Versions

_PROJECTS = 100  # a page
COPY = "labelnext:"  # how the model versions of copied predictions begin


def get_project(client: Client, project: int) -> dict[str, Any]:
    """The project's settings.

    Raises:
        NotFound: if there is none of that number.
    """
    try:
        return client.get_row(f"api/projects/{project}/", Project)
    except NoSuchObject as error:
        raise NotFound(
            f"project must be the number of a project on {client.url}; got {project!r}.",
            hint="it is in the address of the project's page: /projects/<number>/data. "
            f"The token's user sees {_seen(client)}; others may be of another organization than "
            "the user's active one.",
        ) from error


def find_project(client: Client, project: int | str) -> int:
    """The number of a project that is named by its number or its title.

    Raises:
        NotFound: if no project has that title, or several have it.
    """
    if isinstance(project, int):
        return project
    rows = list(list_projects(client, "title", title=project))
    numbers = [int(row["id"]) for row in rows if row.get("title") == project]
    if len(numbers) == 1:
        return numbers[0]
    if numbers:
        raise NotFound(
            f"project must name one project on {client.url}; got {project!r}, the title of "
            f"projects {listed(numbers)}.",
            hint="use its number, which is in the address of its page: /projects/<number>/data.",
        )
    raise NotFound(
        f"project must be the number or title of a project on {client.url}; got {project!r}.",
        hint=f"the token's user sees {_seen(client)}; others may be of another organization than "
        "the user's active one. If somebody has changed the title, use the number, which stays.",
    )


def _seen(client: Client) -> str:
    """The projects that the token's user sees, in words."""
    with suppress(LabelnextError):  # the answer is a hint in an error
        titles = [f"{row['id']} ({row.get('title')!r})" for row in list_projects(client, "title")]
        noun = "project" if len(titles) == 1 else "projects"
        return f"{noun} {listed(titles)}" if titles else "no project"
    return "other projects"


def list_projects(client: Client, fields: str, **params: Any) -> Iterator[dict[str, Any]]:
    """The projects that the token's user sees, with their ids and these fields.

    Args:
        client: the server.
        fields: names, with commas between them.
        params: filters of the server.
    """
    page, seen = 1, 0
    while True:
        answer = client.get_row(
            "api/projects/",
            Projects,
            page=page,
            page_size=_PROJECTS,
            include=f"id,{fields}",
            **params,
        )
        rows: list[dict[str, Any]] = answer["results"]
        yield from rows
        seen += len(rows)
        if not rows or seen >= int(answer["count"]):
            return
        page += 1


def find_versions(client: Client, project: int) -> list[dict[str, Any]]:
    """The model versions of the project's predictions, newest first, with `count`.

    The copies that mode uncertainty makes are no predictions of a model, and are left out.
    """
    return [row for row in all_versions(client, project) if not is_copy(row["model_version"])]


def all_versions(client: Client, project: int) -> list[dict[str, Any]]:
    """As `find_versions`, with the copies that mode uncertainty makes."""
    path = f"api/projects/{project}/model-versions/"
    rows: list[dict[str, Any]] = client.get_row(path, Versions, extended="true")["static"]
    rows.sort(key=lambda row: (row["latest"] or "", row["model_version"] or ""), reverse=True)
    return rows


def count_version(client: Client, project: int, version: str) -> int:
    """How many predictions of a model version a project has."""
    rows = all_versions(client, project)
    return sum(int(row["count"]) for row in rows if row["model_version"] == version)


def is_copy(version: str | None) -> bool:
    """Whether predictions of that version are copies that mode uncertainty made."""
    return version is not None and version.startswith(COPY)
