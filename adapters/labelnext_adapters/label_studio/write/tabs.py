"""The tabs of a run: one for each shard, and those of earlier runs that serve nothing any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelnext.journal.plan import Step
from labelnext.support.store import is_run_id
from labelnext_adapters.label_studio.options import LabelStudioWrite
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import COLUMN, UNFINISHED, lacks
from labelnext_adapters.label_studio.server.pages import count_tasks
from labelnext_adapters.label_studio.server.standing import IGNORED, TO_ME
from labelnext_adapters.label_studio.server.tab import (
    View,
    filters,
    is_ours,
    list_tabs,
    ordering,
    own_tab,
    review_filters,
    stamp_of,
)
from labelnext_adapters.label_studio.server.tags import pattern_of, tag_of
from labelnext_adapters.label_studio.server.tasks import KEYS
from labelnext_adapters.label_studio.write.annotators import shard_names
from labelnext_adapters.label_studio.write.shards import Shards
from labelnext_adapters.label_studio_format.media import shown_keys

_OURS = ("total_annotations", "completed_at", "cancelled_annotations", "annotators")  # we filter by


def tab_title(write: LabelStudioWrite, name: str) -> str:
    """The title of a shard's tab, or of the only one."""
    return write.tab if write.annotators is None else f"{write.tab} {name}"


def tab_steps(
    views: Sequence[View],
    write: LabelStudioWrite,
    project: Mapping[str, Any],
    target: Mapping[str, Any],
    shards: Shards,
    skipped: str | None,
) -> list[Step]:
    """Steps that put the tabs of the shards in order.

    Args:
        views: the tabs that are there.
        write: how the ranking is written.
        project: its settings.
        target: where it is, and the purpose.
        shards: and the people they are for.
        skipped: where skipped tasks come, as `source.skipped`.

    Raises:
        WriteRefused: if a title is taken by a tab that labelnext did not make.
    """
    review, whole = target["purpose"] == "review", write.annotators is None
    wanted = project.get("maximum_annotations") or 1
    queue = project.get("skip_queue")
    hidden = skipped == "never" or (queue == IGNORED and wanted == 1)
    media = [key for key in shown_keys(str(project.get("label_config") or "")) if key]
    steps = []
    for name in shard_names(write.annotators):
        title = tab_title(write, name)
        own_tab(list(views), title)  # refuses a title that is taken
        tag = None if whole and write.mode == "queue" else name
        # The server hands back what somebody skipped only if their tab shows it.
        person = None if queue == TO_ME else shards.people.get(name)
        shown = (
            review_filters(name)
            if review
            else filters(
                tag,
                wanted,
                shared=shards.shared,
                spread=shards.spread,
                person=person,
                skipped=not hidden,
                varied=write.overlap is not None,
            )
        )
        order = ordering(whole=write.mode == "queue", keys=KEYS[target["purpose"]])
        tab = {"title": title, "ordering": order, "filters": shown}
        payload = {**target, "tab": tab, "annotator": None if whole else name, "media": media}
        payload |= {"why": True} if write.why else {}
        steps.append(Step("tab", f'Create or update the tab "{title}"', 0, payload))
    return steps


def stale_steps(
    views: Sequence[View], write: LabelStudioWrite, target: Mapping[str, Any]
) -> tuple[list[Step], list[str]]:
    """Steps that take away the tabs of earlier runs that serve nothing any more.

    Args:
        views: the tabs that are there.
        write: how the ranking is written.
        target: where the project is, and the purpose.

    Returns:
        The steps, and a sentence for each tab that people changed, which stays.
    """
    now = set()
    if write.mode != "uncertainty":
        now = {tab_title(write, name) for name in shard_names(write.annotators)}
    keys = KEYS[target["purpose"]]
    steps, changed = [], []
    for view in views:
        data = view["data"]
        title = str(data.get("title"))
        if title in now or not is_ours(data) or not _was_made(data, title, write.tab, keys.batch):
            continue
        if _is_filtered_as_made(data, keys.batch):
            payload = {**target, "view": view["id"], "title": title}
            steps.append(
                Step("old tab", f'Remove the tab "{title}", which serves nothing', 0, payload)
            )
        else:
            changed.append(
                f'The tab "{title}" gets no tasks any more; delete it if nobody needs its filters.'
            )
    return steps, changed


