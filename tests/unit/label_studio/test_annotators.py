"""A batch dealt among annotators: whole, disjoint, even and stable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labelnext_adapters.label_studio.server.tags import owners, tag_of
from labelnext_adapters.label_studio.write.annotators import deal, shard_names


def test_no_task_is_dealt_to_anybody() -> None:
    assert deal([], ["1", "2"], {}) == {"1": [], "2": []}


def test_tasks_are_dealt_in_turns() -> None:
    assert deal([5, 4, 3, 2, 1], ["a", "b"], {}) == {"a": [5, 3, 1], "b": [4, 2]}


def test_a_task_stays_where_it_was() -> None:
    assert deal([4, 3, 2, 1], ["a", "b"], {4: "b", 3: "b"}) == {"a": [2, 1], "b": [4, 3]}


def test_too_many_in_one_shard_are_moved_from_the_end() -> None:
    before = {4: "a", 3: "a", 2: "a", 1: "a"}
    assert deal([4, 3, 2, 1], ["a", "b"], before) == {"a": [4, 3], "b": [2, 1]}


def test_the_tag_of_somebody_who_left_is_dealt_anew() -> None:
    assert deal([2, 1], ["a", "b"], {2: "c", 1: "a"}) == {"a": [1], "b": [2]}


def test_tags_are_numbers_or_names() -> None:
    assert shard_names(3) == ("1", "2", "3")
    assert shard_names(["ann"]) == ("ann",)


@given(
    st.lists(st.integers(1, 60), unique=True),
    st.integers(1, 7),
    st.dictionaries(st.integers(1, 60), st.sampled_from("1234567x")),
)
def test_shards_are_whole_disjoint_even_and_stable(
    task_ids: list[int], n: int, before: dict[int, str]
) -> None:
    shards = deal(task_ids, shard_names(n), before)
    assert sorted(t for tasks in shards.values() for t in tasks) == sorted(task_ids)
    sizes = [len(tasks) for tasks in shards.values()]
    assert max(sizes) - min(sizes) <= 1
    again = {t: name for name, tasks in shards.items() for t in tasks}
    assert deal(task_ids, shard_names(n), again) == shards


@given(
    st.lists(st.integers(1, 40), unique=True),
    st.integers(1, 5),
    st.dictionaries(st.integers(1, 40), st.integers(0, 3)),
    st.dictionaries(st.integers(1, 40), st.sets(st.sampled_from("12345"))),
)
def test_a_task_is_in_as_many_shards_as_it_needs_and_in_none_that_is_barred(
    task_ids: list[int], n: int, needs: dict[int, int], barred: dict[int, set[str]]
) -> None:
    names = shard_names(n)
    shards = deal(task_ids, names, {}, needs=needs, barred=barred)
    for task in task_ids:
        able = {*names} - barred.get(task, set())
        having = {name for name, tasks in shards.items() if task in tasks}
        assert having <= able
        assert len(having) == min(needs.get(task, 1), len(able))
    again = {t: tag_of([n for n in names if t in shards[n]] or [""], shared=True) for t in task_ids}
    if not barred:
        assert deal(task_ids, names, again, needs=needs) == shards


def test_a_tag_of_several_names_is_read_back() -> None:
    assert owners(tag_of(["ann", "bo"], shared=True)) == ("ann", "bo")
    assert owners(tag_of(["ann"], shared=True)) == ("ann",)
    assert (owners(None), owners("|"), owners(7)) == ((), ("|",), ())
