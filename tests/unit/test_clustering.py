"""k-means: separated groups by hand, and the quality of scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.selection.clustering import k_means


def inertia(points: np.ndarray, centers: np.ndarray, labels: np.ndarray) -> float:
    return float(((points - centers[labels]) ** 2).sum())


def test_no_points_are_refused() -> None:
    with pytest.raises(InvalidInput, match="points must hold at least one row"):
        k_means(np.empty((0, 3)), 2)


def test_no_clusters_are_refused() -> None:
    with pytest.raises(InvalidInput, match="n_clusters must be at least 1; got 0"):
        k_means(np.ones((3, 2)), 0)


def test_separated_groups_are_found_with_their_means() -> None:
    points = np.array([[0.0, 0], [0, 2], [10, 0], [10, 2], [0, 20], [0, 22]])
    centers, labels = k_means(points, 3, seed=1)
    assert sorted(centers.tolist()) == [[0, 1], [0, 21], [10, 1]]
    assert centers[labels].tolist() == [[0, 1], [0, 1], [10, 1], [10, 1], [0, 21], [0, 21]]


def test_one_cluster_has_the_mean_of_all() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    centers, labels = k_means(points, 1)
    assert centers[0] == pytest.approx(points.mean(axis=0))
    assert not labels.any()


@pytest.mark.parametrize("k", [5, 9])
def test_as_many_clusters_as_points_put_each_point_alone(k: int) -> None:
    points = np.arange(10.0).reshape(5, 2)
    centers, labels = k_means(points, k)
    assert centers.shape == (5, 2)
    assert sorted(labels.tolist()) == [0, 1, 2, 3, 4]
    assert centers[labels] == pytest.approx(points)


def test_identical_points_share_one_label() -> None:
    centers, labels = k_means(np.full((20, 3), 0.5), 4)
    assert len(set(labels.tolist())) == 1
    assert np.isfinite(centers).all()


def test_same_seed_gives_the_same_clusters() -> None:
    points = np.random.default_rng(2).normal(size=(300, 8))
    first, second = (k_means(points, 7, seed=3) for _ in range(2))
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()
