"""Data keys of tasks: read, written in few requests, and put back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import (
    AccessDenied,
    InvalidInput,
    WriteFailed,
    WriteRefused,
    listed,
)
from labelnext.journal.plan import Step
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.give_way import give_way
from labelnext_adapters.label_studio.server.pages import pages_of, task_pages
from labelnext_adapters.label_studio.server.refusals import Failed, NoSuchObject, NoSuchPath
from labelnext_adapters.label_studio.server.tasks import FIELDS, KEYS, TASK_FIELDS, collect
from labelnext_adapters.label_studio.write.priorities import (
    SetField,
    is_half,
    lowered,
    lowering,
    mark_of,
    raised,
    requests_for,
    texts_around,
)
from labelnext_adapters.label_studio.write.set_field import set_field

_READ_BACK = 500  # values compared after a write; all of them when there are fewer
_FEW = 2000  # tasks that are read by their ids rather than with the whole project
_WHOLE = 20  # tasks read before they are sent back whole: what others change between is lost

Values = dict[str, dict[int, Any]]
_ORDERED = {keys.priority for keys in KEYS.values()}


@dataclass(frozen=True)
class _Reading:
    """What the project has now."""

    ids: frozenset[int]
    labelled: frozenset[int]
    annotated: frozenset[int]
    values: Values


class Fields:
    """Sets the data keys of the tasks of a plan.

    Args:
        client: the server.
        context: for progress.
        remark: called with what the report must say of the write.
        run: id of the run, of which the server has a part while it writes.
    """

    def __init__(
        self, client: Client, context: Context, remark: Callable[[str], None], run: str
    ) -> None:
        self._client, self._context, self._remark = client, context, remark
        self._mark = mark_of(run)
        self._fresh: _Reading | None = None  # read for a snapshot, used by the step after it
        self.unchanged = False  # whether a step was done and found everything as it should be

    def snapshot(self, step: Step) -> Any:
        """The values that are there now and would change."""
        targets = self._targets(step)
        self._fresh = reading = self._read(step.payload["project"], targets)
        changing = _differing(targets, reading)
        _check(changing, reading.values)
        return {
            name: {
                "task_ids": sorted(t),
                "values": [reading.values[name].get(i) for i in sorted(t)],
                "nulls": [i for i in sorted(t) if reading.values[name].get(i, "") is None],
            }
            for name, t in changing.items()
        }

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice ends in the same state."""
        project = step.payload["project"]
        targets = self._targets(step)
        reading, self._fresh = self._fresh or self._read(project, targets), None
        targets = self._without_done(step, targets, reading)
        changing = _differing(targets, reading)
        self.unchanged = not changing
        self._write(project, changing, reading.values)

    def restore(self, step: Step, before: Any, later: str | None = None) -> list[str]:
        """Put back what was there, where it is still as the step wrote it.

        Args:
            step: that was done.
            before: its snapshot.
            later: the run that wrote on these tasks after the step, if one did.

        Returns:
            What had to stay.
        """
        project = step.payload["project"]
        reading = self._read(
            project, {name: dict.fromkeys(saved["task_ids"]) for name, saved in before.items()}
        )
        stayed: list[str] = []
        missing: set[int] = set()
        targets: Values = {}
        wrote = targets_of(step)
        for name, saved in before.items():
            old: dict[int, Any] = dict(zip(saved["task_ids"], saved["values"], strict=True))
            # What was above all others is put back by the step that put it there.
            old = {t: value for t, value in old.items() if lowered(value, self._mark) is None}
            theirs = [
                t
                for t, value in old.items()
                if t in reading.ids
                and not _is_ours(reading.values[name].get(t), wrote[name].get(t), value, later)
            ]
            if theirs:
                who = "someone" if later is None else f"run {later}"
                stayed.append(
                    f"Kept {name} on {counted(len(theirs), 'task')}, which {who} wrote after the "
                    f"run: {listed(theirs)}."
                )
            old = {t: value for t, value in old.items() if t not in {*theirs}}
            if halves := sorted(t for t, value in old.items() if is_half(value)):
                stayed.append(
                    f"Kept {name} empty on {counted(len(halves), 'task')}, where another run was "
                    f"half done when this one began: {listed(halves)}."
                )
                old |= dict.fromkeys(halves, "")
            # A key that was not there, and is not there now, was never written.
            absent = {t for t, value in old.items() if value is None} - {*saved.get("nulls", ())}
            targets[name] = {
                t: "" if t in absent else value
                for t, value in old.items()
                if t not in absent or t in reading.values[name]
            }
            missing |= old.keys() - reading.ids
            if kept := absent & targets[name].keys() & reading.ids:
                stayed.append(
                    f"The data key {name} stays, empty, on {counted(len(kept), 'task')}: "
                    "Label Studio can only remove a key by replacing all of a task's data."
                )
        if missing:
            what = f"Skipped {counted(len(missing), 'task')} deleted since"
            stayed.insert(0, f"{what}: {listed(sorted(missing))}.")
        self._write(project, _differing(targets, reading))
        return stayed

    def _targets(self, step: Step) -> Values:
        """What the step sets: the first tasks of an order are above all others until its end."""
        targets = targets_of(step)
        if step.payload.get("front"):
            for name in _ORDERED & targets.keys():
                targets[name] = {t: raised(v, self._mark) for t, v in targets[name].items()}
        return targets

    def _without_done(self, step: Step, targets: Values, reading: _Reading) -> Values:
        """The targets that nobody labelled meanwhile, and those above all others, which end now."""
        named = {t for values in targets.values() for t in values}
        review = step.payload.get("purpose") == "review"
        done = (named & reading.ids) - reading.annotated if review else named & reading.labelled
        if not step.payload.get("front"):  # the step after it names the same tasks
            what = "no longer labelled" if review else "labelled meanwhile"
            for tasks, why in ((named - reading.ids, "deleted since"), (done, what)):
                if tasks:
                    skipped = f"Skipped {counted(len(tasks), 'ranked task')} {why}"
                    self._remark(f"{skipped}: {listed(sorted(tasks))}.")
        return {
            name: {
                t: v
                for t, v in values.items()
                if t not in done or lowered(reading.values[name].get(t), self._mark)
            }
            for name, values in targets.items()
        }

    def _read(self, project: int, targets: Values) -> _Reading:
        """What the tasks have now: these alone when they are few, else all of the project."""
        ids = sorted({task for values in targets.values() for task in values})
        told: dict[str, Any] = {"context": self._context, "stage": "read what is there"}
        if len(ids) <= _FEW:
            pages = pages_of(self._client, project, TASK_FIELDS, ids, **told)
        else:
            pages = task_pages(self._client, project, TASK_FIELDS, **told)
        tasks = collect(pages, None)
        labelled = (t for t, done in zip(tasks.ids, tasks.labelled, strict=True) if done)
        annotated = (t for t, done in zip(tasks.ids, tasks.annotated, strict=True) if done)
        return _Reading(
            frozenset(tasks.ids), frozenset(labelled), frozenset(annotated), tasks.values
        )

    def _write(self, project: int, changing: Values, now: Values | None = None) -> None:
        """Set the values; what is there now tells which tasks are above all others meanwhile."""
        # The server's action would make a decimal number of a whole one, and a text of null.
        whole = {
            name: {t: v for t, v in values.items() if v is None or isinstance(v, int)}
            for name, values in changing.items()
        }
        if any(whole.values()):
            self._write_whole_data(project, whole)
            changing = {
                name: {t: v for t, v in values.items() if t not in whole[name]}
                for name, values in changing.items()
            }
        changing = {name: values for name, values in changing.items() if values}
        if not changing:
            return
        requests = self._requests(changing, now or {})
        if not self._takes_fields(project, *requests[0]):
            self._write_whole_data(project, changing)
            return
        done_by_trying = len(requests[0][1].ids) == 1
        for done, (name, request) in enumerate(requests):
            self._context.report("write priorities", done, len(requests))
            start = time.monotonic()
            if done or not done_by_trying:
                set_field(self._client, project, name, request)
            if done + 1 < len(requests):
                give_way(time.monotonic() - start)
        self._context.report("write priorities", len(requests), len(requests))
        self._read_back(project, changing)

    def _requests(self, changing: Values, now: Values) -> list[tuple[str, SetField]]:
        """Batches and reasons, which few tasks have, then priorities, the next tasks' last."""
        rows: list[tuple[str, SetField]] = []
        for name in sorted(changing, key=_ORDERED.__contains__):
            targets, has = changing[name], now.get(name, {})
            above = {t for t, v in targets.items() if lowered(has.get(t), self._mark) == v}
            others = {t: v for t, v in targets.items() if t not in above}
            requests = requests_for(others, self._mark)
            rows += [(name, request) for request in requests]
            rows += [(name, lowering(above, self._mark))] if above else []
        return rows

    def _takes_fields(self, project: int, name: str, request: SetField) -> bool:
        """Try on one task whether the server lets us set one key of a task's data."""
        try:
            set_field(self._client, project, name, replace(request, ids=request.ids[:1]))
        except (AccessDenied, InvalidInput, NoSuchObject, NoSuchPath, Failed) as error:
            # A server that is only busy or away fails on this request too, and ends the run.
            self._client.get(f"api/projects/{project}/")
            self._remark(
                f"The server rejects add_data_field ({error.message.rstrip('.')}), so labelnext "
                "sent each task's whole data one by one, which is slow."
            )
            return False
        return True

    def _write_whole_data(self, project: int, changing: Values) -> None:
        """The slow way: read the whole data of a task, and send it back with our keys in it."""
        ids = sorted({t for targets in changing.values() for t in targets})
        for start in range(0, len(ids), _WHOLE):
            chosen = ids[start : start + _WHOLE]
            for done, (task, data) in enumerate(self._data_of(project, chosen).items(), start):
                self._context.report("write priorities", done, len(ids))
                ours = {n: targets[task] for n, targets in changing.items() if task in targets}
                self._client.send("PATCH", f"api/tasks/{task}/", {"data": {**data, **ours}})

    def _read_back(self, project: int, changing: Values) -> None:
        """Compare what the server has with what was sent; a large write by a sample."""
        ids = sorted({task for targets in changing.values() for task in targets})
        sample = ids[:: -(-len(ids) // _READ_BACK)]
        data = self._data_of(project, sample)
        for name, targets in changing.items():
            compared = [task for task in sample if task in targets and task in data]
            wrong = [
                task
                for task in compared
                if name not in data[task] or json.loads(bytes(data[task][name])) != targets[task]
            ]
            if wrong:
                raise WriteFailed(
                    f"{name} doesn't have the value labelnext wrote on {len(wrong)} of "
                    f"{counted(len(compared), 'task')}: {listed(wrong)}.",
                    hint="someone may be changing it at the same time, such as another machine's "
                    "run: let that end first.",
                )

    def _data_of(self, project: int, ids: Sequence[int]) -> dict[int, dict[str, msgspec.Raw]]:
        """The data of these tasks, as the server wrote it; those that are gone are left out."""
        pages = pages_of(self._client, project, "id,data", ids)
        return {task.id: task.data for page in pages for task in page}


def targets_of(step: Step) -> Values:
    """For each data key of ours, the tasks that it is set on; empty texts clear it."""
    ranked: Sequence[int] = step.payload["task_ids"]
    tags: Mapping[str, Sequence[int]] = step.payload["tags"]
    keys = KEYS[step.payload.get("purpose", "label")]
    texts = step.payload.get("texts")
    if texts is None:  # of a batch that is sent, and of runs of labelnext before 0.3
        taken = {int(index): str(text) for index, text in step.payload.get("taken", ())}
        texts = texts_around(len(ranked) + len(taken), taken)
    priorities: dict[int, Any] = dict(zip(ranked, texts, strict=True))
    why = step.payload.get("why", {"task_ids": (), "texts": ()})
    return {
        keys.priority: {**priorities, **dict.fromkeys(step.payload["clear"], "")},
        keys.batch: {
            **{task: tag for tag, tasks in tags.items() for task in tasks},
            **dict.fromkeys(step.payload["untag"], ""),
        },
        keys.why: dict(zip(why["task_ids"], why["texts"], strict=True)),
    }


def _differing(targets: Values, reading: _Reading) -> Values:
    changing = {
        name: {
            t: value
            for t, value in targets.get(name, {}).items()
            if t in reading.ids and reading.values[name].get(t) != value
        }
        for name in FIELDS
    }
    return {name: values for name, values in changing.items() if values}


def check_values(step: Step, values: Values) -> None:
    """Raise WriteRefused if a step would change what undo could not put back.

    Args:
        step: of data keys; others pass.
        values: what the tasks have now.
    """
    if step.kind == "fields":
        targets = targets_of(step)
        changing = {
            name: {t: v for t, v in values_of_key.items() if values[name].get(t) != v}
            for name, values_of_key in targets.items()
        }
        _check(changing, values)


def _check(changing: Values, values: Values) -> None:
    for name, targets in changing.items():
        odd = [t for t in targets if not _can_be_put_back(values[name].get(t))]
        if odd:
            raise WriteRefused(
                f"{name} holds something other than text or a number, which undo couldn't "
                f"restore, on task {listed(odd)}.",
                hint=f"rename the key {name} in these tasks' data.",
            )


def _is_ours(now: Any, wrote: Any, before: Any, later: str | None) -> bool:
    """Whether a value is as a step left it: written, half written, or not yet touched.

    An empty one, and one that any run wrote by half, is nobody's once no later run is there.
    """
    if now == before or (before is None and now == ""):
        return True
    if later is not None:
        return False  # two rankings give the same priorities to different tasks
    return now in (wrote, "") or is_half(now)


def _can_be_put_back(value: Any) -> bool:
    return value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))
