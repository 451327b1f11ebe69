"""A real Label Studio server for the tests: SQLite, loopback, a free port, a folder of its own.

Use it with ``pytest_plugins = ("tests.integration.label_studio_server",)`` in a test module.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.label_studio_process import EMAIL, PASSWORD, TOKEN, Process, tail, template


@dataclass
class LabelStudio:
    """A running server."""

    url: str
    token: str
    data: Path
    log: Path
    email: str = EMAIL
    process: Process | None = None

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Token {self.token}"}
        # On a connection that is kept, the server waits 40 ms in the middle of each answer.
        fresh = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(
            base_url=self.url, headers=headers, timeout=120, trust_env=False, limits=fresh
        )

    def api(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """A request; its JSON, or an error that shows the answer."""
        answer = self._http.request(method, path, json=body, params=params or None)
        if not answer.is_success:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content.strip() else None

    @cached_property
    def personal_token(self) -> str:
        """A Personal Access Token; a user has only one, which is shown once."""
        return str(self.api("POST", "/api/token/")["token"])

    def create_project(self, config: str, tasks: Sequence[Any] = (), **settings: Any) -> int:
        """A project with these tasks and their predictions, in one import."""
        body = {"title": "A test of labelnext", "label_config": config, **settings}
        project = int(self.api("POST", "/api/projects/", body)["id"])
        if tasks:
            done = self.api("POST", f"/api/projects/{project}/import", list(tasks))
            wanted = sum(len(t.get("predictions", ())) for t in tasks)
            assert (done["task_count"], done["prediction_count"]) == (len(tasks), wanted)
        return project

    def counts_deletions(self) -> bool:
        """Whether the server still notes when a prediction is deleted.

        It switches its own signals off while it deletes tasks or a project, and on again
        afterwards. Two such requests at once, in its threads, leave them off for good.
        """
        project = self.create_project(CHOICES, sure_to_unsure(1))
        (prediction,) = self.api("GET", "/api/predictions/", project=project)
        self.api("DELETE", f"/api/predictions/{prediction['id']}/")
        counted = self.api("GET", f"/api/tasks/{prediction['task']}/")["total_predictions"]
        return int(counted) == 0

    def task_ids(self, project: int) -> list[int]:
        """By rising id, which is the order of the import."""
        return sorted(self.stored_data(project))

    def stored_data(self, project: int) -> dict[int, str]:
        """The data of each task as it lies in SQLite, byte for byte; elsewhere, as it is sent."""
        if not (self.data / "label_studio.sqlite3").exists():
            page = self.api(
                "GET",
                "/api/tasks",
                project=project,
                fields="task_only",
                include="id,data",
                page_size=10_000,
                resolve_uri=False,
            )
            return {task["id"]: json.dumps(task["data"]) for task in page["tasks"]}
        path = f"file:{self.data / 'label_studio.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as database:
            rows = database.execute("SELECT id, data FROM task WHERE project_id = ?", [project])
            return {int(i): str(d) for i, d in rows}

    def priorities(self, project: int) -> dict[int, Any]:
        """The priority of each task that has the key."""
        rows = {t: json.loads(d) for t, d in self.stored_data(project).items()}
        return {t: d["labelnext_priority"] for t, d in rows.items() if "labelnext_priority" in d}

    def dump(self, project: int) -> Any:
        """All that a run could change: settings, tabs, tasks, predictions and annotations."""
        settings = self.api("GET", f"/api/projects/{project}/")
        everything = self.api(
            "GET", "/api/tasks", project=project, fields="all", page_size=10_000, resolve_uri=False
        )
        predictions = self.api("GET", "/api/predictions/", project=project)
        return _without_clock([settings, self.tabs(project), everything, predictions])

    def tabs(self, project: int) -> list[dict[str, Any]]:
        """The project's tabs."""
        tabs: list[dict[str, Any]] = self.api("GET", "/api/dm/views/", project=project)
        return tabs

    def tab(self, project: int, title: str = "Label next") -> dict[str, Any]:
        """The one tab of that title."""
        (found,) = [t for t in self.tabs(project) if t["data"]["title"] == title]
        return found

    def listing(self, project: int, title: str = "Label next") -> list[int]:
        """The ids in the order in which the tab shows its tasks."""
        view = self.tab(project, title)["id"]
        page = self.api("GET", "/api/tasks", view=view, project=project, page_size=10_000)
        return [t["id"] for t in page["tasks"]]

    def next_task(self, project: int, title: str = "Label next") -> int | None:
        """What "Label Tasks As Displayed" serves next; the body is what the browser sends."""
        data = self.tab(project, title)["data"]
        return self._next(project, {"ordering": data["ordering"], "filters": data["filters"]})

    def next_of_all(self, project: int) -> int | None:
        """What "Label All Tasks" serves next; the browser sends neither order nor filters."""
        return self._next(project, {})

    def _next(self, project: int, body: Any) -> int | None:
        params = {"id": "next_task", "project": project}
        answer = self._http.post("/api/dm/actions", params=params, json=body)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text[:500]
        return int(answer.json()["id"])

    def second_user(self) -> LabelStudio:
        """Another member of the organization, with a legacy token."""
        email = f"user-{time.time_ns()}@example.com"
        invite = self.api("GET", "/api/invite")["invite_url"]
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as browser:
            page = browser.get(invite).text
            (found,) = set(re.findall('name="csrfmiddlewaretoken" value="([^"]+)"', page))
            form = {"csrfmiddlewaretoken": found, "email": email, "password": PASSWORD}
            done = browser.post(invite, data={**form, "how_find_us": "", "elaborate": ""})
            assert done.status_code == 302, done.text[:500]
            token = browser.get("/api/current-user/token").json()["token"]
        return LabelStudio(self.url, token, self.data, self.log, email)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def annotate(self, task: int) -> None:
        """Submit an empty annotation, which Label Studio takes for a label too."""
        self.api("POST", f"/api/tasks/{task}/annotations/", {"result": [], "lead_time": 1.0})


