from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from labelnext.errors import InvalidInput
from labelnext.selection import stochastic

VALUES = np.array([0.1, 0.7, 0.4, 0.2])


def weights_of(law: str, beta: float) -> np.ndarray:
    """By hand: ranks 4, 1, 2, 3; utilities above the least; exponentials."""
    base = {
        "rank": 1 / np.array([4.0, 1.0, 2.0, 3.0]),
        "power": np.array([0.0, 0.6, 0.3, 0.1]),
        "softmax": np.exp(VALUES),
    }[law]
    return base**beta


def test_no_items_give_an_empty_order() -> None:
    assert stochastic(np.empty(0), 3).shape == (0,)


@pytest.mark.parametrize("law", ["rank", "power", "softmax"])
def test_pairs_follow_the_stated_law_without_replacement(law: str) -> None:
    weights = weights_of(law, 2.0)
    pairs = list(itertools.permutations(range(4), 2))
    expected = np.array(
        [weights[i] / weights.sum() * weights[j] / (weights.sum() - weights[i]) for i, j in pairs]
    )
    counts = dict.fromkeys(pairs, 0)
    for seed in range(2000):
        counts[tuple(stochastic(VALUES, 2, law=law, beta=2.0, seed=seed).tolist())] += 1
    seen = np.array(list(counts.values()))
    assert seen[expected == 0].sum() == 0
    assert chisquare(seen[expected > 0], 2000 * expected[expected > 0]).pvalue > 0.001


def test_zero_beta_is_uniform() -> None:
    firsts = [stochastic(VALUES, 1, beta=0.0, law="power", seed=s)[0] for s in range(2000)]
    assert chisquare(np.bincount(firsts, minlength=4)).pvalue > 0.001


def test_large_beta_is_top_k() -> None:
    assert stochastic(VALUES, beta=1e6).tolist() == [1, 2, 3, 0]


def test_equal_utilities_have_equal_chances() -> None:
    firsts = [stochastic(np.ones(4), 1, beta=5.0, seed=s)[0] for s in range(2000)]
    assert chisquare(np.bincount(firsts, minlength=4)).pvalue > 0.001


def test_items_without_objects_stay_where_the_policy_puts_them() -> None:
    values = np.array([0.3, -np.inf, 0.2, np.inf])
    order = stochastic(values, seed=4).tolist()
    assert (order[0], order[-1]) == (3, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"law": "uniform"}, "law must be one of rank, power, softmax"), ({"beta": -1}, "beta must")],
)
def test_impossible_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        stochastic(VALUES, **options)
