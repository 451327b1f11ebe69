"""The Data Manager tab that shows the unlabelled tasks in the order of their priority."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from labelnext.errors import NotFound, WriteRefused
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.tasks import BATCH, FIELDS, KEYS, PRIORITY, Keys


def ordering(*, whole: bool, keys: Keys = KEYS["label"]) -> list[str]:
    """The order of a tab: by priority, or by id where only the batch is marked."""
    return [f"-tasks:data.{keys.priority}"] if whole else ["tasks:id"]


def review_filters(tag: str) -> dict[str, Any]:
    """What a tab for review shows: the labelled tasks of one shard."""
    labelled = _filter("total_annotations", "Number", "greater", 0)
    shard = _filter(f"data.{KEYS['review'].batch}", "String", "equal", tag)
    return {"conjunction": "and", "items": [labelled, shard]}


def filters(tag: str | None, annotations: int) -> dict[str, Any]:
    """What a tab shows: tasks that lack annotations, of one shard or of all.

    Args:
        tag: of the shard; all tasks when None.
        annotations: how many the project wants of each task.
    """
    # With overlap, "none yet" would hide a task from its second annotator.
    lacking = ("equal", 0) if annotations <= 1 else ("less", annotations)
    items = [_filter("total_annotations", "Number", *lacking)]
    if tag is not None:
        items.append(_filter(f"data.{BATCH}", "String", "equal", tag))
    return {"conjunction": "and", "items": items}


def _filter(column: str, kind: str, operator: str, value: str | int) -> dict[str, Any]:
    return {
        "filter": f"filter:tasks:{column}",
        "operator": operator,
        "type": kind,
        "value": value,
    }


_NO_FILTERS: dict[str, Any] = {"conjunction": "and", "items": []}
_DEFAULT = "Default"

View = dict[str, Any]


def list_tabs(client: Client, project: int) -> list[View]:
    """The project's tabs, as the server has them."""
    views: list[View] = client.get_list("api/dm/views/", "id", "data", project=project)
    return [{**view, "data": view["data"] or {}} for view in views]


def find_tab(client: Client, project: int, title: str) -> View | None:
    """Our tab of that title, if there is one.

    Raises:
        WriteRefused: if the title is taken by a tab that labelnext did not make.
    """
    return own_tab(list_tabs(client, project), title)


def own_tab(views: list[View], title: str) -> View | None:
    """Of these tabs, ours of that title.

    Raises:
        WriteRefused: if the title is taken by a tab that labelnext did not make.
    """
    named = [v for v in views if v["data"].get("title") == title]
    ours = [v for v in named if _is_ours(v["data"])]
    if named and not ours:
        raise WriteRefused(
            f"the project already has a tab {title!r} that labelnext didn't create: it is neither "
            f"ordered by {PRIORITY} nor filtered by {BATCH}.",
            hint="rename that tab, or choose another title in write.tab.",
        )
    return ours[0] if ours else None


def tab_url(client: Client, project: int, view: int) -> str:
    """The address of a tab."""
    return f"{client.url}/projects/{project}/data?tab={view}"


def put_tab(client: Client, project: int, views: list[View], wanted: View) -> None:
    """Make the tab, or set its order and filter again; its columns stay as people left them.

    People do change the order: a click on the arrow beside it reverses it for all users.

    Args:
        client: the server.
        project: the tab's.
        views: the tabs that are there.
        wanted: title, ordering and filters.
    """
    tab = own_tab(views, wanted["title"])
    if tab is None:
        if not views:
            # Label Studio makes its own first tab only where there is none at all.
            _create(client, project, _default_data())
        _create(client, project, {"type": "list", "target": "tasks", **wanted})
    elif any(tab["data"].get(name) != value for name, value in wanted.items()):
        _update(client, tab, {**tab["data"], **wanted})


def restore_tab(client: Client, project: int, title: str, before: dict[str, Any]) -> None:
    """Put the tabs back as they were at the snapshot."""
    views = list_tabs(client, project)
    tab = own_tab(views, title)
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


def _is_ours(data: View) -> bool:
    return any(name in f"{data.get('ordering')} {data.get('filters')}" for name in FIELDS)


def _create(client: Client, project: int, data: dict[str, Any]) -> None:
    # Sent again after a lost answer, it would make a second tab; a run that is resumed looks first.
    client.send("POST", "api/dm/views/", {"project": project, "data": data}, retry=False)


def _update(client: Client, tab: View, data: dict[str, Any]) -> None:
    # The rows that somebody ticked are theirs, and are no part of a tab's data.
    data = {name: value for name, value in data.items() if name != "selectedItems"}
    body = {"project": tab["project"], "data": data}
    client.send("PATCH", f"api/dm/views/{tab['id']}/", body)


def _delete(client: Client, view: int) -> None:
    with suppress(NotFound):  # somebody else was faster
        client.send("DELETE", f"api/dm/views/{view}/", None)
