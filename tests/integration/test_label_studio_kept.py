"""Predictions that are kept in the state folder, and what a project must not change unnoticed."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from labelnext.adapter import open_adapter
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext_adapters.label_studio.read import kept
from labelnext_adapters.label_studio.server import changes
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure
from tests.integration.copied import without_run

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)


class Runs:
    """Runs in mode uncertainty, each by an adapter of its own, as of processes that end."""

    def __init__(self, server: LabelStudio, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.project = server.create_project(CHOICES, sure_to_unsure(8))
        self.ids = server.task_ids(self.project)

    def open(self, state: Path | None) -> tuple[Any, list[str]]:
        """An adapter, and its requests for all predictions."""
        source = {"url": self.server.url, "api_key": self.server.token, "project": self.project}
        adapter = open_adapter("label-studio", write={"mode": "uncertainty"}, state=state, **source)
        lists: list[str] = []
        adapter.client._http.event_hooks["request"].append(  # type: ignore[attr-defined]
            lambda sent: lists.append("list") if _lists_all(sent) else None
        )
        return adapter, lists

    def write(self) -> tuple[Journal, int]:
        """Rank and write; the journal, and how often all predictions were asked for."""
        adapter, lists = self.open(self.folder)
        plan = adapter.plan(rank(adapter.read(), "margin"))
        journal = Journal.create(self.folder, plan)
        adapter.apply(plan, journal)
        adapter.close()
        return journal, len(lists)

    def reads(self) -> int:
        """How often all predictions were asked for; it sees what is seen without a state folder."""
        seen = []
        for state in (self.folder, None):
            adapter, lists = self.open(state)
            pool = adapter.read()
            plan = adapter.plan(rank(pool, "margin"))
            stated = [notice.message for notice in pool.notices]
            seen.append((pool.fingerprint(), stated, plan.steps))
            seen.append(len(lists)) if state is not None else None
            adapter.close()
        mine, n_lists, theirs = seen
        assert mine == theirs
        return int(n_lists)

    def of(self, task: int, version: str = "m1") -> dict[str, Any]:
        """A stored prediction."""
        rows = self.server.api("GET", "/api/predictions/", task=task)
        (found,) = [row for row in rows if row["model_version"] == version]
        return dict(found)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        return self.server.api(method, path, body)


@pytest.fixture
def runs(label_studio: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setattr(changes, "_MARGIN", timedelta(0))
    monkeypatch.setattr(kept, "_FEW", 1.0)
    return Runs(label_studio, tmp_path)


def test_a_run_after_labels_asks_for_no_list_of_predictions(runs: Runs) -> None:
    _, lists = runs.write()
    assert lists > 0
    for _ in range(3):
        runs.server.annotate(runs.server.next_of_all(runs.project) or 0)
    before = runs.server.dump(runs.project)
    journal, lists = runs.write()
    assert lists == 0
    assert [step.kind for step in journal.plan.steps] == ["sampling"]
    assert journal.plan.steps[0].description.endswith("the copies of 5 tasks stay as they are")
    assert without_run(runs.server.dump(runs.project)) == without_run(before)
    assert runs.reads() == 0


def _lists_all(sent: httpx.Request) -> bool:
    """Whether a request asks for all predictions of a project."""
    return sent.url.path == "/api/predictions/" and "task" not in sent.url.params


def _result(probability: float) -> Any:
    return choice_task(probability)["predictions"][0]["result"]


def _corrected(runs: Runs) -> None:
    """Somebody corrects a prediction in place."""
    row = runs.of(runs.ids[0])
    runs.api("PATCH", f"/api/predictions/{row['id']}/", {"result": _result(0.51)})


def _rescored(runs: Runs) -> None:
    """Somebody gives a copy another score."""
    version = runs.api("GET", f"/api/projects/{runs.project}/")["model_version"]
    row = runs.of(runs.ids[0], version)
    runs.api("PATCH", f"/api/predictions/{row['id']}/", {"score": 0.99})


def _removed(runs: Runs, place: int = 2) -> None:
    runs.api("DELETE", f"/api/predictions/{runs.of(runs.ids[place])['id']}/")


def _added(runs: Runs, place: int = 1) -> None:
    row = {"task": runs.ids[place], "model_version": "m1", "result": _result(0.52), "score": 0.5}
    runs.api("POST", f"/api/projects/{runs.project}/import/predictions", [row])


def _exchanged(runs: Runs) -> None:
    """As many predictions as before, of the same version."""
    _removed(runs, 5)
    _added(runs, 6)


def _task_exchanged(runs: Runs) -> None:
    """As many tasks as before."""
    runs.api("DELETE", f"/api/tasks/{runs.ids[3]}/")
    runs.api("POST", f"/api/projects/{runs.project}/import", [choice_task(0.55)])


def _all_of_a_task_gone(runs: Runs) -> None:
    """The action of the Data Manager, which knows no versions."""
    body = {"selectedItems": {"all": False, "included": [runs.ids[4]]}}
    path = f"/api/dm/actions?id=delete_tasks_predictions&project={runs.project}"
    runs.api("POST", path, body)


def _damaged(runs: Runs) -> None:
    (path,) = (runs.folder / "predictions").iterdir()
    path.write_bytes(path.read_bytes()[:-9])


def _shortened(runs: Runs) -> None:
    (path,) = (runs.folder / "predictions").iterdir()
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1])))


def test_what_others_change_meanwhile_is_seen(runs: Runs) -> None:
    runs.write()
    for change in (_corrected, _rescored, _removed):
        change(runs)
        assert runs.reads() == 0
    for change in (_added, _exchanged, _task_exchanged, _all_of_a_task_gone, _shortened):
        change(runs)
        runs.reads()  # one task or all: a busy server dates tasks anew only some time later
        assert runs.reads() == 0  # what was read is kept in turn
    _damaged(runs)
    assert runs.reads() > 0


def test_predictions_are_kept_for_this_user_alone_and_never_before_a_run(runs: Runs) -> None:
    folder = runs.folder / "state"
    adapter, _ = runs.open(folder)
    adapter.read()
    assert not folder.exists()
    runs.write()
    (path,) = (runs.folder / "predictions").iterdir()
    assert path.stat().st_mode & 0o077 == 0
