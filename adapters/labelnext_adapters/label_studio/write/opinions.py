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
        states = {task: self._state(task) for task in step.payload["task_ids"]}
        tasks = {str(task): state["overlap"] for task, state in states.items() if state is not None}
        return {"project": self._of_project(step), "tasks": tasks}

    def perform(self, step: Step) -> None:
        """Ask for more, where the task has no more by now. Idempotent."""
        gone = []
        for task, wanted in zip(step.payload["task_ids"], step.payload["overlaps"], strict=True):
            state = self._state(task)
            if state is None:
                gone.append(task)
            elif max(state["made"], state["overlap"]) < wanted:
                self._set(task, wanted, labelled=False)
        if gone:
            self._remark(f"Skipped {counted(len(gone), 'task')} deleted since: {listed(gone)}.")

    def restore(self, step: Step, before: Any) -> list[str]:
        """Set it back, unless somebody chose another number meanwhile, for it or for all."""
        kept, of_all = [], self._of_project(step)
        for task, wanted in zip(step.payload["task_ids"], step.payload["overlaps"], strict=True):
            old, state = before["tasks"].get(str(task), wanted), self._state(task)
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

    def _of_project(self, step: Step) -> int:
        project = get_project(self._client, step.payload["project"])
        return int(project.get("maximum_annotations") or 1)

    def _state(self, task: int) -> dict[str, int] | None:
        try:
            row = self._client.get_json(f"api/tasks/{task}/")
        except NotFound:
            return None
        return {
            "overlap": int(row.get("overlap") or 1),
            "made": int(row.get("total_annotations") or 0),
        }

    def _set(self, task: int, overlap: int, *, labelled: bool) -> None:
        # Without `data`: the server would replace all of it.
        body = {"overlap": overlap, "is_labeled": labelled}
        self._client.send("PATCH", f"api/tasks/{task}/", body, retry=True)


__all__ = ["KIND", "ONLY_ONE", "Opinions", "opinion_steps"]
