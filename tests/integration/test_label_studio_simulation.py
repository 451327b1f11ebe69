"""A team of five labels through the browser's requests while runs, undos and re-runs happen."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import labelnext
from labelnext.runs.undo import undo
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.label_studio_people import Person

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

N_TASKS = 150
SECONDS = 45.0  # after which everybody goes home, however many tasks are left
ROUNDS = 4


@pytest.fixture(autouse=True)
def without_pauses() -> None:
    """People label here: labelnext gives way to them."""


def skips_every_seventh(person: Person, task: int) -> bool:
    if task % 7:
        return False
    person.skip(task)
    return True


def drafts_first(person: Person, task: int) -> bool:
    person.draft(task)  # and submits it then
    return False


def comments(person: Person, task: int) -> bool:
    """The open edition has no comments; a remark stays in a draft, put off until the end."""
    if task % 11 or task in person.served[:-1]:
        return False
    person.draft(task, postponed=True)
    return True


def test_five_people_label_while_runs_and_undos_happen(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(N_TASKS))
    everything = label_studio.stored_data(project)
    members = [label_studio.second_user() for _ in range(5)]
    habits = (skips_every_seventh, skips_every_seventh, drafts_first, comments, None)
    team = [
        Person(
            member,
            project,
            f"Label next {member.email}",
            **({} if habit is None else {"habit": habit}),
            think=1.5 if habit is None else 0.3,
        )
        for member, habit in zip(members, habits, strict=True)
    ]
    config = {
        "source": {
            "adapter": "label-studio",
            "url": label_studio.url,
            "api_key": label_studio.token,
            "project": project,
        },
        "acquisition": {"name": "margin"},
        "selection": {"budget": 40},
        "write": {"annotators": [member.email for member in members]},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    labelnext.run(config)
    stop = threading.Event()
    threads = [threading.Thread(target=person.label, args=(stop,)) for person in team]
    for thread in threads:
        thread.start()
    end = time.monotonic() + SECONDS
    try:
        for number in range(ROUNDS):
            stop.wait(1.0)
            if number % 2:
                undo(config)
            labelnext.run(config)
            if time.monotonic() > end or len(finished(label_studio, project)) == N_TASKS:
                break
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert [fault for person in team for fault in person.faults] == []
    check_invariants(label_studio, project, team, set(everything))
    report = labelnext.run(config)
    # What is handed out now is what nobody has finished, and no batch holds a finished task.
    batch = set(map(int, report.ranking.item_ids.tolist()))
    assert not batch & finished(label_studio, project)
    left = N_TASKS - len(finished(label_studio, project))
    assert len(report.ranking.pool_order) == left
    undo(config)


def finished(label_studio: LabelStudio, project: int) -> set[int]:
    page = label_studio.api(
        "GET", "/api/tasks", project=project, fields="task_only", page_size=1000
    )
    return {task["id"] for task in page["tasks"] if task["is_labeled"]}


def check_invariants(
    label_studio: LabelStudio, project: int, team: list[Person], tasks: set[int]
) -> None:
    page = label_studio.api("GET", "/api/tasks", project=project, fields="all", page_size=1000)
    rows = {task["id"]: task for task in page["tasks"]}
    assert set(rows) == tasks, "a task was lost, or made twice"
    said = Counter(task for person in team for task in person.submitted)
    made = {
        task: sum(not annotation["was_cancelled"] for annotation in row["annotations"])
        for task, row in rows.items()
    }
    assert made == {task: said[task] for task in tasks}, "an annotation was lost"
    for person in team:
        assert len(person.submitted) == len({*person.submitted}), "one task twice to one person"
    # Shards keep people apart: nobody's work was done by somebody else, too.
    twice = [task for task, count in said.items() if count > 1]
    assert len(twice) <= 2 * ROUNDS, "only what was on a screen while a run moved it"
    assert all(row["total_predictions"] == 1 for row in rows.values())
    assert all(person.submitted for person in team), "somebody was served nothing"


__all__ = ["test_five_people_label_while_runs_and_undos_happen"]
