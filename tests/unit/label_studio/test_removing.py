"""Removing predictions without keeping people waiting, at a server that tells the time it takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest

from labelnext.adapter.protocol import Context
from labelnext.errors import NotFound, Unavailable
from labelnext_adapters.label_studio.server import give_way, predictions
from labelnext_adapters.label_studio.server.task import Prediction


class Server:
    """Answers each deletion after so many seconds, or with an error; the last one again and again.

    It is the clock, too: only deletions and pauses let time pass.
    """

    def __init__(self, answers: Iterable[float | Exception]) -> None:
        self._answers = [*answers]
        self.now, self.pauses, self.asked = 0.0, list[float](), list[str]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if seconds:
            self.pauses.append(round(seconds, 3))
            self.now += seconds

    def send(self, method: str, path: str, body: None, *, retry: bool) -> None:
        assert (method, body, retry) == ("DELETE", None, True)
        self.asked.append(path)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.now += answer


def removed(
    monkeypatch: pytest.MonkeyPatch, n: int, answers: Iterable[float | Exception], **options: Any
) -> tuple[int, Server]:
    server = Server(answers)
    for module in (give_way, predictions):
        monkeypatch.setattr(module, "time", server)
    rows = [Prediction(id=number, task=number) for number in range(1, n + 1)]
    return predictions.remove_predictions(cast(Any, server), Context(), rows, **options), server


def test_removal_of_nothing_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, server = removed(monkeypatch, 0, [0.1])
    assert (gone, server.asked) == (0, [])


def test_removal_pauses_as_long_as_the_server_took(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, server = removed(monkeypatch, 4, [0.1, 0.2, 1.4, 0.1])
    assert (gone, server.pauses) == (4, [0.12, 0.2, 0.6])  # at least 0.12, at most 0.6


def test_removal_in_a_run_stops_at_the_first_slow_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, server = removed(monkeypatch, 9, [0.1, 0.1, 1.6])
    assert (gone, len(server.asked), server.pauses) == (3, 3, [0.12, 0.12])


def test_removal_in_a_run_ends_after_twenty_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, _ = removed(monkeypatch, 99, [0.5])
    assert gone == 21  # a second each, with its pause; the last begins at 20 s


def test_removal_in_an_undo_rests_after_slow_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, server = removed(monkeypatch, 5, [0.1, 2.0, 2.0, 0.1], seconds=600)
    assert (gone, server.pauses) == (5, [0.12, 0.6, 5.0, 0.6, 5.0, 0.12])


def test_removal_in_an_undo_stops_at_three_slow_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, server = removed(monkeypatch, 9, [2.0], seconds=600)
    assert (gone, len(server.asked)) == (3, 3)


def test_removal_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert removed(monkeypatch, 99, [0.5], seconds=10)[0] == 11


def test_removal_leaves_the_rest_after_four_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, server = removed(monkeypatch, 9, [0.1, Unavailable("status 500")], seconds=600)
    assert (gone, len(server.asked)) == (1, 5)


def test_removal_counts_what_is_gone_already(monkeypatch: pytest.MonkeyPatch) -> None:
    assert removed(monkeypatch, 2, [NotFound("no such prediction")])[0] == 2


def test_patient_removal_takes_its_time_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert removed(monkeypatch, 99, [9.0], patient=True)[0] == 99
    with pytest.raises(Unavailable):
        removed(monkeypatch, 2, [Unavailable("status 500")], patient=True)
