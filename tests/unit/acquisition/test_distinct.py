"""Suppression of objects that look alike, by hand and against a loop."""

from __future__ import annotations

import numpy as np
import pytest

from labelnext.acquisition import distinct_entropy, get_acquisition
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank

LN2 = float(np.log(2))


def binary(s: float) -> float:
    return float(-s * np.log(s) - (1 - s) * np.log(1 - s))


def test_no_items_have_no_scores() -> None:
    assert distinct_entropy(Objects([0], [], embeddings=[])).shape == (0,)


def test_the_more_uncertain_of_two_alike_stays() -> None:
    objects = Objects([0, 2], [0.9, 0.5], embeddings=[[1, 0], [1, 0.1]])
    assert distinct_entropy(objects) == pytest.approx([LN2])


def test_objects_that_differ_all_count() -> None:
    objects = Objects([0, 2], [0.9, 0.5], embeddings=[[1, 0], [0, 1]])
    assert distinct_entropy(objects) == pytest.approx([LN2 + binary(0.9)])


def test_objects_of_other_classes_and_images_do_not_suppress() -> None:
    same = [[1, 0]] * 3
    objects = Objects([0, 2, 3], [0.5, 0.5, 0.5], class_ids=[0, 1, 0], embeddings=same)
    assert distinct_entropy(objects) == pytest.approx([2 * LN2, LN2])


def test_object_below_the_floor_neither_counts_nor_suppresses() -> None:
    objects = Objects([0, 2], [0.4, 0.9], embeddings=[[1, 0], [1, 0]])
    assert distinct_entropy(objects, floor=0.5) == pytest.approx([binary(0.9)])


def test_suppressed_object_does_not_suppress_others() -> None:
    # 45 degrees apart each: the middle one is like both, its neighbours are not alike.
    turned = [[1, 0], [1, 1], [0, 1]]
    objects = Objects([0, 3], [0.5, 0.6, 0.7], embeddings=turned)
    assert distinct_entropy(objects) == pytest.approx([LN2 + binary(0.7)])


def test_similarity_of_one_keeps_everything_but_what_is_asked_is_checked() -> None:
    objects = Objects([0, 2], [0.5, 0.5], embeddings=[[1, 0], [1, 0]])
    assert distinct_entropy(objects, similarity=1) == pytest.approx([2 * LN2])
    with pytest.raises(InvalidInput, match="similarity must be in"):
        distinct_entropy(objects, similarity=1.5)
    with pytest.raises(InvalidInput, match="must have embeddings"):
        distinct_entropy(Objects([0, 1], [0.5]))


def test_image_of_many_twins_comes_after_one_of_different_objects() -> None:
    points = [[1, 0]] * 3 + [[1, 0], [0, 1]]
    pool = Pool(["twins", "pair"], objects=Objects([0, 3, 5], [0.5] * 5, embeddings=points))
    assert rank(pool, "entropy", of="objects", reduce="sum").item_ids.tolist() == ["twins", "pair"]
    assert rank(pool, "distinct_entropy").item_ids.tolist() == ["pair", "twins"]
    bare = Pool(["a"], objects=Objects([0, 1], [0.5]))
    assert "needs an embedding" in get_acquisition("distinct_entropy").obstacle(bare)
