"""A probe of objects gives boxes class vectors, learned from those that overlap labelled ones."""

from __future__ import annotations

import numpy as np

from labelnext import Objects, Pool, probe, rank
from labelnext.acquisition.uncertainty import entropy
from labelnext.ranking.recipe import NOT_TRAINED

LEFT, RIGHT, LOW = [0, 0, 0.4, 0.4], [0.5, 0, 0.9, 0.4], [0, 0.6, 0.4, 1.0]


def made(n_labelled: int = 8, **columns: object) -> Pool:
    """Ten images with two boxes each, of a cat at 0 and a dog at 10; the last has odd ones.

    In labelled images the boxes overlap labelled ones in the other order; a third box in the first
    image overlaps none.
    """
    offsets = np.array([0, *np.arange(3, 22, 2)])
    points = np.array([[0.0], [10.0]] * 10) + np.arange(20)[:, None] / 100
    points[18:] = [[5.0], [np.nan]]
    points = np.insert(points, 2, 6.0, axis=0)
    boxes = np.insert(np.array([LEFT, RIGHT] * 10), 2, LOW, axis=0)
    found = Objects(
        offsets,
        np.full(21, 0.8),
        boxes=boxes,
        embeddings=points,
        class_ids=np.full(21, 1),
        **columns,  # type: ignore[arg-type]
    )
    counts = np.where(np.arange(10) < n_labelled, 2, 0)
    truth = Objects(
        np.concatenate([[0], np.cumsum(counts)]),
        np.ones(counts.sum()),
        boxes=[RIGHT, LEFT] * n_labelled,
        class_ids=[1, 0] * n_labelled,
    )
    labelled = np.arange(10) < n_labelled
    return Pool(range(10), objects=found, truth=truth, labelled=labelled, classes=["cat", "dog"])


def test_boxes_get_class_vectors_from_those_that_overlap_labelled_ones() -> None:
    pool = probe(made())
    (objects,) = pool.object_sets
    vectors = objects.probabilities
    assert vectors is not None
    cats, dogs = [0, *range(3, 19, 2)], [1, *range(4, 19, 2)]
    assert (vectors[cats, 0] > 0.8).all()
    assert (vectors[dogs, 1] > 0.8).all()
    assert objects.class_ids is not None
    assert objects.class_ids[cats].tolist() == [0] * 9
    np.testing.assert_allclose(vectors[20], [0.2, 0.8])  # no embedding: the detector's 0.8 of dog
    assert objects.confidences.tolist() == [0.8] * 21
    (notice,) = [n for n in pool.notices if n.code == "probe"]
    assert "learned classes from 16 objects that overlap a labelled one" in notice.message
    assert "1 object without an embedding kept" in notice.message


def test_images_with_objects_between_the_classes_come_first() -> None:
    pool = probe(made())
    ranking = rank(pool, "entropy", of="objects", reduce="max", no_objects="last")
    assert ranking.item_ids.tolist() == ["9", "8"]
    (objects,) = pool.object_sets
    np.testing.assert_allclose(ranking.scores[0], entropy(objects.probabilities[19:]).max())  # type: ignore[index]


def test_objects_teach_nothing_before_two_of_each_class_are_labelled() -> None:
    pool = probe(made(1))
    assert pool.object_sets[0].probabilities is None
    (notice,) = pool.notices
    assert notice.code == NOT_TRAINED
    assert "the source's predictions count until then" in notice.message
    assert "cat 1, dog 1" in notice.message
