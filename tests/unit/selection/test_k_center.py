from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from skactiveml.pool import CoreSet
from skactiveml.utils import MISSING_LABEL

from labelnext.errors import InvalidInput
from labelnext.selection import k_center

NONE = np.empty((0, 1))


def brute_force(points: np.ndarray, given: np.ndarray, budget: int) -> list[int]:
    """All distances, every time."""
    picks: list[int] = []
    if not len(given):
        picks.append(int(cdist(points, points.mean(0)[None]).argmin()))
    while len(picks) < budget:
        nearest = cdist(points, np.concatenate([given, points[picks]])).min(axis=1)
        nearest[picks] = -1
        picks.append(int(nearest.argmax()))
    return picks


def test_no_items_give_an_empty_order() -> None:
    assert k_center(np.empty((0, 1)), NONE, 3).shape == (0,)


def test_first_pick_without_labels_is_nearest_to_the_mean() -> None:
    # The mean of 0, 1, 2, 9 is 3: nearest is 2; farthest from 2 is 9, then 0 (2 away), then 1.
    assert k_center(np.array([[0.0], [1.0], [2.0], [9.0]]), NONE).tolist() == [2, 3, 0, 1]


def test_labelled_items_are_given_centres() -> None:
    points = np.array([[0.0], [4.0], [10.0]])
    assert k_center(points, np.array([[10.0], [9.0]]), 2).tolist() == [0, 1]


def test_ties_go_to_the_earlier_item() -> None:
    points = np.array([[-1.0], [1.0], [1.0], [-1.0]])
    assert k_center(points, np.array([[0.0]])).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("n_given", [0, 1, 30])
@pytest.mark.parametrize("kind", ["random", "clustered", "grid"])
def test_order_is_that_of_brute_force(kind: str, n_given: int) -> None:
    rng = np.random.default_rng(n_given)
    points = rng.normal(size=(300, 5))
    if kind == "clustered":
        points = points * 0.1 + rng.normal(size=(6, 5))[rng.integers(0, 6, 300)] * 5
    if kind == "grid":  # ties and duplicates by the dozen, all exact
        points = rng.integers(0, 3, size=(300, 5)).astype(float)
    given = points[:n_given] + (0 if kind == "grid" else 0.01)
    budget = 60
    assert k_center(points, given, budget).tolist() == brute_force(points, given, budget)


def test_large_pool_is_exact_beyond_one_window() -> None:
    points = np.random.default_rng(3).normal(size=(9000, 8))
    assert k_center(points, np.empty((0, 8)), 120).tolist() == brute_force(
        points, np.empty((0, 8)), 120
    )


def test_order_is_that_of_scikit_activeml() -> None:
    points = np.random.default_rng(4).normal(size=(200, 6))
    labels = np.full(200, MISSING_LABEL)
    labels[:3] = 0
    theirs = CoreSet(random_state=0).query(points, labels, batch_size=25)
    assert (k_center(points[3:], points[:3], 25) + 3).tolist() == theirs.tolist()


def test_duplicates_come_last_in_the_order_given() -> None:
    points = np.repeat([[0.3, 0.1], [5.0, 5.1], [0.3, 0.1]], [200, 200, 200], axis=0)
    order = k_center(points.astype(np.float32), np.empty((0, 2)))
    assert set(order[:2] // 200) in ({0, 1}, {1, 2})
    rest = order[2:].tolist()
    assert rest == sorted(rest)


def test_points_far_from_zero_keep_their_distances_in_float32() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(size=(400, 16))
    far = (points + 1000).astype(np.float32)
    given = far[:1]
    assert k_center(far, given, 20).tolist() == brute_force(far.astype(float), given, 20)


def test_budget_beyond_the_pool_gives_every_item_once() -> None:
    points = np.random.default_rng(6).normal(size=(40, 3))
    assert sorted(k_center(points, points[:0], 100)) == list(range(40))


def test_embedding_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InvalidInput, match="embeddings must be finite"):
        k_center(np.array([[np.nan]]), NONE)
