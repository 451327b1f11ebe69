"""Pages of tasks: the next one is asked for while a page is used, and no more than that."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, cast

import msgspec
import pytest

from labelnext.errors import AccessDenied, Unavailable
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import ask_for_tasks, task_pages
from labelnext_adapters.label_studio.server.refusals import TimedOut

PATIENCE = 30.0  # seconds, on a busy machine


class Server:
    """Has tasks 1 to n, and notes what it is asked for.

    Attributes:
        asked: the last id before each page, and its size.
        most: how many requests it had at a time.
        errors: raised in place of an answer, by the number of the request from 0.
    """

    pauses = (0.0, 0.0)

    def __init__(self, n: int, **errors: Exception) -> None:
        self.n, self.errors = n, {int(k.strip("_")): e for k, e in errors.items()}
        self.asked: list[tuple[int, int]] = []
        self.most = self._now = 0
        self._lock = threading.Condition()

    def get(self, path: str, **parameters: Any) -> bytes:
        last = json.loads(parameters["query"])["filters"]["items"][-1]["value"]
        size = parameters["page_size"]
        with self._lock:
            number = len(self.asked)
            self.asked.append((last, size))
            self._now += 1
            self.most = max(self.most, self._now)
            self._lock.notify_all()
        time.sleep(0.01)
        with self._lock:
            self._now -= 1
        if number in self.errors:
            raise self.errors[number]
        ids = range(last + 1, min(last + size, self.n) + 1)
        rows = [{"id": i, "data": {}} for i in ids]
        return msgspec.json.encode({"tasks": rows, "total": self.n - last})

    def decode(self, body: bytes, type_: Any) -> Any:
        return msgspec.json.decode(body, type=type_)

    def wait_for(self, n: int) -> None:
        """Wait until it was asked for so many pages."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.asked) >= n, PATIENCE)


def pages(server: Server, **options: Any) -> Any:
    return task_pages(cast("Client", server), 1, "id,data", page_size=2, **options)


def test_the_next_page_is_asked_for_while_one_is_used() -> None:
    server = Server(9)
    seen = []
    for number, page in enumerate(pages(server)):
        seen += [task.id for task in page]
        if 0 < number < 4:
            server.wait_for(number + 2)  # before anybody wants it
            assert len(server.asked) == number + 2
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert server.asked == [(0, 2), (2, 2), (4, 2), (6, 2), (8, 2)]
    assert server.most == 1


def test_who_wants_the_first_page_asks_for_no_other() -> None:
    server = Server(9)
    assert [task.id for task in next(pages(server))] == [1, 2]
    time.sleep(0.05)
    assert server.asked == [(0, 2)]


def test_nothing_more_is_asked_for_once_a_reading_stops() -> None:
    server = Server(9, _2=Unavailable("away"))  # it would be asked again for this page
    reading = pages(server)
    next(reading)
    next(reading)
    server.wait_for(3)
    reading.close()
    time.sleep(0.1)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (Unavailable("reset"), [(0, 2), (2, 2), (4, 2), (4, 2), (6, 2), (8, 2)]),
        (TimedOut("slow"), [(0, 2), (2, 2), (4, 2), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1)]),
    ],
    ids=["as it was", "in halves after a timeout"],
)
def test_a_page_that_failed_ahead_is_asked_for_again(error: Exception, asked: list[Any]) -> None:
    server = Server(9, _2=error)
    assert [task.id for page in pages(server) for task in page] == [*range(1, 10)]
    assert server.asked == asked


def test_an_error_is_raised_where_its_page_is_wanted() -> None:
    server = Server(9, _2=AccessDenied("no"))
    reading = pages(server)
    assert [task.id for _ in range(2) for task in next(reading)] == [1, 2, 3, 4]
    server.wait_for(3)
    with pytest.raises(AccessDenied, match="no"):
        next(reading)
    assert len(server.asked) == 3


def test_a_first_page_that_was_asked_for_before_is_not_asked_for_again() -> None:
    server = Server(2500)
    first = ask_for_tasks(cast("Client", server), 1)
    server.wait_for(1)
    seen = [len(page) for page in task_pages(cast("Client", server), 1, "id", first=first)]
    assert seen == [1000, 1000, 500]
    assert server.asked == [(0, 1000), (1000, 1000), (2000, 1000)]
    away = Server(9, _0=Unavailable("away"))
    with pytest.raises(Unavailable, match="away"):  # as a first page is asked for once
        next(pages(away, first=ask_for_tasks(cast("Client", away), 1)))
    assert len(away.asked) == 1
