"""The Data Manager tab that shows the unlabelled tasks in the order of their priority."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from labelnext.errors import InvalidInput, NotFound, WriteRefused
from labelnext_adapters.label_studio.server import shapes
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import all_of, has, lacks, where
from labelnext_adapters.label_studio.server.marks import is_marked
from labelnext_adapters.label_studio.server.project import get_project
from labelnext_adapters.label_studio.server.tab_columns import tab_columns
from labelnext_adapters.label_studio.server.tags import pattern_of, tag_of
from labelnext_adapters.label_studio.server.tasks import BATCH, KEYS, PRIORITY, SORTED, Keys


def ordering(*, whole: bool, keys: Keys = KEYS["label"]) -> list[str]:
    """The order of a tab: by priority, or by id where only the batch is marked."""
    return [f"-tasks:data.{keys.priority}"] if whole else ["tasks:id"]


def review_filters(tag: str) -> dict[str, Any]:
    """What a tab for review shows: the labelled tasks of one shard."""
    shard = where(f"data.{KEYS['review'].batch}", "String", "equal", tag)
    return all_of((has("total_annotations"), shard))


def filters(
    tag: str | None,
    annotations: int,
    *,
    shared: bool = False,
    spread: bool = False,
    person: int | None = None,
    skipped: bool = True,
    varied: bool = False,
) -> dict[str, Any]:
    """What a tab shows: tasks that lack annotations, of one shard or of all.

    Args:
        tag: of the shard; all tasks when None.
        annotations: how many the project wants of each task.
        shared: whether a task may be in several shards, in the form of an overlap.
        spread: whether a task may be in several shards because somebody skipped it.
        person: number of the one whom the shard is for: what they annotated is hidden.
        skipped: whether skipped tasks are shown.
        varied: whether some tasks need more annotations than the project wants of each.
    """
    # With overlap, "none yet" would hide a task from its second annotator.
    lacking = ("equal", 0) if annotations <= 1 else ("less", annotations)
    items = [
        where("completed_at", "Datetime", "empty", True)
        if varied
        else where("total_annotations", "Number", *lacking)
    ]
    if not skipped:
        items.append(lacks("cancelled_annotations"))
    if person is not None:
        items.append(where("annotators", "List", "not_contains", person))
    if tag is not None:
        name = f"data.{BATCH}"
        if spread and not shared:
            items.append(where(name, "String", "regex", pattern_of(tag)))
        else:
            part = tag_of([tag], shared=shared)
            items.append(where(name, "String", "contains" if shared else "equal", part))
    return all_of(items)


_NO_FILTERS = all_of(())
_DEFAULT = "Default"
STAMP = "labelnext"  # in a tab's data: which run wrote it, for other machines to see

View = dict[str, Any]


def list_tabs(client: Client, project: int) -> list[View]:
    """The project's tabs, as the server has them.

    Raises:
        NotFound: if there is no such project.
    """
    try:
        views: list[View] = client.get_list("api/dm/views/", shapes.View, project=project)
    except InvalidInput:
        get_project(client, project)  # says so if there is no such project
        raise
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
    tab, taken = _own_or_taken(views, title)
    if taken:
        raise WriteRefused(
            f"the project already has a tab {title!r} that labelnext didn't create: it is neither "
            f"ordered by {PRIORITY} nor filtered by {BATCH}.",
            hint="rename that tab, or choose another title in write.tab.",
        )
    return tab


def _own_or_taken(views: list[View], title: str) -> tuple[View | None, bool]:
    """Our tab of that title, and whether only others have it."""
    named = [v for v in views if v["data"].get("title") == title]
    ours = [v for v in named if is_ours(v["data"])]
    return (ours[0] if ours else None), bool(named and not ours)


def tab_url(client: Client, project: int, view: int) -> str:
    """The address of a tab."""
    return f"{client.url}/projects/{project}/data?tab={view}"


def put_tab(
    client: Client,
    project: int,
    views: list[View],
    wanted: View,
    media: Sequence[str] = (),
    *,
    why: bool = False,
) -> None:
    """Make the tab, or set its order and filter again; its columns stay as people left them.

    People do change the order: a click on the arrow beside it reverses it for all users.

    Args:
        client: the server.
        project: the tab's.
        views: the tabs that are there.
        wanted: title, ordering, filters and the stamp of the run.
        media: data keys with the image or text of a task, which a new tab shows.
        why: whether a new tab shows why a task is next.
    """
    tab = own_tab(views, wanted["title"])
    if tab is None:
        if not views:
            # Label Studio makes its own first tab only where there is none at all.
            _create(client, project, _default_data())
        columns = tab_columns(client, project, media, why=why)
        _create(client, project, {"type": "list", "target": "tasks", **columns, **wanted})
    elif any(tab["data"].get(name) != value for name, value in wanted.items()):
        update_tab(client, tab, {**tab["data"], **wanted})


def restore_tab(
    client: Client,
    project: int,
    wanted: View,
    before: dict[str, Any],
    keys: tuple[str, ...],
) -> bool:
    """Put back what `put_tab` set, where it is still there, or take the tab away again.

    A tab that is gone is made again only where it would show something: the runs that wrote on the
    tasks may have been undone meanwhile.

    Args:
        client: the server.
        project: the tab's.
        wanted: what was set.
        before: the tab at the snapshot, or None, and the numbers of all.
        keys: the data keys of tasks that such a tab shows.

    Returns:
        False if there is now a tab of the title that nothing shows to be ours: it stays.
    """
    views = list_tabs(client, project)
    tab, taken = _own_or_taken(views, wanted["title"])
    if taken:
        return False
    old = before["tab"]
    if old is not None:
        if tab is None:
            if is_marked(client, project, keys):
                create_tab(client, project, old["data"])
        else:
            _put_back(client, tab, wanted, old["data"])
        return True
    if tab is not None and tab["id"] not in before["views"]:
        delete_tab(client, tab["id"])
        views = [v for v in views if v["id"] != tab["id"]]
    if not before["views"] and [v["data"] for v in views] == [_default_data()]:
        delete_tab(client, views[0]["id"])
    return True


def renamed(client: Client, project: int, wanted: View, before: dict[str, Any]) -> list[str]:
    """Titles of newer tabs that show the same: people renamed ours, or copied it.

    Args:
        client: the server.
        project: the tabs'.
        wanted: what the run set.
        before: the numbers of the tabs at the snapshot.
    """
    newer = [
        view["data"]
        for view in list_tabs(client, project)
        if view["id"] not in before["views"] and view["data"].get("title") != wanted["title"]
    ]
    same = ("ordering", "filters")
    return [
        str(data.get("title"))
        for data in newer
        if all(data.get(name) == wanted[name] for name in same)
    ]


def _put_back(client: Client, tab: View, wanted: View, old: View) -> None:
    """Of a tab that was there before: each thing that is still as it was set."""
    data = dict(tab["data"])
    for name, value in wanted.items():
        if data.get(name) == value:
            data.pop(name, None)
            if name in old:
                data[name] = old[name]
    data.setdefault("filters", _NO_FILTERS)
    if data != tab["data"]:
        update_tab(client, tab, data)


def create_tab(client: Client, project: int, data: View) -> None:
    """Make a tab that was there before, which gets a new number."""
    _create(client, project, {**data, "filters": data.get("filters") or _NO_FILTERS})


def stamp_of(data: View) -> str | None:
    """The id of the run that last wrote a tab."""
    stamp = data.get(STAMP)
    return str(stamp["run"]) if isinstance(stamp, dict) and "run" in stamp else None


def _default_data() -> dict[str, Any]:
    return {"title": _DEFAULT, "type": "list", "target": "tasks"}


def is_ours(data: View) -> bool:
    """Whether a tab is ordered or filtered by a data key of ours, or gives its column a width.

    A new tab has that width. It stays when somebody sorts the tab by another column, with which
    the browser drops the order and the stamp.
    """
    places = [data.get(name) for name in ("ordering", "filters", "columnsWidth")]
    return any(name in str(places) for name in SORTED)


def _create(client: Client, project: int, data: dict[str, Any]) -> None:
    # Sent again after a lost answer, it would make a second tab; a run that is resumed looks first.
    client.send("POST", "api/dm/views/", {"project": project, "data": data}, retry=False)


def update_tab(client: Client, tab: View, data: dict[str, Any]) -> None:
    """Set the data of a tab."""
    # The rows that somebody ticked are theirs, and are no part of a tab's data.
    data = {name: value for name, value in data.items() if name != "selectedItems"}
    body = {"project": tab["project"], "data": data}
    client.send("PATCH", f"api/dm/views/{tab['id']}/", body)


def delete_tab(client: Client, view: int) -> None:
    """Take a tab away."""
    with suppress(NotFound):  # somebody else was faster
        client.send("DELETE", f"api/dm/views/{view}/", None)
