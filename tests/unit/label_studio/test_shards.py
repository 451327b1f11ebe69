"""Whose tabs a task must be in, by what people did on it."""

from __future__ import annotations

import re

import pytest

from labelnext.errors import ConfigError
from labelnext_adapters.label_studio.server.people import Work
from labelnext_adapters.label_studio.server.standing import Standing
from labelnext_adapters.label_studio.server.tab import filters
from labelnext_adapters.label_studio.server.tasks import Tasks
from labelnext_adapters.label_studio.write.shards import Shards, check_people


def shards_of(
    *names: str, people: dict[str, int] | None = None, done: Work | None = None
) -> Shards:
    """Shards of task 1 in a project that hands skipped tasks to others."""
    standing = Standing(work={1: done} if done else {})
    tasks = Tasks([1], ["a"], [False], standing=standing)
    return Shards(names, False, tasks, people or {}, len(people or {}) < len(names))


def test_two_names_of_one_person_are_refused() -> None:
    check_people({"ann": 7, "bo": 8})
    with pytest.raises(ConfigError, match="once; got 'ann' and 'ANN@example.com', who are one"):
        check_people({"ann": 7, "bo": 8, "ANN@example.com": 7})


def test_a_task_that_nobody_skipped_is_in_one_tab() -> None:
    assert shards_of("1", "2").deal([1], {1: "2"}) == {"2": [1]}


def test_a_task_that_an_unknown_person_skipped_stays_in_its_tab_and_is_in_one_more() -> None:
    shards = shards_of("1", "2", "3", done=Work(skipped={7}))
    assert shards.deal([1], {1: "1"}) == {"|1|2|": [1]}
    assert shards.deal([1], {1: "|1|2|"}) == {"|1|2|": [1]}  # a later run moves it nowhere
    assert shards.deal([1], {}) == {"|1|2|": [1]}


def test_a_task_that_two_unknown_people_skipped_is_in_three_tabs() -> None:
    shards = shards_of("1", "2", "3", "4", done=Work(skipped={7, 8}))
    assert shards.deal([1], {1: "|1|2|"}) == {"|1|2|3|": [1]}


def test_a_task_that_a_known_person_skipped_goes_to_somebody_else() -> None:
    shards = shards_of("ann", "bo", people={"ann": 7, "bo": 8}, done=Work(skipped={7}))
    assert shards.deal([1], {1: "ann"}) == {"ann": [], "bo": [1]}


def test_a_task_that_wants_two_annotations_is_still_in_two_tabs_when_a_known_person_skips() -> None:
    standing = Standing(work={1: Work(skipped={7})})
    tasks = Tasks([1], ["a"], [False], overlaps={1: 2}, standing=standing)
    shards = Shards(("ann", "2", "3"), True, tasks, {"ann": 7})
    assert shards.deal([1], {1: "|ann|2|"}) == {"|2|3|": [1]}


def test_a_task_that_everybody_skipped_is_named() -> None:
    shards = shards_of("ann", "bo", people={"ann": 7, "bo": 8}, done=Work(skipped={7, 8}))
    assert shards.deal([1], {1: "ann"}) == {"ann": [], "bo": []}
    assert shards.unserved([1]) == (
        "1 task is in nobody's tab, because everybody in write.annotators has labelled or skipped "
        "it; add somebody: 1."
    )
    assert shards_of("1", "2", done=Work(skipped={7, 8})).unserved([1]) is None


@pytest.mark.parametrize(
    ("people", "work", "tag", "widened"),
    [
        ({}, Work(), "1", "1"),
        ({}, Work(skipped={7}), "1", "|1|2|"),
        ({}, Work(skipped={7}), "|1|3|", "|1|3|"),
        ({"1": 7, "2": 8, "3": 9}, Work(skipped={7}), "1", "2"),
        ({"1": 7, "2": 8, "3": 9}, Work(skipped={8}), "1", "1"),
        ({"1": 7, "2": 8, "3": 9}, Work(skipped={7, 8, 9}), "1", "1"),
    ],
)
def test_a_task_with_a_draft_is_in_a_tab_that_serves_it(
    people: dict[str, int], work: Work, tag: str, widened: str
) -> None:
    assert shards_of("1", "2", "3", people=people, done=work).widened(1, tag) == widened


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("a.b", True), ("|a.b|bo|", True), ("|bo|a.b|", True), ("axb", False), ("|bo|a.bc|", False)],
)
def test_the_filter_of_a_tab_finds_its_name_alone_or_among_others(tag: str, shown: bool) -> None:
    value = filters("a.b", 1, spread=True)["items"][-1]["value"]
    assert bool(re.search(value, tag)) == shown


@pytest.mark.parametrize(
    ("drafters", "shared", "tag", "widened"),
    [
        ({7}, False, "ann", "ann"),
        ({8}, False, "ann", "bo"),  # bo has begun what is in ann's tab
        ({7, 8}, False, "ann", "ann"),
        ({8, 9}, False, "ann", "bo"),  # one tab, that of the first who is named
        ({8}, False, "next", "bo"),  # of a run without annotators
        ({99}, False, "ann", "ann"),  # somebody who has no tab
        ({7}, True, "|ann|bo|", "|ann|bo|"),
        ({9}, True, "|ann|bo|", "|ann|cy|"),
        ({8, 9}, True, "|ann|bo|", "|bo|cy|"),
        ({9}, True, "", "|cy|ann|"),
    ],
)
def test_a_task_with_a_draft_is_in_the_tab_of_its_author(
    drafters: set[int], shared: bool, tag: str, widened: str
) -> None:
    tasks = Tasks([1], ["a"], [False], overlaps={1: 2} if shared else {})
    people = {"ann": 7, "bo": 8, "cy": 9}
    shards = Shards((*people,), shared, tasks, people, drafters={1: drafters})
    assert shards.widened(1, tag) == widened


def test_drafts_count_for_the_size_of_a_shard() -> None:
    tasks = Tasks([1, 2, 3, 4, 5], [*"abcde"], [False] * 5)
    people = {"ann": 7, "bo": 8}
    shards = Shards((*people,), False, tasks, people, drafters={4: {8}})
    # bo drafts task 4, and holds two more; all others are ann's, whose shard had but one.
    dealt = shards.deal([1, 2, 3, 4], {1: "bo", 2: "ann"}, ["bo", "bo"])
    assert dealt == {"ann": [1, 2, 3], "bo": [4]}


def test_a_draft_of_somebody_who_has_skipped_the_task_keeps_it_from_nobody() -> None:
    people = {"ann": 7, "bo": 8}
    tasks = Tasks([1], ["a"], [False], standing=Standing(work={1: Work(skipped={7})}))
    shards = Shards((*people,), False, tasks, people, drafters={1: {7}})
    assert shards.deal([1], {1: "ann"}) == {"ann": [], "bo": [1]}
    assert shards.widened(1, "ann") == "bo"