def added_filters(views: Sequence[View], steps: Sequence[Step]) -> list[str]:
    """A sentence for each tab of these steps that loses filters that people added.

    Args:
        views: the tabs that are there.
        steps: that put tabs in order, among others.
    """
    said = []
    for payload in (step.payload for step in steps if step.kind == "tab"):
        title = payload["tab"]["title"]
        tab = own_tab(list(views), title)
        if tab and not _is_filtered_as_made(tab["data"], KEYS[payload["purpose"]].batch):
            said.append(
                f'Filters that somebody added to the tab "{title}" are gone; add them to a copy of '
                "the tab, which no run changes."
            )
    return said


def others_tabs(views: Sequence[View], steps: Sequence[Step], state: Path | None) -> list[str]:
    """A sentence for each tab of a run not made here that goes by the data keys of these steps.

    Args:
        views: the tabs that are there.
        steps: that put tabs in order, among others.
        state: the folder with the journals of the runs made here; without one nothing is said.
    """
    payloads = [step.payload for step in steps if step.kind == "tab"]
    if state is None or not payloads:
        return []
    keys = KEYS[payloads[0]["purpose"]]
    titles = {payload["tab"]["title"] for payload in payloads}
    said = []
    for data in (view["data"] for view in views):
        run, places = stamp_of(data), str([data.get("ordering"), data.get("filters")])
        shown = any(f"data.{key}" in places for key in (keys.priority, keys.batch))
        here = run is None or not is_run_id(run) or (state / f"{run}.jsonl").exists()
        if shown and not here and data.get("title") not in titles:
            said.append(
                f'The tab "{data.get("title")}" of run {run}, which wasn\'t made here, goes by the '
                "same data keys, so it shows this run's order from now on. Let one configuration "
                "write to a project, or undo this run."
            )
    return said


def left_in_tabs(client: Client, project: int, write: LabelStudioWrite) -> dict[str, int]:
    """How many tasks the tab of each annotator still has for them; no entry without a tab.

    Skipped tasks don't count: the server doesn't hand a task to someone who skipped it.
    """
    left = {}
    views = list_tabs(client, project)
    open_ = (UNFINISHED, lacks("cancelled_annotations"))
    for name in shard_names(write.annotators):
        tab = own_tab(views, tab_title(write, name))
        if tab is not None:
            items = (tab["data"].get("filters") or {}).get("items") or ()
            left[name] = count_tasks(client, project, (*open_, *items))
    return left


def _is_filtered_as_made(data: View, batch: str) -> bool:
    """Whether a tab has no filters but such as a run gives it; `batch` is the key of shards."""
    items = (data.get("filters") or {}).get("items") or ()
    columns = {str(i.get("filter")).removeprefix(COLUMN) for i in items}
    return columns <= {*_OURS, f"data.{batch}"}


def _was_made(data: View, title: str, tab: str, key: str) -> bool:
    """Whether an earlier run made a tab for a shard, or for all: by its stamp, title and filter."""
    items = (data.get("filters") or {}).get("items") or ()
    values = {str(i.get("value")) for i in items if i.get("filter") == f"{COLUMN}data.{key}"}
    if title == tab:
        return True
    name = title.removeprefix(f"{tab} ")
    return name != title and bool(values & {name, tag_of([name], shared=True), pattern_of(name)})


__all__ = [
    "added_filters",
    "left_in_tabs",
    "others_tabs",
    "stale_steps",
    "tab_steps",
    "tab_title",
]