def _without_clock(value: Any) -> Any:
    """The same without the ages in words that answers carry."""
    if isinstance(value, dict):
        return {k: _without_clock(v) for k, v in value.items() if k != "created_ago"}
    return [_without_clock(v) for v in value] if isinstance(value, list) else value


@contextmanager
def running_server(
    folder: Path, database: Mapping[str, str] | None = None
) -> Iterator[LabelStudio]:
    """A server with its data in that folder, until the end of the block.

    SQLite, unless the variables of another database are given.
    """
    data, log = folder / "data", folder / "server.log"
    _LOGS.append(log)
    if database is None:
        shutil.copytree(template(log), data)
    process = Process(data, log, database)
    with pytest.MonkeyPatch.context() as patch:
        # A proxy of the machine is not asked for the loopback.
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        process.start()
        server = LabelStudio(process.url, TOKEN, data, log, process=process)
        try:
            yield server
        finally:
            server.close()
            process.stop()


@pytest.fixture(autouse=True)
def patient_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of predictions are removed to the end, however busy the machine is."""
    from labelnext_adapters.label_studio.server import predictions

    monkeypatch.setattr(predictions, "_SLOW", 60.0)
    monkeypatch.setattr(predictions, "_PATIENCE", 600.0)


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses after requests: nobody else labels. Where people do, a module has its own."""
    from labelnext_adapters.label_studio.server import give_way

    monkeypatch.setattr(give_way, "_LONGEST", 0.0)


@pytest.fixture(scope="session")
def started_label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    """A server for the whole session."""
    with running_server(tmp_path_factory.mktemp("label-studio")) as server:
        yield server


@pytest.fixture(scope="module")
def label_studio(started_label_studio: LabelStudio) -> LabelStudio:
    """The server of the session, started again if it has lost count; tests make their projects."""
    server = started_label_studio
    if not server.counts_deletions():
        assert server.process is not None
        server.process.stop()
        server.process.start()
    return server


Open = Callable[..., Any]


@pytest.fixture
def connect(label_studio: LabelStudio) -> Iterator[Open]:
    """Adapters on the server, by the number of a project and options, closed after the test."""
    from labelnext.adapter import open_adapter

    opened: list[Any] = []

    def connect(project: int, **options: Any) -> Any:
        source = {"url": label_studio.url, "api_key": label_studio.token, **options}
        opened.append(open_adapter("label-studio", project=project, **source))
        return opened[-1]

    yield connect
    for adapter in opened:
        adapter.close()


_LOGS: list[Path] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the server's log under a test that failed."""
    report = yield
    if report.failed and "label_studio" in getattr(item, "fixturenames", ()) and _LOGS:
        report.sections.append(("Label Studio server", tail(_LOGS[-1])))
    return report
