from __future__ import annotations

import numpy as np
import pytest

from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.selection import image_diversity
from labelnext.selection.clustering import k_means


def test_order_of_no_items_is_empty() -> None:
    assert image_diversity(np.empty((0, 3)), n_clusters=2).shape == (0,)


def test_rounds_take_the_closest_of_each_cluster_the_larger_first() -> None:
    # Two clusters far apart: {0, 1, 2} around 1.0 and {3, 4} around 10.1.
    points = np.array([[0.9], [1.0], [1.3], [10.0], [10.2]])
    # centroids 1.0667 and 10.1: cluster one closest first: 1 (.067), 0 (.167), 2 (.233);
    # cluster two is tied: 3 before 4. Larger cluster first in each round.
    assert image_diversity(points, n_clusters=2).tolist() == [1, 3, 0, 4, 2]


def test_every_item_gets_one_position() -> None:
    points = np.random.default_rng(0).normal(size=(60, 5))
    assert sorted(image_diversity(points, n_clusters=7)) == list(range(60))


def test_rounds_hold_one_item_of_each_cluster_as_in_the_seed() -> None:
    points = np.random.default_rng(1).normal(size=(80, 4))
    order = image_diversity(points, n_clusters=6, seed=2)
    centers, labels = k_means(points, 6, seed=2)
    lists = []
    for c in range(6):
        members = np.flatnonzero(labels == c)
        gap = np.linalg.norm(points[members] - centers[c], axis=1)
        lists.append(members[np.argsort(gap)].tolist())
    start = 0
    for t in range(max(map(len, lists))):
        expected = {members[t] for members in lists if t < len(members)}
        assert set(order[start : start + len(expected)].tolist()) == expected
        start += len(expected)


def test_identical_embeddings_come_in_the_order_given() -> None:
    assert image_diversity(np.ones((4, 2)), n_clusters=3).tolist()[0] == 0
    assert sorted(image_diversity(np.ones((4, 2)), n_clusters=3)) == [0, 1, 2, 3]


def test_more_clusters_than_items_warn() -> None:
    with pytest.warns(LabelnextWarning, match="Reduced n_clusters from 9 to 2"):
        assert len(image_diversity(np.array([[0.0], [1.0]]), n_clusters=9)) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embedding_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        image_diversity(np.array([[value]]), n_clusters=1)


def test_no_clusters_are_refused() -> None:
    with pytest.raises(InvalidInput, match="n_clusters must be at least 1"):
        image_diversity(np.ones((2, 2)), n_clusters=0)
