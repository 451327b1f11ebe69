"""A process that ranks again and again reads what changed, and sees what a new process sees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.journal import Journal
from labelnext.ranking import Ranking, rank
from labelnext_adapters.label_studio.read import memory as module
from labelnext_adapters.label_studio.server import changes
from labelnext_adapters.label_studio.server.tasks import FIELDS, Tasks
from tests.integration.choices import CHOICES, choice_task

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

KEY = "labelnext_priority"


class Watch:
    """What a process with a memory sees, beside a new one."""

    def __init__(self, server: LabelStudio, project: int, folder: Path) -> None:
        self.server, self.project, self.folder = server, project, folder
        self.memory: dict[str, Any] = {}

    def open(self, memory: dict[str, Any] | None = None, **more: Any) -> Any:
        source = {"url": self.server.url, "api_key": self.server.token, "project": self.project}
        return open_adapter("label-studio", memory=memory, **source, **more)

    def seen(self, memory: dict[str, Any] | None = None, *, plan: bool = False) -> tuple[Any, ...]:
        """What a reading finds, and planning if asked."""
        adapter = self.open(memory)
        pool = adapter.read()
        if plan:
            adapter.plan(rank(pool, "margin", budget=4))
        tasks: Tasks = adapter._tasks
        state = (tasks.ids, tasks.item_ids, tasks.labelled, tasks.begun_by, tasks.overlaps)
        values = {name: {t: v for t, v in tasks.values[name].items() if v} for name in FIELDS[:3]}
        adapter.close()
        notices = [(notice.code, notice.message) for notice in pool.notices]
        seen = (pool.fingerprint(), pool.labelled.tolist(), *state, notices)
        return (*seen, values, tasks.begun) if plan else seen

    def looks(self, *, plan: bool = False) -> bool:
        """Look as a new process does, and with the memory: whether it was of use."""
        known = self.memory.get("label-studio")
        assert self.seen(self.memory, plan=plan) == self.seen(plan=plan)
        return self.memory["label-studio"] is known

    def writes(self, *, remembering: bool, other: Path | None = None) -> Journal:
        """Rank and write."""
        adapter = self.open(self.memory if remembering else None)
        ranking: Ranking = rank(adapter.read(), "margin", budget=4)
        plan = adapter.plan(ranking)
        journal = Journal.create(other or self.folder, plan)
        adapter.apply(plan, journal)
        adapter.close()
        return journal


@pytest.fixture
def watch(label_studio: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Sixteen tasks, the later the less sure, all of them created long ago."""
    monkeypatch.setattr(changes, "_MARGIN", timedelta(0))
    monkeypatch.setattr(module, "_CHEAP", 2.0)  # more than there are
    rows = [choice_task(0.95 - i * 0.02, name=f"item-{i}") for i in range(16)]
    project = label_studio.create_project(CHOICES, rows)
    watch = Watch(label_studio, project, tmp_path / "state")
    assert not watch.looks()
    assert watch.looks()
    return watch


def annotation(choice: str) -> dict[str, Any]:
    region = choice_task(0.9)["predictions"][0]["result"][0]
    return {"result": [{**region, "value": {"choices": [choice]}}], "lead_time": 1.0}


def test_what_people_do_one_by_one_is_read_alone(watch: Watch) -> None:
    server, project = watch.server, watch.project
    one, two, three, four, *_ = ids = server.task_ids(project)

    def said(task: int, choice: str) -> int:
        path = f"/api/tasks/{task}/annotations/"
        return int(server.api("POST", path, annotation(choice))["id"])

    first = said(one, "good")
    said(two, "bad")
    assert watch.looks()  # also that the class of the label is read
    server.api("PATCH", f"/api/annotations/{first}/", annotation("bad"))
    assert watch.looks()
    server.api("DELETE", f"/api/annotations/{first}/")
    assert watch.looks()
    server.api("POST", f"/api/tasks/{three}/annotations/", {"result": [], "was_cancelled": True})
    server.api("POST", f"/api/tasks/{four}/drafts", {"result": [], "lead_time": 1.0})
    assert watch.looks()
    stored = server.api("GET", "/api/predictions/", task=ids[5])[0]
    region = {**stored["result"][0], "value": {"choices": ["good"], "probs": [0.51, 0.49]}}
    server.api("PATCH", f"/api/predictions/{stored['id']}/", {"result": [region], "score": 0.51})
    assert watch.looks()
    region["value"] = {"choices": ["bad"], "probs": [0.4, 0.6]}
    server.api(
        "POST",
        "/api/predictions/",
        {"task": ids[6], "model_version": "m1", "score": 0.6, "result": [region]},
    )
    assert watch.looks()
    new = choice_task(0.5, name="new")
    server.api("POST", f"/api/projects/{project}/import", [new])
    assert watch.looks()
    assert watch.seen(watch.memory)[2][-1] > ids[-1]


