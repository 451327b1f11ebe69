"""Label Studio where it refuses to set one key of a task: whole data is sent, and it is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import WriteFailed
from labelnext.journal import Journal
from labelnext.ranking import rank
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.faulty_proxy import FaultyProxy, running_proxy

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

HOSTILE = {"nested": {"a": [1, 2.5, None]}, "big": 12345678901234567890, "n": "\u2028<b>"}
OURS = ("labelnext_priority", "labelnext_batch")
EMPTY = [(name, "") for name in OURS]


@pytest.fixture
def refusing(label_studio: LabelStudio) -> Iterator[FaultyProxy]:
    """The server behind one that does not let the action through."""
    with running_proxy(label_studio.url) as proxy:
        proxy.refused = "add_data_field"
        yield proxy


def make_project(server: LabelStudio) -> int:
    tasks = sure_to_unsure(4)
    for row in tasks:
        row["data"] |= HOSTILE
    return server.create_project(CHOICES, tasks)


def opened(proxy: FaultyProxy, server: LabelStudio, project: int, **write: Any) -> Any:
    source = {"url": proxy.url, "api_key": server.token, "project": project}
    return open_adapter("label-studio", write=write, **source)


def written(adapter: Any, folder: Path) -> Journal:
    """Rank and write; of four tasks the last two are the batch."""
    plan = adapter.plan(rank(adapter.read(), "margin", budget=2))
    journal = Journal.create(folder, plan)
    adapter.apply(plan, journal)
    return journal


def data(server: LabelStudio, project: int) -> list[dict[str, Any]]:
    stored = server.stored_data(project)
    return [json.loads(stored[task]) for task in sorted(stored)]


@pytest.mark.parametrize("status", [403, 404, 405, 500])
@pytest.mark.parametrize(
    ("write", "tags", "priorities"),
    [
        ({}, ["next", "next"], ["0.2500", "0.5000", "0.7500", "1.0000"]),
        ({"annotators": ["ann", "bo"]}, ["bo", "ann"], ["0.2500", "0.5000", "0.7500", "1.0000"]),
        ({"mode": "batch"}, ["next", "next"], [None] * 4),
    ],
    ids=["queue", "annotators", "batch"],
)
def test_a_refused_data_field_is_written_with_the_whole_data(
    label_studio: LabelStudio,
    refusing: FaultyProxy,
    tmp_path: Path,
    status: int,
    write: dict[str, Any],
    tags: list[str],
    priorities: list[str | None],
) -> None:
    refusing.refused_with = status
    project = make_project(label_studio)
    before = data(label_studio, project)
    adapter = opened(refusing, label_studio, project, **write)
    (remark,) = written(adapter, tmp_path).remarks
    adapter.close()
    assert remark.startswith("The server rejects add_data_field")
    assert "so labelnext sent each task's whole data one by one" in remark
    after = data(label_studio, project)
    assert [row.get("labelnext_priority") for row in after] == priorities
    assert [row.get("labelnext_batch") for row in after] == [None, None, *tags]
    assert [{k: v for k, v in row.items() if k not in OURS} for row in after] == before


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_server_that_is_only_busy_is_not_asked_for_more(
    label_studio: LabelStudio, refusing: FaultyProxy, tmp_path: Path, status: int
) -> None:
    refusing.refused_with = status
    project = make_project(label_studio)
    before = data(label_studio, project)
    adapter = opened(refusing, label_studio, project)
    with pytest.raises(WriteFailed, match=f"failed on /api/dm/actions/ with status {status}"):
        written(adapter, tmp_path)
    assert data(label_studio, project) == before
    adapter.close()


@pytest.mark.parametrize("mode", ["queue", "batch"])
def test_a_run_that_sent_whole_data_is_undone_on_a_server_that_still_refuses(
    label_studio: LabelStudio, refusing: FaultyProxy, tmp_path: Path, mode: str
) -> None:
    project = make_project(label_studio)
    before = data(label_studio, project)
    adapter = opened(refusing, label_studio, project, mode=mode)
    journal = written(adapter, tmp_path)
    adapter.undo(journal)
    adapter.close()
    after = data(label_studio, project)
    assert [{k: v for k, v in row.items() if (k, v) not in EMPTY} for row in after] == before
    assert label_studio.tabs(project) == []


def test_uncertainty_needs_no_data_field(
    label_studio: LabelStudio, refusing: FaultyProxy, tmp_path: Path
) -> None:
    project = make_project(label_studio)
    before = data(label_studio, project)
    adapter = opened(refusing, label_studio, project, mode="uncertainty")
    assert written(adapter, tmp_path).remarks == ()
    adapter.close()
    assert refusing.first_refused == 0
    assert data(label_studio, project) == before
    assert label_studio.next_of_all(project) == label_studio.task_ids(project)[-1]
