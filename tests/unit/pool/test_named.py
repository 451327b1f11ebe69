"""Labels by name, and what a pool and objects show of themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import labelnext
from labelnext import Objects, Pool
from labelnext.errors import InvalidInput

ROWS = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]
NAMES = ["cat", "dog"]


@pytest.mark.parametrize(
    "labels",
    [
        ["dog", None, "cat"],
        ["dog", float("nan"), "cat"],
        np.array(["dog", None, "cat"], dtype=object),
        pd.Series(["dog", pd.NA, "cat"], dtype="string"),
        pd.Categorical(["dog", None, "cat"]),
        [1, -1, 0],
        [1, None, 0],
        [1.0, float("nan"), 0.0],
        pd.Series([1, None, 0], dtype="Int64"),
    ],
    ids=["list", "nan", "array", "pandas", "categorical", "positions", "gap", "floats", "Int64"],
)
def test_labels_are_names_or_positions(labels: object) -> None:
    pool = Pool("abc", probabilities=ROWS, classes=NAMES, labels=labels)
    assert pool.labels is not None
    assert pool.labels.tolist() == [1, -1, 0]
    assert pool.labelled.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "labels",
    [[None] * 3, [float("nan")] * 3, pd.Series([None] * 3), pd.Series([pd.NA] * 3, dtype="string")],
    ids=["None", "nan", "pandas", "texts"],
)
def test_a_column_without_any_label_is_one_of_none(labels: object) -> None:
    pool = Pool("abc", probabilities=ROWS, classes=NAMES, labels=labels)
    assert pool.labels is not None
    assert pool.labels.tolist() == [-1, -1, -1]
    assert Pool([], classes=NAMES, labels=[]).labelled.tolist() == []
    with pytest.raises(InvalidInput, match="labels must be whole numbers"):
        Pool("abc", probabilities=ROWS, classes=NAMES, labels=[0.5, 1.0, float("nan")])


def test_names_that_are_digits_are_names_and_numbers_are_positions() -> None:
    for labels, want in ((["0", "1", None], [1, 0, -1]), ([0, 1, -1], [0, 1, -1])):
        pool = Pool("abc", probabilities=ROWS, classes=["1", "0"], labels=labels)
        assert pool.labels is not None
        assert pool.labels.tolist() == want


@pytest.mark.parametrize(
    ("classes", "labels", "want"),
    [
        ([1, 2], [2, 1, -1], [1, 0, -1]),  # a model's classes_ beside its y
        (np.array([10, 20]), np.array([20, -1, 10]), [1, -1, 0]),
        ([10, 20], [1, 0, -1], [1, 0, -1]),  # no names, so positions
        ([0, 1], [1, 0, -1], [1, 0, -1]),
        (np.array([1.0, 2.0]), [2.0, float("nan"), 1.0], [1, -1, 0]),
        (["1", "2"], [1, 0, -1], [1, 0, -1]),  # texts are never numbers
        ([2, 1], ["1", None, "2"], [1, -1, 0]),
    ],
)
def test_numbers_that_name_classes_given_as_numbers_are_names(
    classes: object, labels: object, want: list[int]
) -> None:
    pool = Pool("abc", probabilities=ROWS, classes=classes, labels=labels)
    assert pool.labels is not None
    assert pool.labels.tolist() == want
    votes = np.stack([np.asarray(labels, dtype=object)] * 2, axis=1)
    assert Pool("abc", classes=classes, votes=votes).votes.tolist() == [[n, n] for n in want]


@pytest.mark.parametrize(
    ("classes", "labels", "said"),
    [
        ([1, 2], [1, 1, -1], "1 is the class named 1, or the one at position 1"),
        ([1, 0], [0, 1, -1], "0 is the class named 0, or the one at position 0"),
        ([-1, 1], [-1, 1, 1], "-1 is the class named -1, or no label"),
    ],
)
def test_numbers_that_could_be_names_and_positions_are_asked_about(
    classes: list[int], labels: list[int], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        Pool("abc", probabilities=ROWS, classes=classes, labels=labels)
    assert "for positions, give classes as texts" in str(caught.value.hint)


def test_numbers_beside_names_that_are_neither_names_nor_positions_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"labels must be among the classes 10, 20; got 30\."):
        Pool("abc", classes=[10, 20], labels=[10, 30, -1])
    with pytest.raises(InvalidInput, match="class positions from 0 to 1, or -1 for none; got 30"):
        Pool("abc", classes=[10, 20], labels=[0, 30, -1])


def test_votes_are_names() -> None:
    votes = [["dog", "cat"], [None, "dog"], [None, None]]
    pool = Pool("abc", probabilities=ROWS, classes=NAMES, votes=votes)
    assert pool.votes is not None
    assert pool.votes.tolist() == [[1, 0], [-1, 1], [-1, -1]]


@pytest.mark.parametrize(
    ("labels", "classes", "said"),
    [
        (["dog", "bird", None], NAMES, r"among the classes cat, dog; got 'bird'\. Hint"),
        (["dog", "", None], NAMES, r"got ''\. Hint"),
        (["dog", 1, None], NAMES, r"got 1\. Hint"),
        (["dog", "cat", None], None, "class positions where classes have no names"),
        (["dog", "cat"], NAMES, r"must be of shape \(3,\)"),
    ],
)
def test_a_label_that_is_no_class_is_named(
    labels: object, classes: list[str] | None, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        Pool("abc", probabilities=ROWS, classes=classes, labels=labels)


def test_pools_and_objects_say_in_a_line_what_they_hold() -> None:
    pool = Pool("abc", probabilities=[ROWS, ROWS], labels=[0, -1, -1], embeddings=[[1.0]] * 3)
    assert repr(pool) == (
        "<Pool of 3 items: probabilities of 2 classes, 2 model versions, "
        "embeddings of 1 dimension, 1 labelled>"
    )
    seen = Objects([0, 2, 2, 3], [0.4, 0.9, 0.5])
    assert repr(seen) == "<Objects: 3 objects in 3 items>"
    assert repr(Pool("abc", objects=seen)) == "<Pool of 3 items: 3 objects, 0 labelled>"
    one = Objects([0, 1], [0.4], whole_items=True)
    assert repr(Pool("a", objects=one)) == "<Pool of 1 item: one confidence each, 0 labelled>"


def test_arrays_of_another_kind_get_their_cure() -> None:
    for job in (labelnext.rank, labelnext.review, labelnext.probe):
        with pytest.raises(InvalidInput) as refused:
            job(np.array(ROWS))  # type: ignore[arg-type]
        assert "labelnext.Pool(item_ids, probabilities=…)" in (refused.value.hint or "")
    with pytest.raises(InvalidInput) as refused:
        Pool("ab", probabilities=[[2.0, -1.0], [0.0, 3.0]])
    assert refused.value.hint == "pass logits through a softmax; divide percentages by 100."
    for alone in ([0.2, 0.5], [[0.2], [0.5]]):
        with pytest.raises(InvalidInput) as refused:
            Pool("ab", probabilities=alone)
        assert "np.column_stack([1 - p, p])" in (refused.value.hint or "")
