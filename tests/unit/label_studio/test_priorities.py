"""Priorities as texts, and the requests that write them, carried out on a dictionary."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelnext_adapters.label_studio.write import priorities
from labelnext_adapters.label_studio.write.priorities import (
    SetField,
    priority_texts,
    requests_for,
    texts_around,
)


def carried_out(requests: list[SetField], values: dict[int, str | float]) -> None:
    """What the Data Manager's action does with the requests."""
    for request in requests:
        assert request.ids, "no task named means all tasks"
        for task in request.ids:
            if request.kind == "Expression":
                found = re.fullmatch(r'replace\("(.)","(.)"\)', str(request.value))
                assert found
                values[task] = str(values[task]).replace(found[1], found[2])
            else:
                values[task] = request.value


def test_priority_texts_of_no_task_are_none() -> None:
    assert priority_texts(0) == []


def test_priority_texts_are_one_minus_rank_over_n() -> None:
    assert priority_texts(1) == ["1.0000"]
    assert priority_texts(4) == ["1.0000", "0.7500", "0.5000", "0.2500"]
    assert priority_texts(3) == ["1.0000", "0.6667", "0.3333"]


@pytest.mark.parametrize("n", [2, 7, 355, 9_999, 10_000, 10_001, 123_457])
def test_priority_texts_differ_fall_and_have_one_width(n: int) -> None:
    texts = priority_texts(n)
    assert len({len(text) for text in texts}) == 1
    assert all(a > b for a, b in pairwise(texts))
    assert texts[0].startswith("1.0")
    assert float(texts[-1]) > 0


def test_requests_of_nothing_are_none() -> None:
    assert requests_for({}) == []


def test_few_values_take_one_request_each() -> None:
    assert requests_for({3: "1.0000", 1: "0.5000", 2: "", 4: 0.5, 5: ""}) == [
        SetField((4,), 0.5, "Number"),
        SetField((2, 5), ""),
        SetField((3,), "1.0000"),
        SetField((1,), "0.5000"),
    ]


@pytest.mark.parametrize(("n", "most"), [(60, 41), (355, 41), (10_000, 41), (20_000, 51)])
def test_many_values_take_few_requests_and_end_right(n: int, most: int) -> None:
    ids = list(range(1, n + 1))
    random.Random(0).shuffle(ids)
    targets = dict(zip(ids, priority_texts(n), strict=True))
    requests = requests_for(targets)
    assert len(requests) <= most
    values: dict[int, str | float] = {}
    carried_out(requests, values)
    assert values == targets


@pytest.mark.parametrize("survived", range(0, 42, 3))
def test_requests_broken_off_and_begun_again_end_right(survived: int) -> None:
    targets: dict[int, str | float] = dict(zip(range(97), priority_texts(97), strict=True))
    values: dict[int, str | float] = dict.fromkeys(targets, "0.1234")
    carried_out(requests_for(targets)[:survived], values)
    differing = {task: value for task, value in targets.items() if values[task] != value}
    carried_out(requests_for(differing), values)
    assert values == targets


def test_old_values_of_several_widths_and_kinds_are_written_together() -> None:
    targets: dict[int, str | float] = {
        **dict(zip(range(100), priority_texts(100), strict=True)),
        **dict(zip(range(100, 20_100), priority_texts(20_000), strict=True)),
        30_000: "mine",
        30_001: 0.25,
        30_002: "",
    }
    requests = requests_for(targets)
    assert len(requests) < 110
    values: dict[int, str | float] = {}
    carried_out(requests, values)
    assert values == targets


def test_long_lists_of_ids_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priorities, "MOST_IDS", 2)
    requests = requests_for(dict.fromkeys([5, 4, 3, 2, 1], ""))
    assert [request.ids for request in requests] == [(1, 2), (3, 4), (5,)]


def test_priorities_go_around_those_that_stay() -> None:
    assert texts_around(3, {}) == ["1.0000", "0.6667", "0.3333"]
    assert texts_around(4, {1: "0.5000"}) == ["1.000000", "0.333333", "0.166666"]
    # Above the highest there is no room: it bounds nothing, and nobody else gets it.
    first, third = texts_around(3, {1: "1.0000"})
    assert (first, third) == ("0.9999999", "0.4999999")


@given(st.integers(1, 60), st.dictionaries(st.integers(0, 59), st.integers(1, 10_000)))
def test_priorities_around_others_fall_and_are_nobody_elses(n: int, held: dict[int, int]) -> None:
    fixed = {
        place: f"{value // 10_000}.{value % 10_000:04d}"
        for place, value in held.items()
        if place < n
    }
    texts = texts_around(n, fixed)
    assert len(texts) == n - len(fixed)
    assert texts == sorted(set(texts), reverse=True)
    assert not {float(t) for t in texts} & {float(t) for t in fixed.values()}
