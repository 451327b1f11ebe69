"""One more opinion where people disagree: which tasks, and what is set and set back."""

from __future__ import annotations

from typing import Any, cast

import pytest

from labelnext.errors import NotFound
from labelnext.journal.plan import Step
from labelnext_adapters.label_studio.read.undecided import undecided, undecided_notices
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.tasks import Tasks
from labelnext_adapters.label_studio.write.opinions import Opinions, opinion_steps

TARGET = {"url": "http://localhost", "project": 7}


class Server:
    """Knows three tasks."""

    def __init__(self) -> None:
        self.tasks = {
            1: {"overlap": 2, "is_labeled": True, "total_annotations": 2},
            2: {"overlap": 1, "is_labeled": True, "total_annotations": 2},
            3: {"overlap": 2, "is_labeled": True, "total_annotations": 2},
        }
        self.annotations = 2  # of each task, as the project says
        self.skip_queue = "REQUEUE_FOR_OTHERS"
        self.sent: list[Any] = []

    def get_row(self, path: str, shape: Any) -> dict[str, Any]:
        assert path == "api/projects/7/"
        return {"maximum_annotations": self.annotations, "skip_queue": self.skip_queue}

    def get_json(self, path: str) -> dict[str, Any]:
        number = int(path.split("/")[2])
        if number not in self.tasks:
            raise NotFound("there is no such task.")
        return self.tasks[number]

    def send(self, method: str, path: str, body: dict[str, Any], *, retry: bool) -> None:
        assert (method, retry) == ("PATCH", True)
        number = int(path.split("/")[2])
        self.sent.append((number, body))
        self.tasks[number] |= body


def opinions(server: Server, remarks: list[str] | None = None) -> Opinions:
    return Opinions(cast("Client", server), ([] if remarks is None else remarks).append)


def step(*task_ids: int) -> Step:
    payload = {**TARGET, "task_ids": [*task_ids], "overlaps": [3] * len(task_ids)}
    return Step("overlap", "Ask.", len(task_ids), payload)


@pytest.mark.parametrize(
    ("votes", "open_"),
    [
        ([], False),
        ([0], False),
        ([0, 0], False),
        ([0, 1], True),
        ([0, 0, 1], False),  # two of three
        ([0, 1, 2], True),
        ([0, 0, 1, 1], True),
        ([0, 0, 0, 1], False),
    ],
)
def test_more_than_half_of_the_people_decide(votes: list[int], open_: bool) -> None:
    assert (7 in undecided({7: dict(enumerate(votes))})) == open_


def test_tasks_are_named_and_asked_for_once_more_but_not_for_ever() -> None:
    tasks = Tasks([1, 2, 3, 4], ["a", "b", "c", "d"], [True, True, False, True])
    tasks.undecided = {1: 2, 2: 4, 3: 2, 4: 5, 99: 2}
    (notice,) = undecided_notices(tasks)
    assert notice.item_ids == ("a", "b", "c", "d")  # 99 is no task that was read
    assert "4 items on which people disagree" in notice.message
    # c is open already, and five people couldn't agree on d. Most opinions first.
    (asked,) = opinion_steps(tasks, TARGET)
    assert asked.payload == {**TARGET, "task_ids": [2, 1], "overlaps": [5, 3]}
    assert opinion_steps(Tasks(), TARGET) == []
    assert undecided_notices(Tasks()) == []


def test_what_is_set_can_be_set_twice_and_set_back() -> None:
    server = Server()
    before = opinions(server).snapshot(step(1, 2))
    assert before == {"project": 2, "tasks": {"1": 2, "2": 1}}
    opinions(server).perform(step(1, 2))
    assert server.sent == [(n, {"overlap": 3, "is_labeled": False}) for n in (1, 2)]
    opinions(server).perform(step(1, 2))
    assert len(server.sent) == 2
    server.tasks[2] |= {"total_annotations": 3, "is_labeled": True}  # the third opinion came
    opinions(server).perform(step(1, 2))
    assert len(server.sent) == 2
    assert opinions(server).restore(step(1, 2), before) == []
    assert (server.tasks[1]["overlap"], server.tasks[1]["is_labeled"]) == (2, True)
    assert (server.tasks[2]["overlap"], server.tasks[2]["is_labeled"]) == (1, True)
    assert server.tasks[3]["overlap"] == 2


def test_a_number_that_somebody_chose_stays_and_a_task_that_is_gone_is_said() -> None:
    server, remarks = Server(), list[str]()
    before = opinions(server).snapshot(step(1, 9))
    opinions(server, remarks).perform(step(1, 9))
    assert remarks == ["Skipped 1 task deleted since: 9."]
    server.tasks[1]["overlap"] = 4
    stayed = opinions(server).restore(step(1, 9), before)
    assert stayed == [
        "Kept the number of annotations of 1 task, which someone chose after the run: 1."
    ]
    assert server.tasks[1]["overlap"] == 4


def test_a_number_that_somebody_chose_for_all_tasks_stays() -> None:
    server = Server()
    before = opinions(server).snapshot(step(1))
    opinions(server).perform(step(1))
    server.annotations = 3  # as many as the run asked for: the task can't tell whose number it is
    (line,) = opinions(server).restore(step(1), before)
    assert "someone chose after the run: 1." in line
    assert server.tasks[1]["overlap"] == 3


def test_a_task_that_needed_as_many_before_is_left_alone() -> None:
    server = Server()
    server.tasks[1]["overlap"] = 5
    server.tasks[3]["overlap"] = 3  # and counts as labelled, by a skip or by hand
    before = opinions(server).snapshot(step(1, 3))
    opinions(server).perform(step(1, 3))
    server.tasks[1]["overlap"] = 3  # by somebody, after the run
    assert opinions(server).restore(step(1, 3), before) == []
    assert server.sent == []


@pytest.mark.parametrize(
    ("skip_queue", "asked"), [("REQUEUE_FOR_OTHERS", 1), ("IGNORE_SKIPPED", 0)]
)
def test_a_skip_may_be_the_third_opinion(skip_queue: str, asked: int) -> None:
    # Where it counts, the server would serve a task that needs three to nobody else.
    server = Server()
    server.skip_queue = skip_queue
    server.tasks[1]["cancelled_annotations"] = 1
    opinions(server).perform(step(1))
    assert len(server.sent) == asked
