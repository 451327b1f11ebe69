from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from labelnext.errors import InvalidInput
from labelnext.selection import k_center, weighted


def brute_force(
    utilities: np.ndarray, points: np.ndarray, given: np.ndarray, budget: int, s: float, t: float
) -> list[int]:
    """Priority by counting, all distances, every time."""
    priorities = np.array([(utilities <= u).mean() for u in utilities])
    picks = [] if len(given) else [int(utilities.argmax())]
    while len(picks) < budget:
        nearest = cdist(points, np.concatenate([given, points[picks]])).min(axis=1)
        values = priorities**s * nearest**t
        values[picks] = -1
        picks.append(int(values.argmax()))
    return picks


def test_no_items_give_an_empty_order() -> None:
    assert weighted(np.empty(0), np.empty((0, 2)), np.empty((0, 2))).shape == (0,)


def test_product_of_priority_and_distance_decides() -> None:
    # Priorities 1/3, 2/3, 1; distances to the labelled 0: 6, 2, 1; products 2, 4/3, 1.
    points, utilities = np.array([[6.0], [2.0], [1.0]]), np.array([0.1, 0.2, 0.3])
    assert weighted(utilities, points, np.zeros((1, 1)), 1).tolist() == [0]
    # With the score squared: 2/3, 8/9, 1.
    order = weighted(utilities, points, np.zeros((1, 1)), 1, score_strength=2.0)
    assert order.tolist() == [2]


@pytest.mark.parametrize(("s", "t"), [(1.0, 1.0), (2.0, 0.5), (0.3, 2.0)])
@pytest.mark.parametrize("n_given", [0, 12])
def test_order_is_that_of_brute_force(s: float, t: float, n_given: int) -> None:
    rng = np.random.default_rng(n_given)
    points, utilities = rng.normal(size=(300, 4)), rng.random(300)
    given = rng.normal(size=(n_given, 4))
    order = weighted(utilities, points, given, 50, score_strength=s, distance_strength=t)
    assert order.tolist() == brute_force(utilities, points, given, 50, s, t)


def test_no_strength_of_the_score_is_k_center() -> None:
    rng = np.random.default_rng(1)
    points, given = rng.normal(size=(100, 3)), rng.normal(size=(4, 3))
    order = weighted(rng.random(100), points, given, 30, score_strength=0.0)
    assert order.tolist() == k_center(points, given, 30).tolist()


@pytest.mark.parametrize("score_strength", [0.5, 1.0, 3.0])
def test_copies_of_what_is_labelled_follow_by_score(score_strength: float) -> None:
    points, utilities = np.array([[1.0], [1.0], [4.0], [1.0]]), np.array([0.1, 0.3, 0.05, 0.2])
    order = weighted(utilities, points, np.ones((1, 1)), score_strength=score_strength)
    assert order.tolist() == [2, 1, 3, 0]


def test_scale_of_score_and_distance_plays_no_part() -> None:
    rng = np.random.default_rng(2)
    points, utilities = rng.normal(size=(100, 3)), rng.random(100)
    plain = weighted(utilities, points, points[:0], 30)
    assert weighted(np.exp(9 * utilities), points * 64, points[:0], 30).tolist() == plain.tolist()


def test_infinite_utilities_are_the_first_and_the_last_priority() -> None:
    points = np.array([[0.0], [1.0], [2.0]])
    order = weighted(np.array([-np.inf, np.inf, 0.0]), points, np.empty((0, 1)))
    assert order[0] == 1


@pytest.mark.parametrize("ratio", [30, 200, 3000])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_priorities_count_whatever_their_power(ratio: int, kind: type) -> None:
    # Powers below the smallest number, such as 0.1^400, are told apart by exact fractions.
    rng = np.random.default_rng(ratio)
    utilities = rng.permutation(40).astype(float)
    points = rng.integers(0, 9, (40, 3))
    picks = [int(utilities.argmax())]
    while len(picks) < 30:
        squares = [min(((p - points[c]) ** 2).sum() for c in picks) for p in points]
        products = [
            Fraction(int(u) + 1, 40) ** (2 * ratio) * int(d) * (item not in picks)
            for item, (u, d) in enumerate(zip(utilities, squares, strict=True))
        ]
        picks.append(products.index(max(products)))
    order = weighted(
        utilities, points.astype(kind), np.empty((0, 3), kind), 30, score_strength=float(ratio)
    )
    assert order.tolist() == picks


@pytest.mark.parametrize(("s", "t"), [(1e308, 1e-300), (1.0, 5e-324), (1e308, 1.0)])
def test_boundless_power_of_the_score_is_the_score_alone(s: float, t: float) -> None:
    points, given = np.random.default_rng(4).normal(size=(30, 2)), np.zeros((1, 2))
    order = weighted(np.arange(30.0), points, given, score_strength=s, distance_strength=t)
    assert order.tolist() == [*range(29, -1, -1)]


@pytest.mark.parametrize("options", [{"score_strength": -1.0}, {"distance_strength": 0.0}])
def test_impossible_strength_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="strength must be"):
        weighted(np.ones(2), np.ones((2, 1)), np.ones((0, 1)), **options)
