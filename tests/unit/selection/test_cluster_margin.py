from __future__ import annotations

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.selection import cluster_margin


def test_no_items_give_an_empty_order() -> None:
    assert cluster_margin(np.empty(0), np.empty((0, 2)), 3).shape == (0,)


def test_rounds_go_from_the_smallest_cluster_and_take_the_best_of_each() -> None:
    # Clusters {0, 1, 2, 3}, {4, 5} and {6}; the last item is too certain to be looked at.
    points = np.array([[0.0], [0.1], [0.2], [0.3], [50.0], [50.1], [90.0], [200.0]])
    utilities = np.array([0.9, 0.8, 0.95, 0.7, 0.5, 0.6, 0.4, 0.1])
    order = cluster_margin(utilities, points, 3, n_clusters=3, pool_factor=7 / 3)
    assert order.tolist() == [6, 5, 2]
    # A second round: 4 of the middle cluster, then the next best of the large one.
    order = cluster_margin(utilities, points, 5, n_clusters=3, pool_factor=7 / 5)
    assert order.tolist() == [6, 5, 2, 4, 0]


def test_all_picks_are_among_the_best_scores() -> None:
    rng = np.random.default_rng(0)
    utilities = rng.random(500)
    order = cluster_margin(utilities, rng.normal(size=(500, 3)), 20, pool_factor=4)
    assert set(order) <= set(np.argsort(-utilities)[:80])
    assert len(set(order)) == 20


def test_factor_of_one_is_top_k_as_a_set() -> None:
    rng = np.random.default_rng(1)
    utilities = rng.random(50)
    order = cluster_margin(utilities, rng.normal(size=(50, 3)), 9, pool_factor=1)
    assert set(order) == set(np.argsort(-utilities)[:9])


def test_duplicates_of_the_best_item_do_not_fill_the_batch() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate([np.zeros((30, 2)), rng.normal(size=(60, 2)) * 5 + 20])
    utilities = np.concatenate([np.full(30, 0.99), rng.random(60) * 0.9])
    order = cluster_margin(utilities, points, 10, pool_factor=9)
    assert (order < 30).sum() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [({"pool_factor": 0.5}, "pool_factor must be at least 1"), ({"n_clusters": 0}, "n_clusters")],
)
def test_impossible_option_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        cluster_margin(np.ones(3), np.ones((3, 2)), 1, **options)
