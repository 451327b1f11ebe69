"""The step that sets the data keys: what changes, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labelnext.ranking.ranking import Ranking, batch_ranking
from labelnext_adapters.label_studio.options import LabelStudioWrite
from labelnext_adapters.label_studio.server.tasks import Tasks
from labelnext_adapters.label_studio.write.field_step import field_steps
from labelnext_adapters.label_studio.write.shards import Shards


def ranking_of(*items: str, **why: str) -> Ranking:
    made = batch_ranking([{"item_id": item, "score": 0.5} for item in items])
    return replace(made, why=why or None)


def tasks_with(**values: dict[int, Any]) -> Tasks:
    tasks = Tasks([1, 2, 3, 4], ["a", "b", "c", "d"], [False] * 4)
    for name, given in values.items():
        tasks.values[f"labelnext_{name}"].update(given)
    return tasks


def step_of(tasks: Tasks, order: list[int], ranking: Ranking, **write: Any) -> Any:
    shards = Shards(("next",), False, tasks)
    place = {"purpose": "label", "project": 7, "url": "http://localhost"}
    (step,) = field_steps(LabelStudioWrite(**write), tasks, order, ranking, shards, place)
    return step


def test_first_step_sets_everything() -> None:
    step = step_of(tasks_with(), [2, 1, 3, 4], ranking_of("b", "a"))
    assert step.description == (
        "Set labelnext_priority on 4 tasks, and set labelnext_batch on the 2 tasks of the batch"
    )
    assert step.payload["texts"] == ["1.0000", "0.7500", "0.5000", "0.2500"]
    assert step.payload["tags"] == {"next": [2, 1]}
    assert "why" not in step.payload
    assert step.n_items == 4


def test_step_after_labels_names_what_changes_alone() -> None:
    tasks = tasks_with(
        priority={2: "1.0000", 1: "0.7500", 3: "0.5000", 4: "0.2500"},
        batch={2: "next", 1: "next"},
    )
    tasks.labelled[1] = True  # task 2 has its label
    step = step_of(tasks, [1, 3, 4], ranking_of("a", "c"))
    assert step.description == (
        "Keep labelnext_priority on 3 tasks, and set labelnext_batch on 1 of the 2 tasks of the "
        "batch"
    )
    assert (step.payload["task_ids"], step.payload["tags"]) == ([], {"next": [3]})
    assert step.n_items == 1


def test_reasons_are_set_on_the_batch_where_they_change_and_cleared_elsewhere() -> None:
    tasks = tasks_with(batch={4: "next", 1: "next"}, why={1: "It is blurred.", 4: "It is dark."})
    given = ranking_of("b", "a", b="It is new.", a="It is blurred.")
    step = step_of(tasks, [2, 1, 3, 4], given, why=True, mode="batch")
    assert step.payload["why"] == {"task_ids": [2, 4], "texts": ["It is new.", ""]}
    assert step.description.endswith(
        "of the batch, set labelnext_why on 1 task, clear labelnext_batch on 1 task, and clear "
        "labelnext_why on 1 task"
    )


def test_reasons_of_an_earlier_run_go_when_they_are_switched_off() -> None:
    tasks = tasks_with(batch={1: "next"}, why={1: "It is blurred.", 3: ""})
    step = step_of(tasks, [1, 2, 3, 4], ranking_of("a", a="It is blurred."))
    assert step.payload["why"] == {"task_ids": [1], "texts": [""]}


def test_a_draft_keeps_its_priority_its_batch_and_its_reason() -> None:
    tasks = tasks_with(
        priority={1: "0.7500", 2: "1.0000"},
        batch={1: "next", 2: "next"},
        why={1: "It is blurred.", 2: "It is dark."},
    )
    tasks.begun = {1}
    step = step_of(tasks, [1, 2, 3, 4], ranking_of("a", "b", b="It is dark."), why=True)
    assert 1 not in step.payload["task_ids"]
    assert step.payload["tags"] == {}
    assert "why" not in step.payload
    assert step.description.endswith("skip 1 task with a draft")
