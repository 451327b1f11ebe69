"""Pre-labels: the predictions of the batch under a model version of their own, which people see.

Label Studio shows annotators the predictions of the project's model version alone, so the run sets
that too. The version keeps its name from run to run: what is still right stays, the rest is
replaced, and what hangs on a task that somebody has labelled is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from labelnext.adapter.protocol import Context
from labelnext.errors import WriteFailed, listed
from labelnext.journal.plan import Step
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import lacks, where
from labelnext_adapters.label_studio.server.pages import pages_of, task_pages
from labelnext_adapters.label_studio.server.predictions import (
    are_sent_each,
    remove_predictions,
    send_each,
    send_predictions,
)
from labelnext_adapters.label_studio.server.project import COPY
from labelnext_adapters.label_studio.server.tasks import Prediction, Tasks
from labelnext_adapters.label_studio_format.setup import find_setup
from labelnext_adapters.label_studio_format.written import written

KIND = "pre-labels"  # of the step

_HIDDEN = (
    'The project hides predictions from annotators: switch on "Use predictions to prelabel '
    'tasks" in its settings, under Annotation, to show the pre-labels.'
)


@dataclass(frozen=True)
class Made:
    """The pre-labels of a batch.

    Attributes:
        task_ids: the tasks that get one.
        scores: of each, its own; None without any.
        results: of each, its regions, as JSON.
        left_out: items without one, and why, one sentence each.
    """

    task_ids: tuple[int, ...] = ()
    scores: tuple[float | None, ...] = ()
    results: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def version_of(run: str) -> str:
    """The model version of a run's pre-labels.

    Example:
        >>> version_of("labelnext")
        'labelnext:labelnext:pre-labels'
    """
    return f"{COPY}{run}:pre-labels"


def made(
    project: Mapping[str, Any], from_name: Any, tasks: Tasks, predictions: Pool | None
) -> Made | None:
    """The pre-labels of these predictions; None without any.

    Args:
        project: its settings.
        from_name: the control tag, as `source.from_name`.
        tasks: of the project.
        predictions: of the batch, in its order.

    Raises:
        InvalidInput: if the control tag can't hold such predictions.
    """
    if predictions is None:
        return None
    setup = find_setup(dict(project), from_name)
    to_name = str(project["parsed_label_config"][setup.from_name]["to_name"][0])
    done = written(predictions, np.arange(len(predictions)), setup, to_name)
    numbers = dict(zip(tasks.item_ids, tasks.ids, strict=True))
    ids = tuple(numbers[str(predictions.item_ids[row])] for row in done.rows)
    return Made(ids, tuple(done.scores), tuple(done.results), tuple(done.left_out))


def prelabel_steps(
    project: Mapping[str, Any], run: str, target: Mapping[str, Any], now: Made | None
) -> list[Step]:
    """Steps that give the batch its pre-labels, or take away those of an earlier run.

    Args:
        project: its settings.
        run: name of the run.
        target: where the project is.
        now: the pre-labels to be there; None for none.
    """
    version = version_of(run)
    shown = project.get("model_version") == version
    if now is None and not shown:
        return []
    what = "Remove the earlier run's pre-labels from tasks that nobody has labelled"
    model_version = "Clear the project's model version, which names them"
    if now is not None:
        tasks = counted(len(now.task_ids), "task")
        what = f"Store the predictions of {tasks} as pre-labels, model version {version!r}"
        model_version = f"Set the project's model version to {version!r}, so that they are shown"
    made_now = now or Made()
    stored = Step(
        KIND,
        what,
        len(made_now.task_ids),
        {
            **target,
            "version": version,
            "task_ids": list(made_now.task_ids),
            "scores": list(made_now.scores),
            "results": list(made_now.results),
        },
    )
    payload = {**target, "version": version if now is not None else "", "sampling": None}
    setting = Step("sampling", model_version, 0, payload)
    # The server knows a model version only while it has a prediction.
    return [stored, setting] if now is not None else [setting, stored]


def next_step(project: Mapping[str, Any]) -> tuple[str, ...]:
    """What people have to do to see pre-labels; nothing where the project shows predictions."""
    return (_HIDDEN,) if project.get("show_collab_predictions") is False else ()


class PreLabels:
    """Makes the pre-labels of a run exactly those of its step.

    Args:
        client: the server.
        context: for progress.
        remark: called with what the report must say of the write.
    """

    def __init__(self, client: Client, context: Context, remark: Callable[[str], None]) -> None:
        self._client, self._context, self._remark = client, context, remark

    def snapshot(self, step: Step) -> Any:
        """The pre-labels that are there, on tasks that nobody has labelled."""
        rows = [*self._stored(step).values()]
        return {
            "task_ids": [row.task for row in rows],
            "scores": [row.score for row in rows],
            "results": [bytes(row.result).decode() for row in rows],
        }

    def perform(self, step: Step) -> None:
        """Store what is lacking, and remove what is of an earlier batch. Idempotent."""
        gone, labelled = self._put(step, step.payload)
        if gone:
            self._remark(f"Skipped {counted(len(gone), 'task')} deleted since: {listed(gone)}.")
        if done := sorted({*step.payload["task_ids"]} & labelled):
            self._remark(f"Skipped {counted(len(done), 'pre-label')} of tasks labelled since.")

    def restore(self, step: Step, before: Any) -> list[str]:
        """Store those of before; those of tasks that were labelled since stay as they are."""
        _, labelled = self._put(step, before)
        kept = sorted({*step.payload["task_ids"]} & labelled)
        if not kept:
            return []
        return [f"Kept the pre-labels of {counted(len(kept), 'task')} labelled since."]

    def _put(self, step: Step, wanted: Mapping[str, Any]) -> tuple[list[int], set[int]]:
        """Make them exactly these; the tasks that are gone, and those that were labelled since."""
        project = step.payload["project"]
        columns = (wanted["scores"], wanted["results"])
        new = dict(zip(wanted["task_ids"], zip(*columns, strict=True), strict=True))
        begun: dict[int, bool] = {}
        ids = [*dict.fromkeys([*new, *step.payload["task_ids"]])]
        fields = "id,total_annotations,cancelled_annotations"
        for page in pages_of(self._client, project, fields, ids, self._context):
            for task in page:
                begun[task.id] = bool(task.total_annotations or task.cancelled_annotations)
        labelled = {task for task, has in begun.items() if has}
        there = self._stored(step)
        right: dict[int, int] = {}
        for row in there.values():
            if row.task in new and _said(bytes(row.result)) == _said(new[row.task][1]):
                right.setdefault(row.task, row.id)
        wrong = [row for row in there.values() if right.get(row.task) != row.id]
        on_new = [row for row in wrong if row.task in new]
        remove_predictions(self._client, self._context, on_new, patient=True)
        open_ = [task for task in new if begun.get(task) is False and task not in right]
        self._send(project, step.payload["version"], {task: new[task] for task in open_})
        # An undo leaves nothing; in a run, what stays is seen by nobody who follows the batch.
        stale, patient = [row for row in wrong if row.task not in new], wanted is not step.payload
        left = len(stale) - remove_predictions(self._client, self._context, stale, patient=patient)
        if left:
            self._remark(f"Left {counted(left, 'pre-label')} of earlier runs for the next run.")
        return [task for task in new if task not in begun], labelled

    def _send(self, project: int, version: str, new: Mapping[int, tuple[Any, str]]) -> None:
        rows = [
            {"task": task, "model_version": version, "score": score, "result": json.loads(result)}
            for task, (score, result) in new.items()
        ]
        each = are_sent_each(self._client, project, len(rows))
        send = send_each if each else send_predictions
        sent = send(self._client, self._context, project, rows)
        if sent < len(rows):
            raise WriteFailed(
                f"Label Studio stored {sent} of {counted(len(rows), 'pre-label')}.",
                hint="its labelling setup may have changed meanwhile.",
            )

    def _stored(self, step: Step) -> dict[int, Prediction]:
        """The pre-labels on tasks that nobody has labelled or skipped, by their own numbers."""
        version = step.payload["version"]
        holding = where("predictions_model_versions", "List", "contains", [version])
        pages = task_pages(
            self._client,
            step.payload["project"],
            "id,predictions",
            filters=(holding, *_UNTOUCHED),
            context=self._context,
            stage="read pre-labels",
        )
        tasks = (task for page in pages for task in page)
        rows = (row for task in tasks for row in task.predictions)
        return {row.id: row for row in rows if row.model_version == version}


_UNTOUCHED = (lacks("total_annotations"), lacks("cancelled_annotations"))


def _said(result: str | bytes) -> Any:
    """What a person sees of a prediction: a new model that says the same changes nothing."""
    regions = json.loads(result)
    for region in regions:
        region.pop("score", None)
        region["value"].pop("probs", None)
    return regions


__all__ = ["KIND", "Made", "PreLabels", "made", "next_step", "prelabel_steps", "version_of"]
