"""Writing a ranking: `labelnext_priority` on each task, and the tab that is ordered by it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labelnext.adapter import Context, Plan, Step
from labelnext.errors import InvalidInput, WriteFailed, WriteRefused, listed
from labelnext.ranking import Ranking
from labelnext_adapters.label_studio import LabelStudioSource, LabelStudioWrite
from labelnext_adapters.label_studio.client import Client
from labelnext_adapters.label_studio.digits import SetField, priority_texts, requests_for
from labelnext_adapters.label_studio.read import PRIORITY, Tasks, task_pages
from labelnext_adapters.label_studio.tab import (
    find_tab,
    put_tab,
    restore_tab,
    snapshot_tab,
    tab_url,
)

_READ_BACK = 1000  # priorities compared after a write; all of them when there are fewer
_READ_BACK_PAGE = 200  # ids in one address, which proxies cut at about 8,000 signs

_STAYS = (
    f"The data key {PRIORITY} stays on tasks that did not have it, as an empty text: Label Studio "
    "removes a key only by replacing all data of a task."
)

_log = logging.getLogger("labelnext.label_studio")


def make_plan(
    client: Client,
    source: LabelStudioSource,
    write: LabelStudioWrite,
    tasks: Tasks,
    ranking: Ranking,
) -> Plan:
    """What writing the ranking would do.

    Raises:
        InvalidInput: if the ranking names items that are no tasks of the project.
        WriteRefused: if the tab's title is taken.
    """
    ids = _task_ids(tasks, ranking)
    ranked, labelled = set(ids), dict(zip(tasks.ids, tasks.labelled, strict=True))
    clear = [
        task
        for task, value in tasks.priorities.items()
        if value != "" and task not in ranked and not labelled[task]
    ]
    tab = find_tab(client, source.project, write.tab)
    page = f"{client.url}/projects/{source.project}/data"
    where = (
        f'Open {page} and pick the tab "{write.tab}".'
        if tab is None
        else f"Open {tab_url(client, source.project, tab['id'])}."
    )
    place = {"url": client.url, "project": source.project}
    steps: tuple[Step, ...] = ()
    if ids or clear:
        what = [f"Set {PRIORITY} on {_tasks(ids)}"] if ids else []
        what += [f"clear {PRIORITY} of {_tasks(clear)} without a rank"] if clear else []
        steps = (
            Step(
                "priorities",
                _sentence(what),
                len(ids) + len(clear),
                {**place, "task_ids": ids, "clear": clear},
            ),
            Step("tab", f'Put the tab "{write.tab}" in order', 0, {**place, "title": write.tab}),
        )
    return Plan(
        adapter="label-studio",
        run=write.run,
        target=f"project {source.project} of {client.url}",
        steps=steps,
        stays=(_STAYS,) if steps else (),
        next_steps=(
            where,
            'Press the small arrow beside "Label All Tasks" and choose "Label Tasks As '
            'Displayed" ("Label All Tasks" itself ignores the order).',
        )
        if steps
        else (),
    )


def _tasks(ids: Sequence[int]) -> str:
    return "1 task" if len(ids) == 1 else f"{len(ids)} tasks"


def _sentence(parts: Sequence[str]) -> str:
    text = ", and ".join(parts)
    return text[:1].upper() + text[1:]


def _task_ids(tasks: Tasks, ranking: Ranking) -> list[int]:
    by_item = dict(zip(tasks.item_ids, tasks.ids, strict=True))
    items = ranking.pool_order.tolist()
    strangers = [item for item in items if item not in by_item]
    if strangers:
        raise InvalidInput(
            f"ranking must be of tasks of the project; got {len(strangers)} other ids: "
            f"{listed(strangers)}.",
            hint="rank the pool that this adapter read.",
        )
    return [by_item[item] for item in items]


@dataclass
class _Reading:
    """What the project has now."""

    ids: set[int] = field(default_factory=set)
    labelled: set[int] = field(default_factory=set)
    priorities: dict[int, Any] = field(default_factory=dict)


class Writer:
    """Carries out and takes back the steps of a plan.

    Args:
        client: the server.
        context: for progress.
    """

    def __init__(self, client: Client, context: Context) -> None:
        self._client, self._context = client, context
        self._fresh: _Reading | None = None  # read for a snapshot, used by the step after it

    def snapshot(self, step: Step) -> Any:
        """What is there now and would change."""
        project = self._project(step)
        if step.kind == "tab":
            return snapshot_tab(self._client, project, step.payload["title"])
        self._fresh = reading = self._read(project)
        changing = _differing(_targets(step), reading)
        odd = [t for t in changing if not _can_be_put_back(reading.priorities.get(t))]
        if odd:
            raise WriteRefused(
                f"{PRIORITY} must be text or a number where tasks have it already, so that it can "
                f"be put back; it is something else on task {listed(odd)}.",
                hint=f"rename the key {PRIORITY} in the data of these tasks.",
            )
        ids = sorted(changing)
        return {"task_ids": ids, "values": [reading.priorities.get(t) for t in ids]}

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice ends in the same state."""
        project = self._project(step)
        if step.kind == "tab":
            put_tab(self._client, project, step.payload["title"])
            return
        reading, self._fresh = self._fresh or self._read(project), None
        targets = _targets(step)
        gone = [t for t in targets if t not in reading.ids]
        if gone:
            _log.warning("%d ranked tasks no longer exist: %s", len(gone), listed(gone))
        done = [t for t in targets if t in reading.labelled]
        if done:
            _log.warning("%d ranked tasks were labelled meanwhile: %s", len(done), listed(done))
            targets = {t: v for t, v in targets.items() if t not in reading.labelled}
        self._write(project, _differing(targets, reading))

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there; returns what had to stay."""
        project = self._project(step)
        if step.kind == "tab":
            restore_tab(self._client, project, step.payload["title"], before)
            return []
        reading = self._read(project)
        old: dict[int, Any] = dict(zip(before["task_ids"], before["values"], strict=True))
        # A key that was not there, and is not there now, was never written.
        targets = {
            t: "" if value is None else value
            for t, value in old.items()
            if value is not None or t in reading.priorities
        }
        self._write(project, _differing(targets, reading))
        stayed = []
        gone = [t for t in old if t not in reading.ids]
        if gone:
            stayed.append(f"{len(gone)} tasks no longer exist: {listed(gone)}.")
        kept = [t for t in targets if old[t] is None and t in reading.ids]
        if kept:
            stayed.append(
                f"{len(kept)} tasks keep the data key {PRIORITY}, now an empty text: Label Studio "
                "removes a key only by replacing all data of a task."
            )
        return stayed

    def _project(self, step: Step) -> int:
        """The project of the step; it must be on the server that the adapter speaks to."""
        url, project = step.payload["url"], step.payload["project"]
        if url != self._client.url:
            raise WriteRefused(
                f"source.url must be the server of the run, {url}; got {self._client.url!r}.",
                hint="use the configuration of that run.",
            )
        return int(project)

    def _read(self, project: int) -> _Reading:
        reading = _Reading()
        tasks = Tasks()
        for page in task_pages(
            self._client,
            project,
            "id,data,total_annotations",
            context=self._context,
            stage="read priorities",
        ):
            for task in page:
                tasks.add(task, None)
        reading.ids = set(tasks.ids)
        reading.labelled = {t for t, d in zip(tasks.ids, tasks.labelled, strict=True) if d}
        reading.priorities = tasks.priorities
        return reading

    def _write(self, project: int, targets: Mapping[int, str | float]) -> None:
        requests = requests_for(targets)
        for done, request in enumerate(requests):
            self._context.report("write priorities", done, len(requests))
            set_field(self._client, project, request)
        if requests:
            self._context.report("write priorities", len(requests), len(requests))
            self._read_back(project, targets)

    def _read_back(self, project: int, targets: Mapping[int, str | float]) -> None:
        """Compare what the server has with what was sent; a large write by a sample."""
        ids = sorted(targets)
        sample = ids[:: -(-len(ids) // _READ_BACK)]
        wrong: list[int] = []
        for start in range(0, len(sample), _READ_BACK_PAGE):
            chosen = sample[start : start + _READ_BACK_PAGE]
            only = {"filter": "filter:tasks:id", "operator": "in_list", "type": "Number"}
            for page in task_pages(
                self._client, project, "id,data", filters=({**only, "value": chosen},)
            ):
                for task in page:
                    raw = task.data.get(PRIORITY)
                    if raw is None or json.loads(bytes(raw)) != targets[task.id]:
                        wrong.append(task.id)
        if wrong:
            raise WriteFailed(
                f"{PRIORITY} must read back as it was written; it differs on {len(wrong)} of "
                f"{len(sample)} tasks: {listed(wrong)}.",
                hint="somebody may be writing it at the same time.",
            )


def set_field(client: Client, project: int, request: SetField) -> None:
    """Set the priority of these tasks; no other key and no other task is touched.

    Raises:
        WriteRefused: if the request names no task, which the server takes for all tasks.
        WriteFailed: if the server says that it changed more tasks than were named.
    """
    if not request.ids:
        raise WriteRefused("a write must name its tasks; got none, which would mean all of them.")
    answer = client.send(
        "POST",
        "api/dm/actions/",
        {
            "selectedItems": {"all": False, "included": list(request.ids)},
            "value_name": PRIORITY,
            "value_type": request.kind,
            "value": request.value,
        },
        id="add_data_field",
        project=project,
    )
    said = re.search(r"\d+", str((answer or {}).get("detail", "")))
    if said and int(said.group()) > len(request.ids):
        raise WriteFailed(
            f"the server must change {len(request.ids)} tasks at most; it says {said.group()}.",
            hint="this version of Label Studio may not be one that labelnext was tested with.",
        )


def _targets(step: Step) -> dict[int, str | float]:
    ids: Sequence[int] = step.payload["task_ids"]
    targets: dict[int, str | float] = dict(zip(ids, priority_texts(len(ids)), strict=True))
    return {**targets, **dict.fromkeys(step.payload["clear"], "")}


def _differing(targets: Mapping[int, Any], reading: _Reading) -> dict[int, Any]:
    return {
        t: value
        for t, value in targets.items()
        if t in reading.ids and reading.priorities.get(t) != value
    }


def _can_be_put_back(value: Any) -> bool:
    return value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))
