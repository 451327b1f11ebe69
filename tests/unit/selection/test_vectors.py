from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_distances, euclidean_distances
from sklearn.preprocessing import StandardScaler

from labelnext.errors import InvalidInput, UnknownName
from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.selection.vectors import Points, Space, squared_distances

ROWS = np.arange(40)


@pytest.fixture(scope="module")
def array() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(40, 6)) * [1, 2, 3, 4, 5, 0] + 7


def space(array: np.ndarray, **options: object) -> np.ndarray:
    return np.asarray(Space(**options).of(array, ROWS, seed=0)(ROWS))


def test_default_space_is_the_array_itself(array: np.ndarray) -> None:
    assert (space(array) == array).all()


def test_no_points_have_no_blocks() -> None:
    assert list(Points(np.empty((0, 3))).blocks()) == []


def test_cosine_orders_pairs_as_the_cosine_distance(array: np.ndarray) -> None:
    ours = euclidean_distances(space(array, distance="cosine")) ** 2
    assert ours == pytest.approx(2 * cosine_distances(array), abs=1e-9)


def test_standardise_is_scikit_learns_and_keeps_a_constant_at_zero(array: np.ndarray) -> None:
    assert space(array, standardise=True) == pytest.approx(StandardScaler().fit_transform(array))


def test_pca_keeps_the_distances_of_scikit_learns(array: np.ndarray) -> None:
    ours = euclidean_distances(space(array, projection="pca", n_components=2))
    assert ours == pytest.approx(euclidean_distances(PCA(2).fit_transform(array)))


def test_random_projection_nearly_keeps_distances_and_follows_the_seed() -> None:
    wide = np.random.default_rng(1).normal(size=(40, 2000))
    options = Space(projection="random", n_components=400)
    made = np.asarray(options.of(wide, ROWS, seed=3)(ROWS))
    assert made.shape == (40, 400)
    ratio = euclidean_distances(made)[0, 1:] / euclidean_distances(wide)[0, 1:]
    assert 0.85 < ratio.min() < ratio.max() < 1.15
    assert (made == np.asarray(options.of(wide, ROWS, seed=3)(ROWS))).all()


def test_zero_vector_stays_zero_under_cosine() -> None:
    made = Space(distance="cosine").of(np.zeros((2, 3)), np.arange(2), seed=0)(np.arange(2))
    assert np.asarray(made).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_float16_is_read_as_float32(array: np.ndarray) -> None:
    points = Points(array.astype(np.float16), np.array([3, 1]))
    assert points.dtype == points[:].dtype == np.float32
    assert points[:] == pytest.approx(array[[3, 1]], rel=1e-3)


def test_run_of_rows_is_a_view(array: np.ndarray) -> None:
    assert np.shares_memory(Points(array, np.arange(4, 30))[:], array)


def test_memory_mapped_array_ranks_as_one_in_memory(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", array.astype(np.float32))
    mapped = np.load(tmp_path / "e.npy", mmap_mode="r")
    first, second = (
        rank(Pool(ROWS, embeddings=e), None, selection="k_center", budget=9).item_ids.tolist()
        for e in (mapped, array.astype(np.float32))
    )
    assert first == second


def test_squared_distances_of_equal_points_are_zero() -> None:
    points = np.random.default_rng(2).normal(size=(50, 300)).astype(np.float32)
    found = squared_distances(points, points)
    assert (np.diagonal(found) == 0).all()
    assert found == pytest.approx(euclidean_distances(points, squared=True), rel=1e-4, abs=1e-2)


def test_rank_measures_distances_in_the_space_of_its_options() -> None:
    points = [[1.0, 0.0], [9.0, 0.5], [0.0, 2.0]]
    pool = Pool(["a", "b", "c"], embeddings=points, labels=[0, -1, -1])
    plain = rank(pool, None, selection="k_center", budget=1)
    angle = rank(pool, None, selection="k_center", budget=1, distance="cosine")
    assert (plain.item_ids.tolist(), angle.item_ids.tolist()) == (["b"], ["c"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance": "manhattan"}, "distance must be one of euclidean, cosine; got 'manhattan'"),
        ({"projection": "tsne"}, "projection must be one of pca, random; got 'tsne'"),
        ({"n_components": 0}, "n_components must be a whole number of at least 1; got 0"),
    ],
)
def test_unknown_space_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Space(**options)


def test_method_without_embeddings_takes_no_distance() -> None:
    pool = Pool(["a"], probabilities=[[0.5, 0.5]])
    with pytest.raises(UnknownName, match="option must be one of"):
        rank(pool, "margin", distance="cosine")
