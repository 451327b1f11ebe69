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
    front_of,
    is_half,
    lowered,
    lowering,
    mark_of,
    next_priorities,
    priority_texts,
    raised,
    requests_for,
    stepped_texts,
    texts_around,
)


def carried_out(requests: list[SetField], values: dict[int, str | float]) -> None:
    """What the Data Manager's action does with the requests."""
    for request in requests:
        assert request.ids, "no task named means all tasks"
        for task in request.ids:
            if request.kind == "Expression":
                found = re.fullmatch(r'replace\("([\d.a-z]+)","([\d.a-z]+)"\)', str(request.value))
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


@pytest.mark.parametrize("n", [2, 50, 51, 2_500, 20_000, 20_736, 20_737, 130_001])
def test_stepped_texts_differ_fall_and_have_one_width(n: int) -> None:
    texts = stepped_texts(n)
    assert len(texts) == n
    assert len({len(text) for text in texts}) == 1
    assert all(a > b for a, b in pairwise(texts))
    assert 0 < float(texts[-1]) < float(texts[0]) < 1


def test_stepped_texts_of_twenty_thousand_take_four_figures_of_base_twelve() -> None:
    texts = stepped_texts(20_000)
    # 12 figures as floor(100 k / 12) - 1: 99, 90, 82, ... 7; the second text differs in the last.
    assert texts[:3] == ["0.99999999", "0.99999990", "0.99999982"]
    assert texts[12] == "0.99999099"
    requests = requests_for(dict(enumerate(texts)))
    assert len(requests) == 4 * 12
    assert max(len(request.ids) for request in requests) == 12**3


def test_a_first_order_of_many_is_stepped_and_gives_a_held_priority_to_nobody_else() -> None:
    now = [None, "0.99999990", *[None] * 19_998]
    made = next_priorities(now, {1})
    assert made[:3] == ["0.99999999", "0.99999990", "0.99999982"]
    assert len(set(made)) == 20_000
    made = next_priorities(["0.99999990", *[None] * 19_999], {0})
    assert made[:3] == ["0.99999990", "0.99999999", "0.99999982"]


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


def test_next_priorities_of_nothing_and_of_a_first_ranking_are_one_minus_rank_over_n() -> None:
    assert next_priorities([]) == []
    assert next_priorities([None, None, None]) == ["1.0000", "0.6667", "0.3333"]


def test_priorities_in_the_right_order_stay_however_many_tasks_are_gone() -> None:
    assert next_priorities(["0.7500", "0.2500"]) == ["0.7500", "0.2500"]


def test_what_moved_goes_between_those_that_stay() -> None:
    # "0.1000" came up by three places: 1 of 5 values is new, half way from 0.9 to 0.7.
    now = ["0.9000", "0.1000", "0.7000", "0.5000", "0.3000"]
    assert next_priorities(now) == ["0.9000", "0.800000", "0.7000", "0.5000", "0.3000"]


def test_a_new_first_goes_above_the_old_one_even_at_the_top_of_the_range() -> None:
    assert next_priorities([None, "0.8000", "0.4000"]) == ["1.000000", "0.8000", "0.4000"]
    # Nothing goes above 1, so the old first moves, too.
    assert next_priorities([None, "1.0000", "0.5000", "0.2500"]) == [
        "1.000000",
        "0.750000",
        "0.5000",
        "0.2500",
    ]


def test_all_are_numbered_again_where_most_moved_or_the_texts_grew_long() -> None:
    assert next_priorities(["0.2500", "0.5000", "0.7500", "1.0000"]) == priority_texts(4)
    assert next_priorities(["0.5000000000001", "0.4"]) == priority_texts(2)
    assert next_priorities(["0.50ab", 0.4, "", "2.0000"]) == priority_texts(4)


def test_a_held_priority_stays_in_the_wrong_place_and_is_nobody_elses() -> None:
    now = ["0.9000", "0.8000", "0.9500", "0.7000", "0.6000", "0.9500"]
    made = next_priorities(now, {2})
    assert made == ["0.9000", "0.8000", "0.9500", "0.7000", "0.6000", "0.300000"]


