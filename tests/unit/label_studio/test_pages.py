"""Pages of tasks: by the last id, again where one failed, and no more than are wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from labelnext.adapter.protocol import Context
from labelnext.errors import AccessDenied, Unavailable
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import few_tasks, task_pages
from labelnext_adapters.label_studio.server.refusals import TimedOut
from labelnext_adapters.label_studio.server.task import Task


class Server:
    """Has tasks 1 to n, and notes what it is asked for.

    Attributes:
        asked: the last id before each page, and its size.
        errors: raised in place of an answer, by the number of the request from 0.
    """

    pauses = (0.0, 0.0)

    def __init__(self, n: int, **errors: Exception) -> None:
        self.n, self.errors = n, {int(k.strip("_")): e for k, e in errors.items()}
        self.asked: list[tuple[int, int]] = []

    def get(self, path: str, **parameters: Any) -> bytes:
        last = json.loads(parameters["query"])["filters"]["items"][-1]["value"]
        size = parameters["page_size"]
        number = len(self.asked)
        self.asked.append((last, size))
        if number in self.errors:
            raise self.errors[number]
        ids = range(last + 1, min(last + size, self.n) + 1)
        rows = [{"id": i, "data": {}} for i in ids]
        return msgspec.json.encode({"tasks": rows, "total": self.n - last})

    def decode(self, body: bytes, type_: Any) -> Any:
        return msgspec.json.decode(body, type=type_)


def pages(server: Server, **options: Any) -> Any:
    return task_pages(cast("Client", server), 1, "id,data", page_size=2, **options)


def test_who_wants_the_first_page_asks_for_no_other() -> None:
    server = Server(9)
    assert [task.id for task in next(pages(server))] == [1, 2]
    assert server.asked == [(0, 2)]


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (Unavailable("reset"), [(0, 2), (2, 2), (4, 2), (4, 2), (6, 2), (8, 2)]),
        (TimedOut("slow"), [(0, 2), (2, 2), (4, 2), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1)]),
    ],
    ids=["as it was", "in halves after a timeout"],
)
def test_a_page_that_failed_is_asked_for_again(error: Exception, asked: list[Any]) -> None:
    server = Server(9, _2=error)
    assert [task.id for page in pages(server) for task in page] == [*range(1, 10)]
    assert server.asked == asked


def test_an_error_is_raised_where_its_page_is_wanted() -> None:
    server = Server(9, _2=AccessDenied("no"))
    reading = pages(server)
    assert [task.id for _ in range(2) for task in next(reading)] == [1, 2, 3, 4]
    with pytest.raises(AccessDenied, match="no"):
        next(reading)
    assert len(server.asked) == 3


def few(server: Server, most: float) -> list[int] | None:
    tasks = few_tasks(
        cast("Client", server), 1, "id,data", most, page_size=2, filters=(), context=Context(Path())
    )
    return None if tasks is None else [task.id for task in tasks]


def test_few_tasks_are_read_on_from_the_page_that_counts_them() -> None:
    server = Server(5)
    assert few(server, 5) == [1, 2, 3, 4, 5]
    assert server.asked == [(0, 2), (2, 2), (4, 2)]
    assert few(Server(2), 2) == [1, 2]
    assert few(Server(0), 0) == []


def test_too_many_tasks_take_one_request() -> None:
    server = Server(5)
    assert few(server, 4.9) is None
    assert server.asked == [(0, 2)]


def test_tasks_that_are_deleted_after_they_were_counted_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(0)
    monkeypatch.setattr(server, "get", lambda *_, **__: b'{"tasks": [], "total": 1}')
    assert few(server, 3) == []


def test_a_prediction_inside_a_task_knows_the_tasks_number() -> None:
    sent = b'{"id": 7, "predictions": [{"id": 1, "score": 0.5}, {"id": 2, "model_version": "v8"}]}'
    assert [row.task for row in msgspec.json.decode(sent, type=Task).predictions] == [7, 7]
