"""Predictions that a user pushes: stored in bulk under a model version of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from labelnext.adapter.predicted import check_one_version, rows_there
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, NotFound, Unavailable, WriteFailed, WriteRefused, listed
from labelnext.journal.plan import Plan, Step
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.label_studio.options import LabelStudioSource
from labelnext_adapters.label_studio.read.read import stored_predictions
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.give_way import give_way
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.predictions import send_predictions
from labelnext_adapters.label_studio.server.project import count_version, get_project, is_copy
from labelnext_adapters.label_studio.server.refusals import TimedOut
from labelnext_adapters.label_studio.server.tasks import Prediction, alive_tasks
from labelnext_adapters.label_studio_format.export import key_value
from labelnext_adapters.label_studio_format.setup import find_setup
from labelnext_adapters.label_studio_format.written import written

KIND = "predictions"  # of the step
_HOURS = 6 * 3600.0  # however it is asked, the server deletes only about 30 predictions a second


def plan_predictions(
    client: Client, source: LabelStudioSource, context: Context, pool: Pool, version: str
) -> Plan:
    """What storing the predictions of a pool under a model version would do.

    Args:
        client: the server.
        source: the project and its control tag.
        context: for the key of the ids, and progress.
        pool: the predictions.
        version: the model version.

    Raises:
        InvalidInput: if no item is a task, or the control tag can't hold such predictions.
        WriteRefused: if the project has predictions of that version.
    """
    check_one_version(pool)
    project = get_project(client, source.number)
    setup = find_setup(project, source.from_name)
    _check_version(client, source.number, version)
    tasks = _tasks(client, source.number, context)
    where = f"project {source.number} of {client.url}"
    rows, left_out = rows_there(pool, tasks, where, "task")
    to_name = str(project["parsed_label_config"][setup.from_name]["to_name"][0])
    made = written(pool, rows, setup, to_name)
    task_ids = [tasks[str(pool.item_ids[row])] for row in made.rows]
    payload = {
        "url": client.url,
        "project": source.number,
        "version": version,
        "task_ids": task_ids,
        "scores": made.scores,
        "results": made.results,
    }
    what = f"Store predictions of {counted(len(task_ids), 'task')} as model version {version!r}"
    return Plan(
        "label-studio",
        version,
        where,
        (Step(KIND, what, len(task_ids), payload),) if task_ids else (),
        next_steps=(_next_step(source, version),),
        left_out=(*left_out, *made.left_out),
    )


def _check_version(client: Client, project: int, version: str) -> None:
    if is_copy(version) or not version.strip() or version != version.strip():
        raise InvalidInput(
            "the version must be a name that doesn't begin with labelnext: or a space; got "
            f"{version!r}."
        )
    if stored := count_version(client, project, version):
        raise WriteRefused(
            f"model version {version!r} must be new in project {project}; it has "
            f"{counted(stored, 'prediction')}.",
            hint="choose another --version, or undo the run that pushed it.",
        )


def _next_step(source: LabelStudioSource, version: str) -> str:
    named = source.model_version
    if named is None or version in ([named] if isinstance(named, str) else named):
        return "The next run ranks by these predictions."
    return f"source.model_version: {version} makes the next run rank by these predictions."


def _tasks(client: Client, project: int, context: Context) -> dict[str, int]:
    """The number of each task, by the id of its item."""
    key = context.key
    tasks: dict[str, int] = {}
    fields = "id" if key is None else "id,data"
    for page in task_pages(client, project, fields, context=context):
        for task in page:
            item = str(task.id) if key is None else key_value(task.data, key)
            if item and item in tasks:
                raise InvalidInput(
                    f"source.key must be unique for every task; got {key!r} with {item!r} on tasks "
                    f"{tasks[item]} and {task.id}.",
                    hint="leave out source.key to use Label Studio's task ids.",
                )
            if item:
                tasks[item] = task.id
    return tasks


class Pushed:
    """Stores the predictions of a step, and deletes them.

    Args:
        client: the server.
        context: for progress.
        remark: called with what the report must say of the write.
    """

    def __init__(self, client: Client, context: Context, remark: Callable[[str], None]) -> None:
        self._client, self._context, self._remark = client, context, remark

    def snapshot(self, step: Step) -> Any:
        """Nothing: a model version that is there already is refused."""
        _check_version(self._client, step.payload["project"], step.payload["version"])
        return {}

    def perform(self, step: Step) -> None:
        """Store those predictions that aren't there yet."""
        project, version = step.payload["project"], step.payload["version"]
        there = count_version(self._client, project, version)
        known = {row.task for row in self._stored(step)} if there else set()
        lacking = [row for row in _rows(step) if row["task"] not in known]
        gone = frozenset[int]()
        try:
            sent = self._send(project, lacking)
        except InvalidInput:  # of one task that is gone, the server takes none
            alive = alive_tasks(self._client, project, self._context)
            gone = frozenset(row["task"] for row in lacking if row["task"] not in alive)
            if not gone:
                raise
            sent = self._send(project, [row for row in lacking if row["task"] not in gone])
            self._remark(
                f"Skipped {counted(len(gone), 'task')} deleted since: {listed(sorted(gone))}."
            )
        if sent < len(lacking) - len(gone):
            stored = {row.task for row in self._stored(step)}
            dropped = [row["task"] for row in lacking if row["task"] not in stored | gone]
            raise WriteFailed(
                f"Label Studio didn't store {counted(len(dropped), 'prediction')} of {version!r}, "
                f"of task {listed(dropped)}.",
                hint="its labelling setup may have changed meanwhile.",
            )

    def restore(self, step: Step, before: Any) -> list[str]:
        """Delete the predictions that are still as the step stored them, and no others.

        All at once where the version has no others: then the server deletes them by their version,
        in one transaction, and a kill leaves all or none. What others store under that version
        after they were compared, and before the server begins, is deleted, too. So a request whose
        answer was lost isn't sent again before they are compared again.
        """
        project, version = step.payload["project"], step.payload["version"]
        path, contents = f"api/projects/{project}/model-versions/", _contents(step)
        for pause in (*self._client.pauses, None):
            if not count_version(self._client, project, version):
                return []
            stored = self._stored(step)
            ours = [row for row in stored if _as_pushed(row, contents)]
            self._context.report("remove predictions", 0, len(ours))
            if len(ours) != count_version(self._client, project, version):
                break
            body = {"model_version": version}
            try:
                self._client.send("DELETE", path, body, retry=False, seconds=_HOURS)
                return []
            except Unavailable as error:
                if pause is None or isinstance(error, TimedOut):  # it may still be at work
                    raise
                time.sleep(pause)
        self._delete(ours)
        others = len(stored) - len(ours)
        if not others:
            return []
        return [
            f"Kept {counted(others, 'prediction')} of {version!r} that others stored or changed."
        ]

    def _delete(self, rows: Sequence[Prediction]) -> None:
        """One by one, which is slow, but leaves the others of the version alone."""
        for done, prediction in enumerate(rows):
            self._context.report("remove predictions", done, len(rows))
            start = time.monotonic()
            try:
                self._client.send("DELETE", f"api/predictions/{prediction.id}/", None)
            except NotFound:
                continue
            give_way(time.monotonic() - start)

    def _stored(self, step: Step) -> list[Prediction]:
        rows = stored_predictions(self._client, step.payload["project"], self._context)
        version = step.payload["version"]
        return [*{row.id: row for row in rows if row.model_version == version}.values()]

    def _send(self, project: int, rows: Sequence[dict[str, Any]]) -> int:
        return send_predictions(self._client, self._context, project, rows)


def _contents(step: Step) -> dict[int, tuple[float | None, str]]:
    """The score and the result of each task, as they were sent."""
    payload = step.payload
    columns = zip(payload["scores"], payload["results"], strict=True)
    return dict(zip(payload["task_ids"], columns, strict=True))


def _as_pushed(row: Prediction, contents: Mapping[int, tuple[float | None, str]]) -> bool:
    """Whether a prediction is still what was sent; PostgreSQL orders the keys anew."""
    if row.task not in contents:
        return False
    score, result = contents[row.task]
    sent = msgspec.json.decode(result)
    return row.score == score and msgspec.json.decode(bytes(row.result)) == sent


def _rows(step: Step) -> list[dict[str, Any]]:
    payload = step.payload
    columns = zip(payload["task_ids"], payload["scores"], payload["results"], strict=True)
    return [
        {
            "task": task,
            "model_version": payload["version"],
            "score": score,
            "result": msgspec.Raw(result.encode()),
        }
        for task, score, result in columns
    ]


__all__ = ["KIND", "Pushed", "plan_predictions"]