@given(
    st.lists(st.none() | st.integers(0, 10_000), max_size=40),
    st.sets(st.integers(0, 39)),
)
def test_next_priorities_fall_differ_and_stay_in_range(
    numbers: list[int | None], held: set[int]
) -> None:
    now = [None if n is None else f"{n // 10_000}.{n % 10_000:04d}" for n in numbers]
    first: dict[str, int] = {}
    for place, text in enumerate(now):
        if text is not None and place in held:
            first.setdefault(text, place)
    held = {place for text, place in first.items() if text != "0.0000"}
    made = next_priorities(now, held)
    assert len(made) == len(now)
    assert len({float(text) for text in made}) == len(made)
    assert all(0 < float(text) <= 1 for text in made)
    assert all(made[place] == now[place] for place in held)
    free = [text for place, text in enumerate(made) if place not in held]
    assert all(a > b for a, b in pairwise(free)), "texts sort as numbers do"


def test_only_a_priority_is_ever_half_written() -> None:
    assert is_half("0.32bc")
    assert is_half("0.9990buvw")
    assert is_half("0.3auvw57")  # another run's write came between
    assert not is_half("0.999082")
    assert not is_half("")
    assert not is_half(0.5)
    assert not is_half("The model leans to dog")
    assert not is_half("0.5 dog")


@pytest.mark.parametrize("seed", range(3))
def test_two_runs_at_once_leave_each_text_to_one_of_them(seed: int) -> None:
    rng = random.Random(seed)
    texts = stepped_texts(1500)
    orders = [dict(enumerate(rng.sample(texts, len(texts)))) for _ in range(2)]
    marks = mark_of("20261129T225520-250913"), mark_of("20261129T225520-609076")
    assert marks[0] != marks[1]
    waiting = [requests_for(order, mark) for order, mark in zip(orders, marks, strict=True)]
    values: dict[int, str | float] = {}
    while any(waiting):
        chosen = rng.choice([requests for requests in waiting if requests])
        carried_out([chosen.pop(0)], values)
    assert all(values[task] in (orders[0][task], orders[1][task]) for task in values)
    assert {values[task] == orders[0][task] for task in values} == {False, True}


def test_a_new_order_of_many_begins_with_its_first_tasks() -> None:
    rng = random.Random(5)
    now = dict(enumerate(rng.sample(texts := stepped_texts(3000), len(texts))))
    targets: dict[int, str | float] = dict(enumerate(rng.sample(texts, len(texts))))
    targets |= {3000: "", 3001: 0.5}  # one that is cleared, and a number that somebody had
    values: dict[int, str | float] = {**now, 3000: "0.999999"}
    mark = mark_of("run")
    front = {task: raised(text, mark) for task, text in front_of(targets, values).items()}
    before = requests_for(front, mark)
    assert len(before) == 24
    wanted = sorted(range(3000), key=lambda task: str(targets[task]), reverse=True)[:24]
    others = {task: value for task, value in targets.items() if task not in wanted}
    for n, request in enumerate(before, start=1):  # people are served by them from the first on
        carried_out([request], values)
        assert sorted(values, key=lambda task: str(values[task]), reverse=True)[:n] == wanted[:n]
    assert {task: lowered(values[task], mark) for task in wanted} == {
        task: targets[task] for task in wanted
    }
    for request in requests_for(others, mark_of("run")):
        assert sorted(values, key=lambda task: str(values[task]), reverse=True)[:24] == wanted
        assert all(is_half(values[task]) for task in wanted)
        carried_out([request], values)
    carried_out([lowering(wanted, mark)], values)
    assert values == targets


def test_no_task_is_put_first_where_few_change_or_none_had_an_order_or_others_stay() -> None:
    order: dict[int, str | float] = dict(enumerate(stepped_texts(1500)))
    assert front_of(order, {}) == {}
    few = {task: text for task, text in order.items() if task < 1000}
    assert front_of(few, order) == {}
    assert front_of(order, {**order, 1500: "0.9999999999"}) == {}
    below = {**order, 1500: str(order[10])}  # ten tasks go above the one that stays
    assert front_of(order, below) == {task: order[task] for task in range(10)}
