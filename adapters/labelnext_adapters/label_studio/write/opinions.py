"""One more opinion on tasks about which people disagree: the server is asked to serve them again.

Label Studio keeps for each task how many annotations it needs (`overlap`) and whether it has them
(`is_labeled`). It counts annotations when somebody submits one, so both are set here together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labelnext.errors import NotFound, listed
from labelnext.journal.plan import Step
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import get_project
from labelnext_adapters.label_studio.server.tasks import Tasks

KIND = "overlap"  # of the step
# Where a task has more than one, a higher number for the project is set on such tasks alone.
ONLY_ONE = (
    "No more opinions are asked for where people disagree, as the project requires one annotation "
    "per task; let it require two."
)
_MOST_PEOPLE = 5  # who can't agree won't by a sixth
_MOST = 100  # tasks in a run: each takes the server a request


def opinion_steps(tasks: Tasks, target: Mapping[str, Any]) -> list[Step]:
    """The step that asks for one more annotation of each such task; none without any.

    Args:
        tasks: of the project.
        target: where the project is.
    """
    done = dict(zip(tasks.ids, tasks.labelled, strict=True))
    wanted = {
        task: people + 1
        for task, people in sorted(tasks.undecided.items(), key=lambda row: (-row[1], row[0]))
        if people < _MOST_PEOPLE and done.get(task)
    }
    task_ids = [*wanted][:_MOST]
    if not task_ids:
        return []
    what = f"Ask for one more annotation of {counted(len(task_ids), 'task')}, as people disagree"
    payload = {**target, "task_ids": task_ids, "overlaps": [wanted[task] for task in task_ids]}
    return [Step(KIND, what, len(task_ids), payload)]


class Opinions:
    """Sets how many annotations tasks need, and sets it back.

    Args:
        client: the server.
        remark: called with what the report must say of the write.
    """

    def __init__(self, client: Client, remark: Callable[[str], None]) -> None:
        self._client, self._remark = client, remark

    def snapshot(self, step: Step) -> Any:
        """How many annotations the project's tasks need, and each of these now."""
        project = self._project(step)
        states = {task: self._state(task, project) for task in step.payload["task_ids"]}
        tasks = {str(task): state["overlap"] for task, state in states.items() if state is not None}
        return {"project": _needed(project), "tasks": tasks}

    def perform(self, step: Step) -> None:
        """Ask for more, where the task has no more by now. Idempotent."""
        gone, project = [], self._project(step)
        for task, wanted in zip(step.payload["task_ids"], step.payload["overlaps"], strict=True):
            state = self._state(task, project)
            if state is None:
                gone.append(task)
            elif max(state["made"], state["overlap"]) < wanted:
                self._set(task, wanted, labelled=False)
        if gone:
            self._remark(f"Skipped {counted(len(gone), 'task')} deleted since: {listed(gone)}.")

    def restore(self, step: Step, before: Any) -> list[str]:
        """Set it back, unless somebody chose another number meanwhile, for it or for all."""
        kept, project = [], self._project(step)
        of_all = _needed(project)
        for task, wanted in zip(step.payload["task_ids"], step.payload["overlaps"], strict=True):
            old, state = before["tasks"].get(str(task), wanted), self._state(task, project)
            if old >= wanted or state is None or state["overlap"] == old:
                continue  # it wasn't there, or had as many without the run; is gone; is set back
            if state["overlap"] != wanted or before["project"] != of_all == wanted:
                kept.append(task)
                continue
            self._set(task, old, labelled=state["made"] >= old)
        if not kept:
            return []
        return [
            f"Kept the number of annotations of {counted(len(kept), 'task')}, which someone chose "
            f"after the run: {listed(kept)}."
        ]

    def _project(self, step: Step) -> Mapping[str, Any]:
        return get_project(self._client, step.payload["project"])

    def _state(self, task: int, project: Mapping[str, Any]) -> dict[str, int] | None:
        try:
            row = self._client.get_json(f"api/tasks/{task}/")
        except NotFound:
            return None
        made = int(row.get("total_annotations") or 0)
        if project.get("skip_queue") == "IGNORE_SKIPPED":  # a skip counts as an annotation
            made += int(row.get("cancelled_annotations") or 0)
        return {"overlap": int(row.get("overlap") or 1), "made": made}

    def _set(self, task: int, overlap: int, *, labelled: bool) -> None:
        # Without `data`: the server would replace all of it.
        body = {"overlap": overlap, "is_labeled": labelled}
        self._client.send("PATCH", f"api/tasks/{task}/", body, retry=True)


def _needed(project: Mapping[str, Any]) -> int:
    """How many annotations the project requires of its tasks."""
    return int(project.get("maximum_annotations") or 1)


__all__ = ["KIND", "ONLY_ONE", "Opinions", "opinion_steps"]
