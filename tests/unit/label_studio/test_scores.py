"""Scores of copies: which stay, and which get another."""

from __future__ import annotations

import pytest

from labelnext_adapters.label_studio.server.task import Prediction
from labelnext_adapters.label_studio.write.scores import Kept, copy_scores, kept_copies, next_scores


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ([0.0, 0.25, 0.5, 0.75], [0.0, 0.25, 0.5, 0.75]),
        ([0.25, 0.75], [0.25, 0.75]),  # the first ones were labelled
        ([0.0, 0.75, 0.25, 0.5], [0.0, 0.125, 0.25, 0.5]),  # one moved up
        ([0.25, 0.5, 0.0], [0.25, 0.5, 0.75]),  # one moved to the end
        ([0.5, 0.25, 0.75], [0.125, 0.25, 0.75]),  # of two, one stays
        ([None, 0.0, 0.25, 0.5], [0.25 / 3, 0.5 / 3, 0.25, 0.5]),  # nothing goes below 0
        ([None, 0.5, None, 0.75], [0.25, 0.5, 0.625, 0.75]),
        ([0.5, 0.5, 0.75, 0.75], [0.25, 0.5, 0.625, 0.75]),  # twice the same
    ],
)
def test_what_is_in_the_right_order_stays(now: list[float | None], expected: list[float]) -> None:
    assert next_scores(now) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("odd", [-0.5, 1.0, 2.0, None])
def test_a_score_that_no_copy_has_does_not_stay(odd: float | None) -> None:
    assert next_scores([0.25, odd, 0.5, 0.75]) == [0.25, 0.375, 0.5, 0.75]


def test_no_scores_where_there_is_no_room_between_two_or_too_many_moved() -> None:
    close = 0.5 + 2**-53
    assert next_scores([0.5, None, close, 0.75, 0.875]) is None
    assert next_scores([0.5, 0.4, 0.3, 0.2]) is None
    assert next_scores([None, None]) is None  # nothing stays
    many = [n / 1000 for n in range(1000)]
    assert next_scores(many[:799] + [0.0] * 200 + many[999:]) is not None
    assert next_scores(many[:798] + [0.0] * 201 + many[999:]) is None
    assert next_scores([0.5, None, None, None]) == [0.5, 0.625, 0.75, 0.875]  # new ones didn't


def test_copies_of_finished_tasks_stay_and_those_of_others_do_not() -> None:
    copies = [Prediction(id=n, task=n, score=n / 10) for n in (1, 2, 3)]
    assert kept_copies(copies, [2, 3], {1}) == Kept([0.2, 0.3], 0, [])
    assert kept_copies(copies, [2, 4, 3], {1}) == Kept([0.2, 0.25, 0.3], 1, [])
    # Somebody would be served task 1.
    assert kept_copies(copies, [2, 3], set()) == Kept([0.2, 0.3], 0, [1])
    many = [Prediction(id=n, task=n, score=n / 1000) for n in range(1, 602)]
    order = list(range(202, 602))
    assert kept_copies(many, order, {1}) is not None
    assert kept_copies(many, order, set()) is None


def test_scores_of_the_first_leave_room_for_the_next() -> None:
    # Two of eight: an eighth between two ranks, and as much to what comes behind them.
    assert copy_scores(2, 8) == [0.0, 0.125]
    assert next_scores([0.0, 0.125, None, None], 8) == [0.0, 0.125, 0.25, 0.375]
    assert next_scores([0.5, 0.9375, None], 8) == [0.5, 0.9375, pytest.approx(31 / 32)]  # below 1
