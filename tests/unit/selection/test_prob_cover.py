from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from labelnext.errors import InvalidInput
from labelnext.selection import prob_cover
from labelnext.selection.clustering import k_means
from labelnext.selection.prob_cover import _pure_radius
from labelnext.selection.vectors import as_points

NONE = np.empty((0, 2))


def plain_greedy(near: np.ndarray, covered: np.ndarray, budget: int) -> list[int]:
    """The dense graph, counted anew for each pick."""
    picks: list[int] = []
    while len(picks) < budget and not covered.all():
        gains = near[:, ~covered].sum(axis=1)
        picks.append(int(gains.argmax()))
        covered = covered | near[picks[-1]]
    return picks


def test_no_items_give_an_empty_order() -> None:
    assert prob_cover(NONE, NONE, 2, n_clusters=2).shape == (0,)


def test_border_counts_and_the_covered_follow_by_their_neighbours() -> None:
    points = np.array([[0.0], [1.0], [2.0], [9.0], [9.5]])
    # Within 1: three of item 1, two of 0, 2, 3 and 4.
    order = prob_cover(points, np.empty((0, 1)), n_clusters=2, radius=1.0)
    assert order.tolist() == [1, 3, 0, 2, 4]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_given", [0, 9])
def test_order_is_that_of_plain_greedy(seed: int, n_given: int) -> None:
    rng = np.random.default_rng(seed)
    points, given = rng.normal(size=(200, 2)), rng.normal(size=(n_given, 2))
    near = cdist(points, points) <= 0.4
    covered = (cdist(points, given) <= 0.4).any(axis=1)
    expected = plain_greedy(near, covered, 25)
    order = prob_cover(points, given, 25, n_clusters=3, radius=0.4).tolist()
    assert order[: len(expected)] == expected


@pytest.mark.parametrize("seed", range(3))
def test_cover_is_within_the_bound_of_the_exhaustive_optimum(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(14, 2))
    near = cdist(points, points) <= 0.6
    best = max(near[list(b)].any(axis=0).sum() for b in itertools.combinations(range(14), 3))
    order = prob_cover(points, NONE, 3, n_clusters=2, radius=0.6)
    assert near[order].any(axis=0).sum() >= (1 - 1 / np.e) * best


def test_default_radius_is_the_largest_of_the_stated_purity() -> None:
    points = np.random.default_rng(3).normal(size=(300, 2))
    _, labels = k_means(points, 4, seed=5)
    distances, foreign = cdist(points, points), labels[:, None] != labels

    def purity(radius: float) -> float:
        return 1 - (foreign & (distances <= radius)).any(axis=1).mean()

    radius = _pure_radius(as_points(points), 4, 0.9, seed=5)
    assert purity(radius) >= 0.9
    assert purity(radius * 1.001) < 0.9


def test_one_cluster_has_every_radius_and_one_pick_covers_all() -> None:
    points = np.random.default_rng(4).normal(size=(20, 2))
    assert len(prob_cover(points, NONE, 5, n_clusters=1)) == 5


def test_identical_items_are_all_ranked() -> None:
    assert sorted(prob_cover(np.ones((5, 2)), NONE, n_clusters=2)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("options", [{"radius": 0.0}, {"purity": 1.0}, {"purity": 0.0}])
def test_impossible_option_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="must be"):
        prob_cover(np.ones((2, 2)), NONE, 1, n_clusters=1, **options)
