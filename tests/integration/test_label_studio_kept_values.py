"""The values of data keys that a run keeps in the state folder, beside what the server has."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext_adapters.label_studio.server import changes
from labelnext_adapters.label_studio.write import kept_values
from tests.integration.choices import CHOICES, choice_task

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

KEY = "labelnext_priority"


class Nights:
    """Runs of one configuration, each by an adapter of its own, as of processes that end."""

    def __init__(self, server: LabelStudio, folder: Path) -> None:
        self.server, self.state = server, folder / "state"
        self.project = server.create_project(
            CHOICES, [choice_task(0.95 - i / 50) for i in range(12)]
        )
        self.ids = server.task_ids(self.project)

    def planned(self, state: Path | None, write: bool = False) -> tuple[Any, int, Journal | None]:
        """What a run would do and has seen, its requests for values, and its journal."""
        source = {"url": self.server.url, "api_key": self.server.token, "project": self.project}
        if write and state is not None:
            state.mkdir(exist_ok=True)
        adapter = open_adapter("label-studio", state=state, **source)
        asked: list[str] = []
        adapter.client._http.event_hooks["request"].append(  # type: ignore[attr-defined]
            lambda sent: asked.append("") if f"data.{KEY}" in str(sent.url.params) else None
        )
        plan = adapter.plan(rank(adapter.read(), "margin", budget=3))
        tasks = adapter._tasks  # type: ignore[attr-defined]
        seen = {t: v for t, v in tasks.values[KEY].items() if v}, tasks.begun
        steps = [(step.description, step.payload) for step in plan.steps]
        journal = None
        if write:
            assert state is not None
            journal = Journal.create(state, plan)
            adapter.apply(plan, journal)
        adapter.close()
        return (*seen, steps), len(asked), journal

    def run(self, state: Path | None = None) -> Journal:
        journal = self.planned(state or self.state, write=True)[2]
        assert journal is not None
        return journal

    def looks(self) -> bool:
        """Look with the state folder and without it: whether what is kept was of use."""
        with_it, asked, _ = self.planned(self.state)
        assert with_it == self.planned(None)[0]
        return asked == 0

    def patch(self, task: int, **data: str) -> None:
        self.server.api("PATCH", f"/api/tasks/{task}/", {"data": {"text": "x", **data}})


@pytest.fixture
def nights(label_studio: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A project that was ranked once, by tasks that were made long before."""
    monkeypatch.setattr(changes, "_MARGIN", timedelta(0))
    monkeypatch.setattr(kept_values, "_FEW", 2.0)  # all, and those that are imported meanwhile
    made = Nights(label_studio, tmp_path)
    assert not made.looks()
    made.run()
    return made


def test_a_later_run_asks_for_no_values_whatever_people_do(nights: Nights) -> None:
    server, (one, two, three, *_) = nights.server, nights.ids
    assert nights.looks()
    server.annotate(server.next_of_all(nights.project) or 0)
    server.api("POST", f"/api/tasks/{one}/drafts", {"result": [], "lead_time": 1.0})
    nights.patch(two, **{KEY: "0.9999"})  # by hand
    nights.patch(three)  # which takes ours away
    assert nights.looks()
    server.api("POST", f"/api/projects/{nights.project}/import", [choice_task(0.51)])
    assert nights.looks()
    nights.run()
    assert nights.looks()
    nights.run()  # which has nothing to write
    assert nights.looks()


def test_who_else_writes_is_seen(nights: Nights, tmp_path: Path) -> None:
    nights.server.annotate(nights.ids[-1])
    nights.run(tmp_path / "of another machine")
    assert not nights.looks()
    nights.run()
    assert nights.looks()


def test_a_run_that_is_undone_or_broken_is_asked_about(nights: Nights) -> None:
    source = {"url": nights.server.url, "api_key": nights.server.token, "project": nights.project}
    nights.server.annotate(nights.ids[-1])
    journal = nights.run()
    whole = journal.path.read_text()
    lines = whole.splitlines(keepends=True)
    journal.path.write_text("".join(line for line in lines if "finished" not in line))  # killed
    assert not nights.looks()
    journal.path.write_text(whole)
    assert nights.looks()
    adapter = open_adapter("label-studio", **source)
    adapter.undo(Journal(journal.path))
    adapter.close()
    assert not nights.looks()


def test_a_file_that_does_not_fit_is_left_aside(nights: Nights) -> None:
    (path,) = (nights.state / "data_keys").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert not nights.looks()
    path.write_bytes(whole)
    nights.server.api("DELETE", f"/api/tasks/{nights.ids[0]}/")
    assert not nights.looks()
