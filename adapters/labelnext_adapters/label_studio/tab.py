"""The Data Manager tab that shows the unlabelled tasks in the order of their priority."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from labelnext.errors import NotFound, WriteRefused
from labelnext_adapters.label_studio.client import Client
from labelnext_adapters.label_studio.read import PRIORITY

ORDERING = [f"-tasks:data.{PRIORITY}"]
FILTERS = {
    "conjunction": "and",
    "items": [
        {
            "filter": "filter:tasks:total_annotations",
            "operator": "equal",
            "type": "Number",
            "value": 0,
        }
    ],
}
_NO_FILTERS: dict[str, Any] = {"conjunction": "and", "items": []}
_DEFAULT = "Default"

View = dict[str, Any]


def list_tabs(client: Client, project: int) -> list[View]:
    """The project's tabs, as the server has them."""
    views: list[View] = client.get_json("api/dm/views/", project=project)
    return [{**view, "data": view["data"] or {}} for view in views]


def find_tab(client: Client, project: int, title: str) -> View | None:
    """Our tab of that title, if there is one.

    Raises:
        WriteRefused: if the title is taken by a tab that is not ordered by our priority.
    """
    return _ours(list_tabs(client, project), title)


def tab_url(client: Client, project: int, view: int) -> str:
    """The address of a tab."""
    return f"{client.url}/projects/{project}/data?tab={view}"


def snapshot_tab(client: Client, project: int, title: str) -> dict[str, Any]:
    """What `restore_tab` needs."""
    views = list_tabs(client, project)
    return {"views": [v["id"] for v in views], "tab": _ours(views, title)}


def put_tab(client: Client, project: int, title: str) -> None:
    """Make the tab, or set its order and filter again; its columns stay as people left them.

    People do change the order: a click on the arrow beside it reverses it for all users.
    """
    views = list_tabs(client, project)
    tab = _ours(views, title)
    if tab is None:
        if not views:
            # Label Studio makes its own first tab only where there is none at all.
            _create(client, project, _default_data())
        data = {"title": title, "type": "list", "target": "tasks"}
        _create(client, project, {**data, "ordering": ORDERING, "filters": FILTERS})
    elif tab["data"].get("ordering") != ORDERING or tab["data"].get("filters") != FILTERS:
        _update(client, tab, {**tab["data"], "ordering": ORDERING, "filters": FILTERS})


def restore_tab(client: Client, project: int, title: str, before: dict[str, Any]) -> None:
    """Put the tabs back as they were at the snapshot."""
    views = list_tabs(client, project)
    tab = _ours(views, title)
    old = before["tab"]
    if old is not None:
        data = {**old["data"], "filters": old["data"].get("filters") or _NO_FILTERS}
        if tab is None:
            _create(client, project, data)
        elif tab["data"] != old["data"]:
            _update(client, tab, data)
        return
    if tab is not None and tab["id"] not in before["views"]:
        _delete(client, tab["id"])
        views = [v for v in views if v["id"] != tab["id"]]
    if not before["views"] and [v["data"] for v in views] == [_default_data()]:
        _delete(client, views[0]["id"])


def _default_data() -> dict[str, Any]:
    return {"title": _DEFAULT, "type": "list", "target": "tasks"}


def _ours(views: list[View], title: str) -> View | None:
    named = [v for v in views if v["data"].get("title") == title]
    ours = [v for v in named if PRIORITY in str(v["data"].get("ordering") or "")]
    if named and not ours:
        raise WriteRefused(
            f"tab {title!r} must be one that labelnext made; the project has a tab of that title "
            f"which is not ordered by {PRIORITY}.",
            hint="rename that tab, or set write.tab to another title.",
        )
    return ours[0] if ours else None


def _create(client: Client, project: int, data: dict[str, Any]) -> None:
    client.send("POST", "api/dm/views/", {"project": project, "data": data})


def _update(client: Client, tab: View, data: dict[str, Any]) -> None:
    # The rows that somebody ticked are theirs, and are no part of a tab's data.
    data = {name: value for name, value in data.items() if name != "selectedItems"}
    body = {"project": tab["project"], "data": data}
    client.send("PATCH", f"api/dm/views/{tab['id']}/", body)


def _delete(client: Client, view: int) -> None:
    with suppress(NotFound):  # somebody else was faster
        client.send("DELETE", f"api/dm/views/{view}/", None)
