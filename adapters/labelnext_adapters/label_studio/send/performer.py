"""Sending a batch: a project, its tasks, their order and a tab; done, continued or taken back.

Tasks are known by the id of their item, which stands in their data. Whatever was sent before a
break is found by it, so that nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from labelnext.adapter.batch import Mark
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, NotFound, WriteFailed, WriteRefused, listed
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.lock import hold
from labelnext.journal.plan import Plan, Step
from labelnext.support.addresses import server_of
from labelnext.support.words import counted
from labelnext_adapters.label_studio.send.already_sent import (
    Sent,
    delete_untouched,
    made_project,
    sent_tasks,
    untouched,
)
from labelnext_adapters.label_studio.send.label_tag import Tag
from labelnext_adapters.label_studio.send.media import Uploads, check_files, parts
from labelnext_adapters.label_studio.send.regions import regions
from labelnext_adapters.label_studio.send.served import remove_storage, see_to_images
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import get_project
from labelnext_adapters.label_studio.server.tab import View, filters, list_tabs, ordering
from labelnext_adapters.label_studio.server.tasks import BATCH, PRIORITY
from labelnext_adapters.label_studio.write.annotators import WHOLE
from labelnext_adapters.label_studio.write.data_keys import Fields
from labelnext_adapters.label_studio.write.performer import Tabs, later_run
from labelnext_adapters.label_studio.write.plan import next_steps
from labelnext_adapters.label_studio.write.priorities import next_priorities

TAB = "Label next"
_DELETED_AT_ONCE = 100  # tasks looked at, and then deleted, in one request


class Sender(Performer):
    """Carries out and takes back the steps of a sending.

    Args:
        client: the server.
        context: for progress.
        journal: of the sending.
    """

    def __init__(self, client: Client, context: Context, journal: Journal) -> None:
        self._client, self._context, self._journal = client, context, journal
        self._remarks: list[str] = []
        self._storage = f"labelnext {journal.run_id}"
        self._looked: tuple[str | None] | None = None
        # One bar is shown, of the samples: the order takes a few requests.
        self._fields = Fields(client, Context(), self._remarks.append, journal.run_id)
        self._tabs = Tabs(client, journal, self._fields)

    def snapshot(self, step: Step) -> Any:
        """What is there now and would change."""
        match step.kind:
            case "project":
                return self._found(step)
            case "tasks":
                return sorted(self._sent(step).keys() & _ids(step))
            case "order":
                return self._fields.snapshot(self._ordered(step))
            case _:
                return self._tabs.snapshot(self._tab(step))

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice ends in the same state."""
        match step.kind:
            case "project":
                self._make_project(step)
            case "tasks":
                self._make_tasks(step)
            case "order":
                self._fields.perform(self._ordered(step))
            case _:
                self._tabs.perform(self._tab(step))

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there; returns what had to stay."""
        if self._found(step) is None:
            return []  # the project was never made, or somebody deleted it
        match step.kind:
            case "project":
                return [] if before else self._remove_project(step)
            case "tasks":
                return self._remove_tasks(step, set(before))
            case "order":
                # What it says of keys that stay concerns tasks that are deleted next.
                kept = self._fields.restore(self._ordered(step), before, self._later(step))
                return [said for said in kept if said.startswith("Kept")]
            case _:
                return self._tabs.restore(self._tab(step), before, self._later(step))

    def held(self, journal: Journal) -> AbstractContextManager[None]:
        """Two sendings at once could both find a task missing, and make it twice."""
        name = sha256(self._client.url.encode()).hexdigest()[:16]
        path = Path(gettempdir()) / f"labelnext-send-{name}.lock"
        refusal = f"another labelnext send to {self._client.url} is under way: run"
        return hold(path, journal.run_id, refusal, leave=False)

    def remarks(self) -> list[str]:
        """What was found while writing, one sentence each."""
        return self._remarks

    def kept_for(self) -> str | None:
        """The sending or run whose tab and priorities were kept."""
        return None if self._looked is None else self._looked[0]

    def next_steps(self, plan: Plan) -> tuple[str, ...]:
        """What people do now, with the address of the tab."""
        tabs = [self._tab(step) for step in plan.steps if step.kind == "tab"]
        return next_steps(self._client, tabs)

    def _later(self, step: Step) -> str | None:
        """The sending or run that ordered the tasks after this one; found once."""
        if self._looked is None:
            self._looked = (later_run(self._list_tabs(step), self._journal),)
        return self._looked[0]

    def _list_tabs(self, step: Step) -> list[View]:
        return list_tabs(self._client, self._project(step))

    def _found(self, step: Step) -> int | None:
        """The project of the step, which must be on the server that we speak to."""
        payload = step.payload
        if server_of(payload["url"]) != server_of(self._client.url):
            raise WriteRefused(
                f"send.url must be the server the batch was sent to, {payload['url']}; got "
                f"{self._client.url!r}.",
                hint="use that run's configuration.",
            )
        return payload["project"] or made_project(self._client, payload["mark"])

    def _project(self, step: Step) -> int:
        number = self._found(step)
        if number is None:
            raise NotFound("the project that labelnext created no longer exists.")
        return number

    def _sent(self, step: Step) -> dict[str, Sent]:
        return sent_tasks(self._client, self._project(step), step.payload["key"])

    def _make_project(self, step: Step) -> None:
        if self._found(step) is None:
            body = {n: step.payload[n] for n in ("title", "label_config", "description")}
            self._client.send("POST", "api/projects/", body, retry=False)

    def _make_tasks(self, step: Step) -> None:
        project, known = self._project(step), self._sent(step)
        waiting = {row["id"]: row for row in step.payload["items"] if row["id"] not in known}
        uploads, left_out = Uploads(self._client, project), 0
        done = step.n_items - len(waiting)
        self._context.report("send", done, step.n_items)
        for group in parts({item: row["media"] for item, row in waiting.items()}):
            files = {i: waiting[i]["media"] for i in group if waiting[i]["upload"]}
            check_files([*files.values()])  # they may be others than when they were planned
            where = uploads.put(files) if files else {}
            tasks = []
            for item in group:
                task, lost = _task(waiting[item], where.get(item), step.payload)
                tasks.append(task)
                left_out += lost
            self._import(project, tasks)
            done += len(group)
            self._context.report("send", done, step.n_items)
        if left_out:
            self._remarks.append(
                f"Left out {counted(left_out, 'predicted label')} missing from the labelling setup."
            )
        self._see_to_images(step, project)

    def _see_to_images(self, step: Step, project: int) -> None:
        """Fetch one of the images that the server serves itself, as annotators' browsers will."""
        folder = step.payload.get("folder")  # none in journals of earlier versions
        rows = [row for row in step.payload["items"] if not row["upload"]]
        served = [row["media"] for row in rows if row["media"].startswith("/")]
        if folder is None or not served:
            return
        remark = see_to_images(self._client, project, served[0], folder, self._storage)
        if remark:
            self._remarks.append(remark)

    def _import(self, project: int, tasks: list[dict[str, Any]]) -> None:
        # Sent again after a lost answer it would make the tasks twice; a resumed run looks first.
        answer = self._client.send("POST", f"api/projects/{project}/import", tasks, retry=False)
        if answer.get("task_count") != len(tasks):
            raise WriteFailed(
                f"Label Studio imported {answer.get('task_count')} of "
                f"{counted(len(tasks), 'task')}."
            )
        predictions = sum(len(task["predictions"]) for task in tasks)
        if answer.get("prediction_count") != predictions:
            self._remarks.append(
                f"Label Studio imported {answer.get('prediction_count')} of "
                f"{counted(predictions, 'prediction')}."
            )

    def _ordered(self, step: Step) -> Step:
        """The step as one on tasks: the batch first, our earlier tasks without a place."""
        sent = self._sent(step)
        ranked = [sent[i].task for i in step.payload["ids"] if i in sent]
        lost = len(step.payload["ids"]) - len(ranked)
        if lost:
            self._remarks.append(
                f"Skipped {counted(lost, 'task')} of the batch, deleted from Label Studio."
            )
        # What somebody has begun keeps its place; journals of earlier versions know of none.
        held = {sent[i].task: t for i, t in step.payload.get("held", {}).items() if i in sent}
        unplaced = {*step.payload["ids"]} | step.payload.get("held", {}).keys()
        others = [s for i, s in sent.items() if i not in unplaced and not s.labelled]
        payload: dict[str, Any] = {
            "project": self._project(step),
            "task_ids": ranked,
            "clear": [s.task for s in others if s.values.get(PRIORITY)],
            "tags": {WHOLE: ranked},
            "untag": [s.task for s in others if s.values.get(BATCH)],
        }
        if held:
            places = [*dict.fromkeys([*ranked, *held])]
            positions = {place for place, task in enumerate(places) if task in held}
            texts = next_priorities([held.get(task) for task in places], positions)
            moved = {t: text for t, text in zip(places, texts, strict=True) if t not in held}
            payload |= {"task_ids": [*moved], "texts": [*moved.values()]}
        return Step("fields", step.description, step.n_items, payload)

    def _tab(self, step: Step) -> Step:
        project = self._project(step)
        wanted = get_project(self._client, project).get("maximum_annotations") or 1
        tab = {"title": TAB, "ordering": ordering(whole=True), "filters": filters(None, wanted)}
        payload = {"project": project, "tab": tab, "annotator": None}
        return Step("tab", step.description, 0, payload)

    def _remove_tasks(self, step: Step, before: set[str]) -> list[str]:
        project = self._project(step)
        ours = {i: s.task for i, s in self._sent(step).items() if i in _ids(step) - before}
        kept: list[int] = []
        for group in _groups(sorted(ours, key=lambda i: ours[i])):
            numbers = {ours[i]: i for i in group}
            free = untouched(self._client, project, list(numbers))
            delete_untouched(self._client, project, sorted(free))
            kept += [task for task in numbers if task not in free]
        there = {task.task for task in self._sent(step).values()}
        kept = sorted({*kept, *(there & {*ours.values()})})
        # Also of tasks that were never made, because the sending broke off before.
        unused = _ids(step) - before - {item for item, task in ours.items() if task in kept}
        Uploads(self._client, project).remove(sorted(unused))
        if not kept:
            if "folder" in step.payload:
                remove_storage(self._client, project, self._storage)
            return []
        return [f"Kept {counted(len(kept), 'task')} that someone has worked on: {listed(kept)}."]

    def _remove_project(self, step: Step) -> list[str]:
        project = self._project(step)
        n_tasks = get_project(self._client, project)["task_number"]
        if n_tasks:
            return [f"Kept project {project}, which still has {counted(n_tasks, 'task')}."]
        with suppress(NotFound):  # somebody else was faster
            self._client.send("DELETE", f"api/projects/{project}/", None)
        return []


