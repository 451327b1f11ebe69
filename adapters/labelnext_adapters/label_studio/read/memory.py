"""What a process that ranks again and again keeps of a project, and what changed since.

The server tells which tasks were changed, and counts everything; where the counts contradict what
is remembered, the project is read whole again. Our own data keys change without a trace, but a run
that writes them leaves its id in a tab.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, cast

from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.read.own_writes import (
    Stamps,
    Written,
    is_alone,
    stamps_of,
)
from labelnext_adapters.label_studio.server.annotations import TRUTH_FIELDS
from labelnext_adapters.label_studio.server.changes import changed_after, read_on, read_until
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import few_tasks
from labelnext_adapters.label_studio.server.project import find_versions, get_project
from labelnext_adapters.label_studio.server.tasks import TASK_FIELDS, Prediction, Task, Tasks
from labelnext_adapters.label_studio_format.annotations import Truth
from labelnext_adapters.label_studio_format.export import key_value
from labelnext_adapters.label_studio_format.moments import moment
from labelnext_adapters.label_studio_format.versions import Members

_NAME = "label-studio"  # of the entry in the memory of a process
_FIELDS = f"{TASK_FIELDS},predictions,{TRUTH_FIELDS}"
_PAGE = 200
_TRIES = 3  # people label while we count
_CHEAP = 0.1  # of the tasks; to read more than that with all that hangs on them takes as long

# Settings on which depends what was read.
_SETTINGS = ("label_config", "maximum_annotations", "overlap_cohort_percentage")


@dataclass
class Memory:
    """A project as it was read, and as it was written since.

    Attributes:
        settings: of the project.
        since: what is dated later by the server may not have been read; None if it has no dates.
        stamps: of each tab of ours, the run that wrote it.
        members: the predictions.
        tasks: with the values of our data keys, as far as they were asked for; None before they
            are read.
        truth: what people said; None where it was not asked for.
        written: by the run that followed.
    """

    settings: tuple[Any, ...]
    since: datetime | None
    stamps: Stamps
    members: Members = field(default_factory=dict)
    tasks: Tasks | None = None
    truth: Truth | None = None
    written: Written | None = None


def recalled(
    client: Client, project: Mapping[str, Any], members: Members, context: Context
) -> Memory | None:
    """What is remembered, brought up to date; without tasks, where these must be read whole.

    Args:
        client: the server.
        project: its settings and counts.
        members: the model versions to read, as of `chosen`, still empty.
        context: with the memory of the process.

    Returns:
        None if the process has no memory.
    """
    if context.memory is None:
        return None
    known = context.memory.pop(_NAME, None)
    if known is not None and _refresh(known, client, project, members, context):
        return cast("Memory", known)
    number = project["id"]
    return Memory(_settings(project), read_until(client, number), stamps_of(client, number))


def keep(
    memory: Memory | None, members: Members, tasks: Tasks, truth: Truth | None, context: Context
) -> None:
    """Keep what was read for the next reading."""
    if memory is not None and context.memory is not None:
        memory.members, memory.tasks, memory.truth = members, tasks, truth
        context.memory[_NAME] = memory


def wrote(written: Written, context: Context) -> None:
    """Keep which run writes now."""
    memory = context.memory or {}
    if memory.get(_NAME) is not None:
        if memory[_NAME].written is None:
            memory[_NAME].written = written
        else:  # two runs on one reading
            memory.clear()


def _refresh(
    known: Memory,
    client: Client,
    project: Mapping[str, Any],
    members: Members,
    context: Context,
) -> bool:
    """Bring what is known up to date; whether that could be done."""
    number, tasks = project["id"], known.tasks
    if tasks is None or known.since is None or known.settings != _settings(project):
        return False
    now_there, before = stamps_of(client, number), known.stamps
    written, known.stamps, known.written = known.written, now_there, None
    if not is_alone(before, now_there, written, tasks) or {*known.members} != {*members}:
        return False
    known.members = {version: known.members[version] for version in members}
    now: Mapping[str, Any] = project
    for _ in range(_TRIES):
        asked, after = client.clock, (changed_after(known.since),)
        most = _CHEAP * len(tasks.ids)
        changed = few_tasks(
            client, number, _FIELDS, most, page_size=_PAGE, filters=after, context=context
        )
        if changed is None:
            return False
        _update(known, tasks, {task.id: task for task in changed}, context.key)
        known.since = read_on(known.since, asked, changed)
        versions, earlier = find_versions(client, number), now
        if _agrees(known, tasks, (earlier,), versions):
            return True
        now = get_project(client, number)
        if _agrees(known, tasks, (earlier, now), versions):
            return True
    return False


def _settings(project: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(project.get(name) for name in _SETTINGS)


def take(prediction: Prediction, members: Members) -> None:
    """Put a prediction into the columns of its model version, if that is read."""
    columns = members.get(prediction.model_version)
    if columns is not None:
        columns.take(
            prediction.task,
            prediction.id,
            prediction.score,
            prediction.result,
            version=prediction.model_version,
            made=moment(prediction.created_at),
        )


def _update(known: Memory, tasks: Tasks, changed: Mapping[int, Task], key: str | None) -> None:
    """Put what is known of tasks now in the place of what was known."""
    columns = {id(each): each for each in known.members.values()}.values()
    for number in sorted(changed):
        task = changed[number]
        for each in columns:
            each.forget(number)
        for prediction in task.predictions:
            take(prediction, known.members)
        if known.truth is not None:
            known.truth.forget(number)
            if task.total_annotations:
                known.truth.take(number, task.annotations)
        _put(tasks, task, key)
    if changed:
        tasks.check_keys(key)


def _put(tasks: Tasks, task: Task, key: str | None) -> None:
    """A task in the place of what was known of it, or after all others if it is new."""
    tasks.begun_by.pop(task.id, None)
    tasks.overlaps.pop(task.id, None)
    for values in (*tasks.values.values(), *tasks.metadata.values()):
        values.pop(task.id, None)
    row = bisect_left(tasks.ids, task.id)
    if row < len(tasks.ids) and tasks.ids[row] == task.id:
        tasks.item_ids[row] = str(task.id) if key is None else key_value(task.data, key)
        tasks.labelled[row] = task.finished
        tasks.take_state(task)
        tasks.mark(task)
    else:
        tasks.add(task, key)


def _agrees(
    known: Memory,
    tasks: Tasks,
    told: Sequence[Mapping[str, Any]],
    versions: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether the server counts as many tasks, annotations and predictions as are known.

    Args:
        known: what is remembered.
        tasks: of it.
        told: the project's counts, at one time or before and after what changed was read: people
            label meanwhile, so that what is known lies between them.
        versions: the counts of the predictions.
    """
    begun = tasks.begun_by.values()
    counts = {
        "task_number": len(tasks.ids),
        "finished_task_number": sum(state.closed for state in begun),
        "total_annotations_number": sum(state.annotated for state in begun),
        "skipped_annotations_number": sum(state.skipped for state in begun),
    }
    for name, count in counts.items():
        numbers = [row.get(name) or 0 for row in told]
        if not min(numbers) <= count <= max(numbers):
            return False
    if any(earlier >= later for earlier, later in pairwise(tasks.ids)):
        return False
    tally = {}
    for columns in {id(each): each for each in known.members.values()}.values():
        tally.update(columns.tally())
    there = {row["model_version"]: (row["count"], moment(row["latest"])) for row in versions}
    return all(there.get(version) == tally.get(version) for version in known.members)


__all__ = ["Memory", "keep", "recalled", "wrote"]