def test_people_who_label_while_it_is_read_cause_no_whole_reading(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, few, known = watch.server.task_ids(watch.project), module.few_tasks, watch.memory
    labelled: list[int] = []

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        """Somebody labels before the changed tasks are read, and somebody else after that."""
        for when in range(2):
            tasks = few(*arguments, **options) if when else None
            watch.server.annotate(ids[len(labelled)])
            labelled.append(ids[len(labelled)])
        return tasks

    before = known["label-studio"]
    monkeypatch.setattr(module, "few_tasks", meanwhile)
    read = watch.seen(known)
    assert known["label-studio"] is before
    assert len(labelled) == 2  # at the first attempt
    assert read[4] == [True, *[False] * 15]
    monkeypatch.setattr(module, "few_tasks", few)
    assert watch.looks()


def by_import(watch: Watch, ids: list[int]) -> None:
    result = choice_task(0.6)["predictions"][0]["result"]
    new = [{"task": t, "model_version": "m2", "score": 0.6, "result": result} for t in ids[:9]]
    watch.server.api("POST", f"/api/projects/{watch.project}/import/predictions", new)


def by_action(name: str) -> Callable[[Watch, list[int]], None]:
    def act(watch: Watch, ids: list[int]) -> None:
        chosen = {"selectedItems": {"all": False, "included": ids[:2]}}
        watch.server.api("POST", "/api/dm/actions", chosen, id=name, project=watch.project)

    return act


def by_deleting_and_importing(watch: Watch, ids: list[int]) -> None:
    watch.server.api("DELETE", f"/api/tasks/{ids[0]}/")
    watch.server.api("POST", f"/api/projects/{watch.project}/import", [choice_task(0.9)])


def by_settings(watch: Watch, ids: list[int]) -> None:
    watch.server.api("PATCH", f"/api/projects/{watch.project}/", {"maximum_annotations": 2})


def test_what_changes_in_bulk_is_read_whole(watch: Watch) -> None:
    watch.server.annotate(watch.server.task_ids(watch.project)[0])
    for change in (
        by_import,
        by_action("delete_tasks"),
        by_action("delete_tasks_predictions"),
        by_deleting_and_importing,
        by_settings,
    ):
        assert watch.looks()
        change(watch, watch.server.task_ids(watch.project))
        assert not watch.looks()


def test_what_is_written_is_known_unless_somebody_else_wrote_or_undid_it(
    watch: Watch, tmp_path: Path
) -> None:
    server, project = watch.server, watch.project
    journal = watch.writes(remembering=True)
    assert len(server.priorities(project)) == 16
    assert watch.looks(plan=True)
    server.annotate(server.task_ids(project)[-1])
    again = watch.writes(remembering=True)
    for run in (watch.writes(remembering=True), again, journal):  # the last had nothing to write
        watch.open().undo(Journal(run.path))
        assert not watch.looks(plan=True)
    watch.writes(remembering=False, other=tmp_path / "elsewhere")
    assert not watch.looks(plan=True)
    # Between reading and writing: this run's own name is on the tab in the end.
    adapter = watch.open(watch.memory)
    ranking = rank(adapter.read(), "margin", budget=2)
    plan = adapter.plan(ranking)
    server.annotate(server.task_ids(project)[-2])
    watch.writes(remembering=False, other=tmp_path / "elsewhere")
    adapter.apply(plan, Journal.create(watch.folder, plan))
    assert not watch.looks(plan=True)


def test_data_keys_are_metadata_also_of_tasks_that_changed(watch: Watch) -> None:
    def names(metadata: list[str]) -> list[str]:
        pool = watch.open(watch.memory, metadata=metadata).read()
        found: list[str] = pool.metadata["name"].tolist()
        return found

    watch.memory.clear()
    assert names(["name"]) == [f"item-{i}" for i in range(16)]
    known = watch.memory["label-studio"]
    first = watch.server.task_ids(watch.project)[0]
    watch.server.api("PATCH", f"/api/tasks/{first}/", {"data": {"text": "0.95"}})
    assert names(["name"]) == ["", *[f"item-{i}" for i in range(1, 16)]]
    assert watch.memory["label-studio"] is known
    watch.memory.clear()
    with pytest.raises(InvalidInput, match=r"the tasks' data \(name, text\); got town"):
        names(["town"])
