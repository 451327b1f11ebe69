"""Runs on Label Studio taken back: the project is as it was, but for what was said beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.journal import Journal
from labelnext.ranking import rank
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


@pytest.fixture
def used_project(label_studio: LabelStudio) -> int:
    """A project in which people work: a label, a skip, a draft, a tab and settings of theirs."""
    project = label_studio.create_project(CHOICES, [*sure_to_unsure(6), choice_task(None)])
    labelled, skipped, begun, *_ = label_studio.task_ids(project)
    choice = choice_task(0.9)["predictions"][0]["result"]
    annotations = f"/api/tasks/{labelled}/annotations/"
    label_studio.api("POST", annotations, {"result": choice, "lead_time": 1.0})
    skip = {"result": [], "was_cancelled": True}
    label_studio.api("POST", f"/api/tasks/{skipped}/annotations/", skip)
    draft = {"result": choice, "lead_time": 1.0}
    label_studio.api("POST", f"/api/tasks/{begun}/drafts", draft)
    tab = {"title": "Mine", "type": "list", "target": "tasks", "ordering": ["-tasks:id"]}
    label_studio.api("POST", "/api/dm/views/", {"project": project, "data": tab})
    chosen = {"sampling": "Uniform sampling", "model_version": "m1"}
    label_studio.api("PATCH", f"/api/projects/{project}/", chosen)
    return project


@pytest.mark.parametrize(
    ("write", "stays"),
    [
        ({"mode": "queue"}, {"labelnext_priority", "labelnext_batch"}),
        ({"mode": "queue", "annotators": 2}, {"labelnext_priority", "labelnext_batch"}),
        ({"mode": "batch"}, {"labelnext_batch"}),
        ({"mode": "uncertainty"}, set()),
    ],
    ids=["queue", "annotators", "batch", "uncertainty"],
)
def test_undo_returns_a_project_to_its_dump_but_for_what_was_said_before(
    label_studio: LabelStudio,
    connect: Open,
    tmp_path: Path,
    used_project: int,
    write: dict[str, Any],
    stays: set[str],
) -> None:
    before = label_studio.dump(used_project)
    adapter = connect(used_project, write=write)
    plan = adapter.plan(rank(adapter.read(), "margin", budget=3))
    assert all(name in " ".join(plan.stays) for name in stays)
    assert bool(plan.stays) == bool(stays)
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
    assert label_studio.dump(used_project) != before
    connect(used_project, write=write).undo(Journal(journal.path))
    after = label_studio.dump(used_project)
    for task in after[2]["tasks"]:
        for name in stays:
            assert task["data"].pop(name, "") == ""
    assert after == before
