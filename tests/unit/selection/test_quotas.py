from __future__ import annotations

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.selection.quotas import Even, shared

# Predicted: 5 cats, 3 dogs, 1 owl, from the most doubtful to the least, and one item without.
NAMES = ["cat", "cat", "cat", "cat", "cat", "dog", "dog", "dog", "owl"]
CLASSES = ["cat", "dog", "owl", "yak"]
P = np.full((10, 4), 0.1)
for _row, _name in enumerate(NAMES):
    P[_row, CLASSES.index(_name)] = 0.7
P[9] = np.nan
POOL = Pool(
    "abcdefghij",
    probabilities=P,
    classes=CLASSES,
    missing=np.arange(10) == 9,
    groups=[*"xxxyyyyzz", ""],
    metadata={"city": [*["Oslo"] * 4, "Rome", *[None] * 5]},
    costs=np.ones(10),
)


def batch(budget: int | None, **options: object) -> str:
    return "".join(rank(POOL, "margin", budget=budget, **options).item_ids.tolist())


@pytest.mark.parametrize(
    ("how", "counts", "budget", "expected"),
    [
        ("uniform", {}, 5, {}),
        ("uniform", {"b": 9, "a": 9}, 5, {"a": 3, "b": 2}),
        ("uniform", {"a": 1, "b": 9, "c": 9}, 8, {"a": 1, "b": 4, "c": 3}),
        ("uniform", {"a": 1, "b": 2, "c": 9}, 99, {"a": 1, "b": 2, "c": 9}),
        ("uniform", {"a": 5, "b": 0}, 4, {"a": 4, "b": 0}),
        ("uniform", {"a": 5, "b": 5, "c": 5}, 2, {"a": 1, "b": 1, "c": 0}),
        ("uniform", {"": 7, "a": 5}, 6, {"a": 5}),
        ("input", {}, 5, {}),
        ("input", {"a": 0}, 5, {"a": 0}),
        ("input", {"a": 50, "b": 30, "c": 20}, 10, {"a": 5, "b": 3, "c": 2}),
        # 5.5, 3.3 and 2.2: the rest goes to the largest remainder.
        ("input", {"a": 50, "b": 30, "c": 20}, 11, {"a": 6, "b": 3, "c": 2}),
        ("input", {"b": 1, "a": 1}, 1, {"a": 1, "b": 0}),
        ("input", {"a": 2, "b": 1}, 99, {"a": 2, "b": 1}),
    ],
)
def test_shares_are_those_of_the_hand(
    how: Even, counts: dict[str, int], budget: int, expected: dict[str, int]
) -> None:
    assert shared(how, counts, budget) == expected


def test_uniform_takes_as_many_of_each_class_as_there_are() -> None:
    assert sorted(batch(3, quota="uniform")) == ["a", "f", "i"]
    assert sorted(batch(6, quota="uniform")) == ["a", "b", "c", "f", "g", "i"]
    assert len(batch(99, quota="uniform")) == 9


def test_input_keeps_the_shares_of_what_can_be_chosen() -> None:
    assert sorted(batch(3, quota="input")) == ["a", "b", "f"]  # 1.67, 1 and 0.33
    # 0.6, 1.8 and 0.6: two dogs, and of cat and owl the first name
    assert sorted(batch(3, quota="input", exclude=["a", "b", "c", "d"])) == ["e", "f", "g"]


def test_groups_have_shares_too() -> None:
    assert sorted(batch(3, quota="uniform", quota_of="group")) == ["a", "d", "h"]


@pytest.mark.parametrize(
    ("quota", "expected"), [("uniform", "ad"), ("input", "ad"), ({"dog": 2}, "de")]
)
def test_images_without_objects_have_no_class(quota: object, expected: str) -> None:
    found = Objects([0, 1, 1, 1, 2, 3], [0.9, 0.6, 0.7], class_ids=[0, 1, 1])
    pool = Pool("abcde", objects=found, classes=["cat", "dog"])
    ranking = rank(pool, "least_confidence", budget=2, quota=quota, no_objects="last")
    assert sorted(ranking.item_ids) == [*expected]


def test_metadata_have_shares_and_what_is_missing_is_a_value() -> None:
    # Oslo a b c d, Rome e, and f to i without a city (j has no prediction): two, one and two.
    assert sorted(batch(5, quota="uniform", quota_of="city")) == ["a", "b", "e", "f", "g"]
    # 4/3, 1/3 and 4/3: the rest goes to the first name, which is the empty one.
    assert sorted(batch(3, quota="input", quota_of="city")) == ["a", "f", "g"]
    # Two of Rome are wanted, and one place is left for all others.
    ranking = rank(POOL, "margin", budget=3, quota={"Rome": 2}, quota_of="city")
    assert sorted(ranking.item_ids) == ["a", "e"]
    assert [n.message for n in ranking.notices if n.code == "quota"] == [
        "Quota not met for city Rome 1 of 2: no more items fit."
    ]
    assert sorted(batch(2, quota={"": 1, "Rome": 1}, quota_of="city")) == ["e", "f"]


def test_an_item_comes_in_where_every_quota_has_room() -> None:
    # By margin a to i, j without a class. Two of Oslo: a, b. Rome: e. The last place is for no
    # city; f is a dog, as is wanted.
    quota = {"class": {"cat": 3, "dog": 1}, "city": {"Oslo": 2, "Rome": 1, "": 1}}
    assert sorted(batch(4, quota=quota)) == ["a", "b", "e", "f"]
    # One of each class and of each group: a is cat and x; d, e are cats, f is dog and y; i, owl.
    assert sorted(batch(3, quota={"class": "uniform", "group": "uniform"})) == ["a", "f", "i"]


def test_a_quota_of_what_no_item_has_says_so() -> None:
    ranking = rank(POOL, "margin", budget=2, quota={"city": {"Olso": 1}})
    assert ranking.notices[-1].message == (
        "Quota not met for city Olso 0 of 1 (no item has it): no more items fit."
    )


def test_of_several_quotas_the_one_above_the_budget_is_named() -> None:
    with pytest.raises(InvalidInput, match="quota of city must sum to at most the budget of 2"):
        rank(POOL, "margin", budget=2, quota={"class": {"cat": 1}, "city": {"Oslo": 3}})


def test_a_quota_that_another_one_blocks_is_named() -> None:
    # All dogs are without a city, of which none may come in.
    quota = {"class": {"dog": 1, "cat": 1}, "city": {"": 0}}
    ranking = rank(POOL, "margin", budget=2, quota=quota)
    assert ranking.item_ids.tolist() == ["a"]
    assert ranking.notices[-1].message == "Quota not met for dog 0 of 1: no more items fit."


def test_included_items_are_part_of_their_share() -> None:
    assert sorted(batch(3, quota="uniform", include=["e"])) == ["e", "f", "i"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quota": "even"}, "quota must be .*'uniform'.*'input'.*got 'even'"),
        ({"quota": "uniform"}, "budget must be given for a quota of shares"),
        ({"quota": "input", "budget": 3, "budget_in": "cost"}, "quota must be numbers by name"),
        ({"quota": {"town": {"Oslo": 1}}}, "must be of one of class, group, city; got 'town'"),
        ({"quota": {"class": "input", "cat": 3}}, "got numbers for cat among quotas"),
        ({"quota": {"class": "input"}, "quota_of": "city"}, "quota_of must be left out where"),
    ],
)
def test_shares_of_nothing_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rank(POOL, "margin", **options)
