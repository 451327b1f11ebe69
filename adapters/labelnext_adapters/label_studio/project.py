"""The settings of a project: its control tags, and the model versions of its predictions."""

from __future__ import annotations

from typing import Any

from labelnext.errors import InvalidInput, NotFound
from labelnext_adapters.label_studio.client import Client, NoSuchPath
from labelnext_adapters.label_studio.regions import CONTROLS, Setup

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
        raise NotFound(f"url must be of a Label Studio server; {client.url!r} is of another.")
    return found


def find_setup(project: dict[str, Any], from_name: str | None) -> Setup:
    """The control tag to read predictions of.

    Raises:
        NotFound: if there is none that can be read, or not the named one.
        InvalidInput: if there are several and none is named, or its labels cannot be known.
    """
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    able = {name: tag for name, tag in tags.items() if tag.get("type") in CONTROLS}
    named = ", ".join(f"{name} ({tag.get('type')})" for name, tag in tags.items()) or "none"
    hint = f"the labelling setup has: {named}."
    if from_name is not None and from_name not in able:
        raise NotFound(
            f"from_name must be a control tag of type {' or '.join(CONTROLS)}; got {from_name!r}.",
            hint=hint,
        )
    if not able:
        raise NotFound(
            f"the labelling setup must have a control tag of type {' or '.join(CONTROLS)}.",
            hint=hint,
        )
    if from_name is None and len(able) > 1:
        raise InvalidInput(
            f"from_name must name one control tag when there are several: {', '.join(able)}; "
            "got None.",
            hint=hint,
        )
    name = from_name or next(iter(able))
    tag = able[name]
    if tag.get("dynamic_labels") or not tag.get("labels"):
        raise InvalidInput(
            f"control tag {name!r} must list its labels in the labelling setup; it has none.",
            hint="labels that come from the data of each task cannot be read yet.",
        )
    classes = {label: i for i, label in enumerate(tag["labels"])}
    return Setup(name, tag["type"], classes, _is_multiple(project, name))


def _is_multiple(project: dict[str, Any], from_name: str) -> bool:
    """Whether several choices can be chosen; the parsed setup does not say."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(str(project.get("label_config") or ""))
    except ElementTree.ParseError:
        return False
    return any(
        tag.get("name") == from_name and tag.get("choice") == "multiple" for tag in root.iter()
    )


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
