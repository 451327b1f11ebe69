"""The Label Studio adapter keeps the contract of all adapters, on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.adapter import Adapter, Context, Target, get_adapter, open_adapter
from labelnext.adapter.batch import Batch, Item, Mark, Origin
from labelnext.testing import (
    AdapterContract,
    CountsLabelsSuite,
    ShowsItemsSuite,
    TakesBatchesSuite,
    TakesPredictionsSuite,
    TellsWorkSuite,
)
from tests.integration.choices import CHOICES, choice_task
from tests.integration.exchange import choose, image, tasks

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)


class Tasks:
    """The adapter over six tasks of a project."""

    @pytest.fixture
    def adapter(self, label_studio: LabelStudio) -> Iterator[Adapter]:
        rows = (0.9, 0.6, 0.7, 0.5, 0.8, None)
        self.server = label_studio
        self.project = label_studio.create_project(
            CHOICES, [choice_task(p, name=f"item-{i}") for i, p in enumerate(rows)]
        )
        label_studio.annotate(label_studio.task_ids(self.project)[4])
        self.opened: list[Adapter] = []
        yield self.open()
        for adapter in self.opened:
            adapter.close()

    def open(self) -> Adapter:
        source = {"url": self.server.url, "api_key": self.server.token, "project": self.project}
        self.opened.append(open_adapter("label-studio", key="name", **source))
        return self.opened[-1]

    def reopened(self, adapter: Adapter) -> Adapter:
        return self.open()

    def state(self, adapter: Adapter) -> Any:
        """All of the project; a tab that is made again has another number, and its run's id."""
        settings, tabs, tasks, predictions = self.server.dump(self.project)
        return settings, [_unstamped(tab["data"]) for tab in tabs], tasks, predictions

    def without_what_stays(self, state: Any) -> Any:
        settings, tabs, tasks, predictions = state
        rows = [
            {**t, "data": {k: v for k, v in t["data"].items() if (k, v) not in STAYS}}
            for t in tasks["tasks"]
        ]
        return settings, tabs, {**tasks, "tasks": rows}, predictions

    def served(self, adapter: Adapter) -> Sequence[str]:
        names = {t: f"item-{i}" for i, t in enumerate(self.server.task_ids(self.project))}
        return [names[t] for t in self.server.listing(self.project)]


class TestLabelStudioAdapter(Tasks, AdapterContract):
    pass


class TestLabelStudioAdapterShowsItems(Tasks, ShowsItemsSuite):
    pass


class TestLabelStudioAdapterTakesPredictions(Tasks, TakesPredictionsSuite):
    class_names = ("good", "bad")

    def reading(self, adapter: Adapter, version: str) -> Adapter:
        source = {"url": self.server.url, "api_key": self.server.token, "project": self.project}
        opened = open_adapter("label-studio", key="name", model_version=version, **source)
        self.opened.append(opened)
        return opened

    def comparable(self, state: Any) -> Any:
        """Without the numbers and dates of predictions, which are new whenever they are stored."""
        settings, tabs, tasks, predictions = state
        rows = [{k: v for k, v in task.items() if k != "predictions"} for task in tasks["tasks"]]
        told = [(p["task"], p["model_version"], p["score"], p["result"]) for p in predictions]
        return settings, tabs, {**tasks, "tasks": rows}, sorted(told, key=str)


class TestLabelStudioAdapterTellsWork(Tasks, TellsWorkSuite):
    pass


class TestLabelStudioAdapterCountsLabels(Tasks, CountsLabelsSuite):
    def label_one(self, adapter: Adapter) -> None:
        self.server.annotate(self.server.task_ids(self.project)[0])

    def draft_one(self, adapter: Adapter) -> None:
        task = self.server.task_ids(self.project)[1]
        self.server.api("POST", f"/api/tasks/{task}/drafts", {"result": [], "lead_time": 1.0})

    def skip_one(self, adapter: Adapter) -> None:
        task = self.server.task_ids(self.project)[2]
        skipped = {"result": [], "was_cancelled": True}
        self.server.api("POST", f"/api/tasks/{task}/annotations/", skipped)

    def n_requests(self, adapter: Adapter) -> int:
        return len(self.asked)

    @pytest.fixture(autouse=True)
    def _requests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from labelnext_adapters.label_studio.server.client import Client

        self.asked: list[str] = []
        original = Client._request

        def noted(client: Client, method: str, path: str, **arguments: Any) -> bytes:
            self.asked.append(path)
            return original(client, method, path, **arguments)

        monkeypatch.setattr(Client, "_request", noted)


class TestLabelStudioAdapterTakesBatches(TakesBatchesSuite):
    """Images become the tasks of a project that is made for them."""

    @pytest.fixture
    def adapter(self, label_studio: LabelStudio) -> Iterator[Adapter]:
        source = {"url": label_studio.url, "api_key": label_studio.token, "project": 1}
        adapter = open_adapter("label-studio", **source)
        yield adapter
        adapter.close()

    @pytest.fixture
    def target(self, label_studio: LabelStudio) -> Iterator[Target]:
        self.server, self.opened = label_studio, []
        yield self.reopened_target()
        for target in self.opened:
            target.close()
        for project in self.made():
            label_studio.api("DELETE", f"/api/projects/{project}/")

    @pytest.fixture
    def batch(self, tmp_path: Path) -> Batch:
        items = tuple(
            Item(f"item-{n}", image(tmp_path, n), (Mark("cat", None, 0.5),), (40, 20))
            for n in "bca"
        )
        origin = Origin("files", "animals", "beef")
        return Batch(origin, "next", "items", ("cat", "dog"), "m1", items)

    def reopened_target(self, target: Target | None = None) -> Target:
        platform: Any = get_adapter("label-studio")
        options = platform.SendOptions(url=self.server.url, api_key=self.server.token)
        self.opened.append(platform.open_target(options, Context()))
        return self.opened[-1]

    def made(self) -> list[int]:
        """The projects that were made for the batch, none or one."""
        page = self.server.api("GET", "/api/projects/", page_size=1000, include="id,description")
        return [p["id"] for p in page["results"] if "[files:beef:" in (p["description"] or "")]

    def target_state(self, target: Target) -> Any:
        """What the projects hold, without what gets a new number when it is made again."""
        return [
            (
                [(told(task["data"]), told_by(task)) for task in tasks(self.server, number)],
                [_unstamped(tab["data"]) for tab in self.server.tabs(number)],
                len(self.server.api("GET", f"/api/projects/{number}/file-uploads", all=True)),
            )
            for number in self.made()
        ]

    def received(self, target: Target) -> Sequence[str]:
        (project,) = self.made()
        ids = {task["id"]: task["data"]["files_id"] for task in tasks(self.server, project)}
        return [ids[task] for task in self.server.listing(project)]

    def label(self, target: Target, item_id: str, name: str) -> None:
        (project,) = self.made()
        (task,) = [t for t in tasks(self.server, project) if t["data"]["files_id"] == item_id]
        choose(self.server, task["id"], name)


def told(data: dict[str, Any]) -> dict[str, Any]:
    """The data of a task without the address of its image, which is new with each upload."""
    return {name: value for name, value in data.items() if name != "image"}


def told_by(task: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """What the model says of a task."""
    rows = task["predictions"]
    return [(p["model_version"], p["score"], [r["value"] for r in p["result"]]) for p in rows]


STAYS = [("labelnext_priority", ""), ("labelnext_batch", "")]


def _unstamped(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "labelnext"}
