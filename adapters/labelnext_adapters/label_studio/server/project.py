"""The settings of a project, and the model versions of its predictions."""

from __future__ import annotations

from typing import Any

from labelnext.errors import NotFound
from labelnext_adapters.label_studio.server.client import Client, NoSuchPath

COPY = "labelnext:"  # how the model versions of copied predictions begin


def get_project(client: Client, project: int) -> dict[str, Any]:
    """The project's settings.

    Raises:
        NotFound: if there is none of that number.
    """
    try:
        found: dict[str, Any] = client.get_json(f"api/projects/{project}/")
    except NoSuchPath:
        raise
    except NotFound as error:
        raise NotFound(
            f"project must be the number of a project on {client.url}; got {project!r}.",
            hint="it is in the address of the project's page: /projects/<number>/data.",
        ) from error
    if not isinstance(found, dict) or "parsed_label_config" not in found:
        raise NotFound(f"url must be the address of a Label Studio server; got {client.url!r}.")
    return found


def find_versions(client: Client, project: int) -> list[dict[str, Any]]:
    """The model versions of the project's predictions, newest first, with `count`.

    The copies that mode uncertainty makes are no predictions of a model, and are left out.
    """
    return [row for row in all_versions(client, project) if not is_copy(row["model_version"])]


def all_versions(client: Client, project: int) -> list[dict[str, Any]]:
    """As `find_versions`, with the copies that mode uncertainty makes."""
    body = client.get_json(f"api/projects/{project}/model-versions/", extended="true")
    rows: list[dict[str, Any]] = body["static"]
    rows.sort(key=lambda row: (row["latest"] or "", row["model_version"] or ""), reverse=True)
    return rows


def is_copy(version: str | None) -> bool:
    """Whether predictions of that version are copies that mode uncertainty made."""
    return version is not None and version.startswith(COPY)