def _ids(step: Step) -> set[str]:
    return {row["id"] for row in step.payload["items"]}


def _groups(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _DELETED_AT_ONCE):
        yield ids[start : start + _DELETED_AT_ONCE]


def _task(
    row: Mapping[str, Any], uploaded: str | None, payload: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """A task with its prediction, and how many of its marks have no label there."""
    tag = Tag.from_dict(payload["tag"])
    data = {tag.data_key: uploaded or row["media"], payload["key"]: row["id"]}
    name = Path(row["media"]).name
    if "name" not in data:
        data["name"] = name
    held = [(tag, row["marks"])]
    others = [Tag.from_dict(each) for each in payload.get("further", ())]
    held += zip(others, row.get("further", ()), strict=True)
    if all(marks is None for _, marks in held):
        return {"data": data, "predictions": []}, 0
    result, left_out = [], 0
    for of_field, rows in held:
        marks = [Mark.from_row(mark) for mark in rows or ()]
        made, lost = regions(marks, of_field, row["size"] and tuple(row["size"]))
        result += made
        left_out += lost
    prediction: dict[str, Any] = {"model_version": payload["version"], "result": result}
    scores = [region["score"] for region in result if "score" in region]
    if scores:
        prediction["score"] = sum(scores) / len(scores)
    return {"data": data, "predictions": [prediction]}, left_out


__all__ = ["InvalidInput", "Sender"]
