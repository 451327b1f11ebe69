"""k-means: separated groups by hand, and the quality of scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from labelnext.errors import InvalidInput
from labelnext.selection.clustering import _LEAST, k_means
from labelnext.selection.vectors import Points


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


def blobs(n: int, dtype: type = np.float64) -> np.ndarray:
    rng = np.random.default_rng(4)
    centers = rng.normal(scale=3, size=(12, 6))
    return (centers[rng.integers(12, size=n)] + rng.normal(size=(n, 6))).astype(dtype)


MANY = 2 * _LEAST + 11


@pytest.mark.parametrize("kind", ["one cloud", "blobs"])
def test_inertia_of_many_points_is_that_of_lloyds_algorithm_to_the_end(kind: str) -> None:
    cloud = np.random.default_rng(5).normal(size=(MANY, 6))
    points = blobs(MANY) if kind == "blobs" else cloud
    seeds = range(20)  # each run ends in an optimum of its own
    ours = [inertia(points, *k_means(points, 12, seed=s)) for s in seeds]
    with threadpool_limits(1):  # side by side with other tests, threads wait for one another
        lloyd = [KMeans(12, n_init=1, random_state=s).fit(points).inertia_ for s in seeds]
    assert np.median(ours) < 1.01 * np.median(lloyd)


def test_every_one_of_many_points_has_its_nearest_center() -> None:
    points = blobs(MANY)
    centers, labels = k_means(points, 12)
    distances = ((points[:, None] - centers) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == labels).all()


def test_many_points_far_from_the_origin_are_told_apart() -> None:
    points = blobs(MANY, np.float32)
    near = k_means(points - points.mean(axis=0), 12)[1]
    far = k_means(points + np.float32(2.0**13), 12)[1]
    pairs = np.unique(np.stack([near, far]), axis=1).shape[1]
    assert inertia(points, *_means(points, far)) < 1.01 * inertia(points, *_means(points, near))
    assert pairs >= 12


def _means(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([points[labels == c].mean(axis=0) for c in range(labels.max() + 1)]), labels


def test_many_identical_points_share_one_label() -> None:
    centers, labels = k_means(np.full((MANY, 3), 0.5), 4)
    assert len(set(labels.tolist())) == 1
    assert np.isfinite(centers).all()
    assert centers[labels[0]] == pytest.approx([0.5, 0.5, 0.5])


def test_memory_mapped_and_half_precision_points_are_read(tmp_path) -> None:
    points = blobs(MANY, np.float16)
    np.save(tmp_path / "points.npy", points)
    mapped = np.load(tmp_path / "points.npy", mmap_mode="r")
    expected = k_means(points.astype(np.float32), 12)
    for given in (points, mapped, Points(mapped)):
        centers, labels = k_means(given, 12)
        assert (labels == expected[1]).all()
        assert centers == pytest.approx(expected[0])


def test_chosen_rows_are_clustered_as_if_alone() -> None:
    points = blobs(3 * MANY)
    rows = np.arange(0, 3 * MANY, 3)
    expected = k_means(points[rows], 12)
    assert (k_means(Points(points, rows), 12)[1] == expected[1]).all()
