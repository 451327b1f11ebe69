from __future__ import annotations

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Notice, Objects, Pool
from labelnext.pool.join import join_predictions


def test_join_follows_the_ids_and_counts_what_is_left_over() -> None:
    pool = Pool(["a", "b", "c"], classes=["x", "y"])
    side = Pool(["c", "a", "z"], probabilities=[[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]])
    joined = join_predictions(pool, side)
    assert joined.probabilities[[0, 2]].tolist() == [[0.8, 0.2], [0.1, 0.9]]
    assert joined.missing.tolist() == [False, True, False]
    assert [(n.code, n.item_ids) for n in joined.notices] == [("side_file_extra", ("z",))]


def test_join_puts_columns_where_their_classes_stand() -> None:
    pool = Pool(["a"], classes=["x", "y", "z"])
    side = Pool(["a"], probabilities=[[0.9, 0.1]], classes=["z", "x"])
    assert join_predictions(pool, side).probabilities.tolist() == [[0.1, 0.0, 0.9]]


def test_join_of_objects_renames_their_classes() -> None:
    pool = Pool(["a", "b", "c"], classes=["x", "y"], labelled=[False, False, True])
    objects = Objects([0, 1, 3], [0.5, 0.6, 0.7], class_ids=[0, 1, -1])
    joined = join_predictions(pool, Pool(["c", "a"], objects=objects, classes=["y", "x"]))
    assert joined.objects.counts.tolist() == [2, 0, 1]
    assert joined.objects.confidences.tolist() == [0.6, 0.7, 0.5]
    assert joined.objects.class_ids.tolist() == [0, -1, 1]
    assert joined.missing.tolist() == [False, True, False]
    assert joined.labelled.tolist() == [False, False, True]


def test_join_takes_the_names_of_the_versions_with_their_predictions() -> None:
    pool = Pool(["a"], probabilities=[[0.5, 0.5]], versions=["stored"])
    side = Pool(["a"], probabilities=np.full((2, 1, 2), 0.5))
    assert join_predictions(pool, side).version_names == ("1", "2")
    assert join_predictions(pool, Pool(["a"], embeddings=[[1.0]])).versions == ("stored",)


def test_join_of_embeddings_alone_keeps_the_predictions() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.5, 0.5], [1, 0]])
    joined = join_predictions(pool, Pool(["b"], embeddings=[[1.0, 2.0]]))
    assert joined.probabilities.tolist() == [[0.5, 0.5], [1, 0]]
    assert np.isnan(joined.embeddings[0]).all()
    assert joined.embeddings[1].tolist() == [1, 2]
    assert not joined.missing.any()


def test_join_without_a_common_id_is_refused_with_examples() -> None:
    with pytest.raises(InvalidInput, match=r"got no common id: 1.jpg in the file, 7 in the sou"):
        join_predictions(Pool(["7"]), Pool(["1.jpg"], probabilities=[[1.0]]))


def test_join_with_a_strange_class_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must be among x; got y"):
        join_predictions(
            Pool(["a"], classes=["x"]), Pool(["a"], probabilities=[[1.0]], classes=["y"])
        )


def test_join_of_an_empty_file_leaves_every_item_missing() -> None:
    side = Pool([], probabilities=np.empty((0, 2)), objects=Objects([0], []))
    joined = join_predictions(Pool(["a"]), side)
    assert joined.missing.tolist() == [True]
    assert joined.objects.counts.tolist() == [0]


def test_join_leaves_out_what_was_said_of_the_predictions_that_it_replaces() -> None:
    bare = Notice("left_out", "Left out 1 value of label.", ("b",), column="label")
    unread = Notice("left_out", "Left out 1 prediction.", ("a",), column="probabilities")
    nan = float("nan")
    pool = Pool(["a", "b"], probabilities=[[nan, nan], [0.5, 0.5]], notices=[bare, unread])
    side = Pool(["a", "b"], probabilities=[[0.2, 0.8], [nan, nan]])
    gap = "No score for 1 item without all probabilities: b."
    assert [n.message for n in join_predictions(pool, side).notices] == [bare.message, gap]
    vectors = Pool(["a", "b"], embeddings=np.eye(2))
    assert join_predictions(pool, vectors).notices == pool.notices


def test_join_of_numbers_takes_them_with_their_confidences() -> None:
    def of_numbers(ids: str, numbers: list[float], sure: list[float]) -> Pool:
        answers = Objects(range(len(ids) + 1), sure, whole_items=True)
        return Pool(ids, estimates=numbers, objects=answers)

    joined = join_predictions(
        of_numbers("ab", [1, 2], [0.5, 0.6]), of_numbers("ba", [4, 3], [1, 0])
    )
    assert joined.estimates.tolist() == [3, 4]
    assert joined.answer.confidences.tolist() == [0, 1]
    classes = Pool(["a"], probabilities=[[0.5, 0.5]])
    assert join_predictions(of_numbers("a", [1], [0.5]), classes).estimates is None
