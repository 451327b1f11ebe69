from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import chisquare

from labelnext.errors import InvalidInput
from labelnext.selection import badge
from labelnext.selection.badge import _Gradients
from labelnext.selection.vectors import as_points


def outer_products(probabilities: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The gradient embeddings, written out."""
    residuals = probabilities - np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)]
    return np.einsum("ic,id->icd", residuals, points).reshape(len(points), -1)


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(4), 9), rng.normal(size=(9, 5))


def test_no_items_give_an_empty_order() -> None:
    assert badge(np.empty((0, 2)), np.empty((0, 3)), 2).shape == (0,)


def test_distances_are_those_of_the_outer_products(data: tuple[np.ndarray, np.ndarray]) -> None:
    gradients = _Gradients(data[0], as_points(data[1]))
    expected = cdist(outer_products(*data), outer_products(*data), "sqeuclidean")
    assert gradients.between(np.arange(9)) == pytest.approx(expected, abs=1e-12)
    weights = np.full(9, np.inf)
    gradients.approach(weights, [2, 5])
    assert weights == pytest.approx(expected[:, [2, 5]].min(axis=1), abs=1e-12)


def test_longest_gradient_comes_first(data: tuple[np.ndarray, np.ndarray]) -> None:
    lengths = np.linalg.norm(outer_products(*data), axis=1)
    assert badge(*data, 1).tolist() == [lengths.argmax()]


def test_picks_follow_the_law_of_k_means_plus_plus(data: tuple[np.ndarray, np.ndarray]) -> None:
    # The law of the ordered second and third pick, from the outer products: each drawn in
    # proportion to the squared distance to the nearest one before it.
    distances = cdist(outer_products(*data), outer_products(*data), "sqeuclidean")
    first = int(np.linalg.norm(outer_products(*data), axis=1).argmax())
    law = np.zeros((9, 9))
    for second in range(9):
        p = distances[first, second] / distances[first].sum()
        nearest = np.minimum(distances[first], distances[second])
        law[second] = p * nearest / nearest.sum()
    counts = np.zeros((9, 9))
    for seed in range(2000):
        _, second, third = badge(*data, 3, seed=seed)
        counts[second, third] += 1
    possible = law > 0
    assert counts[~possible].sum() == 0
    assert chisquare(counts[possible], 2000 * law[possible]).pvalue > 0.001


def test_equal_gradients_are_picked_once_before_the_others_follow() -> None:
    probabilities = np.array([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])[[0, 1, 2] * 5]
    points = np.array([[1.0, 2.0], [0.5, 1.0], [2.0, 0.0]])[[0, 1, 2] * 5].astype(np.float32)
    order = badge(probabilities, points, seed=1)
    assert sorted(order) == list(range(15))
    assert set(order[:3] % 3) == {0, 1, 2}


def test_certain_items_have_no_gradient_and_come_in_the_order_given() -> None:
    assert badge(np.eye(3), np.ones((3, 2))).tolist() == [0, 1, 2]


def test_large_pool_gives_distinct_picks() -> None:
    rng = np.random.default_rng(1)
    order = badge(rng.dirichlet(np.ones(3), 3000), rng.normal(size=(3000, 8)), 700)
    assert len(set(order)) == 700


def test_embedding_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InvalidInput, match="embeddings must be finite"):
        badge(np.array([[0.5, 0.5]]), np.array([[np.nan]]))
